"""Who may come back with a ticket, and where it is worth nothing."""

import contextlib
import datetime
import os
import signal
import ssl
import time

import pytest
from cryptography import x509

from conftest import listener_keys
from harness import processes
from harness.backends import echo
from harness.certificates import Maker
from harness.clients import Alert, run, s_client, tls_context
from harness.limits import seconds, wait_until
from harness.pki import SERVER_AUTH
from harness.programs import need

MISSING = ("certificate_required", "handshake_failure")


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("resumption"))


@pytest.fixture
def secret(tmp_path):
    """secret(): a new ticket_secret_file."""
    count = iter(range(100))

    def make():
        path = tmp_path / f"tickets-{next(count)}.key"
        path.touch(mode=0o600)
        path.write_bytes(os.urandom(64))
        return path

    return make


@pytest.fixture
def door(backend, gateway):
    """door(**listener keys): a daemon in front of an echo service."""

    def make(process=None, **changes):
        return gateway(backend(echo), process=process, **changes)

    return make


@contextlib.contextmanager
def only_one_runs(daemon, worker):
    """All workers of DAEMON but this one stand still."""
    others = [pid for pid in daemon.workers() if pid != worker]
    try:
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        for pid in others:
            wait_until(lambda pid=pid: processes.stat(pid)[0] == "T",
                       "a worker stands still")
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def table_bytes(daemon):
    """Memory behind the table of sessions that DAEMON's workers share."""
    fds = [number for number, what in processes.descriptors(daemon.pid).items()
           if what.startswith("/memfd:sallyport-sessions")]
    assert len(fds) == 1
    return os.stat(f"/proc/{daemon.pid}/fd/{fds[0]}").st_blocks * 512


class Visitor:
    """Comes again and again with the same context, as programs do."""

    def __init__(self, raw_connect, context):
        self.raw_connect = raw_connect
        self.context = context

    def visit(self, daemon, session=None, **options):
        """One connection: (was it resumed?, the session for next time, the
        daemon's line about it). Both sides must agree on the first."""
        since = daemon.log.mark()  # ports come again after a second
        client = self.raw_connect(daemon, context=self.context,
                                  session=session, **options)
        client.handshake()
        client.send(b"hello")
        assert client.recv_exactly(5) == b"hello"  # tickets of 1.3 come now
        resumed, session = client.tls.session_reused, client.tls.session
        client.close_notify()
        client.recv_to_end()
        client.close()
        line = daemon.closed(peer=client.peer, since=since, reason="done")
        assert line["resumed"] == ("yes" if resumed else "no")
        return resumed, session, line

    def refusal(self, daemon, session, **options):
        """The alert that a connection with SESSION ends with."""
        client = self.raw_connect(daemon, context=self.context,
                                  session=session, **options)
        with pytest.raises(Alert) as alert:
            client.handshake()
            client.send(b"hello")
            client.recv()
        assert not client.tls.session_reused
        return str(alert.value), daemon.refused(peer=client.peer)


@pytest.fixture
def visitor(raw_connect, pki, version):
    """visitor(HOLDER): of each protocol version in turn."""

    def make(holder=pki.good):
        return Visitor(raw_connect, tls_context(pki, holder, version))

    return make


def s_client_visit(pki, daemon, holder, option, *args):
    return s_client(pki, daemon.address(), option, "-ign_eof", *args,
                    holder=holder, given=b"hello\n").stdout.decode()


class TestSameDaemon:
    def test_a_session_is_resumed_by_whichever_worker(self, door, visitor):
        daemon = door(process={"workers": 4})
        guest = visitor()
        resumed, session, first = guest.visit(daemon)
        assert not resumed
        for _ in range(20):
            resumed, session, line = guest.visit(daemon, session)
            assert resumed
            assert line["serial"] == first["serial"]
            assert line["tls"] == first["tls"]

    def visit_each_worker(self, guest, daemon, rounds):
        """Comes back to every worker in turn, with whatever session the one
        before has left."""
        _, session, _ = guest.visit(daemon)
        for worker in daemon.workers() * rounds:
            with only_one_runs(daemon, worker):
                client = guest.raw_connect(daemon, context=guest.context,
                                           session=session).handshake()
                client.send(b"x")
                client.recv_exactly(1)
                assert client.tls.session_reused
                session = client.tls.session
                client.close_notify()
                client.recv_to_end()
                line = daemon.closed(peer=client.peer, resumed="yes")
                assert line.pid == worker

    def test_every_worker_takes_every_workers_tickets(self, door, visitor):
        daemon = door(process={"workers": 4})
        self.visit_each_worker(visitor(), daemon, rounds=5)

    def test_every_worker_knows_clients_without_tickets(self, door,
                                                        raw_connect, pki):
        daemon = door(process={"workers": 4})
        context = tls_context(pki, pki.good, ssl.TLSVersion.TLSv1_2)
        context.options |= ssl.OP_NO_TICKET
        self.visit_each_worker(Visitor(raw_connect, context), daemon,
                               rounds=5)

    def test_every_worker_knows_whom_no_ticket_was_given(self, door, visitor):
        daemon = door(process={"workers": 4}, options="no_ticket")
        self.visit_each_worker(visitor(), daemon, rounds=5)

    def test_sessions_without_tickets_outlive_a_worker(self, door, visitor):
        """And what its replacement remembers is the others' as well."""
        daemon = door(options="no_ticket")
        guest = visitor()
        _, session, _ = guest.visit(daemon)
        for started in (2, 3):
            os.kill(daemon.workers()[0], signal.SIGKILL)
            daemon.log.wait("worker started", count=started, timeout=20)
            resumed, session, line = guest.visit(daemon, session)
            assert resumed
            assert line.pid == daemon.workers()[0]

    def test_sessions_without_tickets_outlive_a_reload(self, door, visitor):
        daemon = door(process={"workers": 2}, options="no_ticket")
        guest = visitor()
        _, session, _ = guest.visit(daemon)
        for _ in range(2):
            mark = daemon.log.mark()
            daemon.send_signal(signal.SIGHUP)
            daemon.log.wait("reloaded", since=mark)
            for _ in range(4):
                resumed, session, _ = guest.visit(daemon, session)
                assert resumed

    def test_only_sessions_without_tickets_take_room_in_the_table(
            self, backend, start_daemon, pki, raw_connect, version):
        service = backend(echo)
        daemon = start_daemon({
            "sallyport": {"workers": 2},
            "listener tickets": listener_keys(pki, service),
            "listener ids": listener_keys(pki, service,
                                          options="no_ticket")})

        def visit_often(listener):
            session = None
            guest = Visitor(raw_connect, tls_context(pki, pki.good, version))
            for turn in range(10):
                resumed, session, _ = guest.visit(daemon, session,
                                                  listener=listener)
                assert resumed == (turn > 0)

        visit_often("tickets")
        assert table_bytes(daemon) == 0
        visit_often("ids")
        assert 0 < table_bytes(daemon) < 256 * 1024

    @pytest.mark.parametrize("option", ["-tls1_2", "-tls1_3"])
    def test_openssl_resumes_from_a_file(self, backend, gateway, pki,
                                         tmp_path, option):
        def say_goodbye(peer):
            peer.recv()
            peer.send(b"bye")
            peer.finish()
        daemon = gateway(backend(say_goodbye), process={"workers": 2})
        session = str(tmp_path / "session.pem")
        text = s_client_visit(pki, daemon, pki.good, option,
                              "-sess_out", session)
        assert "\nNew, TLS" in text
        for _ in range(3):
            text = s_client_visit(pki, daemon, pki.good, option,
                                  "-sess_in", session)
            assert "\nReused, TLS" in text
        daemon.log.wait("closed", count=3, resumed="yes")

    def test_optional_clients_without_certificate_resume_too(
            self, door, visitor):
        daemon = door(verify_mode="optional")
        guest = visitor(None)
        _, session, _ = guest.visit(daemon)
        assert guest.visit(daemon, session)[0]

    def test_and_so_they_do_where_nobody_is_asked(self, door, visitor):
        daemon = door(cafile=None)
        guest = visitor(None)
        _, session, _ = guest.visit(daemon)
        assert guest.visit(daemon, session)[0]


class TestTooLargeForATicket:
    """64 kB are where OpenSSL ends the connection."""

    @pytest.fixture(scope="class")
    def large(self, pki):
        """{size of the certificate, about: its holder}"""
        def holder(size):
            return pki.issue("large", names=x509.SubjectAlternativeName(
                [x509.DNSName(f"host-{n:05}.example")
                 for n in range(size // 20)]))
        return {size: holder(size) for size in (
            50_000, 62_000, 63_000, 64_000, 65_000, 66_000, 90_000)}

    def test_comes_in_all_the_same(self, door, visitor, large, version):
        daemon = door()
        for size, holder in large.items():
            guest = visitor(holder)
            if version == ssl.TLSVersion.TLSv1_2:
                guest.context.options |= ssl.OP_NO_TICKET
            _, session, _ = guest.visit(daemon)
            with_ticket = (version == ssl.TLSVersion.TLSv1_3 and
                           size < 63_000)
            assert session.has_ticket == with_ticket
            # The table of sessions without tickets takes small ones only.
            assert guest.visit(daemon, session)[0] == with_ticket

    def test_comes_in_where_nobody_gets_one(self, door, visitor, large):
        daemon = door(options="no_ticket")
        for holder in large.values():
            assert not visitor(holder).visit(daemon)[0]


class TestOff:
    def test_without_tickets_nothing_is_resumed(self, door, visitor, version):
        daemon = door(num_tickets=0)
        guest = visitor()
        _, session, _ = guest.visit(daemon)
        assert session is None or not session.has_ticket
        for _ in range(3):
            resumed, session, _ = guest.visit(daemon, session)
            assert not resumed

    @pytest.mark.parametrize("option", ["-tls1_2", "-tls1_3"])
    def test_a_ticket_from_before_is_not_taken(self, backend, start_daemon,
                                               pki, tmp_path, secret,
                                               option):
        """Not only are none given out."""
        def say_goodbye(peer):
            peer.recv()
            peer.send(b"bye")
            peer.finish()
        service = backend(say_goodbye)
        ticket_secret = secret()
        session = str(tmp_path / "session.pem")
        for tickets, arguments, words in (
                (2, ("-sess_out", session), "\nNew, TLS"),
                (0, ("-sess_in", session), "\nNew, TLS")):
            daemon = start_daemon({
                "sallyport": {"workers": 1},
                "listener gw": listener_keys(
                    pki, service, num_tickets=tickets,
                    ticket_secret_file=ticket_secret)})
            text = s_client_visit(pki, daemon, pki.good, option, *arguments)
            assert words in text
            daemon.closed(resumed="no")

    @pytest.mark.parametrize("number", [1, 2, 5, 8])
    def test_tls_1_3_gives_as_many_tickets_as_told(self, backend, gateway,
                                                   pki, number):
        def say_goodbye(peer):
            peer.recv()
            peer.send(b"bye")
            peer.finish()
        daemon = gateway(backend(say_goodbye), num_tickets=number)
        done = s_client(pki, daemon.address(), "-tls1_3", "-ign_eof", "-msg",
                        holder=pki.good, given=b"hello\n")
        assert done.stdout.decode().count("NewSessionTicket") == number


class TestSeveralDaemons:
    def daemons(self, door, *secrets):
        return [door(process={"workers": 2}, ticket_secret_file=one)
                for one in secrets]

    def test_a_shared_secret_is_a_shared_door(self, door, visitor, secret):
        shared = secret()
        one, two = self.daemons(door, shared, shared)
        guest = visitor()
        _, session, _ = guest.visit(one)
        for daemon in (two, one, two):
            resumed, session, _ = guest.visit(daemon, session)
            assert resumed

    def test_a_secret_survives_a_restart(self, door, visitor, secret):
        shared = secret()
        before = door(ticket_secret_file=shared)
        guest = visitor()
        _, session, _ = guest.visit(before)
        before.stop()
        after = door(ticket_secret_file=shared)
        assert guest.visit(after, session)[0]

    def test_another_secret_is_another_door(self, door, visitor, secret):
        one, two = self.daemons(door, secret(), secret())
        guest = visitor()
        _, session, _ = guest.visit(one)
        assert not guest.visit(two, session)[0]

    def test_without_a_file_each_start_has_its_own_secret(self, door,
                                                          visitor):
        before = door()
        guest = visitor()
        _, session, _ = guest.visit(before)
        assert guest.visit(before, session)[0]
        before.stop()
        after = door()
        assert not guest.visit(after, session)[0]

    def test_a_secret_that_is_too_short_is_an_error(self, check, tmp_path,
                                                    pki):
        short = tmp_path / "short.key"
        short.touch(mode=0o600)
        short.write_bytes(b"x" * 31)
        found = check(f"""\
[listener gw]
listen = 127.0.0.1:0
certfile = {pki.server.cert}
keyfile = {pki.server.key}
backend = 127.0.0.1:1
ticket_secret_file = {short}
""")
        assert found.status == 1
        assert any(one.startswith("6: [listener gw] ticket_secret_file")
                   for one in found.findings), found.findings


class TestNowhereElse:
    """A session never opens a door that its owner could not have opened by
    showing the certificate."""

    def test_not_at_another_listener(self, backend, start_daemon, pki,
                                     visitor, secret):
        service = backend(echo)
        shared = secret()
        daemon = start_daemon({
            "sallyport": {"workers": 1},
            "listener open": listener_keys(
                pki, service, cafile=pki.other_ca.cert,
                ticket_secret_file=shared),
            "listener closed": listener_keys(
                pki, service, ticket_secret_file=shared)})
        guest = visitor(pki.stranger)
        _, session, _ = guest.visit(daemon, listener="open")
        assert guest.visit(daemon, session, listener="open")[0]
        alert, line = guest.refusal(daemon, session, listener="closed")
        assert alert == "unknown_ca"
        assert line["reason"] == "client_certificate_untrusted"

    def test_not_at_another_listener_that_asks_for_one(
            self, backend, start_daemon, pki, visitor, secret):
        """Nor may who showed none come in where one is required."""
        service = backend(echo)
        shared = secret()
        daemon = start_daemon({
            "sallyport": {"workers": 1},
            "listener open": listener_keys(
                pki, service, cafile=None, ticket_secret_file=shared),
            "listener closed": listener_keys(
                pki, service, ticket_secret_file=shared)})
        guest = visitor(None)
        _, session, _ = guest.visit(daemon, listener="open")
        alert, line = guest.refusal(daemon, session, listener="closed")
        assert alert in MISSING
        assert line["reason"] == "client_certificate_required"

    @pytest.mark.parametrize("options", [None, "no_ticket"])
    def test_not_at_another_server_name(self, backend, start_daemon, pki,
                                        visitor, maker, options):
        """The client lies about the name the session is for. Names share
        their listener's cache of session ids."""
        server = maker.make(
            "everywhere", pki.ca, eku=[SERVER_AUTH],
            names=["localhost", "api.example.com", "www.example.com"])
        service = backend(echo)
        keys = {"certfile": server.cert, "keyfile": server.key,
                "options": options}
        daemon = start_daemon({
            "sallyport": {"workers": 1},
            "listener gw": listener_keys(pki, service, **keys,
                                         cafile=pki.other_ca.cert),
            "server_name api": {
                "listener": "gw", "server_name": "api.example.com",
                "cafile": pki.ca.cert},
            "server_name www": {
                "listener": "gw", "server_name": "www.example.com"}})
        guest = visitor(pki.stranger)
        for name in ("localhost", "www.example.com"):
            _, session, _ = guest.visit(daemon, server_name=name)
            assert guest.visit(daemon, session, server_name=name)[0]
            alert, line = guest.refusal(daemon, session,
                                        server_name="api.example.com")
            assert alert == "unknown_ca"
            assert line["reason"] == "client_certificate_untrusted"

    def test_not_by_session_id_at_another_listener(
            self, backend, start_daemon, pki, visitor):
        service = backend(echo)
        daemon = start_daemon({
            "sallyport": {"workers": 1},
            "defaults": {"options": "no_ticket"},
            "listener open": listener_keys(pki, service,
                                           cafile=pki.other_ca.cert),
            "listener closed": listener_keys(pki, service)})
        guest = visitor(pki.stranger)
        _, session, _ = guest.visit(daemon, listener="open")
        assert guest.visit(daemon, session, listener="open")[0]
        alert, _ = guest.refusal(daemon, session, listener="closed")
        assert alert == "unknown_ca"

    def test_not_after_the_ca_changed(self, door, visitor, pki, secret):
        shared = secret()
        before = door(ticket_secret_file=shared, cafile=pki.other_ca.cert)
        guest = visitor(pki.stranger)
        _, session, _ = guest.visit(before)
        before.stop()
        after = door(ticket_secret_file=shared, cafile=pki.ca.cert)
        alert, line = guest.refusal(after, session)
        assert alert == "unknown_ca"
        assert line["reason"] == "client_certificate_untrusted"

    def test_not_after_the_client_was_revoked(self, door, visitor, pki,
                                              secret, maker):
        shared = secret()
        guest = visitor(pki.good)
        before = door(ticket_secret_file=shared, crlfile=maker.crl(pki.ca))
        _, session, _ = guest.visit(before)
        assert guest.visit(before, session)[0]
        before.stop()
        after = door(ticket_secret_file=shared,
                     crlfile=maker.crl(pki.ca, [pki.good]))
        alert, line = guest.refusal(after, session)
        assert alert == "certificate_revoked"
        assert line["reason"] == "client_certificate_revoked"

    def test_not_after_a_certificate_became_required(self, door, visitor,
                                                     secret):
        shared = secret()
        before = door(ticket_secret_file=shared, verify_mode="optional")
        guest = visitor(None)
        _, session, _ = guest.visit(before)
        before.stop()
        after = door(ticket_secret_file=shared)
        alert, line = guest.refusal(after, session)
        assert alert in MISSING
        assert line["reason"] == "client_certificate_required"

    @pytest.mark.parametrize("options", [None, "no_ticket"])
    def test_not_past_the_end_of_the_clients_certificate(
            self, door, visitor, pki, maker, options):
        """Resumed as long as it is valid; then refused by name."""
        end = (datetime.datetime.now(datetime.timezone.utc) +
               datetime.timedelta(seconds=seconds(3))).replace(microsecond=0)
        guest = visitor(maker.make("brief", pki.ca, until=end))
        daemon = door(options=options)
        _, session, _ = guest.visit(daemon)
        resumed = 0
        deadline = time.monotonic() + seconds(15)
        while time.monotonic() < deadline:
            begun = time.time()
            try:
                again, following, _ = guest.visit(daemon, session)
            except (Alert, AssertionError):
                break
            # From 3.4 on OpenSSL counts parts of seconds: the last one may
            # be a full handshake's.
            assert again or begun > end.timestamp() - 2
            assert begun < end.timestamp() + 1  # RFC 5280: inclusive
            session = following or session
            resumed += again
            time.sleep(0.05)
        assert resumed > 0
        assert time.time() >= end.timestamp()
        alert, line = guest.refusal(daemon, session)
        assert alert == "certificate_expired"
        assert line["reason"] == "client_certificate_expired"

    def test_not_past_session_timeout(self, door, visitor):
        daemon = door(session_timeout="1s")
        guest = visitor()
        _, session, _ = guest.visit(daemon)
        deadline = time.monotonic() + seconds(15)
        while guest.visit(daemon, session)[0]:
            assert time.monotonic() < deadline


class TestForgery:
    def test_a_ticket_that_was_tampered_with_is_ignored(
            self, backend, gateway, pki, tmp_path):
        """Every bit of it is under the key's protection."""
        def say_goodbye(peer):
            peer.recv()
            peer.send(b"bye")
            peer.finish()
        daemon = gateway(backend(say_goodbye))
        path = tmp_path / "session.pem"
        s_client_visit(pki, daemon, pki.good, "-tls1_2", "-sess_out",
                       str(path))
        der = ssl.PEM_cert_to_DER_cert(
            path.read_text().replace("SSL SESSION PARAMETERS", "CERTIFICATE"))
        ticket = der.rindex(ticket_of(path))
        length = len(ticket_of(path))
        for at in (0, 15, 16, 31, 32, length // 2, length - 1):
            forged = bytearray(der)
            forged[ticket + at] ^= 1
            other = tmp_path / "forged.pem"
            other.write_text(ssl.DER_cert_to_PEM_cert(bytes(forged)).replace(
                "CERTIFICATE", "SSL SESSION PARAMETERS"))
            text = s_client_visit(pki, daemon, pki.good, "-tls1_2",
                                  "-sess_in", str(other))
            assert "\nNew, TLS" in text


def ticket_of(session_file):
    """The ticket, out of the hex dump of `openssl sess_id`."""
    text = run([need("openssl", "openssl"), "sess_id", "-in",
                str(session_file), "-noout", "-text"]).stdout.decode()
    dump = text.split("TLS session ticket:\n")[1]
    ticket = bytearray()
    for line in dump.splitlines():
        offset, dash, rest = line.strip().partition(" - ")
        if not dash or len(offset) != 4:
            break
        ticket += bytes.fromhex(rest[:47].replace("-", " "))
    return bytes(ticket)
