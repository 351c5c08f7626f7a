"""A ticket never outlives the rule that let its owner in."""

import datetime
import os
import re
import time

import pytest

from conftest import listener_keys
from harness.backends import echo
from harness.certificates import Maker
from harness.clients import Alert, s_client, tls_context
from harness.limits import seconds, wait_until
from harness.pki import SERVER_AUTH
from test_resumption import Visitor

MISSING = ("certificate_required", "handshake_failure")
DENIED = "client_certificate_denied"
# OpenSSL's clients send their root, too, when they know it.
UNTRUSTED = re.compile("^client_certificate_(untrusted|self_signed)$")
# With a blank: s_client prints certificates, and in base64 "bye" does occur.
FAREWELL = "good bye"
NAMES = ["localhost", "api.example.com", "www.example.com"]


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("rules-resumption"))


@pytest.fixture(scope="module")
def server(maker, pki):
    """Good for all names, so that clients may lie about which they mean."""
    return maker.make("everywhere", pki.ca, eku=[SERVER_AUTH], names=NAMES)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The ticket_secret_file that all daemons of this module share."""
    path = tmp_path_factory.mktemp("tickets") / "tickets.key"
    path.touch(mode=0o600)
    path.write_bytes(os.urandom(64))
    return path


@pytest.fixture(scope="module")
def billing(maker, pki):
    return maker.make("billing", pki.ca, names=[
        "billing.corp.example", "spiffe://corp.example/billing"])


@pytest.fixture(scope="module")
def ops(maker, pki):
    return maker.make("ops", pki.ca, names=["ops.corp.example"])


@pytest.fixture
def restart(backend, start_daemon, pki, shared):
    """restart(policies={}, **listener keys): stops the daemon before and
    starts another with the same ticket secret. .service is the backend."""
    running = []

    def make(policies=None, **keys):
        for one in running:
            one.stop()
        running.clear()
        service = backend(echo)
        sections = {
            "sallyport": {"workers": 1, "drain_timeout": "2s"},
            "listener gw": listener_keys(
                pki, service, ticket_secret_file=shared, **keys)}
        for name, rules in (policies or {}).items():
            sections[f"policy {name}"] = rules
        daemon = start_daemon(sections)
        daemon.service = service
        running.append(daemon)
        return daemon

    return make


@pytest.fixture
def together(backend, start_daemon, pki, shared, server):
    """together({listener: keys}, {server name: keys}): one daemon, whose
    listeners share their ticket secret. Names belong to listener gw."""

    def make(listeners, names=None):
        service = backend(echo)
        common = {"certfile": server.cert, "keyfile": server.key,
                  "ticket_secret_file": shared}
        sections = {"sallyport": {"workers": 1, "drain_timeout": "2s"}}
        for name, keys in listeners.items():
            sections[f"listener {name}"] = listener_keys(
                pki, service, **{**common, **keys})
        for name, keys in (names or {}).items():
            sections[f"server_name {name}"] = {
                "listener": "gw", "server_name": f"{name}.example.com",
                **keys}
        daemon = start_daemon(sections)
        daemon.service = service
        return daemon

    return make


class Guest(Visitor):
    """Comes back with its ticket. By Python's ssl."""

    def learn(self, daemon, **where):
        """A session that works where it is from."""
        _, session, _ = self.visit(daemon, **where)
        resumed, session, _ = self.visit(daemon, session, **where)
        assert resumed
        return session

    def gets_in(self, daemon, session, resumed, **where):
        was_resumed, session, _ = self.visit(daemon, session, **where)
        assert was_resumed == resumed
        return session

    def is_turned_away(self, daemon, session, **where):
        """(alert, the log's line): and the backend has not heard of it."""
        before = len(daemon.service.peers)
        client = self.raw_connect(daemon, context=self.context,
                                  session=session, **where)
        with pytest.raises(Alert) as alert:
            client.handshake()
            client.send(b"hello")
            client.recv()
        assert not client.tls.session_reused
        found = end_of(daemon, client.peer)
        assert len(daemon.service.peers) == before
        return str(alert.value), found

    def is_denied(self, daemon, session, detail=None, **where):
        alert, line = self.is_turned_away(daemon, session, **where)
        assert alert == "bad_certificate"
        assert line.message == "denied"
        assert line["reason"] == DENIED
        if detail is not None:
            assert re.search(detail, line["detail"]), line["detail"]
        return line


def end_of(daemon, peer):
    """The one line of PEER's connection, whatever it says."""
    found = wait_until(lambda: [
        line for message in ("denied", "refused", "closed")
        for line in daemon.log.find(message, peer=peer)],
        f"a line about {peer}")
    assert len(found) == 1
    return found[0]


@pytest.fixture
def guest(raw_connect, pki, version):
    """guest(HOLDER): a Guest, of each protocol version in turn."""

    def make(holder):
        return Guest(raw_connect, tls_context(pki, holder, version))

    return make


def policy(**keys):
    return {"authorize": "only", "policies": {"only": keys}}


# Before and after: billing had a right, which is gone.
LOST = {
    "a value was removed": (
        {"allow_cn": ["billing", "ops"]}, {"allow_cn": "ops"}),
    "a key was replaced": (
        {"allow_cn": ["billing", "ops"]},
        {"allow_dns_san": "ops.corp.example"}),
    "a key was removed beside another": (
        {"allow_cn": "billing", "allow_dns_san": "ops.corp.example"},
        {"allow_dns_san": "ops.corp.example"}),
    "a glob became narrower": (
        {"allow_dns_san": "*.corp.example"},
        {"allow_dns_san": ["ops.corp.example", "*.ops.corp.example"]}),
    "a URI changed": (
        {"allow_uri_san": "spiffe://corp.example/**",
         "allow_cn": "ops"},
        {"allow_uri_san": "spiffe://corp.example/ops",
         "allow_cn": "ops"}),
    "the first rule came": ({}, {"allow_cn": "ops"}),
    "any was taken away": (
        {"authorize": "any"}, {"allow_cn": "ops"}),
    "the policy changed": (
        policy(allow_cn=["billing", "ops"]), policy(allow_cn="ops")),
    "the policy got another key": (
        policy(allow_dns_san="*.corp.example"),
        policy(allow_dns_san="*.corp.example", allow_cn="ops")),
    "the policy is bound to another CA": (
        policy(allow_dns_san="*.corp.example"),
        policy(allow_dns_san="*.corp.example", allow_issuer_cn="Other CA")),
    "the policy is listed no more": (
        {"authorize": "one two", "policies": {
            "one": {"allow_cn": "billing"}, "two": {"allow_cn": "ops"}}},
        {"authorize": "two", "policies": {
            "one": {"allow_cn": "billing"}, "two": {"allow_cn": "ops"}}}),
}


class TestRules:
    @pytest.mark.parametrize("case", LOST)
    def test_who_lost_a_right_is_refused(self, restart, guest, billing, case):
        before, after = LOST[case]
        client = guest(billing)
        session = client.learn(restart(**before))
        daemon = restart(**after)
        client.is_denied(daemon, session, "^no rule matches")
        client.is_denied(daemon, session, "^no rule matches")
        # The session itself did not suffer: the right comes back.
        client.gets_in(restart(**before), session, resumed=True)

    @pytest.mark.parametrize("case", [
        case for case in LOST if "another CA" not in case])
    def test_who_kept_it_gets_in(self, restart, guest, ops, case):
        before, after = LOST[case]
        client = guest(ops)
        session = client.learn(restart(**before))
        daemon = restart(**after)
        session = client.gets_in(daemon, session, resumed=False)
        client.gets_in(daemon, session, resumed=True)

    @pytest.mark.parametrize("key", ["deny_serial", "deny_cert_sha256"])
    def test_deny_takes_effect_at_once(self, restart, guest, billing, ops,
                                       key):
        of = {"deny_serial": lambda it: it.serial,
              "deny_cert_sha256": lambda it: it.certificate.fingerprint(
                  it.certificate.signature_hash_algorithm).hex()}[key]
        client, bystander = guest(billing), guest(ops)
        daemon = restart(allow_dns_san="*.corp.example")
        session, other = client.learn(daemon), bystander.learn(daemon)
        daemon = restart(allow_dns_san="*.corp.example",
                         **{key: of(billing)})
        client.is_denied(daemon, session, f"^{key} ")
        other = bystander.gets_in(daemon, other, resumed=False)
        bystander.gets_in(daemon, other, resumed=True)

    def test_the_same_rules_resume(self, restart, guest, billing):
        """In another order and spelling, too: only what they mean counts."""
        client = guest(billing)
        session = client.learn(restart(
            allow_cn=["billing", "ops"], allow_dns_san="*.Corp.Example",
            authorize="one two", policies={
                "one": {"allow_ou": "x"}, "two": {"allow_ou": "y"}}))
        again = restart(
            allow_cn=["ops", "billing", "ops"],
            allow_dns_san="*.corp.example", authorize=["two", "one"],
            policies={"two": {"allow_ou": "y"}, "one": {"allow_ou": "x"}})
        client.gets_in(again, session, resumed=True)

    def test_a_policy_that_nobody_names_does_not_count(self, restart, guest,
                                                       billing):
        client = guest(billing)
        rules = {"authorize": "one"}
        one = {"allow_cn": "billing"}
        session = client.learn(restart(policies={"one": one}, **rules))
        again = restart(policies={"one": one, "two": {"allow_cn": "x"}},
                        **rules)
        client.gets_in(again, session, resumed=True)

    def test_who_was_denied_gets_no_session_to_come_back_with(
            self, restart, guest, billing):
        """TLS 1.3 clients might be sent tickets before they are refused."""
        client = guest(billing)
        denying = restart(allow_cn="ops")
        hello = client.raw_connect(denying, context=client.context)
        with pytest.raises(Alert):
            hello.handshake()
            hello.send(b"x")
            hello.recv()
        session = hello.tls.session
        if session is not None and session.has_ticket:
            client.is_denied(denying, session)


class TestEverythingElse:
    """What decides beside rules, where there are rules."""

    RULE = {"allow_dns_san": "*.corp.example"}

    def test_the_ca_was_swapped(self, restart, guest, pki, billing):
        client = guest(billing)
        session = client.learn(restart(**self.RULE))
        daemon = restart(cafile=pki.other_ca.cert, **self.RULE)
        alert, line = client.is_turned_away(daemon, session)
        assert alert == "unknown_ca"
        assert UNTRUSTED.search(line["reason"])

    def test_the_ca_was_swapped_for_one_of_its_name(self, restart, guest,
                                                    pki, billing):
        client = guest(billing)
        session = client.learn(restart(**self.RULE))
        daemon = restart(cafile=pki.impostor_ca.cert, **self.RULE)
        alert, line = client.is_turned_away(daemon, session)
        assert alert == "unknown_ca"
        assert UNTRUSTED.search(line["reason"])

    def test_one_of_two_cas_was_removed(self, restart, guest, pki, maker):
        stranger = maker.make("stranger", pki.other_ca,
                              names=["stranger.corp.example"])
        friend = maker.make("friend", pki.ca, names=["friend.corp.example"])
        both = {"cafile": [pki.ca.cert, pki.other_ca.cert], **self.RULE}
        daemon = restart(**both)
        out, stays = guest(stranger), guest(friend)
        sessions = out.learn(daemon), stays.learn(daemon)
        daemon = restart(**self.RULE)
        assert out.is_turned_away(daemon, sessions[0])[0] == "unknown_ca"
        stays.gets_in(daemon, sessions[1], resumed=False)

    def test_a_crl_came(self, restart, guest, pki, maker, billing, ops):
        out, stays = guest(billing), guest(ops)
        daemon = restart(**self.RULE)
        sessions = out.learn(daemon), stays.learn(daemon)
        daemon = restart(crlfile=maker.crl(pki.ca, [billing]), **self.RULE)
        alert, line = out.is_turned_away(daemon, sessions[0])
        assert alert == "certificate_revoked"
        assert line["reason"] == "client_certificate_revoked"
        stays.gets_in(daemon, sessions[1], resumed=False)

    def test_a_crl_has_another_entry(self, restart, guest, pki, maker,
                                     billing, ops):
        out, stays = guest(billing), guest(ops)
        daemon = restart(crlfile=maker.crl(pki.ca), **self.RULE)
        sessions = out.learn(daemon), stays.learn(daemon)
        daemon = restart(crlfile=maker.crl(pki.ca, [billing]), **self.RULE)
        alert, _ = out.is_turned_away(daemon, sessions[0])
        assert alert == "certificate_revoked"
        stays.gets_in(daemon, sessions[1], resumed=False)

    def test_the_same_crl_resumes(self, restart, guest, pki, maker, billing):
        client = guest(billing)
        crl = maker.crl(pki.ca)
        session = client.learn(restart(crlfile=crl, **self.RULE))
        client.gets_in(restart(crlfile=crl, **self.RULE), session,
                       resumed=True)

    def test_the_certificate_expired(self, restart, guest, pki, maker):
        """Between two sessions, and across a restart."""
        end = (datetime.datetime.now(datetime.timezone.utc) +
               datetime.timedelta(seconds=seconds(4))).replace(microsecond=0)
        client = guest(maker.make("brief", pki.ca, until=end,
                                  names=["brief.corp.example"]))
        session = client.learn(restart(**self.RULE))
        daemon = restart(**self.RULE)
        # The clock is not ours to turn. RFC 5280: the end is inclusive.
        wait_until(lambda: time.time() >= end.timestamp() + 1,
                   "the certificate has expired")
        alert, line = client.is_turned_away(daemon, session)
        assert alert == "certificate_expired"
        assert line["reason"] == "client_certificate_expired"

    def test_verify_mode_became_required(self, restart, guest):
        client = guest(None)
        session = client.learn(restart(verify_mode="optional"))
        daemon = restart(verify_mode="required")
        alert, line = client.is_turned_away(daemon, session)
        assert alert in MISSING
        assert line["reason"] == "client_certificate_required"

    def test_a_rule_came_where_a_certificate_was_optional(self, restart,
                                                          guest):
        client = guest(None)
        session = client.learn(restart(verify_mode="optional"))
        daemon = restart(verify_mode="optional", **self.RULE)
        alert, line = client.is_turned_away(daemon, session)
        assert alert in MISSING
        assert line["reason"] == "client_certificate_required"

    def test_a_rule_came_where_nobody_was_asked(self, restart, guest,
                                                billing):
        """Who has a certificate, but did not show it then, shows it now."""
        client, nobody = guest(billing), guest(None)
        daemon = restart(cafile=None)
        sessions = client.learn(daemon), nobody.learn(daemon)
        daemon = restart(**self.RULE)
        client.gets_in(daemon, sessions[0], resumed=False)
        assert nobody.is_turned_away(daemon, sessions[1])[0] in MISSING
        daemon = restart(allow_cn="ops")
        client.is_denied(daemon, sessions[0])

    def test_a_session_that_showed_nothing_is_nobodys(self, restart, guest,
                                                      billing):
        """A resumed session without a certificate must not pass for one of
        who has since got rules."""
        client = guest(billing)
        session = client.learn(restart(cafile=None))
        daemon = restart(authorize="any")
        client.gets_in(daemon, session, resumed=False)


class TestAcrossDoors:
    """Within one daemon, with the same ticket keys for every door."""

    @pytest.mark.parametrize("options", [None, "no_ticket"])
    def test_not_from_an_open_listener_to_a_closed_one(
            self, together, guest, billing, ops, options):
        daemon = together({
            "open": {"allow_cn": "billing ops".split(), "options": options},
            "closed": {"allow_cn": "ops", "options": options}})
        out, stays = guest(billing), guest(ops)
        session = out.learn(daemon, listener="open")
        other = stays.learn(daemon, listener="open")
        out.is_denied(daemon, session, "^no rule matches; not in allow_cn$",
                      listener="closed")
        other = stays.gets_in(daemon, other, resumed=False,
                              listener="closed")
        stays.gets_in(daemon, other, resumed=True, listener="closed")

    def test_not_from_a_listener_without_rules(self, together, guest,
                                               billing):
        daemon = together({"open": {}, "any": {"authorize": "any"},
                           "closed": {"allow_cn": "ops"}})
        client = guest(billing)
        for listener in ("open", "any"):
            session = client.learn(daemon, listener=listener)
            client.is_denied(daemon, session, listener="closed")

    def test_not_from_one_that_asks_nobody(self, together, guest, billing):
        daemon = together({"open": {"cafile": None},
                           "closed": {"allow_cn": "ops"}})
        client, nobody = guest(billing), guest(None)
        session = client.learn(daemon, listener="open")
        client.is_denied(daemon, session, listener="closed")
        session = nobody.learn(daemon, listener="open")
        assert nobody.is_turned_away(daemon, session,
                                     listener="closed")[0] in MISSING

    @pytest.mark.parametrize("options", [None, "no_ticket"])
    @pytest.mark.parametrize("open_name, closed_name", [
        ("localhost", "api.example.com"),
        ("www.example.com", "api.example.com"),
        ("api.example.com", "localhost")])
    def test_not_from_one_server_name_to_another(
            self, together, guest, billing, ops, open_name, closed_name,
            options):
        """The client asks for another name than its session is for."""
        rules = {open_name: {"allow_cn": "billing ops".split()},
                 closed_name: {"allow_cn": "ops"}}
        daemon = together(
            {"gw": {"options": options, **rules.get("localhost", {})}},
            {name.partition(".")[0]: keys for name, keys in rules.items()
             if name != "localhost"})
        out, stays = guest(billing), guest(ops)
        session = out.learn(daemon, server_name=open_name)
        other = stays.learn(daemon, server_name=open_name)
        line = out.is_denied(daemon, session, server_name=closed_name)
        assert line["server_name"] == closed_name
        other = stays.gets_in(daemon, other, resumed=False,
                              server_name=closed_name)
        stays.gets_in(daemon, other, resumed=True, server_name=closed_name)

    def test_not_from_a_name_denied_elsewhere(self, together, guest,
                                              billing):
        daemon = together(
            {"gw": {"allow_cn": "billing"}},
            {"api": {"deny_serial": billing.serial}})
        client = guest(billing)
        session = client.learn(daemon, server_name="localhost")
        client.is_denied(daemon, session, "^deny_serial ",
                         server_name="api.example.com")

    def test_between_names_of_other_cas(self, together, guest, pki, maker):
        """The same name from two CAs: a session from the one is no proof of
        the other."""
        stranger = maker.make("ops", pki.other_ca)
        daemon = together(
            {"gw": {"cafile": pki.other_ca.cert, "allow_cn": "ops"}},
            {"api": {"cafile": pki.ca.cert, "allow_cn": "ops"}})
        client = guest(stranger)
        session = client.learn(daemon, server_name="localhost")
        alert, _ = client.is_turned_away(daemon, session,
                                         server_name="api.example.com")
        assert alert == "unknown_ca"

    def test_another_certificate_does_not_borrow_a_session(
            self, together, raw_connect, pki, version, billing, ops):
        """Who resumes is who was there at first, whatever certificate they
        would show today."""
        daemon = together({"gw": {"allow_cn": "billing ops".split()}})
        client = Guest(raw_connect, tls_context(pki, billing, version))
        _, session, first = client.visit(daemon)
        client.context.load_cert_chain(str(ops.cert), str(ops.key))
        resumed, _, line = client.visit(daemon, session)
        if resumed:
            assert line["serial"] == first["serial"]
        else:
            assert "CN=ops" in line["subject"]


class TestOpenssl:
    """s_client keeps its session in a file, and never looks at the name that
    it is for."""

    @pytest.fixture(params=["-tls1_2", "-tls1_3"])
    def option(self, request):
        return request.param

    @pytest.fixture
    def restart(self, backend, start_daemon, pki, shared):
        """As above, with a backend that says goodbye."""
        running = []

        def say_goodbye(peer):
            peer.recv()
            peer.send(FAREWELL.encode())
            peer.finish()

        def make(**keys):
            for one in running:
                one.stop()
            running.clear()
            daemon = start_daemon({
                "sallyport": {"workers": 1, "drain_timeout": "2s"},
                "listener gw": listener_keys(
                    pki, backend(say_goodbye), ticket_secret_file=shared,
                    **keys)})
            running.append(daemon)
            return daemon

        return make

    def visit(self, pki, daemon, holder, option, *args):
        done = s_client(pki, daemon.address(), option, "-ign_eof", *args,
                        holder=holder, given=b"hello\n")
        return done.stdout.decode(), done.stderr.decode()

    @pytest.fixture
    def session(self, tmp_path):
        return str(tmp_path / "session.pem")

    def test_resumes_while_the_rules_are_the_same(
            self, restart, pki, session, option, billing):
        for args, words in ((("-sess_out", session), "\nNew, TLS"),
                            (("-sess_in", session), "\nReused, TLS")):
            daemon = restart(allow_cn="billing")
            text, _ = self.visit(pki, daemon, billing, option, *args)
            assert words in text
            assert FAREWELL in text
            daemon.closed()

    @pytest.mark.parametrize("change, alert, message, reason", [
        ({"allow_cn": "ops"}, "bad certificate", "denied", DENIED),
        ({"allow_cn": "billing", "cafile": "other"}, "unknown ca",
         "refused", UNTRUSTED),
        ({"allow_cn": "billing", "crlfile": "revoked"},
         "certificate revoked", "refused", "client_certificate_revoked"),
        ({"allow_cn": "billing", "deny_serial": "its"}, "bad certificate",
         "denied", DENIED)],
        ids=["rule", "CA", "CRL", "deny"])
    def test_is_refused_when_they_changed(
            self, restart, pki, maker, session, option, billing, change,
            alert, message, reason):
        values = {"other": pki.other_ca.cert, "its": billing.serial,
                  "revoked": maker.crl(pki.ca, [billing])}
        daemon = restart(allow_cn="billing")
        text, _ = self.visit(pki, daemon, billing, option, "-sess_out",
                             session)
        assert "\nNew, TLS" in text
        daemon = restart(**{key: values.get(value, value)
                            for key, value in change.items()})
        text, errors = self.visit(pki, daemon, billing, option, "-sess_in",
                                  session)
        assert "Reused" not in text
        assert FAREWELL not in text
        assert f"alert {alert}" in errors
        daemon.log.wait(message, reason=reason)
        assert not daemon.log.find("closed")

    def test_without_a_certificate_it_is_nobody(self, restart, pki, session,
                                                option, billing):
        """A session file that somebody else got hold of."""
        daemon = restart(allow_cn="billing")
        self.visit(pki, daemon, billing, option, "-sess_out", session)
        daemon = restart(allow_cn="ops")
        text, _ = self.visit(pki, daemon, None, option, "-sess_in", session)
        assert FAREWELL not in text
        daemon.refused(reason="client_certificate_required")

    def test_from_one_server_name_to_another(
            self, backend, start_daemon, pki, shared, session, option,
            server, billing):
        def say_goodbye(peer):
            peer.recv()
            peer.send(FAREWELL.encode())
            peer.finish()
        daemon = start_daemon({
            "sallyport": {"workers": 1},
            "listener gw": listener_keys(
                pki, backend(say_goodbye), certfile=server.cert,
                keyfile=server.key, ticket_secret_file=shared,
                allow_cn="billing"),
            "server_name api": {
                "listener": "gw", "server_name": "api.example.com",
                "allow_cn": "ops"}})
        text, _ = self.visit(pki, daemon, billing, option, "-servername",
                             "localhost", "-sess_out", session)
        assert FAREWELL in text
        text, errors = self.visit(pki, daemon, billing, option,
                                  "-servername", "api.example.com",
                                  "-sess_in", session)
        assert "Reused" not in text
        assert FAREWELL not in text
        assert "alert bad certificate" in errors
        line = daemon.log.wait("denied", reason=DENIED)
        assert line["server_name"] == "api.example.com"
