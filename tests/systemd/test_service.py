"""sallyport.service: start and stop."""

import socket

import pytest

from conftest import ADDRESS, credential
from harness.clients import CLOSE_NOTIFY
from installed import CONFIG
from unit import is_alive, run, systemctl


def test_start_returns_when_it_serves(service, is_served):
    unit = service()
    assert is_served()
    assert unit.show("ActiveState") == "active"
    assert unit.show("StatusText").startswith("1 listeners, 2 workers")


def test_start_fails_with_a_broken_configuration(unit, pki, configure):
    path = configure(minimum_verson="TLSv1.3")
    one = unit()
    one.drop_in(credential(pki.server) + "Restart=no\n")
    assert run("systemctl", "start", one.name).returncode != 0
    assert one.show("Result") == "exit-code"
    assert one.wait_journal(f'{path}:')
    assert one.journal('did you mean "minimum_version"?')


def test_start_fails_without_a_configuration(unit):
    one = unit()
    one.drop_in("[Service]\nRestart=no\n")
    assert run("systemctl", "start", one.name).returncode != 0
    assert one.wait_journal(str(CONFIG / "sallyport.ini"))


def test_stop_lets_connections_end_by_themselves(service, connect):
    # With the store clients wait: it could be a restart.
    unit = service("FileDescriptorStoreMax=0\n")
    pids = unit.pids()
    client = connect()
    client.send(b"before")
    assert client.recv_exactly(6) == b"before"

    systemctl("stop", "--no-block", unit.name)
    unit.wait("ActiveState", "deactivating")
    unit.wait_journal("stopping")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(ADDRESS).close()
    client.send(b"after")
    assert client.recv_exactly(5) == b"after"

    client.close_notify()
    assert client.recv_to_end() == (b"", CLOSE_NOTIFY)
    unit.wait("ActiveState", "inactive")
    assert unit.show("Result") == "success"
    assert not any(is_alive(pid) for pid in pids)


def test_stop_ends_what_does_not_end_in_time(service, connect, is_served):
    unit = service(process={"drain_timeout": "1s", "workers": 1})
    # The journal finds out the unit of a process when that speaks first. If
    # the process is gone by then the entry has no unit.
    assert is_served()
    unit.wait_journal("closed", SALLYPORT_LISTENER="gw")
    client = connect()
    unit.stop()
    client.recv_to_end()
    assert unit.show("Result") == "success"
    assert unit.wait_journal("closed", SALLYPORT_LISTENER="gw",
                             SALLYPORT_REASON="drained")
