"""Live connections under new rules, and when a certificate's time is up."""

import signal
import time

import pytest

from conftest import listener_keys
from harness.backends import echo
from harness.certificates import Maker
from harness.clients import Alert, tls_context
from harness.daemon import ini
from harness.limits import seconds


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("deauthorize"))


@pytest.fixture
def other(pki):
    """A second client of the same CA."""
    return pki.issue("other", organisation="Corp")


class Door:
    """A daemon whose configuration changes under its connections."""

    def __init__(self, gateway, pki, backend, **changes):
        self.pki, self.backend = pki, backend
        self.daemon = gateway(backend, **changes)

    def reload(self, more=None, expect="reloaded", **changes):
        mark = len(self.daemon.log.find(expect))
        self.daemon.config.write_text(ini({
            "sallyport": {"workers": 1, "drain_timeout": "2s"},
            "listener gw": listener_keys(self.pki, self.backend, **changes),
            **(more or {})}))
        self.daemon.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + seconds(10)
        while len(self.daemon.log.find(expect)) == mark:
            assert time.monotonic() < deadline, self.daemon.log.text()
            self.daemon.log.wait(expect, 10)


@pytest.fixture
def door(gateway, pki, backend):
    def make(**changes):
        return Door(gateway, pki, backend(echo), **changes)

    return make


def is_served(client, word=b"still here"):
    return client.exchange(word, len(word)) == word


def was_closed(door, client, detail):
    """CLIENT has no clean end, and the log says why."""
    assert client.stream_end() != "close_notify"
    line = door.daemon.closed(peer=client.peer, reason="deauthorized")
    assert detail in line["detail"], line
    return True


class TestReload:
    def test_closes_who_lost_the_rule_and_nobody_else(self, door, connect,
                                                      pki, other):
        gw = door(allow_cn=["good", "other"])
        loser, keeper = connect(gw.daemon), connect(gw.daemon, holder=other)
        assert is_served(loser) and is_served(keeper)
        started = time.monotonic()
        gw.reload(allow_cn="other")
        assert was_closed(gw, loser, "no rule matches")
        assert time.monotonic() - started < seconds(1)
        assert is_served(keeper)

    def test_closes_whose_ca_is_gone(self, door, connect, pki, maker):
        gw = door()
        client = connect(gw.daemon)
        assert is_served(client)
        gw.reload(cafile=maker.ca("Another CA").cert)
        assert was_closed(gw, client, "self-signed certificate in")

    def test_closes_who_is_revoked(self, door, connect, maker, pki):
        ca = maker.ca("Revoking CA")
        bad, fine = (maker.make(name, ca) for name in ("bad", "fine"))
        gw = door(cafile=ca.cert, crlfile=maker.crl(ca))
        clients = [connect(gw.daemon, holder=who) for who in (bad, fine)]
        assert all(is_served(client) for client in clients)
        gw.reload(cafile=ca.cert, crlfile=maker.crl(ca, [bad]))
        assert was_closed(gw, clients[0], "revoked")
        assert is_served(clients[1])

    def test_closes_by_the_rules_of_the_server_name(self, door, connect):
        name = {"listener": "gw", "server_name": "localhost"}
        gw = door()
        gw.reload(more={"server_name n": {**name, "allow_cn": "good"}})
        client = connect(gw.daemon)
        assert is_served(client)
        gw.reload(more={"server_name n": {**name, "allow_cn": "nobody"}})
        assert was_closed(gw, client, "no rule matches")

    def test_closes_who_resumed_and_whose_chain_nobody_has(
            self, door, connect, pki, version):
        """It is let in again, with its chain."""
        gw = door(allow_cn="behind")
        context = tls_context(pki, pki.behind, version)
        first = connect(gw.daemon, context=context)
        assert is_served(first)
        again = connect(gw.daemon, context=context, session=first.tls.session)
        assert is_served(again) and again.tls.session_reused
        gw.reload(allow_cn=["behind", "new"])
        assert is_served(first)
        assert was_closed(gw, again, "unable to get local issuer")
        assert is_served(connect(gw.daemon, context=context))

    def test_keeps_everybody_if_told_so(self, door, connect):
        gw = door(allow_cn="good")
        client = connect(gw.daemon)
        assert is_served(client)
        gw.reload(allow_cn="nobody", on_deauthorize="keep")
        assert is_served(client)

    def test_without_a_change_closes_nobody(self, door, connect, other):
        gw = door(allow_cn=["good", "other"])
        clients = [connect(gw.daemon), connect(gw.daemon, holder=other)]
        gw.reload(allow_cn=["good", "other"])
        gw.reload(allow_cn=["good", "other"], idle_timeout="2h")
        assert all(is_served(client) for client in clients)

    def test_that_fails_closes_nobody(self, door, connect):
        gw = door(allow_cn="good")
        client = connect(gw.daemon)
        gw.daemon.config.write_text("[listener gw]\nnonsense = 1\n")
        gw.daemon.send_signal(signal.SIGHUP)
        gw.daemon.log.wait("reloading", 10)
        assert is_served(client)
        assert is_served(connect(gw.daemon))


class TestTime:
    @pytest.mark.parametrize("keep", [False, True], ids=["close", "keep"])
    def test_ends_a_certificate(self, door, connect, raw_connect,
                                maker, keep):
        ca = maker.ca("Short CA")
        brief = maker.make("brief", ca, days=(-1, 4 / 86400))
        gw = door(cafile=ca.cert, idle_timeout=0,
                  on_deauthorize="keep" if keep else "close")
        client = connect(gw.daemon, holder=brief)
        assert is_served(client)
        deadline = time.monotonic() + seconds(10)
        if not keep:
            assert was_closed(gw, client, "expired")
            return
        # Nobody new gets in with it, the one inside stays.
        refused = {"reason": "client_certificate_expired"}
        while not gw.daemon.log.find("refused", **refused):
            assert time.monotonic() < deadline
            visitor = raw_connect(gw.daemon, holder=brief)
            try:
                is_served(visitor.handshake())
            except (Alert, AssertionError, OSError):
                pass  # in TLS 1.3 told by the first read
            visitor.close()
        assert is_served(client)
