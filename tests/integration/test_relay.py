"""Bytes go through whole, in both directions, and ends are never invented.

Here the test itself is client and backend: `client` is a TlsClient, `peer`
the backend's end of the same connection.
"""

import hashlib
import random
import re
import socket
import time

import pytest

from harness import limits
from harness.backends import FIN, RESET, background, closed_port, deaf_port
from harness.backends import echo
from harness.clients import CLOSE_NOTIFY, TRUNCATED, s_client, tls_context
from harness.clients import RESET as TLS_RESET
from harness.limits import wait_until
from harness.programs import need_ipv6

# A backend's or client's stream that was cut: never a clean end.
CUT = (TRUNCATED, TLS_RESET)
MB = 1 << 20


def noise(n, seed=1):
    """N bytes that do not compress into luck."""
    block = random.Random(seed).randbytes(min(n, MB))
    whole = (block[i % 251:] + block[:i % 251] for i in range(n // MB + 1))
    return b"".join(whole)[:n]


def digest(data):
    return hashlib.sha256(data).hexdigest()


def finish(client, peer):
    """Both sides end in order."""
    client.close_notify()
    assert peer.end() == FIN
    peer.finish()
    assert client.stream_end() == CLOSE_NOTIFY


class TestBytes:
    def test_go_through_both_ways_and_are_counted(self, pair, version):
        daemon, client, peer = pair(version)
        client.send(b"question")
        assert peer.recv_exactly(8) == b"question"
        peer.send(b"long answer")
        assert client.recv_exactly(11) == b"long answer"
        finish(client, peer)
        line = daemon.closed(peer=client.peer, reason="done")
        assert (line["up"], line["down"]) == ("8", "11")

    def test_of_a_server_that_speaks_first_arrive(self, pair, version):
        _, client, peer = pair(version)
        peer.send(b"220 hello\r\n")
        assert client.recv_exactly(11) == b"220 hello\r\n"

    def test_that_came_with_the_handshake_are_not_lost(
            self, backend, gateway, raw_connect, pki, version):
        """The client's last flight and its first bytes share a segment: in
        TLS 1.3 always possible, in TLS 1.2 when a session is resumed."""
        service = backend()
        daemon = gateway(service)
        context = tls_context(pki, pki.good, version)
        first = raw_connect(daemon, context=context).handshake()
        service.accept().send(b"x")
        first.recv_exactly(1)
        second = raw_connect(daemon, context=context,
                             session=first.tls.session)
        second.handshake(at_once=b"at once")
        assert second.tls.session_reused
        assert service.accept().recv_exactly(7) == b"at once"

    @pytest.mark.parametrize("size", [1, 16384, 16385, 262144, 3_000_001])
    def test_of_every_batch_size_arrive_whole(self, pair, size):
        _, client, peer = pair()
        data = noise(size)
        up = background(peer.recv_exactly, size)
        client.send(data)
        assert digest(up.join()) == digest(data)
        down = background(peer.send, data)
        assert digest(client.recv_exactly(size)) == digest(data)
        down.join()

    def test_flow_both_ways_at_once(self, backend, gateway, connect,
                                    version):
        daemon = gateway(backend(echo))
        client = connect(daemon, version=version)
        data = noise(24 * MB)
        back = client.exchange(data, len(data))
        assert digest(back) == digest(data)

    def test_of_one_byte_each_arrive(self, pair):
        _, client, peer = pair()
        for n in range(300):
            byte = bytes([n % 256])
            client.send(byte)
            assert peer.recv_exactly(1) == byte
            peer.send(byte)
            assert client.recv_exactly(1) == byte

    def test_of_many_small_records_in_one_segment_arrive(self, pair):
        _, client, peer = pair()
        for _ in range(5000):
            client.tls.write(b"abc")
        data = background(peer.recv_exactly, 15000)
        client.flush()
        assert data.join() == b"abc" * 5000

    def test_go_through_after_a_key_update(self, backend, gateway, pki):
        """KeyUpdate comes in the middle of a TLS 1.3 stream."""
        daemon = gateway(backend(echo))
        done = s_client(pki, daemon.address(), "-tls1_3", holder=pki.good,
                        given=b"K\nbehind the update\n")
        assert b"KEYUPDATE" in done.stdout + done.stderr
        daemon.closed(reason=re.compile("done|client_cut"))

    def test_many_connections_at_once_do_not_mix(self, backend, gateway,
                                                 connect):
        daemon = gateway(backend(echo), process={"workers": 2})
        clients = [connect(daemon) for _ in range(40)]
        texts = [noise(20_000, seed) for seed in range(40)]
        for client, text in zip(clients, texts):
            client.send(text)
        for client, text in zip(clients, texts):
            assert client.recv_exactly(len(text)) == text


class TestHalfClose:
    """One side has said all it wants to say; the other goes on."""

    def test_of_the_client_becomes_a_fin_behind_its_last_byte(
            self, pair, version):
        daemon, client, peer = pair(version)
        client.send(b"last words")
        client.close_notify()
        assert peer.recv_to_end() == (b"last words", FIN)

        answer = noise(2 * MB)
        sender = background(lambda: (peer.send(answer), peer.finish()))
        data, end = client.recv_to_end()
        sender.join()
        assert (digest(data), end) == (digest(answer), CLOSE_NOTIFY)
        line = daemon.closed(peer=client.peer, reason="done")
        assert (line["up"], line["down"]) == ("10", str(2 * MB))

    def test_of_the_backend_becomes_a_close_notify_behind_its_last_byte(
            self, pair, version):
        daemon, client, peer = pair(version)
        peer.send(b"last words")
        peer.finish()
        assert client.recv_to_end() == (b"last words", CLOSE_NOTIFY)

        answer = noise(2 * MB)
        reader = background(peer.recv_to_end)
        client.send(answer)
        client.close_notify()
        data, end = reader.join()
        assert (digest(data), end) == (digest(answer), FIN)
        line = daemon.closed(peer=client.peer, reason="done")
        assert (line["up"], line["down"]) == (str(2 * MB), "10")

    def test_of_the_client_waits_for_a_slow_backend(self, pair):
        """8 MB are on their way when the close_notify comes."""
        _, client, peer = pair()
        data = noise(8 * MB)

        def send():
            client.send(data)
            client.close_notify()
        sender = background(send)
        got, end = peer.recv_to_end()
        sender.join()
        assert (digest(got), end) == (digest(data), FIN)

    def test_of_the_backend_waits_for_a_slow_client(self, pair):
        _, client, peer = pair()
        data = noise(8 * MB)
        sender = background(lambda: (peer.send(data), peer.finish()))
        got, end = client.recv_to_end()
        sender.join()
        assert (digest(got), end) == (digest(data), CLOSE_NOTIFY)

    def test_at_both_sides_at_once_is_done(self, pair, version):
        daemon, client, peer = pair(version)
        client.close_notify()
        peer.finish()
        assert client.stream_end() == CLOSE_NOTIFY
        assert peer.end() == FIN
        daemon.closed(peer=client.peer, reason="done")

    def test_closes_tcp_when_both_have_ended(self, pair, version):
        _, client, peer = pair(version)
        finish(client, peer)
        assert client.tcp_end() == b""

    def test_ends_when_the_rest_is_silent_for_too_long(self, pair, version):
        daemon, client, peer = pair(version, half_close_timeout="500ms")
        client.close_notify()
        assert peer.end() == FIN
        daemon.closed(peer=client.peer, reason="half_close_timeout")
        assert client.stream_end() in CUT

    def test_of_the_backend_ends_when_the_client_is_silent(self, pair,
                                                           version):
        daemon, client, peer = pair(version, half_close_timeout="500ms")
        peer.finish()
        assert client.stream_end() == CLOSE_NOTIFY
        daemon.closed(peer=client.peer, reason="half_close_timeout")
        assert peer.end() == RESET

    def test_lasts_as_long_as_there_is_traffic(self, pair):
        daemon, client, peer = pair(half_close_timeout="800ms")
        client.close_notify()
        assert peer.end() == FIN
        for _ in range(8):
            time.sleep(0.25)
            peer.send(b".")
            assert client.recv_exactly(1) == b"."
        peer.finish()
        assert client.stream_end() == CLOSE_NOTIFY
        daemon.closed(peer=client.peer, reason="done")


class TestTruncation:
    """A stream that was cut never looks like one that ended."""

    @pytest.mark.parametrize("way", ["vanish", "reset"])
    def test_of_the_client_is_a_reset_for_the_backend(self, pair, version,
                                                      way):
        daemon, client, peer = pair(version)
        address = client.peer
        client.send(b"half a sente")
        assert peer.recv_exactly(12) == b"half a sente"
        getattr(client, way)()
        assert peer.end() == RESET
        daemon.closed(peer=address, reason="client_cut")

    def test_of_the_client_comes_behind_all_it_had_sent(self, pair):
        _, client, peer = pair()
        data = noise(100_000)
        client.send(data)
        client.vanish()
        got, end = peer.recv_to_end()
        assert (digest(got), end) == (digest(data), RESET)

    def test_of_the_client_does_not_overtake_bytes_on_their_way(self, pair):
        """The backend starts reading late: much is still in the daemon and
        in its kernel's buffers when the client vanishes."""
        _, client, peer = pair()
        data = noise(12 * MB)

        def send():
            client.send(data)
            client.vanish()
        sender = background(send)
        time.sleep(limits.seconds(0.3))
        got, end = peer.recv_to_end()
        sender.join()
        assert (len(got), end) == (len(data), RESET)
        assert digest(got) == digest(data)

    def test_of_the_client_after_the_backend_has_ended(self, pair):
        daemon, client, peer = pair()
        peer.finish()
        assert client.stream_end() == CLOSE_NOTIFY
        client.vanish()
        assert peer.end() == RESET
        daemon.closed(peer=client.peer, reason="client_cut")

    def test_of_the_backend_is_no_clean_end_for_the_client(self, pair,
                                                           version):
        daemon, client, peer = pair(version)
        peer.send(b"half a repl")
        assert client.recv_exactly(11) == b"half a repl"
        peer.reset()
        assert client.stream_end() in CUT
        line = daemon.closed(peer=client.peer, reason="backend_cut")
        assert line["down"] == "11"

    def test_of_the_backend_comes_behind_all_it_had_sent(self, pair):
        """The daemon has the bytes when the reset comes; the client reads
        late."""
        daemon, client, peer = pair()
        peer.send(b"x")
        client.recv_exactly(1)
        data = noise(60_000)
        peer.send(data)
        wait_until(lambda: not client.is_quiet(), "the reply is on its way")
        peer.reset()
        daemon.closed(peer=client.peer, reason="backend_cut")
        got, end = client.recv_to_end()
        assert end in CUT
        assert data.startswith(got)

    def test_of_the_backend_after_the_client_has_ended(self, pair):
        daemon, client, peer = pair()
        client.close_notify()
        assert peer.end() == FIN
        peer.reset()
        assert client.stream_end() in CUT
        daemon.closed(peer=client.peer, reason="backend_cut")

    def test_by_a_broken_record_is_a_reset_for_the_backend(self, pair,
                                                           version):
        daemon, client, peer = pair(version)
        client.send(b"fine")
        assert peer.recv_exactly(4) == b"fine"
        client.sock.sendall(b"\x17\x03\x03\x00\x20" + b"\x00" * 32)
        assert peer.end() == RESET
        line = daemon.closed(peer=client.peer, reason="tls_failed")
        assert line["detail"]

    def test_by_plaintext_is_a_reset_for_the_backend(self, pair):
        daemon, client, peer = pair()
        client.sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert peer.end() == RESET
        daemon.closed(peer=client.peer, reason="tls_failed")


class TestTimeouts:
    def test_an_idle_connection_ends(self, pair, version):
        daemon, client, peer = pair(version, idle_timeout="500ms")
        daemon.closed(peer=client.peer, reason="idle_timeout")
        assert client.stream_end() in CUT
        assert peer.end() == RESET

    @pytest.mark.parametrize("who", ["client", "backend"])
    def test_traffic_of_one_side_is_not_idle(self, pair, who):
        daemon, client, peer = pair(idle_timeout="800ms")
        source, sink = ((client, peer) if who == "client"
                        else (peer, client))
        for _ in range(6):
            time.sleep(0.25)
            source.send(b".")
            assert sink.recv_exactly(1) == b"."
        daemon.closed(peer=client.peer, reason="idle_timeout")

    def test_a_client_that_takes_nothing_is_idle(self, pair):
        """The backend would send for ever; the client reads nothing."""
        daemon, client, peer = pair(idle_timeout="1s")

        def flood():
            try:
                while True:
                    peer.send(b"x" * MB)
            except OSError:
                pass
        flooder = background(flood)
        daemon.closed(peer=client.peer, reason="idle_timeout", timeout=20)
        flooder.join()

    @pytest.mark.parametrize("who", ["client", "backend"])
    def test_a_slow_reader_is_not_idle(self, backend, gateway, connect, who):
        """The kernel has megabytes for it, and asks for no more before it
        has sent a third of them."""
        service = backend()
        service.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        daemon = gateway(service, idle_timeout="1500ms")
        client = connect(daemon, receive_buffer=65536)
        peer = service.accept()
        source, sink = ((peer, client) if who == "client"
                        else (client, peer))
        sender = background(source.send, b"x" * (16 * MB))
        for _ in range(40):
            time.sleep(0.1)
            sink.recv_exactly(16384)
        assert not daemon.log.find("closed")
        sink.reset()
        daemon.closed(reason=f"{who}_cut")
        with pytest.raises(OSError):
            sender.join()


class TestBackends:
    @pytest.mark.parametrize("kind", ["ipv4", "ipv6", "unix", "name"])
    def test_of_every_kind_are_reached(self, backend, gateway, connect,
                                       open_dir, kind):
        options = {}
        if kind == "unix":
            service = backend(echo, path=open_dir / "backend.sock")
        elif kind == "ipv6":
            need_ipv6()
            service = backend(echo, family=socket.AF_INET6)
        else:
            service = backend(echo)
        address = service.address
        if kind == "name":
            address = f"localhost:{service.port}"
            options["allow_remote_plaintext"] = True
        daemon = gateway(address, **options)
        client = connect(daemon)
        client.send(b"hello")
        assert client.recv_exactly(5) == b"hello"
        client.close_notify()
        assert client.stream_end() == CLOSE_NOTIFY
        line = daemon.closed(peer=client.peer, reason="done")
        assert re.search(r"127\.0\.0\.1|\[::1\]|unix:|localhost",
                         line["backend"])

    def test_are_dialled_only_after_the_handshake(self, backend, gateway,
                                                  raw_connect, pki):
        service = backend()
        daemon = gateway(service)
        client = raw_connect(daemon, pki.good)
        client.start_handshake()
        client.fill()  # the server's first flight is here
        assert not service.was_dialled()
        client.handshake()
        service.accept()

    def test_that_refuse_end_the_connection_at_once(self, gateway, connect,
                                                    version):
        kept, address = closed_port()
        with kept:
            daemon = gateway(address)
            client = connect(daemon, version=version)
            assert client.stream_end() in CUT
        line = daemon.closed(peer=client.peer, reason="backend_failed")
        assert line["detail"] == "Connection refused"
        assert line["backend"] == address

    def test_on_a_unix_socket_that_is_missing(self, gateway, connect,
                                              open_dir):
        daemon = gateway(f"unix:{open_dir}/nobody.sock")
        client = connect(daemon)
        assert client.stream_end() in CUT
        line = daemon.closed(peer=client.peer, reason="backend_failed")
        assert line["detail"] == "No such file or directory"

    def test_that_do_not_answer_time_out(self, gateway, connect):
        kept, address = deaf_port()
        daemon = gateway(address, connect_timeout="500ms")
        client = connect(daemon)
        assert client.stream_end() in CUT
        daemon.closed(peer=client.peer, reason="backend_timeout")
        for sock in kept:
            sock.close()

    def test_with_a_name_that_means_nothing(self, gateway, connect):
        daemon = gateway("nowhere.invalid:80", allow_remote_plaintext=True)
        client = connect(daemon)
        assert client.stream_end() in CUT
        daemon.closed(peer=client.peer, reason="backend_unresolved")

    def test_that_close_at_once_end_in_order(self, pair, version):
        daemon, client, peer = pair(version)
        peer.close()
        assert client.stream_end() == CLOSE_NOTIFY
        client.close_notify()
        daemon.closed(peer=client.peer, reason="done")

    def test_that_reset_at_once_are_no_clean_end(self, pair, version):
        daemon, client, peer = pair(version)
        peer.reset()
        assert client.stream_end() in CUT
        # Whether the daemon had seen the connection stand is a matter of
        # microseconds.
        daemon.closed(peer=client.peer,
                      reason=re.compile("^backend_(cut|failed)$"),
                      detail="Connection reset by peer")

    def test_that_come_back_are_used_again(self, backend, gateway, connect):
        kept, address = closed_port()
        daemon = gateway(address)
        client = connect(daemon)
        client.stream_end()
        daemon.closed(reason="backend_failed")
        kept.listen(8)
        client = connect(daemon)
        peer = kept.accept()[0]
        peer.sendall(b"back")
        assert client.recv_exactly(4) == b"back"
        peer.close()
        kept.close()

    def test_that_fail_leave_other_connections_alone(
            self, backend, gateway, connect, start_daemon, pki):
        kept, address = closed_port()
        service = backend(echo)
        common = {"listen": "127.0.0.1:0", "certfile": pki.server.cert,
                  "keyfile": pki.server.key, "cafile": pki.ca.cert}
        with kept:
            daemon = start_daemon({
                "sallyport": {"workers": 1, "drain_timeout": "2s"},
                "listener up": {**common, "backend": service.address},
                "listener down": {**common, "backend": address}})
            client = connect(daemon, listener="up")
            for _ in range(20):
                connect(daemon, listener="down").stream_end()
            client.send(b"still here")
            assert client.recv_exactly(10) == b"still here"
