"""Keys of a TLS context that no other test has for its subject. Which test
shows what is in docs/sslcontext.md."""

import shutil
import stat

import pytest

from harness.backends import echo
from harness.clients import (TLS1_2, TLS1_3, Alert, run, s_client,
                             tls_context)
from harness.limits import wait_until
from harness.programs import need


@pytest.fixture
def door(backend, gateway):
    """door(**listener keys): a daemon in front of an echo service."""

    def make(**changes):
        return gateway(backend(echo), **changes)

    return make


def say_hello(client):
    client.send(b"hello")
    assert client.recv_exactly(5) == b"hello"
    return client


def leave(client):
    client.close_notify()
    client.recv_to_end()
    client.close()


class TestAuthorities:
    def only_of_the_ca(self, daemon, connect, raw_connect, pki):
        say_hello(connect(daemon))
        client = raw_connect(daemon, pki.stranger)
        client.be_refused()
        daemon.refused(peer=client.peer,
                       reason="client_certificate_untrusted")

    def test_capath_is_a_directory_of_hash_links(self, door, connect, pki,
                                                 raw_connect, tmp_path):
        path = tmp_path / "cas"
        path.mkdir()
        shutil.copy(pki.ca.cert, path / "test-ca.pem")
        # No link leads to this one.
        done = run([need("openssl", "openssl"), "rehash", str(path)])
        assert done.returncode == 0, done.stderr
        shutil.copy(pki.other_ca.cert, path / "other-ca.pem")
        self.only_of_the_ca(door(cafile=None, capath=path), connect,
                            raw_connect, pki)

    def test_cadata_is_in_the_configuration_itself(self, door, connect, pki,
                                                   raw_connect):
        lines = pki.ca.cert.read_text().splitlines()
        self.only_of_the_ca(door(cafile=None, cadata="\n\t".join(lines)),
                            connect, raw_connect, pki)

    def test_load_default_certs_asks_the_system(self, door, connect, pki,
                                                raw_connect):
        daemon = door(cafile=None, load_default_certs=True, daemon={
            "env": {"SSL_CERT_FILE": str(pki.ca.cert)}})
        self.only_of_the_ca(daemon, connect, raw_connect, pki)

    def test_send_ca_names_no_hides_them(self, door, pki):
        names = "Acceptable client certificate CA names"
        shown = s_client(pki, door().address(), holder=pki.good)
        assert names in shown.stdout.decode()
        hidden = s_client(pki, door(send_ca_names=False).address(),
                          holder=pki.good)
        assert "No client certificate CA names sent" in \
            hidden.stdout.decode()
        assert names not in hidden.stdout.decode()


class TestGroups:
    def test_groups_are_those_told(self, door, pki):
        daemon = door(groups="P-384 P-256")
        for offered, taken in (("P-384", "384 bits"),
                               ("X25519:P-256:P-384", "384 bits"),
                               ("P-256", "256 bits")):
            done = s_client(pki, daemon.address(), "-groups", offered,
                            holder=pki.good)
            line = next(line for line in done.stdout.decode().splitlines()
                        if "Temp Key: " in line)
            assert taken in line
        done = s_client(pki, daemon.address(), "-groups", "X25519",
                        holder=pki.good)
        assert "handshake failure" in done.stderr.decode()
        daemon.refused(reason="no_shared_cipher")

    def test_a_group_written_with_a_question_mark_may_be_missing(
            self, door, connect):
        daemon = door(groups="?NoSuchGroup X25519")
        say_hello(connect(daemon))

    def test_the_hybrid_group_is_used_where_the_library_has_it(
            self, door, connect, pki, version_text):
        daemon = door(groups="?X25519MLKEM768 X25519")
        say_hello(connect(daemon))
        listed = run([need("openssl", "openssl"), "list",
                      "-kem-algorithms"]).stdout.decode()
        if "X25519MLKEM768" in listed:
            done = s_client(pki, daemon.address(), holder=pki.good)
            assert "X25519MLKEM768" in done.stdout.decode()


class TestOptions:
    def test_no_ticket_leaves_session_ids(self, door, raw_connect, pki):
        """As OP_NO_TICKET: TLS 1.2 resumes by session id all the same."""
        daemon = door(options="no_ticket")
        context = tls_context(pki, pki.good, TLS1_2)
        session = None
        for resumed in ("no", "yes"):
            client = raw_connect(daemon, context=context,
                                 session=session).handshake()
            session = say_hello(client).tls.session
            assert not session.has_ticket
            leave(client)
            daemon.closed(peer=client.peer, resumed=resumed)

    def test_a_client_cannot_renegotiate(self, door, pki):
        daemon = door()
        done = s_client(pki, daemon.address(), "-tls1_2", holder=pki.good,
                        given=b"R\n")
        assert "RENEGOTIATING" in done.stderr.decode()
        assert "no renegotiation" in done.stderr.decode()

    @pytest.mark.parametrize("flag, pointer", [
        ("no_tlsv1_2", "minimum_version and maximum_version"),
        ("enable_ktls", "cannot be had"),
        ("ignore_unexpected_eof", "truncated")])
    def test_flags_that_are_no_use_here_are_refused(self, check, pki, flag,
                                                    pointer):
        found = check(f"""\
[listener gw]
listen = 127.0.0.1:0
certfile = {pki.server.cert}
keyfile = {pki.server.key}
backend = 127.0.0.1:1
options = {flag}
""")
        assert found.status == 1
        assert any(one.startswith("6: [listener gw] options") and
                   pointer in one for one in found.findings), found.findings


class TestKeylog:
    def visit(self, daemon, raw_connect, pki, version, tmp_path):
        """What the client itself writes for the same connection."""
        path = tmp_path / f"client-{version.name}.log"
        context = tls_context(pki, pki.good, version)
        context.keylog_filename = str(path)
        client = raw_connect(daemon, context=context).handshake()
        leave(say_hello(client))
        return {line for line in path.read_text().splitlines()
                if not line.startswith("#")}

    def agrees(self, path, expected):
        def is_there():
            lines = path.read_text().splitlines() if path.exists() else []
            return expected <= set(lines)
        wait_until(is_there, "both ends wrote the same secrets")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_keylog_filename_gets_the_secrets(self, door, raw_connect, pki,
                                              version, tmp_path):
        path = tmp_path / "keys.log"
        daemon = door(keylog_filename=path)
        expected = self.visit(daemon, raw_connect, pki, version, tmp_path)
        assert expected
        self.agrees(path, expected)
        assert any("keylog_filename" in raw for raw in daemon.log.foreign())

    def test_the_file_is_appended_to(self, door, raw_connect, pki, tmp_path):
        path = tmp_path / "keys.log"
        everything = set()
        for version in (TLS1_2, TLS1_3):
            daemon = door(keylog_filename=path)
            everything |= self.visit(daemon, raw_connect, pki, version,
                                     tmp_path)
            daemon.stop()
        self.agrees(path, everything)

    def test_the_environment_counts_too(self, door, raw_connect, pki,
                                        version, tmp_path):
        path = tmp_path / "keys.log"
        daemon = door(daemon={"env": {"SSLKEYLOGFILE": str(path)}})
        self.agrees(path, self.visit(daemon, raw_connect, pki, version,
                                     tmp_path))

    def test_without_either_nothing_is_written(self, door, raw_connect, pki,
                                               version, tmp_path):
        daemon = door()
        self.visit(daemon, raw_connect, pki, version, tmp_path)
        assert not (tmp_path / "keys.log").exists()
        assert not any("keylog" in raw for raw in daemon.log.foreign())


class TestAlpn:
    def test_no_protocol_in_common_is_refused(self, door, raw_connect, pki,
                                              version):
        daemon = door(alpn_protocols="h2 http/1.1")
        context = tls_context(pki, pki.good, version)
        context.set_alpn_protocols(["imap"])
        client = raw_connect(daemon, context=context)
        with pytest.raises(Alert, match="no_application_protocol"):
            client.handshake()
        daemon.refused(peer=client.peer, reason="no_application_protocol")


class TestCredentials:
    def test_a_key_may_be_a_credential_of_systemd(self, door, connect, pki,
                                                  tmp_path):
        directory = tmp_path / "credentials"
        directory.mkdir(mode=0o700)
        key = directory / "server.key"
        shutil.copy(pki.server.key, key)
        key.chmod(0o400)
        daemon = door(keyfile="credential:server.key", daemon={
            "env": {"CREDENTIALS_DIRECTORY": str(directory)}})
        say_hello(connect(daemon))
