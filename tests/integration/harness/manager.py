"""A service manager that keeps descriptors, as systemd does for a unit with
Type=notify and FileDescriptorStoreMax=."""

import os
import socket
import sys
import threading

from .limits import seconds

# Execs the rest of the command line with descriptors as inherited ones.
# ARGV[1]: their numbers, ARGV[2]: their names, both separated by colons.
INHERIT = """
import fcntl, os, sys
given = [int(number) for number in sys.argv[1].split(":")]
fds = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in given]
for fd in set(given):
    os.close(fd)
for number, fd in enumerate(fds, 3):
    os.dup2(fd, number)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)),
                  LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""


class ServiceManager:
    """The socket behind NOTIFY_SOCKET, and what was stored through it."""

    def __init__(self, directory):
        self.path = str(directory / "notify")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        self.store = []  # (name, descriptor), in the order they came
        self.states = []  # every message: {variable: value}
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            text, fds, _, _ = socket.recv_fds(self.sock, 65536, 16)
            state = dict(line.split("=", 1)
                         for line in text.decode().splitlines())
            with self.news:
                self._take(state, fds)
                self.states.append(state)
                self.news.notify_all()
            if "TEST_END" in state:
                return

    def _take(self, state, fds):
        name = state.get("FDNAME", "stored")
        if state.get("FDSTORE") == "1":
            self.store += [(name, fd) for fd in fds]
            return
        if state.get("FDSTOREREMOVE") == "1":
            for kept in [kept for kept in self.store if kept[0] == name]:
                os.close(kept[1])
                self.store.remove(kept)
        for fd in fds:  # a barrier's: its end is the answer
            os.close(fd)

    def names(self):
        with self.news:
            return [name for name, _ in self.store]

    def sockets(self):
        """The addresses that stored sockets are bound to."""
        found = []
        with self.news:
            for name, fd in self.store:
                if name.startswith("sallyport-listen-"):
                    with socket.socket(fileno=os.dup(fd)) as sock:
                        found.append(sock.getsockname())
        return found

    def wait(self, is_so, timeout=10):
        """Until IS_SO(self)."""
        with self.news:
            assert self.news.wait_for(lambda: is_so(self),
                                      seconds(timeout)), self.states

    def mark(self):
        with self.news:
            return len(self.states)

    def wait_state(self, variable, since=0):
        self.wait(lambda manager: any(variable in state for state in
                                      manager.states[since:]))

    def inherit(self, *more):
        """Options of Daemon for one that this manager starts: with what is
        stored, and MORE (name, descriptor)."""
        with self.news:
            passed = [*self.store, *more]
        options = {"env": {"NOTIFY_SOCKET": self.path}}
        if passed:
            options["pass_fds"] = [fd for _, fd in passed]
            options["wrapper"] = [
                sys.executable, "-c", INHERIT,
                ":".join(str(fd) for _, fd in passed),
                ":".join(name for name, _ in passed)]
        return options

    def forget(self):
        """What systemd does when the service is stopped."""
        with self.news:
            for _, fd in self.store:
                os.close(fd)
            self.store = []

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"TEST_END=1", self.path)
        self.thread.join(seconds(10))
        self.forget()
        self.sock.close()
