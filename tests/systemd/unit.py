"""A unit of the systemd that runs here: what systemctl, journalctl and /proc
say of it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from harness import processes
from harness.limits import wait_until

RUNTIME_UNITS = Path("/run/systemd/system")


def run(*command, timeout=150):
    return subprocess.run(command, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, check=False)


def systemctl(*args):
    """Its output; a failure of it is one of the test."""
    done = run("systemctl", *args)
    assert done.returncode == 0, f"{args}: {done.stdout.decode()}"
    return done.stdout.decode()


def journal_end():
    """Where the journal ends now."""
    out = run("journalctl", "--lines=1", "--output=json").stdout
    return json.loads(out)["__CURSOR"]


def one_line(entry):
    """An entry of the journal as a person reads it. Text that is not UTF-8
    comes as a list of bytes."""
    message = entry.get("MESSAGE", "")
    return message if isinstance(message, str) else bytes(message).decode(
        errors="replace")


class Unit:
    def __init__(self, name="sallyport.service"):
        self.name = name
        self.cursor = journal_end()

    # ---- control ----

    def start(self):
        systemctl("start", self.name)

    def stop(self):
        systemctl("stop", self.name)

    def restart(self):
        systemctl("restart", self.name)

    def reload(self):
        """Its exit status is for the test to judge."""
        return run("systemctl", "reload", self.name).returncode

    def drop_in(self, text, name="test"):
        directory = RUNTIME_UNITS / f"{self.name}.d"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{name}.conf").write_text(text)
        systemctl("daemon-reload")

    def forget(self):
        """Stops it and undoes what tests did to it."""
        run("systemctl", "stop", self.name)
        run("systemctl", "reset-failed", self.name)
        shutil.rmtree(RUNTIME_UNITS / f"{self.name}.d", ignore_errors=True)
        systemctl("daemon-reload")

    # ---- state ----

    def show(self, name):
        return systemctl("show", "--value", "--property", name,
                         self.name).strip()

    def wait(self, name, value, timeout=60):
        wait_until(lambda: self.show(name) == value,
                   f"{name}={value} of {self.name}", timeout)

    @property
    def main_pid(self):
        return int(self.show("MainPID"))

    def pids(self):
        """All processes of its control group."""
        group = Path("/sys/fs/cgroup" + self.show("ControlGroup"))
        return [int(line) for file in group.rglob("cgroup.procs")
                for line in file.read_text().split()]

    def children(self, role):
        """Pids of the main process's children that are ROLE."""
        return [pid for pid in processes.children(self.main_pid)
                if Path(f"/proc/{pid}/cmdline").read_text().startswith(
                    f"sallyport: {role}\0")]

    def inside(self, *command):
        """Runs COMMAND as root, in the main process's view of files."""
        return run("nsenter", f"--target={self.main_pid}", "--mount",
                   *command)

    # ---- journal ----

    def journal(self, words="", **fields):
        """Entries of and about it since this test began."""
        out = run("journalctl", "--output=json", "--all",
                  f"--unit={self.name}",
                  f"--after-cursor={self.cursor}").stdout
        entries = [json.loads(line) for line in out.splitlines()]
        return [entry for entry in entries if words in one_line(entry) and
                all(entry.get(key) == value
                    for key, value in fields.items())]

    def wait_journal(self, words="", **fields):
        """The first such entry."""
        return wait_until(lambda: self.journal(words, **fields),
                          f"{words!r} {fields} in the journal")[0]

    def text(self):
        """The end of it all, for whoever looks at a failure."""
        return "\n".join(one_line(entry) for entry in self.journal()[-60:])


def is_alive(pid):
    state = processes.stat(pid)
    return state is not None and state[0] != "Z" and os.path.exists(
        f"/proc/{pid}")
