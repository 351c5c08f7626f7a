"""What /proc says of the daemon's processes."""

import contextlib
import ctypes
import os
import re
import signal

import pytest


def stat(pid):
    """(state, parent, session) of a process, or None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            after_name = file.read().rsplit(b")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return after_name[0].decode(), int(after_name[1]), int(after_name[3])


def all_pids():
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def children(parent):
    """Pids of PARENT's children, zombies included."""
    return sorted(pid for pid in all_pids()
                  if (stat(pid) or ("", 0, 0))[1] == parent)


def zombies(parent):
    return [pid for pid in children(parent)
            if (stat(pid) or ("",))[0] == "Z"]


def in_session(session):
    return sorted(pid for pid in all_pids()
                  if (stat(pid) or ("", 0, 0))[2] == session)


def status(pid):
    """/proc/PID/status as a dictionary."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(re.split(r":\s*", line.strip(), maxsplit=1)
                    for line in file)


def descriptors(pid):
    """{number: what it is} of PID's open descriptors. Workers are not
    dumpable, so only root may look."""
    table = {}
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            try:
                table[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
            except FileNotFoundError:
                pass  # closed meanwhile
    except PermissionError:
        pytest.skip("needs root: the daemon's processes are not dumpable")
    return table


def memory_kb(pid):
    """Memory that PID has asked for: heap, stacks, shared memory. Not the
    pages of libraries: whose those are depends on who else runs."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return sum(map(int, re.findall(
                r"^Pss_(?:Anon|Shmem):\s+(\d+) kB", file.read(), re.M)))
    except PermissionError:
        # Without root: the kernel's running count, a little behind.
        lines = status(pid)
        return sum(int(lines[key].split()[0])
                   for key in ("RssAnon", "RssShmem"))


PTRACE_SEIZE = 0x4206


@contextlib.contextmanager
def dead_in_secret(pid):
    """Kills PID, whose parent hears of it when the block ends: until then it
    is a zombie of ours, who trace it. Gives PID."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(PTRACE_SEIZE, pid, None, None) < 0:
        pytest.skip(f"cannot trace: {os.strerror(ctypes.get_errno())}")
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        yield pid
    finally:
        os.waitpid(pid, 0)
