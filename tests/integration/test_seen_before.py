"""Whoever was let in a moment ago is asked again when something has changed:
a worker remembers good chains, and every client here comes twice before."""

import re

import pytest

from harness.certificates import Maker
from harness.clients import tls_context
from harness.limits import wait_until
from test_deauthorize import door, is_served  # noqa: F401 (a fixture)

# OpenSSL's clients send their root, too, when they know it.
UNTRUSTED = re.compile("^client_certificate_(untrusted|self_signed)$")


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("seen-before"))


@pytest.fixture
def known(connect):
    """known(DAEMON, holder=...): has been there twice, in full handshakes."""
    def visit(daemon, **options):
        for _ in range(2):
            client = connect(daemon, **options)
            assert is_served(client)
            client.close_notify()
            line = daemon.closed(peer=client.peer)
            assert line["resumed"] == "no"
            client.close()

    return visit


@pytest.fixture
def refused(raw_connect):
    """refused(DAEMON, reason, holder=...): and the log says so."""
    def visit(daemon, reason, **options):
        client = raw_connect(daemon, **options)
        client.be_refused()
        daemon.refused(peer=client.peer, reason=reason)

    return visit


class TestReload:
    def test_takes_the_rule_away(self, door, known, raw_connect, pki):
        gw = door(allow_cn="good")
        known(gw.daemon)
        gw.reload(allow_cn="nobody")
        client = raw_connect(gw.daemon, holder=pki.good)
        client.be_refused()
        gw.daemon.log.wait("denied", peer=client.peer)

    def test_takes_the_ca_away(self, door, known, refused, pki, maker):
        gw = door()
        known(gw.daemon, holder=pki.good)
        gw.reload(cafile=maker.ca("Another CA").cert)
        refused(gw.daemon, UNTRUSTED, holder=pki.good)

    def test_revokes(self, door, known, refused, maker):
        ca = maker.ca("Revoking CA")
        bad, fine = (maker.make(name, ca) for name in ("bad", "fine"))
        gw = door(cafile=ca.cert, crlfile=maker.crl(ca))
        for who in (bad, fine):
            known(gw.daemon, holder=who)
        gw.reload(cafile=ca.cert, crlfile=maker.crl(ca, [bad]))
        refused(gw.daemon, "client_certificate_revoked", holder=bad)
        known(gw.daemon, holder=fine)


def keeps_out(gw, raw_connect, holder, reason):
    """Sooner or later HOLDER is refused, though it never stays away."""
    def is_refused():
        client = raw_connect(gw.daemon, holder=holder)
        try:
            is_served(client.handshake())
        except Exception:  # noqa: BLE001 (in TLS 1.3 it may be any read)
            pass
        client.close()
        return gw.daemon.log.find("refused", reason=reason)

    wait_until(is_refused, f"{reason} in the log")


class TestTime:
    def test_ends_a_certificate(self, door, known, raw_connect, maker):
        ca = maker.ca("Short CA")
        brief = maker.make("brief", ca, days=(-1, 4 / 86400))
        gw = door(cafile=ca.cert)
        known(gw.daemon, holder=brief)
        keeps_out(gw, raw_connect, brief, "client_certificate_expired")

    def test_ends_a_crl(self, door, known, raw_connect, maker):
        ca = maker.ca("Revoking CA")
        client = maker.make("client", ca)
        gw = door(cafile=ca.cert,
                  crlfile=maker.crl(ca, days=(-1, 4 / 86400)))
        known(gw.daemon, holder=client)
        keeps_out(gw, raw_connect, client, "client_crl_expired")


class TestElsewhere:
    def test_another_server_name_asks_for_itself(
            self, door, known, raw_connect, pki):
        gw = door()
        gw.reload(more={"server_name n": {
            "listener": "gw", "server_name": "localhost",
            "allow_cn": "nobody"}})
        context = tls_context(pki, pki.good)
        context.check_hostname = False
        for _ in range(2):
            client = raw_connect(gw.daemon, context=context,
                                 server_name="other.example").handshake()
            assert is_served(client)
            client.close_notify()
            gw.daemon.closed(peer=client.peer)
        client = raw_connect(gw.daemon, holder=pki.good)
        client.be_refused()
        gw.daemon.log.wait("denied", peer=client.peer)
