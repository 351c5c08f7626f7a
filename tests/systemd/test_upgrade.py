"""SIGUSR2: the supervisor becomes the program that is installed now."""

import os
import shutil

import pytest

from conftest import ADDRESS
from harness.clients import CLOSE_NOTIFY, TLS1_2
from harness.limits import wait_until
from installed import PROGRAM
from load import Load
from unit import systemctl


@pytest.fixture
def program():
    """The installed program, put back after the test."""
    kept = PROGRAM.with_suffix(".kept")
    shutil.copy2(PROGRAM, kept)
    yield PROGRAM
    kept.rename(PROGRAM)


def install(program, content):
    """As a package does it: another file of the same name."""
    fresh = program.with_suffix(".new")
    shutil.copy2(program, fresh)
    with open(fresh, "r+b") as file:
        file.truncate(0)
        file.write(content)
    fresh.rename(program)


def upgrade(unit):
    systemctl("kill", "--kill-whom=main", "--signal=SIGUSR2", unit.name)


def image(pid):
    found = os.stat(f"/proc/{pid}/exe")
    return found.st_dev, found.st_ino


def is_upgraded(unit, program):
    """Does the supervisor run the file that is installed now, and ready?"""
    found = os.stat(program)
    return image(unit.main_pid) == (found.st_dev, found.st_ino) and \
        unit.show("ActiveState") == "active"


def test_an_upgrade_keeps_the_main_process_and_every_client(
        service, pki, program, connect):
    unit = service()
    client = connect()
    main, workers = unit.main_pid, unit.children("worker")
    with Load(pki, ADDRESS) as load:
        install(program, program.read_bytes())
        upgrade(unit)
        wait_until(lambda: is_upgraded(unit, program), "the new program")
        wait_until(lambda: [pid for pid in unit.children("worker")
                            if pid not in workers], "new workers")
        load.wait_served(50)
        # The old workers drain as long as their connections live.
        client.send(b"still here")
        assert client.recv_exactly(10) == b"still here"
    assert load.failures == []
    assert unit.main_pid == main
    assert unit.show("NRestarts") == "0"

    client.close_notify()
    assert client.recv_to_end() == (b"", CLOSE_NOTIFY)
    wait_until(lambda: not set(workers) & set(unit.pids()),
               "the old workers are gone")
    assert unit.reload() == 0


def test_sessions_outlive_an_upgrade(service, program, connect):
    unit = service()
    client = connect(version=TLS1_2)
    install(program, program.read_bytes())
    upgrade(unit)
    wait_until(lambda: is_upgraded(unit, program), "the new program")
    again = connect(version=TLS1_2, context=client.tls.context,
                    session=client.tls.session)
    assert again.tls.session_reused


@pytest.mark.parametrize("content", [
    b"not a program at all",
    b"#!/bin/false\n",
])
def test_an_upgrade_that_fails_changes_nothing(service, pki, program,
                                               content):
    unit = service()
    before = unit.main_pid
    with Load(pki, ADDRESS) as load:
        install(program, content)
        upgrade(unit)
        unit.wait_journal("upgrade", PRIORITY="3")
        load.wait_served(50)
    assert load.failures == []
    assert unit.main_pid == before
    assert unit.show("NRestarts") == "0"


def test_the_watchdog_goes_on_after_an_upgrade(service, program, is_served):
    unit = service(drop_in="WatchdogSec=3\n")
    install(program, program.read_bytes())
    upgrade(unit)
    wait_until(lambda: is_upgraded(unit, program), "the new program")
    since = int(unit.show("WatchdogTimestampMonotonic"))
    wait_until(lambda: int(unit.show("WatchdogTimestampMonotonic")) >
               since + 4_000_000, "signs of life for 4 s", 20)
    assert unit.show("NRestarts") == "0"
    assert is_served()
