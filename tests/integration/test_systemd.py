"""Talks to a service manager when there is one."""

import signal
import socket
import sys
import time

import pytest

from harness.backends import echo
from harness.clients import say
from harness.limits import seconds

# Execs the daemon with descriptor ARGV[1] as its first inherited socket.
PASS_SOCKET = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1",
                  LISTEN_FDNAMES="web")
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture(autouse=True)
def with_systemd(version_text):
    if "systemd no" in version_text.replace(":", ""):
        pytest.skip("built without libsystemd")


@pytest.fixture
def manager(open_dir):
    """The socket behind NOTIFY_SOCKET."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(open_dir / "notify"))
        sock.settimeout(seconds(10))
        yield sock


def test_the_manager_hears_of_start_and_stop(backend, gateway, manager):
    daemon = gateway(backend(), daemon={
        "env": {"NOTIFY_SOCKET": manager.getsockname()}})
    assert wait_for(manager, "READY=1")
    daemon.stop()
    assert wait_for(manager, "STOPPING=1")


def wait_for(manager, state):
    while True:
        if state in manager.recv(4096).decode().splitlines():
            return True


def receive(manager):
    return manager.recv(4096).decode().splitlines()


def test_the_manager_hears_how_many_connections_are_left(
        backend, gateway, connect, manager):
    daemon = gateway(backend(echo), process={"drain_timeout": "30s"},
                     daemon={"env": {"NOTIFY_SOCKET": manager.getsockname()}})
    clients = [connect(daemon) for _ in range(3)]
    for client in clients:
        say(client)
    daemon.send_signal(signal.SIGTERM)
    assert wait_for(manager, "STOPPING=1")
    for left in (3, 2, 1, 0):
        assert receive(manager) == \
            [f"STATUS=draining, {left} connections left"]
        if left > 0:
            client = clients.pop()
            client.close_notify()
            client.recv_to_end()
            client.close()
        if left == 1:
            break  # the end of the last one is the end of all
    daemon.wait_stopped()


def test_the_manager_hears_of_each_reload_and_its_end(backend, gateway,
                                                      manager):
    daemon = gateway(backend(), daemon={
        "env": {"NOTIFY_SOCKET": manager.getsockname()}})
    assert wait_for(manager, "READY=1")
    before = time.monotonic()
    daemon.reload()
    first, stamp = receive(manager)
    assert first == "RELOADING=1"
    assert stamp.startswith("MONOTONIC_USEC=")
    assert before <= int(stamp.split("=")[1]) / 1e6 <= time.monotonic()
    assert receive(manager) == [
        "READY=1", "STATUS=1 listeners, 1 workers, generation 2"]
    daemon.config.write_text("[nonsense]\n")
    assert daemon.ask("reload").returncode == 1
    assert receive(manager)[0] == "RELOADING=1"
    assert receive(manager) == [
        "READY=1", "STATUS=1 listeners, 1 workers, generation 2"]


def test_the_manager_hears_of_a_second_signal_nothing_new(
        backend, gateway, connect, manager):
    daemon = gateway(backend(echo), process={"drain_timeout": "1h"}, daemon={
        "env": {"NOTIFY_SOCKET": manager.getsockname()}})
    client = connect(daemon)
    say(client)
    daemon.send_signal(signal.SIGTERM)
    assert wait_for(manager, "STOPPING=1")
    assert receive(manager) == ["STATUS=draining, 1 connections left"]
    daemon.send_signal(signal.SIGTERM)
    daemon.wait_stopped()
    daemon.closed(peer=client.peer, reason="stopped")
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            assert "STOPPING=1" not in receive(manager)


def test_an_inherited_socket_is_served(backend, gateway, connect):
    with socket.socket() as inherited:
        inherited.bind(("127.0.0.1", 0))
        inherited.listen()
        daemon = gateway(
            backend(echo), listen="systemd:web", daemon={
                "wrapper": [sys.executable, "-c", PASS_SOCKET,
                            str(inherited.fileno())],
                "pass_fds": [inherited.fileno()]})
        client = connect(daemon, address=inherited.getsockname())
        client.send(b"hello")
        assert client.recv_exactly(5) == b"hello"


def test_a_socket_that_was_not_inherited_is_an_error(backend, gateway):
    daemon = gateway(backend(), listen="systemd:web",
                     daemon={"ready": False})
    daemon.wait_stopped(status=1)
    assert "web" in daemon.log.text()
