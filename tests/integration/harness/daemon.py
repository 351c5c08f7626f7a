"""Starts, watches and stops the daemon under test."""

import json
import os
import re
import signal
import subprocess

from . import processes
from .limits import seconds, wait_until
from .log import Log, parse_json, parse_text
from .programs import sallyport

SANITIZER = re.compile(r"ERROR: (Address|Leak|Undefined\w*)Sanitizer"
                       r"|runtime error:|SUMMARY: \w*Sanitizer")


def ini(sections):
    """Configuration text. SECTIONS: {"listener gw": {"key": value}}; a list
    repeats its key, None leaves it out, True and False are yes and no."""
    lines = []
    for header, entries in sections.items():
        lines.append(f"[{header}]")
        for key, value in entries.items():
            for item in value if isinstance(value, list) else [value]:
                if item is None:
                    continue
                if isinstance(item, bool):
                    item = "yes" if item else "no"
                lines.append(f"{key} = {item}")
        lines.append("")
    return "\n".join(lines)


def environment(**changes):
    """The daemon's environment: nothing of systemd unless a test says so."""
    env = {key: value for key, value in os.environ.items()
           if key not in ("NOTIFY_SOCKET", "JOURNAL_STREAM", "LISTEN_FDS",
                          "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC",
                          "WATCHDOG_PID", "SSLKEYLOGFILE",
                          "RUNTIME_DIRECTORY",
                          "CREDENTIALS_DIRECTORY")}
    env.update(changes)
    return env


class Daemon:
    """One running sallyport. WRAPPER: a command that execs the daemon;
    PROGRAM: another file to run."""

    def __init__(self, directory, config, wrapper=(), env=None,
                 json_log=False, program=None, **popen):
        self.config = directory / "sallyport.ini"
        self.config.write_text(config)
        self.process = subprocess.Popen(
            [*wrapper, program or sallyport(), "-c", str(self.config)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
            env=environment(**{"RUNTIME_DIRECTORY": str(directory),
                               **(env or {})}), **popen)
        self.admin_socket = directory / "admin.sock"
        self.pid = self.process.pid
        self.log = Log(self.process.stderr,
                       parse_json if json_log else parse_text)
        self.stopped = False

    def wait_ready(self, timeout=15):
        return self.log.wait("ready", timeout)

    def address(self, listener="gw", which=0):
        """Where LISTENER listens: (host, port), or the path of a socket."""
        text = self.log.find("listening", listener=listener)[which]["address"]
        if text.startswith("unix:"):
            return text[len("unix:"):]
        host, port = text.rsplit(":", 1)
        return host.strip("[]"), int(port)

    def port(self, listener="gw"):
        return self.address(listener)[1]

    def closed(self, timeout=10, since=0, **fields):
        """The line of a finished connection."""
        return self.log.wait("closed", timeout, since, **fields)

    def refused(self, timeout=10, since=0, **fields):
        """The line of a connection that never became one."""
        return self.log.wait("refused", timeout, since, **fields)

    def pids(self):
        return [self.pid, *processes.children(self.pid)]

    def workers(self):
        """Pids of the workers that are to serve, by the log's word."""
        gone = {line["pid"] for line in self.log.find("worker leaves")}
        started = {line["worker"]: int(line["pid"])
                   for line in self.log.find("worker started")
                   if line["pid"] not in gone}
        return [started[number] for number in sorted(started)]

    def memory_kb(self):
        return sum(processes.memory_kb(pid) for pid in self.pids())

    def descriptors(self):
        """{pid: number of open descriptors}"""
        return {pid: len(processes.descriptors(pid)) for pid in self.pids()}

    def send_signal(self, number):
        self.process.send_signal(number)

    def ask(self, command, *args, timeout=60):
        """`sallyport COMMAND -c CONFIG ARGS`, to its end."""
        return subprocess.run(
            [sallyport(), command, "-c", str(self.config), *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, check=False,
            env=environment(RUNTIME_DIRECTORY=str(self.config.parent)),
            timeout=seconds(timeout))

    def reload(self, **options):
        """`sallyport reload`: the new generation runs when it is over."""
        done = self.ask("reload", **options)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def status(self):
        done = self.ask("status", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def stop(self, number=signal.SIGTERM, timeout=20):
        """Asks the daemon to end, and inspects what it leaves behind."""
        if self.stopped:
            return
        if self.process.poll() is None:
            self.send_signal(number)
        self.wait_stopped(timeout)

    def wait_stopped(self, timeout=20, status=0):
        self.stopped = True
        try:
            self.process.wait(seconds(timeout))
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the daemon did not end in "
                                 f"{seconds(timeout)} s\n{self.log.text()}")
        left = processes.in_session(self.pid)
        ended = self.log.wait_for_end(5)
        self.kill()
        assert self.process.returncode == status, \
            f"exit status {self.process.returncode}\n{self.log.text()}"
        assert not left, f"left processes {left}\n{self.log.text()}"
        assert ended, "somebody still holds the daemon's stderr"
        self.check_output()

    def check_output(self):
        foreign = self.log.foreign()
        assert not any(SANITIZER.search(raw) for raw in foreign), \
            "\n".join(foreign)
        odd = [raw for raw in foreign
               if not raw.startswith((str(self.config), "    ",
                                      "sallyport: "))]
        assert not odd, f"not lines of a log: {odd}"
        with self.process.stdout as output:
            assert output.read() == b"", "wrote to stdout"

    def kill(self):
        """Nothing of this daemon survives this."""
        self.stopped = True
        for pid in {self.pid, *processes.in_session(self.pid)}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        wait_until(lambda: not processes.in_session(self.pid),
                   "the daemon's processes are gone")


def run_check(config, *args, wrapper=(), command="check"):
    """`sallyport check -c CONFIG ARGS`, to its end."""
    line = [*wrapper, sallyport(), *([command] if command else []),
            "-c", str(config), *args]
    return subprocess.run(line, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment(), timeout=seconds(20),
                          check=False)


class Check:
    """What `sallyport check` said."""

    def __init__(self, config, done):
        self.status = done.returncode
        self.stdout = done.stdout.decode()
        self.stderr = done.stderr.decode(errors="backslashreplace")
        *lines, self.count = self.stderr.splitlines() or [""]
        self.lines = lines
        self.findings = []
        for line in lines:
            if line.startswith("    ") and self.findings:
                self.findings[-1] += "\n" + line
            else:
                self.findings.append(
                    line.replace(f"{config}:", "", 1).strip())
