"""Memory is bounded: slow readers stop their writers, idle connections hold
nothing."""

import hashlib
import time

import pytest

from harness import limits
from harness.backends import background, echo
from harness.limits import wait_until

MB = 1 << 20
BLOCK = bytes(range(256)) * 4096  # 1 MB


@pytest.fixture(autouse=True)
def not_sanitized(sanitized):
    if sanitized:
        pytest.skip("a sanitizer build keeps freed memory on purpose")


def serve_down(peer):
    """Sends as many MB as the first line asks for."""
    request = bytearray()
    while not request.endswith(b"\n"):
        request += peer.recv(1)
    for _ in range(int(request)):
        peer.send(BLOCK)
    peer.finish()


def warmed_up(daemon, connect):
    """The daemon's memory with all that a worker touches once and keeps."""
    client = connect(daemon)
    client.send(b"16\n")
    data, _ = client.recv_to_end()
    assert len(data) == 16 * MB
    client.close_notify()
    daemon.closed(peer=client.peer)
    return daemon.memory_kb()


def test_a_slow_client_costs_less_than_a_megabyte(backend, gateway, connect):
    """100 MB are offered to a client that takes 10 kB/s."""
    daemon = gateway(backend(serve_down))
    before = warmed_up(daemon, connect)

    client = connect(daemon)
    client.send(b"100\n")
    most = 0
    taken = hashlib.sha256()
    for _ in range(20):
        taken.update(client.recv_exactly(1024))
        most = max(most, daemon.memory_kb())
        time.sleep(0.1)
    assert most - before < 1024, f"{before} kB before, {most} kB at most"

    # And nothing was lost by waiting.
    data, end = client.recv_to_end()
    taken.update(data)
    assert end == "close_notify"
    assert taken.digest() == hashlib.sha256(BLOCK * 100).digest()
    client.close_notify()
    daemon.closed(peer=client.peer, down=100 * MB)


def test_a_slow_backend_costs_less_than_a_megabyte(backend, gateway,
                                                   connect):
    """100 MB are offered by a client; the backend takes 10 kB/s."""
    service = backend()
    daemon = gateway(service)
    warm = connect(daemon)
    peer = service.accept()
    sender = background(warm.send, BLOCK * 8)
    peer.recv_exactly(8 * MB)
    sender.join()
    warm.close()
    daemon.closed()
    before = daemon.memory_kb()

    client = connect(daemon)
    peer = service.accept()
    sender = background(client.send, BLOCK * 100)
    most = 0
    for _ in range(20):
        peer.recv_exactly(1024)
        most = max(most, daemon.memory_kb())
        time.sleep(0.1)
    assert most - before < 1024, f"{before} kB before, {most} kB at most"
    peer.reset()
    with pytest.raises(OSError):
        sender.join()
    daemon.closed(reason="backend_cut")


def test_stalled_connections_own_one_buffer_each(backend, gateway, connect):
    """Twenty clients that read nothing while the backend floods them."""
    daemon = gateway(backend(serve_down))
    before = warmed_up(daemon, connect)
    for _ in range(20):
        connect(daemon).send(b"50\n")
    settle(daemon)
    each = (daemon.memory_kb() - before) / 20
    assert each < 600, f"{each} kB for each stalled connection"


def test_idle_connections_own_no_buffers(backend, gateway, connect):
    daemon = gateway(backend(echo))
    first = connect(daemon)
    first.exchange(BLOCK, len(BLOCK))
    before = daemon.memory_kb()

    clients = [connect(daemon) for _ in range(200)]
    for client in clients:
        client.exchange(BLOCK[:200_000], 200_000)
    settle(daemon)
    each = (daemon.memory_kb() - before) / len(clients)
    assert each < 40, f"{each} kB for each idle connection"


def test_memory_comes_back_when_connections_close(backend, gateway,
                                                  connect):
    daemon = gateway(backend(echo))

    def burst():
        mark = daemon.log.mark()
        clients = [connect(daemon) for _ in range(100)]
        for client in clients:
            client.exchange(BLOCK[:100_000], 100_000)
        for client in clients:
            client.close()
        daemon.log.wait("closed", since=mark, count=100)
        return daemon.memory_kb()

    first = burst()
    for _ in range(3):
        last = burst()
    assert last - first < 1024, f"grows: {first} kB, then {last} kB"


def settle(daemon):
    """Waits until the daemon's memory stands still."""
    def stands_still():
        before = daemon.memory_kb()
        time.sleep(limits.seconds(0.3))
        return abs(daemon.memory_kb() - before) < 64
    wait_until(stands_still, "the daemon's memory stands still")
