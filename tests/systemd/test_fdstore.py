"""What systemd keeps of us over a restart, and what happens in an upgrade."""

import os
import signal

from conftest import ADDRESS
from harness.clients import tls_context
from load import Load


def say(client):
    client.send(b"hello")
    assert client.recv_exactly(5) == b"hello"


def test_a_restart_under_load_refuses_nobody(service, pki):
    unit = service()
    assert unit.show("NFileDescriptorStore") == "2"
    with Load(pki, ADDRESS) as load:
        for _ in range(3):
            unit.restart()
            load.wait_served(20)
    assert load.failures == []
    assert unit.journal("restored")


def test_a_crash_of_the_supervisor_refuses_nobody(service, pki):
    unit = service("RestartSec=0\n")
    before = unit.show("MainPID")
    with Load(pki, ADDRESS) as load:
        os.kill(int(before), signal.SIGKILL)
        load.wait_served(20)
    assert load.refused() == []
    assert unit.show("MainPID") != before


def test_sessions_outlive_a_restart(service, connect, pki):
    unit = service()
    context = tls_context(pki, pki.good)
    first = connect(context=context)
    say(first)
    session = first.tls.session
    first.close()
    unit.restart()
    again = connect(context=context, session=session)
    say(again)
    assert again.tls.session_reused


def test_a_stop_forgets_all(service):
    unit = service()
    unit.stop()
    assert unit.show("NFileDescriptorStore") == "0"
    unit.start()
    assert not unit.journal("restored")


def test_an_upgrade_keeps_process_and_connections(service, connect, pki):
    unit = service()
    pid = unit.show("MainPID")
    client = connect()
    say(client)
    with Load(pki, ADDRESS) as load:
        os.kill(int(pid), signal.SIGUSR2)
        assert unit.wait_journal("upgraded")
        load.wait_served(20)
    assert load.failures == []
    say(client)
    assert unit.show("MainPID") == pid
    assert unit.show("ActiveState") == "active"
