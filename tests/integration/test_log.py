"""The log can be read, cannot be forged and cannot be flooded."""

import json
import re
import socket

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from harness import pki as making
from harness.backends import echo
from harness.clients import s_client
from harness.limits import wait_until

FORGED = "2026-01-01T00:00:00.000Z info worker[1] closed forged=yes"
JSON_LOG = {"json_log": True}


def finish(client):
    client.close_notify()
    client.recv_to_end()
    client.close()


def well_formed(daemon):
    """Stops DAEMON, which vets each line, and returns its log's lines."""
    daemon.stop()
    lines = [line for _, line in daemon.log.lines]
    assert None not in lines
    return lines


class TestText:
    def test_every_line_has_its_form(self, backend, gateway, connect,
                                     raw_connect, pki):
        daemon = gateway(backend(echo), process={"workers": 2})
        finish(connect(daemon))
        raw_connect(daemon, pki.stranger).be_refused()
        with socket.create_connection(daemon.address(), 10) as client:
            client.sendall(b"nonsense")
            daemon.refused(reason="not_tls")
        for line in well_formed(daemon):
            assert line.process in ("supervisor", "worker", "resolver")
            assert line.message

    def test_each_connection_has_one_line(self, backend, gateway, connect):
        daemon = gateway(backend(echo), process={"workers": 2})
        clients = [connect(daemon) for _ in range(25)]
        for client in clients:
            finish(client)
        well_formed(daemon)
        lines = daemon.log.find("closed")
        assert sorted(line["peer"] for line in lines) == \
            sorted(client.peer for client in clients)
        assert len({line["conn"] for line in lines}) == 25

    def test_a_certificate_with_very_many_names_has_one_line_too(
            self, backend, gateway, connect, pki):
        names = making.san(*(f"host-{n}.a-rather-long-domain.example"
                             for n in range(500)))
        daemon = gateway(backend(echo))
        client = connect(daemon, holder=pki.issue("many", names=names))
        finish(client)
        line = daemon.closed(peer=client.peer, reason="done")
        assert line["names"].startswith("DNS:host-0.a-rather-long-domain.")
        assert len(line.raw) <= 8192
        well_formed(daemon)

    def test_access_log_no_leaves_the_good_ones_out(self, backend, gateway,
                                                    connect):
        daemon = gateway(backend(echo), process={"access_log": False})
        finish(connect(daemon))
        well_formed(daemon)
        assert not daemon.log.find("closed")

    def test_log_level_notice_leaves_connections_out(self, backend, gateway,
                                                     connect):
        daemon = gateway(backend(echo), process={"log_level": "notice"})
        finish(connect(daemon))
        lines = well_formed(daemon)
        assert {line.level for line in lines} == {"notice"}

    def test_log_level_debug_stays_well_formed(self, backend, gateway,
                                               connect):
        daemon = gateway(backend(echo), process={"log_level": "debug"})
        finish(connect(daemon))
        well_formed(daemon)

    def test_no_secret_is_ever_logged(self, backend, gateway, connect, pki):
        daemon = gateway(
            backend(echo), process={"log_level": "debug"},
            keyfile=pki.encrypted_key(pki.server),
            password_file=pki.password_file())
        client = connect(daemon)
        client.send(b"PAYLOAD-SECRET")
        client.recv_exactly(14)
        finish(client)
        well_formed(daemon)
        text = daemon.log.text(10_000)
        assert making.PASSWORD not in text
        assert "PAYLOAD-SECRET" not in text
        assert "PRIVATE KEY" not in text


class TestJson:
    def test_every_line_is_an_object(self, backend, gateway, connect,
                                     raw_connect, pki):
        daemon = gateway(backend(echo), process={"log_format": "json"},
                         daemon=JSON_LOG)
        client = connect(daemon)
        finish(client)
        bad = raw_connect(daemon, pki.expired)
        bad.be_refused()
        line = json.loads(daemon.closed(peer=client.peer).raw)
        assert line["level"] == "info"
        assert line["process"] == "worker"
        assert isinstance(line["pid"], int)
        assert isinstance(line["up"], int)
        assert line["listener"] == "gw"
        assert line["reason"] == "done"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line["time"])
        refused = json.loads(daemon.refused(peer=bad.peer).raw)
        assert refused["reason"] == "client_certificate_expired"
        well_formed(daemon)

    def test_survives_names_that_would_break_it(self, backend, gateway, pki,
                                                connect):
        evil = pki.issue("evil", subject=evil_subject())
        daemon = gateway(backend(echo), process={"log_format": "json"},
                         daemon=JSON_LOG)
        client = connect(daemon, holder=evil)
        finish(client)
        line = json.loads(daemon.closed(peer=client.peer).raw)
        assert "forged" in line["subject"]
        assert "forged" not in line
        well_formed(daemon)


def evil_subject():
    return x509.Name([
        x509.NameAttribute(NameOID.COMMON_NAME, 'a"b\\c,d=e+f;g<h>\t\x7f'),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME,
                           "x\n" + FORGED[:60]),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME,
                           'x" forged="yes'),
        x509.NameAttribute(NameOID.LOCALITY_NAME, "Köln\u2028\u202e"),
    ])


class TestForgery:
    def test_through_the_subject_fails(self, backend, gateway, connect,
                                       pki):
        evil = pki.issue("evil", subject=evil_subject())
        daemon = gateway(backend(echo))
        client = connect(daemon, holder=evil)
        finish(client)
        line = daemon.closed(peer=client.peer, reason="done")
        assert "forged" not in line.fields
        assert 'forged=' in line["subject"].replace("\\", "")
        assert "\n" not in line["subject"]  # RFC 4514 writes \0A
        well_formed(daemon)
        assert len(daemon.log.find("closed")) == 1

    def test_through_the_subject_of_a_refused_client_fails(
            self, backend, gateway, raw_connect, pki):
        evil = pki.issue("evil", subject=evil_subject(),
                         issuer=pki.other_ca)
        daemon = gateway(backend(echo))
        client = raw_connect(daemon, evil)
        client.be_refused()
        line = daemon.refused(peer=client.peer)
        assert "forged" not in line.fields
        well_formed(daemon)

    def test_through_alternative_names_fails(self, backend, gateway,
                                             connect, pki):
        names = x509.SubjectAlternativeName([
            x509.DNSName('a" forged="yes'),
            x509.DNSName(f"b\n{FORGED}"),
            x509.UniformResourceIdentifier("x://y z forged=yes")])
        evil = pki.issue("evil", names=names)
        daemon = gateway(backend(echo))
        client = connect(daemon, holder=evil)
        finish(client)
        line = daemon.closed(peer=client.peer)
        assert "forged" not in line.fields
        well_formed(daemon)

    @pytest.mark.parametrize("name", [
        f"a\n{FORGED}", 'a" forged="yes', "a forged=yes", "a\\",
        "\x1b[2J\x07", "a" * 255], ids=[
            "newline", "quote", "blank", "backslash", "terminal", "long"])
    def test_through_the_server_name_fails(self, backend, gateway, pki,
                                           name):
        daemon = gateway(backend(echo))
        s_client(pki, daemon.address(), "-servername", name,
                 holder=pki.good, given=b"hello\n")
        wait_until(lambda: daemon.log.find("closed") or
                   daemon.log.find("refused"), "the one line")
        for line in daemon.log.find("closed"):
            assert line.get("server_name") in (name, None)
            assert "forged" not in line.fields
        well_formed(daemon)
        lines = daemon.log.find("closed") + daemon.log.find("refused")
        assert len(lines) == 1


class TestFlood:
    def test_of_silent_probes_leaves_no_line(self, backend, gateway,
                                             connect):
        daemon = gateway(backend(echo))
        for _ in range(200):
            socket.create_connection(daemon.address(), 10).close()
        finish(connect(daemon))
        well_formed(daemon)
        assert not daemon.log.find("refused")

    def test_of_garbage_is_held_back_and_counted(self, backend, gateway):
        daemon = gateway(backend(echo))

        def send_garbage():
            with socket.create_connection(daemon.address(), 10) as client:
                client.sendall(b"\x80nonsense nonsense\r\n\r\n")
                client.settimeout(10)
                try:
                    while client.recv(100):
                        pass
                except ConnectionResetError:
                    pass
        for _ in range(600):
            send_garbage()
        sent = 600
        assert len(daemon.log.find("refused")) < 500

        # Sooner or later a line tells how many there were in all.
        def is_accounted_for():
            nonlocal sent
            send_garbage()
            sent += 1
            lines = daemon.log.find("refused")
            told = len(lines) + sum(int(line.get("held_back", 0))
                                    for line in lines)
            return told == sent
        wait_until(is_accounted_for, "every connection was counted")
        well_formed(daemon)

    def test_of_bad_clients_does_not_silence_good_ones(
            self, backend, gateway, connect, raw_connect, pki):
        daemon = gateway(backend(echo))
        for _ in range(60):
            raw_connect(daemon, pki.stranger).be_refused()
        clients = [connect(daemon) for _ in range(10)]
        for client in clients:
            finish(client)
            daemon.closed(peer=client.peer, reason="done")
