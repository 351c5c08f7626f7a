"""Talks to a service manager when there is one."""

import socket
import sys

import pytest

from harness.backends import echo
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
