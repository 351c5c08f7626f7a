"""Our own ends of the line: the load generator and the backend."""

import ctypes
import json
import os
import select
import signal
import subprocess
import time


class BenchError(Exception):
    """Something that must not be taken for a result."""


_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def pinned(cpus):
    """For Popen: puts a process, and all that it starts, on these CPUs; and
    ends it should we be killed before we could."""
    def prepare():
        os.sched_setaffinity(0, cpus)
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    return prepare


class Program:
    """A program of ours that is asked on stdin and answers on stdout."""

    def __init__(self, command, cpus, limit_s):
        self.name = os.path.basename(command[0])
        self.limit_s = limit_s
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, bufsize=1,
            preexec_fn=pinned(cpus))

    def say(self, line):
        try:
            self.process.stdin.write(line + "\n")
        except BrokenPipeError:
            pass  # what it has to say about that is read next

    def line(self):
        ready, _, _ = select.select([self.process.stdout], [], [],
                                    self.limit_s)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.kill()
            raise BenchError(f"{self.name}: "
                             f"{self.process.stderr.read().strip()[:300]}"
                             if ready else f"{self.name}: took too long")
        return line.strip()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        """Lets it end, which it must do well."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # of a line that it did not live to read
        try:
            status = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            status = -1
        complaint = self.process.stderr.read().strip()
        self.process.stdout.close()
        self.process.stderr.close()
        if status != 0:
            raise BenchError(f"{self.name}: status {status}: "
                             f"{complaint[:300]}")


class Backend(Program):
    def __init__(self, path, processes, cpus):
        super().__init__([path, str(processes)], cpus, limit_s=10)
        self.port = int(self.line())

    def count(self):
        self.say("count")
        return json.loads(self.line())

    def settle(self):
        """After a failure: until connections that were torn down are."""
        last = self.count()
        while True:
            time.sleep(0.2)
            now = self.count()
            if now == last:
                return
            last = now

    def expect(self, before, did):
        """That since BEFORE it has done what a load says it DID: returns the
        count then. What was answered is counted a moment after it was sent.
        """
        keys = ("exchanges", "sent", "received")
        want = {"exchanges": did["exchanges"], "sent": did["received"],
                "received": did["sent"]}
        deadline = time.monotonic() + 5
        while True:
            now = self.count()
            done = {key: now[key] - before[key] for key in keys}
            if done == want and now["cut"] == before["cut"]:
                return now
            if time.monotonic() > deadline:
                raise BenchError(f"the backend counts {done}, "
                                 f"{now['cut'] - before['cut']} cut; the "
                                 f"load {want}")
            time.sleep(0.02)


class Load(Program):
    """LOAD(PATH, CPUS, port=..., steady=True ...): options of bench/load."""

    def __init__(self, path, cpus, limit=60, **options):
        command = [path, "--limit", str(limit)]
        for key, value in options.items():
            if value is True:
                command.append("--" + key.replace("_", "-"))
            elif value not in (None, False):
                command += ["--" + key.replace("_", "-"), str(value)]
        self.options = options
        super().__init__(command, cpus, limit_s=limit + 5)

    def wait_ready(self):
        """Returns what was done to warm up."""
        return json.loads(self.line())

    def go(self):
        self.say("go")

    def result(self):
        return json.loads(self.line())

    def end(self):
        self.say("end")
        self.close()
