"""TLS before 1.3: whatever client and server derive their secrets with, they
derive the same. Clients of OpenSSL and of GnuTLS."""

import re

import pytest

from harness.clients import gnutls_cli, s_client


def answer(peer):
    peer.recv()
    peer.send(b"bye")
    peer.finish()


@pytest.fixture
def door(backend, gateway):
    def make(**changes):
        return gateway(backend(answer), **changes)

    return make


def ask(daemon, pki, *args):
    """One question by s_client, which has its answer. Returns what it says,
    and the log line."""
    done = s_client(pki, daemon.address(), *args, "-ign_eof",
                    holder=pki.good, given=b"hello\n")
    assert b"\nbye" in done.stdout, (done.stdout + done.stderr).decode()
    return done.stdout.decode(), daemon.closed()


@pytest.mark.parametrize("suite", [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",  # of the older protocols, with 1.2's secrets
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-SHA384",
])
def test_a_suite_of_tls_1_2_carries_bytes(door, pki, suite):
    daemon = door(ciphers=suite)
    _, line = ask(daemon, pki, "-tls1_2")
    assert (line["tls"], line["cipher"]) == ("TLSv1.2", suite)
    assert line["up"] == "6" and line["down"] == "3"


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-GCM-SHA256",
                                   "ECDHE-ECDSA-AES256-GCM-SHA384"])
@pytest.mark.parametrize("group, called", [
    ("X25519", "X25519"), ("P-256", "prime256v1"), ("P-384", "secp384r1"),
    ("P-521", "secp521r1")])
def test_a_secret_of_any_group_will_do(door, pki, suite, group, called):
    """That of P-521 is longer than a block of SHA-256."""
    groups = list(dict.fromkeys([group, "P-256"]))  # P-256: certificates
    daemon = door(ciphers=suite, groups=" ".join(groups))
    said, line = ask(daemon, pki, "-tls1_2", "-groups", ":".join(groups))
    assert re.search(f"Temp Key: .*{called}", said)
    assert line["cipher"] == suite


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-GCM-SHA256",
                                   "ECDHE-ECDSA-AES256-GCM-SHA384"])
def test_a_session_of_tls_1_2_comes_back(door, pki, tmp_path, suite):
    daemon = door(ciphers=suite)
    session = str(tmp_path / "session.pem")
    said, line = ask(daemon, pki, "-tls1_2", "-sess_out", session)
    assert "New, TLSv1.2" in said and line["resumed"] == "no"
    said, _ = ask(daemon, pki, "-tls1_2", "-sess_in", session)
    assert "Reused, TLSv1.2" in said
    daemon.log.wait("closed", resumed="yes", cipher=suite)


@pytest.mark.parametrize("suites, priority", [
    ("ECDHE-ECDSA-AES128-GCM-SHA256", "+AES-128-GCM"),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", "+AES-256-GCM"),
])
@pytest.mark.parametrize("master_secret", ["", ":%NO_SESSION_HASH"],
                         ids=["extended", "plain"])
def test_gnutls_derives_the_same(door, pki, suites, priority, master_secret):
    daemon = door(ciphers=suites)
    done = gnutls_cli(
        pki, daemon.address(), "--priority",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:" + priority +
        master_secret, holder=pki.good, given=b"hello\n")
    assert b"bye" in done.stdout, (done.stdout + done.stderr).decode()
    extended = b"extended master secret" in done.stdout
    assert extended == (not master_secret)
    line = daemon.closed()
    assert (line["tls"], line["cipher"]) == ("TLSv1.2", suites)


@pytest.mark.parametrize("option, version", [("-tls1", "TLSv1"),
                                             ("-tls1_1", "TLSv1.1")])
def test_what_came_before_1_2_works_where_it_is_let_in(door, pki, option,
                                                       version):
    daemon = door(minimum_version="TLSv1",
                  ciphers="ECDHE+AES:@SECLEVEL=0")
    _, line = ask(daemon, pki, option, "-cipher", "DEFAULT:@SECLEVEL=0")
    assert line["tls"] == version
    assert line["cipher"] == "ECDHE-ECDSA-AES256-SHA"
    assert line["up"] == "6" and line["down"] == "3"
