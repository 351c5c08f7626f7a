"""What the processes of a proxy cost: CPU time and memory of a whole tree."""

import os
import time
from pathlib import Path

from .programs import BenchError

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def children(pid):
    """PIDs of PID's living children."""
    found = []
    for task in _tasks(pid):
        try:
            found += task.joinpath("children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            pass
    return [int(child) for child in found]


def _tasks(pid):
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except FileNotFoundError:
        return []


def tree(pids):
    """PIDS and all their descendants."""
    found, todo = [], list(pids)
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children(pid)
    return found


def _clock(pid):
    """The kernel's id of the CPU clock of a process, all of its threads, ended
    ones too, as clock_getcpuclockid(3) makes it: precise to the nanosecond,
    where /proc/PID/stat counts in hundredths of a second."""
    return (~pid << 3) | 2


def _ended_ns(pid):
    """CPU time of PID's children that have ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    fields = text.rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) * TICK_NS


def cpu_ns(pids):
    """CPU time that the trees of PIDS have used so far, user and system."""
    total = 0
    for pid in tree(pids):
        try:
            total += time.clock_gettime_ns(_clock(pid)) + _ended_ns(pid)
        except OSError:
            pass  # it ended this moment; its parent's numbers have it
    return total


def pss_bytes(pids):
    """Memory of the trees of PIDS; what several share is counted once."""
    total = 0
    for pid in tree(pids):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        except PermissionError:
            raise BenchError("only root may see the memory of processes "
                             "that are confined") from None
        for line in text.splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def settled_pss_bytes(pids, patience_s=5):
    """The same, once it has stopped to change (or patience has)."""
    last = pss_bytes(pids)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        time.sleep(0.25)
        now = pss_bytes(pids)
        if abs(now - last) <= 64 * 1024:
            return now
        last = now
    return last


def await_rest(pids, window_s=1, patience_s=30):
    """Until they did next to nothing for a while: what a start leaves to be
    done afterwards is no part of the work that is measured."""
    last = cpu_ns(pids)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        time.sleep(window_s)
        now = cpu_ns(pids)
        if now - last <= window_s * 1e9 / 100:
            return
        last = now
