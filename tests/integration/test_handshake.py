"""Who gets in, who does not, and what both of them and the log are told."""

import re
import socket
import ssl

import pytest

from harness.backends import echo
from harness.clients import (TLS1_2, TLS1_3, VERSIONS, Alert, s_client,
                             tls_context)
from harness.programs import need_ipv6


@pytest.fixture
def door(backend, gateway):
    """door(**listener keys): a daemon in front of an echo service."""

    def make(**changes):
        service = backend(echo)
        return gateway(service, **changes)

    return make


def say_hello(client):
    client.send(b"hello")
    assert client.recv_exactly(5) == b"hello"


def leave(client):
    client.close_notify()
    client.stream_end()
    client.close()


def alert_for(client):
    """The alert that CLIENT is refused with, at whichever moment."""
    with pytest.raises(Alert) as refusal:
        client.handshake()
        client.send(b"hello")
        client.recv()
    return str(refusal.value)


def test_a_client_with_a_certificate_of_our_ca_gets_in(door, connect, pki,
                                                      version):
    daemon = door()
    client = connect(daemon, version=version)
    say_hello(client)
    leave(client)

    line = daemon.closed(peer=client.peer, listener="gw", reason="done")
    assert line["server_name"] == "localhost"
    assert VERSIONS[line["tls"]] == version
    assert line["cipher"] == client.tls.cipher()[0]
    assert line["resumed"] == "no"
    assert line["up"] == line["down"] == "5"
    assert line["ms"].isdigit()


def test_the_log_says_who_the_client_was(door, connect, pki):
    daemon = door()
    client = connect(daemon)
    leave(client)

    line = daemon.closed(peer=client.peer)
    assert sorted(line["subject"].split(",")) == ["CN=good", "O=Corp"]
    assert line["issuer"] == "CN=Test CA"
    assert line["serial"] == pki.good.serial
    assert line["names"] == "DNS:a.example URI:spiffe://corp.example/good"


def test_the_log_names_the_backend_and_the_connection(backend, gateway,
                                                      connect):
    service = backend(echo)
    daemon = gateway(service)
    clients = [connect(daemon), connect(daemon)]
    for client in clients:
        leave(client)

    lines = [daemon.closed(peer=client.peer) for client in clients]
    assert {line["backend"] for line in lines} == {service.address}
    assert lines[0]["conn"] != lines[1]["conn"]


def test_a_client_behind_an_intermediate_ca_gets_in(door, connect, pki):
    daemon = door()
    client = connect(daemon, holder=pki.behind)
    say_hello(client)
    leave(client)
    assert daemon.closed(peer=client.peer)["issuer"] == "CN=Intermediate CA"


def test_an_intermediate_ca_alone_can_be_the_anchor(door, connect, pki):
    daemon = door(cafile=pki.intermediate_ca.cert)
    say_hello(connect(daemon, holder=pki.behind_without_chain))


def test_two_cafiles_let_clients_of_both_in(door, connect, pki):
    daemon = door(cafile=[pki.ca.cert, pki.other_ca.cert])
    say_hello(connect(daemon, holder=pki.good))
    say_hello(connect(daemon, holder=pki.stranger))


def test_the_daemon_sends_the_chain_of_its_certificate(door, connect, pki):
    daemon = door(certfile=pki.server_behind.cert,
                  keyfile=pki.server_behind.key)
    say_hello(connect(daemon))


@pytest.mark.parametrize("traditional", [False, True],
                         ids=["pkcs8", "traditional"])
def test_an_encrypted_key_opens_with_its_password_file(door, connect, pki,
                                                       traditional):
    daemon = door(keyfile=pki.encrypted_key(pki.server, traditional),
                  password_file=pki.password_file())
    say_hello(connect(daemon))


def test_certificate_and_key_may_share_a_file(door, connect, pki):
    both = pki.write("both.pem", pki.server.cert.read_bytes() +
                     pki.server.key.read_bytes())
    daemon = door(certfile=both, keyfile=None)
    say_hello(connect(daemon))


@pytest.mark.parametrize("who, alert, reason, detail", [
    ("stranger", "unknown_ca", "client_certificate_untrusted",
     "CN=stranger"),
    ("impostor", "unknown_ca", "client_certificate_untrusted",
     "CN=impostor"),
    ("behind_without_chain", "unknown_ca", "client_certificate_untrusted",
     "CN=lonely"),
    ("expired", "certificate_expired", "client_certificate_expired",
     "CN=expired"),
    ("future", "bad_certificate", "client_certificate_not_yet_valid",
     "CN=future"),
    ("self_signed", "unknown_ca", "client_certificate_self_signed",
     "CN=self-signed"),
    ("server_only", "unsupported_certificate", "client_certificate_purpose",
     "CN=server-only"),
    ("without_eku", "unsupported_certificate", "client_certificate_purpose",
     "CN=no-eku"),
])
def test_a_bad_client_certificate_is_refused(backend, gateway, raw_connect,
                                             pki, version, who, alert,
                                             reason, detail):
    service = backend()
    daemon = gateway(service)
    client = raw_connect(daemon, getattr(pki, who), version)
    assert alert_for(client) == alert

    line = daemon.refused(peer=client.peer, listener="gw")
    assert line["reason"] == reason
    assert "depth 0" in line["detail"]
    assert detail in line["detail"]
    assert not service.was_dialled()
    assert not daemon.log.find("closed")


def test_a_client_without_certificate_is_refused_in_tls_1_3(door,
                                                           raw_connect):
    daemon = door()
    client = raw_connect(daemon, version=TLS1_3)
    assert alert_for(client) == "certificate_required"
    daemon.refused(peer=client.peer, reason="client_certificate_required")


def test_a_client_without_certificate_is_refused_in_tls_1_2(door,
                                                           raw_connect):
    daemon = door()
    client = raw_connect(daemon, version=TLS1_2)
    assert alert_for(client) == "handshake_failure"
    daemon.refused(peer=client.peer, reason="client_certificate_required")


def test_bytes_sent_by_a_refused_client_never_reach_the_backend(
        backend, gateway, raw_connect, pki):
    """In TLS 1.3 a client may speak before it learns of its refusal. And
    the alert must arrive although its bytes were not read."""
    service = backend()
    daemon = gateway(service)
    client = raw_connect(daemon, pki.stranger, TLS1_3)
    client.handshake()
    try:
        client.send(b"x" * 300_000)
    except (BrokenPipeError, ConnectionResetError):
        pass
    with pytest.raises(Alert, match="unknown_ca"):
        client.recv_to_end()
    daemon.refused(peer=client.peer)
    assert not service.was_dialled()


@pytest.mark.parametrize("arguments, words", [
    (["-tls1_3"], "certificate required"),
    (["-tls1_2"], "handshake failure"),
])
def test_openssl_names_the_alert_of_a_missing_certificate(door, pki,
                                                          arguments, words):
    daemon = door()
    done = s_client(pki, daemon.address(), *arguments, "-ign_eof",
                    given=b"hello\n")
    assert words in done.stderr.decode()


@pytest.mark.parametrize("who, words", [
    ("stranger", "unknown ca"),
    ("expired", "certificate expired"),
    ("future", "bad certificate"),
    ("self_signed", "unknown ca"),
    ("server_only", "unsupported certificate"),
])
def test_openssl_names_the_alert_of_a_bad_certificate(door, pki, who, words):
    daemon = door()
    done = s_client(pki, daemon.address(), "-ign_eof", given=b"hello\n",
                    holder=getattr(pki, who))
    assert words in done.stderr.decode()


def test_the_daemon_names_its_cas_to_the_client(door, pki):
    daemon = door()
    done = s_client(pki, daemon.address(), holder=pki.good, given=b"")
    text = done.stdout.decode()
    # "CN = Test CA" before OpenSSL 3.2
    assert re.search("Acceptable client certificate CA names\n"
                     "CN ?= ?Test CA\n", text), text


class TestVerifyMode:
    def test_optional_lets_a_client_without_certificate_in(
            self, door, raw_connect):
        daemon = door(verify_mode="optional")
        client = raw_connect(daemon).handshake()
        say_hello(client)
        leave(client)
        line = daemon.closed(peer=client.peer, reason="done")
        assert line.get("subject") is None

    def test_optional_still_names_a_client_with_certificate(
            self, door, connect):
        daemon = door(verify_mode="optional")
        client = connect(daemon)
        say_hello(client)
        leave(client)
        assert "CN=good" in daemon.closed(peer=client.peer)["subject"]

    def test_optional_refuses_a_bad_certificate(self, door, raw_connect,
                                                pki):
        daemon = door(verify_mode="optional")
        client = raw_connect(daemon, pki.expired)
        assert alert_for(client) == "certificate_expired"
        daemon.refused(peer=client.peer,
                       reason="client_certificate_expired")

    def test_without_a_ca_nobody_is_asked(self, door, raw_connect):
        daemon = door(cafile=None)
        client = raw_connect(daemon).handshake()
        say_hello(client)
        leave(client)
        line = daemon.closed(peer=client.peer, reason="done")
        assert line.get("subject") is None


class TestVersionsAndCiphers:
    def test_tls_1_1_is_refused(self, door, pki):
        daemon = door()
        done = s_client(pki, daemon.address(), "-tls1_1", "-cipher",
                        "DEFAULT:@SECLEVEL=0", holder=pki.good)
        assert "alert protocol version" in done.stderr.decode()
        daemon.refused(reason="protocol_version")

    def test_tls_1_2_is_refused_when_the_minimum_is_1_3(self, door,
                                                       raw_connect, pki):
        daemon = door(minimum_version="TLSv1.3")
        client = raw_connect(daemon, pki.good, TLS1_2)
        assert alert_for(client) == "protocol_version"
        daemon.refused(peer=client.peer, reason="protocol_version")

    def test_tls_1_3_clients_get_1_2_when_that_is_the_maximum(
            self, door, connect):
        daemon = door(maximum_version="TLSv1.2")
        client = connect(daemon)
        say_hello(client)
        leave(client)
        assert daemon.closed(peer=client.peer)["tls"] == "TLSv1.2"

    def test_a_client_with_only_weak_ciphers_is_refused(self, door,
                                                        raw_connect, pki):
        daemon = door()
        context = tls_context(pki, pki.good, TLS1_2)
        context.set_ciphers("ECDHE+AES128:!AESGCM:!CHACHA20:!AESCCM")
        client = raw_connect(daemon, context=context)
        assert alert_for(client) == "handshake_failure"
        daemon.refused(peer=client.peer, reason="no_shared_cipher")

    def test_ciphers_of_tls_1_2_can_be_chosen(self, door, connect):
        daemon = door(ciphers="ECDHE-ECDSA-CHACHA20-POLY1305")
        client = connect(daemon, version=TLS1_2)
        assert client.tls.cipher()[0] == "ECDHE-ECDSA-CHACHA20-POLY1305"

    def test_ciphersuites_of_tls_1_3_can_be_chosen(self, door, connect):
        daemon = door(ciphersuites="TLS_CHACHA20_POLY1305_SHA256")
        client = connect(daemon, version=TLS1_3)
        assert client.tls.cipher()[0] == "TLS_CHACHA20_POLY1305_SHA256"

    def test_early_data_is_never_taken(self, backend, gateway, pki,
                                       tmp_path):
        def say_goodbye(peer):
            peer.recv()
            peer.send(b"bye")
            peer.finish()
        daemon = gateway(backend(say_goodbye))
        session = tmp_path / "session.pem"
        s_client(pki, daemon.address(), "-tls1_3", "-sess_out", str(session),
                 "-ign_eof", holder=pki.good, given=b"hello\n")
        assert session.exists()
        done = s_client(pki, daemon.address(), "-tls1_3", "-sess_in",
                        str(session), "-early_data", str(pki.ca.cert),
                        "-ign_eof", holder=pki.good, given=b"hello\n")
        assert "Reused, TLSv1.3" in done.stdout.decode()
        assert "Early data was accepted" not in done.stdout.decode()


class TestResumption:
    def test_a_resumed_connection_still_knows_its_client(
            self, door, raw_connect, pki, version):
        daemon = door()
        context = tls_context(pki, pki.good, version)
        first = raw_connect(daemon, context=context).handshake()
        say_hello(first)  # brings the tickets of TLS 1.3
        session = first.tls.session
        leave(first)
        assert daemon.closed(peer=first.peer)["resumed"] == "no"

        again = raw_connect(daemon, context=context,
                            session=session).handshake()
        assert again.tls.session_reused
        say_hello(again)
        leave(again)
        line = daemon.closed(peer=again.peer)
        assert line["resumed"] == "yes"
        assert "CN=good" in line["subject"]
        assert line["serial"] == pki.good.serial

    def test_a_session_of_one_listener_is_worth_nothing_at_another(
            self, backend, start_daemon, raw_connect, pki, version):
        """Else a ticket from an open listener would open the closed one."""
        service = backend(echo)
        common = {"listen": "127.0.0.1:0", "certfile": pki.server.cert,
                  "keyfile": pki.server.key, "backend": service.address}
        daemon = start_daemon({
            "sallyport": {"workers": 1, "drain_timeout": "2s"},
            "listener open": {**common, "cafile": pki.other_ca.cert},
            "listener closed": {**common, "cafile": pki.ca.cert}})
        context = tls_context(pki, pki.stranger, version)
        first = raw_connect(daemon, context=context,
                            listener="open").handshake()
        say_hello(first)
        session = first.tls.session
        leave(first)

        again = raw_connect(daemon, context=context, session=session,
                            listener="closed")
        assert alert_for(again) == "unknown_ca"
        daemon.refused(peer=again.peer, listener="closed",
                       reason="client_certificate_untrusted")


class TestBrokenHandshakes:
    def test_a_client_that_does_not_trust_us_is_logged(self, door,
                                                       raw_connect, pki):
        daemon = door()
        context = tls_context(pki, pki.good, trust=pki.other_ca)
        client = raw_connect(daemon, context=context)
        with pytest.raises(ssl.SSLCertVerificationError):
            client.handshake()
        line = daemon.refused(peer=client.peer, reason="client_refused_us")
        assert 'alert "unknown CA"' in line["detail"]

    def test_plaintext_http_is_refused_as_not_tls(self, door):
        daemon = door()
        with socket.create_connection(daemon.address(), 10) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            daemon.refused(reason="not_tls")

    def test_garbage_is_refused_as_not_tls(self, door):
        daemon = door()
        with socket.create_connection(daemon.address(), 10) as client:
            client.sendall(b"\x00\xff" * 200)
            daemon.refused(reason="not_tls")

    def test_a_client_that_stops_in_its_hello_times_out(self, door,
                                                        raw_connect, pki):
        daemon = door(handshake_timeout="500ms")
        hello = first_flight(raw_connect, daemon, pki)
        with socket.create_connection(daemon.address(), 10) as client:
            client.sendall(hello[:60])
            daemon.refused(reason="handshake_timeout", timeout=5)
            client.settimeout(5)
            assert read_end(client) in (b"", ConnectionResetError)

    def test_a_client_that_leaves_in_its_hello_is_logged(self, door,
                                                         raw_connect, pki):
        daemon = door()
        hello = first_flight(raw_connect, daemon, pki)
        with socket.create_connection(daemon.address(), 10) as client:
            client.sendall(hello[:60])
        daemon.refused(reason="client_cut")

    def test_clients_that_stop_in_their_hello_hold_nobody_up(
            self, door, raw_connect, connect, pki):
        daemon = door()
        hello = first_flight(raw_connect, daemon, pki)
        sockets = [socket.create_connection(daemon.address(), 10)
                   for _ in range(100)]
        for sock in sockets:
            sock.sendall(hello[:60])
        for _ in range(5):
            say_hello(connect(daemon))
        for sock in sockets:
            sock.close()
        daemon.log.wait("refused", reason="client_cut", count=100)

    def test_a_hello_in_single_bytes_is_understood(self, door, raw_connect,
                                                   pki):
        daemon = door()
        client = raw_connect(daemon, pki.good)
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with pytest.raises(ssl.SSLWantReadError):
            client.tls.do_handshake()
        for byte in client.outgoing.read():
            client.sock.send(bytes([byte]))
        say_hello(client.handshake())

    def test_a_silent_peer_is_not_logged(self, door, connect):
        daemon = door()
        for _ in range(20):
            socket.create_connection(daemon.address(), 10).close()
        leave(connect(daemon))
        daemon.stop()
        assert not daemon.log.find("refused")

    def test_a_silent_peer_is_logged_when_asked_for(self, door, gateway,
                                                    backend):
        daemon = gateway(backend(), process={"log_probes": True})
        with socket.create_connection(daemon.address(), 10) as client:
            address = "{}:{}".format(*client.getsockname())
        daemon.refused(peer=address, reason="probe")


def read_end(sock):
    """b"" for a FIN, ConnectionResetError for a reset."""
    try:
        while sock.recv(65536):
            pass
        return b""
    except ConnectionResetError:
        return ConnectionResetError


def first_flight(raw_connect, daemon, pki):
    """A ClientHello, not sent."""
    client = raw_connect(daemon, pki.good)
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.do_handshake()
    return client.outgoing.read()


class TestListeners:
    def test_ipv6(self, door, connect):
        need_ipv6()
        daemon = door(listen="[::1]:0")
        client = connect(daemon)
        say_hello(client)
        leave(client)
        daemon.closed(peer=client.peer, reason="done")

    def test_dual_stack(self, door, connect):
        need_ipv6()
        daemon = door(listen="*:0")
        port = daemon.port()
        four = connect(daemon, address=("127.0.0.1", port))
        six = connect(daemon, address=("::1", port))
        say_hello(four)
        say_hello(six)
        leave(four)
        leave(six)
        daemon.closed(peer=six.peer)
        daemon.closed(peer=re.compile(
            rf"^(\[::ffff:)?127\.0\.0\.1\]?:{four.peer.split(':')[1]}$"))

    def test_a_unix_socket(self, door, connect, open_dir):
        path = open_dir / "gw.sock"
        daemon = door(listen=f"unix:{path}")
        assert daemon.address() == str(path)
        say_hello(connect(daemon))

    def test_several_addresses_of_one_listener(self, door, connect):
        daemon = door(listen=["127.0.0.1:0", "127.0.0.2:0"])
        for which in (0, 1):
            say_hello(connect(daemon, address=daemon.address("gw", which)))

    def test_several_listeners(self, backend, start_daemon, connect, pki):
        one, two = backend(), backend()
        common = {"certfile": pki.server.cert, "keyfile": pki.server.key,
                  "cafile": pki.ca.cert}
        daemon = start_daemon({
            "sallyport": {"workers": 2, "drain_timeout": "2s"},
            "defaults": common,
            "listener a": {"listen": "127.0.0.1:0", "backend": one.address},
            "listener b": {"listen": "127.0.0.1:0",
                           "backend": two.address}})
        client = connect(daemon, listener="b")
        two.accept().send(b"two")
        assert client.recv_exactly(3) == b"two"
        assert not one.was_dialled()
