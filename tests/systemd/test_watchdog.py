"""WatchdogSec=: who gives no sign of life is killed, and started again."""

import os
import signal

import pytest

from harness.limits import wait_until
from unit import is_alive

SOON = "WatchdogSec=3\n"


@pytest.fixture
def watched(service):
    return service(drop_in=SOON)


@pytest.mark.parametrize("who", ["worker", "supervisor"])
def test_who_hangs_is_killed_and_the_service_starts_again(watched, is_served,
                                                          who):
    before = watched.pids()
    hung = watched.main_pid if who == "supervisor" else \
        watched.children("worker")[0]
    os.kill(hung, signal.SIGSTOP)

    watched.wait_journal("Watchdog timeout")
    watched.wait("NRestarts", "1")
    watched.wait("ActiveState", "active")
    assert not any(is_alive(pid) for pid in before)
    assert is_served()


def test_the_watchdog_lets_a_healthy_service_be(watched, is_served):
    """Later than the deadline: the worker that is killed then would have
    been missed."""
    first = watched.show("WatchdogTimestampMonotonic")
    wait_until(lambda: int(watched.show("WatchdogTimestampMonotonic")) >
               int(first) + 4_000_000, "signs of life for 4 s", 20)
    assert watched.show("NRestarts") == "0"
    assert is_served()


def test_the_shipped_unit_has_a_watchdog(service):
    assert service().show("WatchdogUSec") == "30s"
