"""FileDescriptorStoreMax=: what systemd keeps from one process to the next."""

import os
import signal
import socket

import pytest

from conftest import ADDRESS
from harness.clients import TLS1_2
from harness.limits import wait_until
from load import Load
from unit import is_alive

THREADS = 4


def test_no_client_notices_a_restart(service, pki):
    unit = service()
    with Load(pki, ADDRESS, THREADS) as load:
        for _ in range(3):
            before = unit.main_pid
            unit.restart()
            assert unit.main_pid != before
            load.wait_served(20)
    assert load.failures == []


def test_no_client_is_refused_when_the_supervisor_is_killed(service, pki):
    unit = service()
    with Load(pki, ADDRESS, THREADS) as load:
        for nth in range(1, 4):
            before = unit.pids()
            os.kill(unit.main_pid, signal.SIGKILL)
            unit.wait("NRestarts", str(nth))
            unit.wait("ActiveState", "active")
            assert not any(is_alive(pid) for pid in before)
            load.wait_served(20)
    assert load.refused() == []
    # Those that were being served went with their workers.
    assert len(load.failures) <= 3 * THREADS


def test_no_client_is_refused_when_the_watchdog_bites(service, pki):
    unit = service(drop_in="WatchdogSec=3\n")
    with Load(pki, ADDRESS, THREADS) as load:
        os.kill(unit.main_pid, signal.SIGSTOP)
        unit.wait("NRestarts", "1")
        unit.wait("ActiveState", "active")
        load.wait_served(20)
    assert load.refused() == []


def test_sessions_outlive_a_restart(service, connect):
    unit = service()
    client = connect(version=TLS1_2)
    assert not client.tls.session_reused
    unit.restart()
    again = connect(version=TLS1_2, context=client.tls.context,
                    session=client.tls.session)
    assert again.tls.session_reused


def test_a_stop_gives_the_ports_up(service):
    unit = service()
    assert int(unit.show("NFileDescriptorStore")) > 0
    unit.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(ADDRESS).close()


def test_a_restart_gives_up_a_port_that_is_not_wanted_any_more(
        service, configure, is_served):
    unit = service(listen=["127.0.0.1:443", "127.0.0.1:444"])
    assert is_served(("127.0.0.1", 444))
    configure()
    unit.restart()
    assert is_served()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 444)).close()


def test_reloads_do_not_fill_the_store(service, configure):
    """A listener that comes and goes leaves nothing behind."""
    unit = service()
    before = unit.show("NFileDescriptorStore")
    for _ in range(3):
        configure(listen=["127.0.0.1:443", "127.0.0.1:444"])
        assert unit.reload() == 0
        wait_until(lambda: int(unit.show("NFileDescriptorStore")) >
                   int(before), "the second socket is stored")
        configure()
        assert unit.reload() == 0
        unit.wait("NFileDescriptorStore", before)


def test_instances_do_not_get_sockets_of_others(service, is_served, unit,
                                                configure, pki):
    one = service()
    configure("a", listen="127.0.0.1:444")
    other = unit("sallyport@a.service")
    other.drop_in(f"[Service]\nLoadCredential=server.key:{pki.server.key}\n")
    other.start()
    one.restart()
    other.restart()
    assert is_served()
    assert is_served(("127.0.0.1", 444))
    entries = other.journal("listening", SALLYPORT_LISTENER="gw")
    assert {entry["SALLYPORT_ADDRESS"] for entry in entries} == \
        {"127.0.0.1:444"}
