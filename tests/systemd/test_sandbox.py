"""What the unit takes away from its processes, seen from their inside."""

import os
import re
from pathlib import Path

import pytest

from harness import processes
from installed import CONFIG
from unit import is_alive

NET_BIND_SERVICE = 1 << 10


@pytest.fixture
def everybody(service, backend):
    """(the unit, {pid: /proc/PID/status of a process of it}). A backend with
    a name makes it have a resolver."""
    unit = service(backend=f"localhost:{backend().port}",
                   allow_remote_plaintext=True)
    table = {pid: processes.status(pid) for pid in unit.pids()}
    assert len(table) == 4  # supervisor, two workers, resolver
    return unit, table


def test_nobody_is_root_or_may_become_more(everybody):
    for status in everybody[1].values():
        assert all(61184 <= int(uid) <= 65519
                   for uid in status["Uid"].split()), status["Name"]
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
        assert int(status["CapBnd"], 16) == NET_BIND_SERVICE


def test_only_the_supervisor_may_open_low_ports(everybody):
    unit, table = everybody
    for pid, status in table.items():
        allowed = NET_BIND_SERVICE if pid == unit.main_pid else 0
        for kind in ("CapEff", "CapPrm", "CapAmb"):
            assert int(status[kind], 16) == allowed, (status["Name"], kind)


def test_children_confine_themselves_further(everybody):
    unit, table = everybody
    own = int(table[unit.main_pid]["Seccomp_filters"])
    for role in ("worker", "resolver"):
        for pid in unit.children(role):
            assert int(table[pid]["Seccomp_filters"]) > own, role
    assert not unit.journal("sandbox without")


def test_files_cannot_be_written(everybody):
    unit, _ = everybody
    for path in ("/etc", "/usr", "/var", "/var/lib", str(CONFIG)):
        # Not even by root, were it to get there.
        done = unit.inside("touch", f"{path}/sallyport-was-here")
        assert done.returncode != 0, path
        assert b"Read-only file system" in done.stdout
    uid = unit.show("UID")
    writable = unit.inside(
        "setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups",
        "find", "/", "-path", "/proc", "-prune", "-o", "-type", "d",
        "-writable", "-print").stdout.decode().splitlines()
    assert {path for path in writable if not path.startswith("find:")} == \
        {"/run/sallyport", "/tmp", "/var/tmp"}


@pytest.fixture
def secrets():
    """Files where the service must not see any."""
    paths = [Path("/root/secret"), Path("/home/secret"), Path("/tmp/secret")]
    for path in paths:
        path.touch(mode=0o666)
    yield paths
    for path in paths:
        path.unlink()


def test_homes_devices_and_the_tmp_of_others_are_hidden(everybody, secrets):
    unit, _ = everybody
    for path in secrets:
        assert unit.inside("test", "-e", str(path)).returncode == 1, path
    # The same question finds what is there.
    assert unit.inside("test", "-e", "/etc/passwd").returncode == 0
    assert b"kmsg" not in unit.inside("ls", "/dev").stdout
    assert unit.inside("touch", "/tmp/here").returncode == 0
    assert not os.path.exists("/tmp/here")


def test_proc_shows_only_their_own_processes(everybody):
    unit, table = everybody
    for pid in table:
        with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as file:
            proc = [line for line in file if re.search(r" /proc .*- proc ",
                                                       line)]
        assert "hidepid=invisible" in proc[-1]
        assert "subset=pid" in proc[-1]
    assert unit.inside("ls", "/proc/sys").returncode != 0


def test_all_are_in_namespaces_of_the_unit(everybody):
    unit, table = everybody
    for kind in ("mnt", "ipc"):
        views = {os.readlink(f"/proc/{pid}/ns/{kind}") for pid in table}
        assert len(views) == 1
        assert views.isdisjoint({os.readlink(f"/proc/self/ns/{kind}")})
    assert unit.show("PrivateMounts") == "yes"


def test_no_core_is_dumped(everybody):
    for pid in everybody[1]:
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            assert re.search(r"^Max core file size +0 +0 ", file.read(),
                             re.M)


def test_nothing_is_left_after_a_stop(everybody):
    unit, table = everybody
    unit.stop()
    assert not any(is_alive(pid) for pid in table)
    assert not os.path.exists("/run/sallyport")


def test_without_low_ports_it_needs_no_capability(service, is_served):
    """The drop-in that the unit suggests."""
    unit = service(listen="127.0.0.1:8443",
                   drop_in="AmbientCapabilities=\nCapabilityBoundingSet=\n"
                   "PrivateUsers=yes\n")
    assert is_served(("127.0.0.1", 8443))
    for pid in unit.pids():
        status = processes.status(pid)
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
