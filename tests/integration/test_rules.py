"""Who may come in: rules on client certificates, in the handshake."""

import hashlib
import ipaddress
import re
import socket

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from conftest import listener_keys
from harness.backends import echo
from harness.certificates import Maker, der
from harness.client_hello import (ALERT, CERTIFICATE, HANDSHAKE,
                                  SERVER_HELLO_DONE, client_hello,
                                  recv_record, vector)
from harness.clients import Alert, curl, gnutls_cli, s_client, tls_context
from harness.limits import seconds, wait_until

BAD_CERTIFICATE = 42  # the alert
DENIED = "client_certificate_denied"
MISSING = ("certificate_required", "handshake_failure")
CN, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME
O = NameOID.ORGANIZATION_NAME  # noqa: E741
SAN = x509.ObjectIdentifier("2.5.29.17")

# GeneralName (RFC 5280, section 4.2.1.6): context-specific tags.
EMAIL, DNS, DIRECTORY, URI, IP = 0x81, 0x82, 0xA4, 0x86, 0x87


def subject(*pairs):
    """subject((CN, "x"), (OU, "y"))"""
    return x509.Name([x509.NameAttribute(kind, value)
                      for kind, value in pairs])


def raw_san(*names):
    """The extension out of (tag, bytes): python3-cryptography would not let
    every one of them pass."""
    content = b"".join(der(tag, value) for tag, value in names)
    return x509.UnrecognizedExtension(SAN, der(0x30, content))


def names_of(dns=(), uri=(), ip=(), email=()):
    return raw_san(
        *((DNS, one.encode()) for one in dns),
        *((URI, one.encode()) for one in uri),
        *((IP, ipaddress.ip_address(one).packed) for one in ip),
        *((EMAIL, one.encode()) for one in email))


def cert_sha256(holder):
    return hashlib.sha256(holder.der).hexdigest()


def spki_sha256(holder):
    return hashlib.sha256(holder.certificate.public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def with_colons(text):
    return ":".join(text[at:at + 2] for at in range(0, len(text), 2)).upper()


def show(address, certificate):
    """The alert for this DER. Of TLS 1.2, where all of that is in the clear;
    whose key it is does not come up any more."""
    with socket.create_connection(address, seconds(10)) as sock:
        sock.sendall(client_hello(b"localhost"))
        flight = b""
        while not flight.endswith(bytes([SERVER_HELLO_DONE, 0, 0, 0])):
            kind, content = recv_record(sock)
            assert kind == HANDSHAKE
            flight += content
        message = bytes([CERTIFICATE]) + vector(
            3, vector(3, vector(3, certificate)))
        sock.sendall(bytes([HANDSHAKE]) + b"\3\3" + vector(2, message))
        kind, content = recv_record(sock)
        assert kind == ALERT
        return content[1]


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("rules"))


@pytest.fixture(scope="module")
def billing(pki):
    """Has one of everything."""
    return pki.issue(
        "billing", subject=subject((CN, "billing"), (OU, "Pay Roll"),
                                   (O, "Corp Ltd")),
        names=names_of(
            dns=["billing.corp.example"],
            uri=["spiffe://corp.example/ns/pay/sa/billing"],
            ip=["10.1.2.3", "2001:db8:1::7"],
            email=["Billing@corp.example"]))


@pytest.fixture(scope="module")
def other(pki):
    """Has one of everything too, but nothing that billing has; of the same
    CA."""
    return pki.issue(
        "other", subject=subject((CN, "other"), (OU, "Sales"),
                                 (O, "Rival Ltd")),
        names=names_of(
            dns=["other.rival.example"],
            uri=["spiffe://rival.example/ns/pay/sa/billing"],
            ip=["10.9.9.9", "2001:db9::7"],
            email=["other@rival.example"]))


class Door:
    """A daemon, and a backend that counts who came through."""

    def __init__(self, daemon, service, raw_connect, pki, version):
        self.daemon = daemon
        self.service = service
        self.raw_connect = raw_connect
        self.pki = pki
        self.version = version
        self.admitted = 0

    def client(self, holder, server_name="localhost", listener="gw"):
        context = tls_context(self.pki, holder, self.version)
        context.check_hostname = server_name == "localhost"
        return self.raw_connect(self.daemon, context=context,
                                server_name=server_name, listener=listener)

    def admits(self, holder, **where):
        client = self.client(holder, **where).handshake()
        client.send(b"hello")
        assert client.recv_exactly(5) == b"hello"
        client.close_notify()
        client.recv_to_end()
        client.close()
        self.admitted += 1
        assert len(self.service.peers) == self.admitted
        line = self.daemon.closed(peer=client.peer, reason="done")
        assert not self.daemon.log.find("denied", peer=client.peer)
        return line

    def alert(self, client):
        with pytest.raises(Alert) as alert:
            client.handshake()
            client.send(b"hello")
            client.recv()
        return str(alert.value)

    def refuses(self, holder, detail=None, **where):
        """The alert, and one line that says who, and why. The backend has
        not heard of it."""
        client = self.client(holder, **where)
        assert self.alert(client) == "bad_certificate"
        line = self.daemon.log.wait("denied", peer=client.peer)
        assert line["listener"] == where.get("listener", "gw")
        assert line["reason"] == DENIED
        assert line["serial"].lstrip("0") == holder.serial.lstrip("0")
        assert line["subject"]
        assert line.level == "info"
        if isinstance(detail, str):
            assert line["detail"] == detail
        elif detail is not None:
            assert detail.search(line["detail"]), line["detail"]
        for message in ("refused", "closed"):
            assert not self.daemon.log.find(message, peer=client.peer)
        assert len(self.daemon.log.find("denied", peer=client.peer)) == 1
        assert len(self.service.peers) == self.admitted
        assert not self.service.was_dialled()
        return line


@pytest.fixture
def door(backend, gateway, start_daemon, raw_connect, pki, version):
    """door(**listener keys, policies={}, names={}): a Door. POLICIES: {name:
    keys}; NAMES: {name: keys} of server names NAME.example.com. A daemon has
    dialled its backend as often as somebody came in, and not once more."""
    doors = []

    def make(policies=None, names=None, **keys):
        service = backend(echo)
        sections = {
            "sallyport": {"workers": 1, "drain_timeout": "2s"},
            "listener gw": listener_keys(pki, service, **keys)}
        for name, overlay in (names or {}).items():
            sections[f"server_name {name}"] = {
                "listener": "gw", "server_name": f"{name}.example.com",
                **overlay}
        for name, rules in (policies or {}).items():
            sections[f"policy {name}"] = rules
        doors.append(Door(start_daemon(sections), service, raw_connect, pki,
                          version))
        return doors[-1]

    yield make
    for one in doors:
        one.daemon.stop()
        assert len(one.service.peers) == one.admitted


# What lets billing in, and does not let other in.
ALLOW = [
    ("allow_cn", "billing"),
    ("allow_ou", "Pay Roll"),
    ("allow_o", "Corp Ltd"),
    ("allow_dns_san", "billing.corp.example"),
    ("allow_dns_san", "*.corp.example"),
    ("allow_dns_san", "BILLING.Corp.Example"),
    ("allow_uri_san", "spiffe://corp.example/ns/pay/sa/billing"),
    ("allow_uri_san", "spiffe://corp.example/ns/*/sa/bill*"),
    ("allow_uri_san", "spiffe://corp.example/**"),
    ("allow_ip_san", "10.1.2.3"),
    ("allow_ip_san", "10.1.0.0/16"),
    ("allow_ip_san", "2001:db8:1::/48"),
    ("allow_email_san", "Billing@corp.example"),
    ("allow_cert_sha256", cert_sha256),
    ("allow_cert_sha256", lambda it: with_colons(cert_sha256(it))),
    ("allow_spki_sha256", spki_sha256),
    ("allow_spki_sha256", lambda it: with_colons(spki_sha256(it))),
]


def name_rule(rule):
    key, value = rule
    return f"{key}={value if isinstance(value, str) else 'of the file'}"


@pytest.fixture(params=ALLOW, ids=name_rule)
def rule(request, billing):
    """{"allow_cn": "billing"}, and so on."""
    key, value = request.param
    return {key: value(billing) if callable(value) else value}


class TestKeys:
    def test_who_matches_gets_in_and_nobody_else(self, door, billing, other,
                                                 rule):
        key = next(iter(rule))
        gate = door(**rule)
        line = gate.admits(billing)
        assert "CN=billing" in line["subject"]
        line = gate.refuses(other, f"no rule matches; not in {key}")
        assert sorted(line["subject"].split(",")) == [
            "CN=other", "O=Rival Ltd", "OU=Sales"]
        assert line["issuer"] == "CN=Test CA"
        assert "DNS:other.rival.example" in line["names"]
        assert "URI:spiffe://rival.example/ns/pay/sa/billing" in \
            line["names"]
        gate.admits(billing)

    def test_a_name_of_the_ca_is_not_enough(self, door, pki, rule):
        """A chain is verified before anything is read."""
        forged = pki.issue(
            "billing", issuer=pki.other_ca, subject=subject(
                (CN, "billing"), (OU, "Pay Roll"), (O, "Corp Ltd")),
            names=names_of(
                dns=["billing.corp.example"],
                uri=["spiffe://corp.example/ns/pay/sa/billing"],
                ip=["10.1.2.3", "2001:db8:1::7"],
                email=["Billing@corp.example"]))
        gate = door(**rule)
        client = gate.client(forged)
        assert gate.alert(client) == "unknown_ca"
        gate.daemon.refused(peer=client.peer,
                            reason="client_certificate_untrusted")

    @pytest.mark.parametrize("key, value", [
        ("allow_cn", "Billing"), ("allow_cn", "bill"),
        ("allow_cn", "billing.corp.example"), ("allow_cn", "*"),
        ("allow_cn", "Pay Roll"), ("allow_ou", "Pay"),
        ("allow_ou", "billing"), ("allow_ou", "pay roll"),
        ("allow_o", "Corp"), ("allow_o", "Corp Ltd."),
        ("allow_dns_san", "corp.example"), ("allow_dns_san", "*.example"),
        ("allow_dns_san", "x.billing.corp.example"),
        ("allow_dns_san", "*.billing.corp.example"),
        ("allow_dns_san", "billing.corp.example.evil"),
        ("allow_dns_san", "billing"), ("allow_dns_san", "*.billing"),
        ("allow_uri_san", "spiffe://corp.example/ns/pay/sa/bill"),
        ("allow_uri_san", "spiffe://corp.example/ns/pay/sa/billing2"),
        ("allow_uri_san", "spiffe://corp.example/*"),
        ("allow_uri_san", "spiffe://corp.example/ns/*/billing"),
        ("allow_uri_san", "spiffe://corp.example/ns/pay/sa/billing/**"),
        ("allow_uri_san", "spiffe://other.example/**"),
        ("allow_uri_san", "https://corp.example/ns/pay/sa/billing"),
        ("allow_uri_san", "https://corp.example/**"),
        ("allow_ip_san", "10.1.2.4"), ("allow_ip_san", "10.2.0.0/16"),
        ("allow_ip_san", "2001:db8:2::/48"),
        ("allow_ip_san", "::ffff:0:0/96"),
        ("allow_email_san", "billing@corp.example"),
        ("allow_email_san", "Billing@corp.example.org"),
        ("allow_cert_sha256", "0" * 64), ("allow_spki_sha256", "f" * 64)])
    def test_a_near_miss_is_a_miss(self, door, billing, key, value):
        door(**{key: value}).refuses(billing,
                                     f"no rule matches; not in {key}")

    def test_each_fingerprint_is_of_its_own_kind(self, door, billing):
        door(allow_cert_sha256=spki_sha256(billing)).refuses(billing)
        door(allow_spki_sha256=cert_sha256(billing)).refuses(billing)

    def test_the_key_of_a_renewed_certificate_is_the_same(self, door, pki,
                                                          billing):
        renewed = renewal(pki, billing)
        by_key = door(allow_spki_sha256=spki_sha256(billing))
        by_key.admits(billing)
        by_key.admits(renewed)
        by_certificate = door(allow_cert_sha256=cert_sha256(billing))
        by_certificate.admits(billing)
        by_certificate.refuses(renewed)

    def test_values_of_a_key_are_alternatives(self, door, billing, other,
                                              pki):
        gate = door(allow_cn=["billing", "other"])
        gate.admits(billing)
        gate.admits(other)
        gate.refuses(pki.good, "no rule matches; not in allow_cn")

    def test_keys_are_alternatives(self, door, billing, other, pki):
        gate = door(allow_cn="billing", allow_ou="Sales",
                    allow_dns_san="nobody.example")
        gate.admits(billing)
        gate.admits(other)
        line = gate.refuses(pki.good)
        assert line["detail"].startswith("no rule matches; not in ")
        for key in ("allow_cn", "allow_ou", "allow_dns_san"):
            assert key in line["detail"]

    def test_a_thousand_values_are_looked_through(self, door, billing,
                                                  other):
        gate = door(allow_dns_san=[
            *(f"host-{n}.example" for n in range(1000)),
            "billing.corp.example"])
        gate.admits(billing)
        gate.refuses(other)

    def test_without_rules_every_client_of_the_ca_gets_in(self, door,
                                                          billing, other):
        gate = door()
        gate.admits(billing)
        gate.admits(other)

    def test_rules_of_defaults_count(self, backend, start_daemon,
                                     raw_connect, pki, version, billing,
                                     other):
        service = backend(echo)
        daemon = start_daemon({
            "sallyport": {"workers": 1},
            "defaults": {"allow_cn": "billing"},
            "listener gw": listener_keys(pki, service),
            "listener own": listener_keys(pki, service, allow_cn="other")})
        gate = Door(daemon, service, raw_connect, pki, version)
        gate.admits(billing)
        gate.refuses(other)
        gate.admits(other, listener="own")
        gate.refuses(billing, listener="own")


def renewal(pki, holder):
    """Another certificate of HOLDER's key: the same but for its serial."""
    made = pki.issue("renewed")
    now = made.certificate
    builder = (
        x509.CertificateBuilder().subject_name(holder.certificate.subject)
        .issuer_name(now.issuer)
        .public_key(holder.certificate.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.not_valid_before)
        .not_valid_after(now.not_valid_after))
    for one in now.extensions:
        if one.oid != x509.SubjectKeyIdentifier.oid:
            builder = builder.add_extension(one.value, one.critical)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(
            holder.certificate.public_key()), critical=False)
    certificate = builder.sign(pki.ca.private_key,
                               holder.certificate.signature_hash_algorithm)
    made.certificate = certificate
    made.cert.write_bytes(certificate.public_bytes(
        serialization.Encoding.PEM))
    made.key.write_bytes(holder.key.read_bytes())
    return made


class TestDeny:
    def test_a_serial(self, door, billing, other):
        gate = door(deny_serial=billing.serial)
        gate.admits(other)
        gate.refuses(billing, re.compile(
            f"^deny_serial 0*{billing.serial.lstrip('0')}$"))

    @pytest.mark.parametrize("write", [
        lambda it: "0x" + it.serial, lambda it: it.serial.upper(),
        lambda it: "000" + it.serial, lambda it: with_colons(it.serial)],
        ids=["0x", "upper case", "leading zeros", "colons"])
    def test_a_serial_in_any_spelling(self, door, billing, write):
        door(deny_serial=write(billing)).refuses(
            billing, re.compile("^deny_serial "))

    @pytest.mark.parametrize("write", [str, with_colons],
                             ids=["plain", "colons"])
    def test_a_fingerprint(self, door, billing, other, write):
        gate = door(deny_cert_sha256=write(cert_sha256(billing)))
        gate.admits(other)
        gate.refuses(billing, f"deny_cert_sha256 {cert_sha256(billing)}")

    def test_a_fingerprint_whatever_its_holder_makes_of_it(
            self, door, billing, other, maker):
        denied = cert_sha256(billing)
        twin = maker.twin(billing)
        assert cert_sha256(twin) != denied
        door(authorize="any").admits(twin)
        gate = door(authorize="any", deny_cert_sha256=denied)
        gate.admits(maker.twin(other))
        gate.refuses(twin, f"deny_cert_sha256 {denied}")
        door(deny_cert_sha256=cert_sha256(twin)).refuses(billing)

    def test_wins_over_every_allow(self, door, billing, other, rule):
        gate = door(deny_cert_sha256=cert_sha256(billing), **rule)
        gate.refuses(billing, re.compile("^deny_cert_sha256 "))
        gate.refuses(other, re.compile("^no rule matches"))

    def test_wins_over_a_policy_and_over_any(self, door, billing, other):
        for authorize in ("any", "all"):
            gate = door(policies={"all": {"allow_cn": ["billing", "other"]}}
                        if authorize == "all" else None,
                        authorize=authorize, deny_serial=billing.serial)
            gate.admits(other)
            gate.refuses(billing, re.compile("^deny_serial "))

    def test_the_rest_of_a_serial_is_another(self, door, billing):
        door(deny_serial=[billing.serial[:-1], billing.serial + "00",
                          "1"]).admits(billing)


class TestPolicies:
    def test_all_keys_must_match(self, door, pki, billing):
        gate = door(authorize="pay", policies={"pay": {
            "allow_cn": "billing", "allow_ou": "Pay Roll",
            "allow_dns_san": "*.corp.example"}})
        gate.admits(billing)
        half = pki.issue("half", subject=subject((CN, "billing")),
                         names=names_of(dns=["x.corp.example"]))
        gate.refuses(half,
                     "no rule matches; policy pay lacks allow_ou")
        gate.refuses(pki.good, re.compile(
            "^no rule matches; policy pay lacks "
            "allow_cn, allow_ou, allow_dns_san$"))

    def test_values_of_a_key_are_alternatives(self, door, billing, other,
                                              pki):
        gate = door(authorize="both", policies={"both": {
            "allow_cn": ["billing", "other"],
            "allow_ou": ["Pay Roll", "Sales"]}})
        gate.admits(billing)
        gate.admits(other)
        mixed = pki.issue("mixed", subject=subject((CN, "billing"),
                                                   (OU, "Ops")))
        gate.refuses(mixed, "no rule matches; policy both lacks allow_ou")

    def test_any_of_the_listed_policies_will_do(self, door, billing, other,
                                                pki):
        gate = door(authorize="pay sales", policies={
            "pay": {"allow_ou": "Pay Roll"}, "sales": {"allow_ou": "Sales"}})
        gate.admits(billing)
        gate.admits(other)
        gate.refuses(pki.good,
                     "no rule matches; policy pay lacks allow_ou; "
                     "policy sales lacks allow_ou")

    def test_only_listed_policies_count(self, door, billing, other):
        gate = door(authorize="pay", policies={
            "pay": {"allow_ou": "Pay Roll"}, "sales": {"allow_ou": "Sales"}})
        gate.admits(billing)
        gate.refuses(other)

    def test_keys_and_policies_are_alternatives(self, door, billing, other,
                                                pki):
        gate = door(authorize="pay", allow_cn="other",
                    policies={"pay": {"allow_ou": "Pay Roll"}})
        gate.admits(billing)
        gate.admits(other)
        gate.refuses(pki.good, "no rule matches; not in allow_cn; "
                               "policy pay lacks allow_ou")

    def test_every_allow_key_works_in_a_policy(self, door, billing, other,
                                               rule):
        key = next(iter(rule))
        gate = door(authorize="one", policies={"one": rule})
        gate.admits(billing)
        gate.refuses(other, f"no rule matches; policy one lacks {key}")

    def test_any_is_every_client_of_the_ca(self, door, billing, other, pki):
        gate = door(authorize="any")
        gate.admits(billing)
        gate.admits(other)
        client = gate.client(pki.stranger)
        assert gate.alert(client) == "unknown_ca"

    def test_a_name_is_bound_to_its_ca(self, door, pki, maker):
        """Two CAs, both trusted, and the same name from each."""
        staff = maker.ca("Staff CA")
        robots = maker.ca("Robot CA")
        person, robot = maker.make("ops", staff), maker.make("ops", robots)
        for policy in ({"allow_issuer_cn": "Staff CA"},
                       {"allow_issuer_spki_sha256": spki_sha256(staff)}):
            key = next(iter(policy))
            gate = door(cafile=[staff.cert, robots.cert], authorize="ops",
                        policies={"ops": {"allow_cn": "ops", **policy}})
            gate.admits(person)
            gate.refuses(robot,
                         f"no rule matches; policy ops lacks {key}")

    def test_the_issuer_is_the_verified_one(self, door, pki, maker):
        """Not the root above it, and not who only has its name."""
        root = maker.ca("Root CA")
        staff = maker.ca("Staff CA", root)
        namesake = maker.ca("Staff CA", root)
        person, twin = maker.make("ops", staff), maker.make("ops", namesake)
        direct = maker.make("ops", root)
        by_name = door(cafile=root.cert, authorize="ops", policies={
            "ops": {"allow_issuer_cn": "Staff CA"}})
        by_name.admits(person)
        by_name.refuses(direct)
        by_key = door(cafile=root.cert, authorize="ops", policies={
            "ops": {"allow_issuer_spki_sha256": spki_sha256(staff)}})
        by_key.admits(person)
        by_key.refuses(twin)
        by_key.refuses(direct)


class TestServerNames:
    def test_each_has_its_own_rules(self, door, billing, other):
        gate = door(allow_cn="billing", names={
            "api": {"allow_cn": "other"}, "www": {}})
        for name in ("localhost", "www.example.com"):
            gate.admits(billing, server_name=name)
            line = gate.refuses(other, server_name=name)
            assert line["server_name"] == name
        gate.admits(other, server_name="api.example.com")
        line = gate.refuses(billing, "no rule matches; not in allow_cn",
                            server_name="api.example.com")
        assert line["server_name"] == "api.example.com"

    def test_a_name_may_have_rules_where_its_listener_has_none(
            self, door, billing, other):
        gate = door(names={"api": {"allow_cn": "other"}})
        gate.admits(billing)
        gate.admits(other)
        gate.refuses(billing, server_name="api.example.com")
        gate.admits(other, server_name="api.example.com")

    def test_a_name_may_ask_where_its_listener_does_not(
            self, door, billing, other, pki):
        gate = door(cafile=None, names={
            "api": {"cafile": pki.ca.cert, "allow_cn": "other"}})
        gate.admits(None)
        gate.admits(other, server_name="api.example.com")
        gate.refuses(billing, server_name="api.example.com")
        client = gate.client(None, server_name="api.example.com")
        assert gate.alert(client) in MISSING

    def test_other_policies(self, door, billing, other):
        gate = door(authorize="pay", policies={
            "pay": {"allow_ou": "Pay Roll"}, "sales": {"allow_ou": "Sales"}},
            names={"api": {"authorize": "sales"}})
        gate.admits(billing)
        gate.refuses(other)
        gate.admits(other, server_name="api.example.com")
        gate.refuses(billing, "no rule matches; policy sales lacks allow_ou",
                     server_name="api.example.com")

    def test_a_deny_of_the_listener_holds_for_its_names(self, door, billing,
                                                        other):
        gate = door(deny_serial=billing.serial, names={
            "api": {"allow_cn": ["billing", "other"]}})
        for name in ("localhost", "api.example.com"):
            gate.refuses(billing, re.compile("^deny_serial "),
                         server_name=name)
            gate.admits(other, server_name=name)


class TestVerifyMode:
    @pytest.mark.parametrize("rules", [
        {"allow_cn": "billing"}, {"authorize": "any"},
        {"deny_serial": "1"}], ids=lambda it: next(iter(it)))
    @pytest.mark.parametrize("mode", [None, "optional", "required"])
    def test_rules_need_a_certificate(self, door, billing, mode, rules):
        """Nobody without one satisfies a rule."""
        gate = door(verify_mode=mode, **rules)
        client = gate.client(None)
        assert gate.alert(client) in MISSING
        line = gate.daemon.refused(peer=client.peer)
        assert line["reason"] == "client_certificate_required"
        gate.admits(billing)

    def test_optional_still_refuses_who_matches_nothing(self, door, billing,
                                                        other):
        gate = door(verify_mode="optional", allow_cn="billing")
        gate.admits(billing)
        gate.refuses(other, "no rule matches; not in allow_cn")


class TestTraps:
    """Certificates that a careless CA, or a clever client, might make."""

    @pytest.mark.parametrize("names", [
        raw_san((DNS, b"billing.corp.example\0.evil.example")),
        raw_san((DNS, b"evil.example\0billing.corp.example")),
        raw_san((DNS, b"billing.corp.example\0")),
        raw_san((DNS, b"billing.corp.example"), (DNS, b"evil\0x")),
        raw_san((DNS, b"billing.corp.example"), (URI, b"spiffe://e/\0x")),
        raw_san((DNS, b"")),
        raw_san((DNS, b"billing.corp.example"), (DNS, b"")),
        raw_san((DNS, "bülling.corp.example".encode())),
        raw_san((DNS, b"billing.corp.example\n")),
        raw_san((DNS, b"billing.corp.example"), (IP, b"\x0a\1\2")),
        raw_san((DNS, b"billing.corp.example\x7f"))],
        ids=["NUL and more", "NUL first", "NUL last", "NUL in a second",
             "NUL in a URI", "empty", "empty second", "UTF-8", "line end",
             "IP of three bytes", "delete"])
    def test_a_malformed_name_never_matches(self, door, pki, names):
        """Nor does any other name of that certificate."""
        gate = door(allow_dns_san="*.corp.example")
        gate.refuses(pki.issue("trap", names=names), re.compile(
            "^no rule matches; the certificate has malformed names; "
            "not in allow_dns_san$"))

    def test_a_nul_in_the_common_name_is_no_end(self, door, pki):
        gate = door(allow_cn="billing")
        for text in ("billing\0.evil", "evil\0billing", "billing\0"):
            line = gate.refuses(pki.issue("trap",
                                          subject=subject((CN, text))))
            assert "\\00" in line["subject"]
            assert "\0" not in line.raw

    def test_a_nul_in_a_uri(self, door, pki):
        gate = door(allow_uri_san="spiffe://corp.example/**")
        gate.refuses(pki.issue("trap", names=raw_san(
            (URI, b"spiffe://corp.example/x\0spiffe://evil.example/y"))))

    def test_an_extension_without_a_name(self, door, pki):
        """x509_strict refuses it before any rule is asked."""
        empty = pki.issue("nobody", names=raw_san())
        rules = {"allow_dns_san": "*.corp.example", "allow_cn": "trap"}
        gate = door(**rules)
        client = gate.client(empty)
        gate.alert(client)
        gate.daemon.refused(peer=client.peer,
                            reason="client_certificate_bad")
        door(verify_flags="-x509_strict", **rules).refuses(empty)

    @pytest.mark.parametrize("flags", [None, "-x509_strict"])
    @pytest.mark.parametrize("content", [
        b"", b"\x30\x80", b"\x30\x7f\x82", b"\x04\x01x",
        der(0x30, b"\x82\x7fbilling.corp.example")], ids=repr)
    def test_an_extension_that_is_none(self, backend, gateway, pki, content,
                                       flags):
        """OpenSSL's server refuses some of them, our rules the others. No
        client would even load such a certificate."""
        broken = pki.issue("trap", names=x509.UnrecognizedExtension(
            SAN, content))
        service = backend(echo)
        daemon = gateway(service, allow_dns_san="*.corp.example",
                         allow_cn="someone", verify_flags=flags)
        assert show(daemon.address(), broken.der) != 0
        found = wait_until(lambda: [
            line for message in ("denied", "refused", "closed")
            for line in daemon.log.find(message)], "a line about it")
        assert [line.message for line in found] in (["denied"], ["refused"])
        assert "certificate" in found[0]["reason"]
        assert not service.peers

    def test_a_certificate_shown_by_hand_is_denied_like_any(
            self, backend, gateway, other, billing):
        """That the clients' help in these tests is not what refuses. Nor is
        it a matter of the key, which nobody proves here."""
        service = backend(echo)
        daemon = gateway(service, allow_cn="billing")
        assert show(daemon.address(), other.der) == BAD_CERTIFICATE
        daemon.log.wait("denied", subject=re.compile("CN=other"))
        assert not service.peers

    def test_two_spiffe_ids_are_none(self, door, pki):
        gate = door(allow_uri_san="spiffe://corp.example/**")
        two = pki.issue("two", names=names_of(uri=[
            "spiffe://corp.example/good", "spiffe://corp.example/evil"]))
        gate.refuses(two, "no rule matches; the certificate has more than "
                          "one SPIFFE ID; not in allow_uri_san")

    def test_a_spiffe_id_is_the_only_uri(self, door, pki):
        gate = door(allow_uri_san=["spiffe://corp.example/**",
                                   "https://corp.example/x"])
        gate.refuses(pki.issue("two", names=names_of(uri=[
            "spiffe://corp.example/good", "https://corp.example/x"])))
        gate.admits(pki.issue("one", names=names_of(
            uri=["https://corp.example/x"])))

    def test_a_spiffe_id_is_not_that_of_a_ca(self, door, pki, maker):
        uri = "spiffe://corp.example/ca"
        gate = door(allow_uri_san="spiffe://corp.example/**",
                    allow_dns_san="ca.corp.example")
        gate.refuses(maker.make("ca", pki.ca, basic_says_ca=True,
                                names=[uri]),
                     re.compile("SPIFFE ID is that of a CA"))
        gate.admits(maker.make("ca", pki.ca, basic_says_ca=True,
                               names=[uri, "ca.corp.example"]))
        gate.admits(maker.make("leaf", pki.ca, names=[uri]))

    @pytest.mark.parametrize("uri", [
        "spiffe://corp.example/a/../b", "spiffe://corp.example/./b",
        "spiffe://corp.example/%2e%2e/b", "SPIFFE://corp.example/a",
        "spiffe://corp.example:443/a", "spiffe://user@corp.example/a",
        "spiffe://corp.example/a?x", "spiffe://corp.example/a#x",
        "spiffe://corp.example/", "spiffe://corp.example/a//b",
        "spiffe://corp.example/*", "spiffe://corp.example/**",
        "spiffe://CORP.example/a", "spiffe:corp.example/a",
        "spiffe://corp.example.evil/a",
        "spiffe://evil/spiffe://corp.example/a"])
    def test_a_spiffe_id_is_what_the_standard_says(self, door, pki, uri):
        gate = door(allow_uri_san="spiffe://corp.example/**")
        gate.refuses(pki.issue("odd", names=names_of(uri=[uri])))

    def test_a_wildcard_in_the_certificate_never_matches(self, door, pki):
        wild = pki.issue("wild", names=names_of(
            dns=["*.corp.example", "*"]))
        for rule in ("billing.corp.example", "*.corp.example", "*.example"):
            gate = door(allow_dns_san=rule)
            gate.refuses(wild, re.compile(
                "; a wildcard in a certificate never matches"))

    def test_a_wildcard_does_not_spoil_the_names_beside_it(self, door, pki):
        both = pki.issue("both", names=names_of(
            dns=["*.corp.example", "billing.corp.example"]))
        door(allow_dns_san="billing.corp.example").admits(both)

    def test_names_never_fall_back_to_the_common_name(self, door, pki):
        gate = door(allow_dns_san="billing.corp.example",
                    allow_ip_san="10.1.2.3",
                    allow_uri_san="spiffe://corp.example/x",
                    allow_email_san="billing@corp.example")
        for text in ("billing.corp.example", "10.1.2.3",
                     "spiffe://corp.example/x", "billing@corp.example"):
            gate.refuses(pki.issue("cn", subject=subject((CN, text))))
            gate.refuses(pki.issue("cn", subject=subject((CN, text)),
                                   names=names_of(dns=["x.example"])))

    def test_a_name_counts_only_as_what_it_is(self, door, pki):
        gate = door(allow_dns_san="billing.corp.example",
                    allow_ip_san="10.1.2.3",
                    allow_uri_san="spiffe://corp.example/x",
                    allow_email_san="billing@corp.example")
        gate.refuses(pki.issue("kinds", names=raw_san(
            (DNS, b"10.1.2.3"), (EMAIL, b"billing.corp.example"),
            (URI, b"billing.corp.example"), (DNS, b"billing@corp.example"),
            (EMAIL, b"spiffe://corp.example/x"))))

    def test_of_several_common_names_any_may_match(self, door, pki):
        gate = door(allow_cn="billing")
        for names in (("billing", "x"), ("x", "billing"),
                      ("x", "y", "billing")):
            gate.admits(pki.issue("several", subject=subject(
                *((CN, name) for name in names))))
        gate.refuses(pki.issue("several", subject=subject(
            (CN, "bill"), (CN, "ing"))))
        gate.refuses(pki.issue("several", subject=subject(
            (CN, "x"), (OU, "billing"), (O, "billing"))))

    def test_two_values_in_one_rdn(self, door, pki):
        rdn = x509.Name([x509.RelativeDistinguishedName([
            x509.NameAttribute(CN, "billing"),
            x509.NameAttribute(OU, "Pay Roll")])])
        gate = door(authorize="pay", policies={"pay": {
            "allow_cn": "billing", "allow_ou": "Pay Roll"}})
        gate.admits(pki.issue("rdn", subject=rdn))

    def test_commas_in_a_value_make_no_second_one(self, door, pki):
        gate = door(allow_cn="billing", allow_o="Corp")
        line = gate.refuses(pki.issue("comma", subject=subject(
            (OU, "x,CN=billing,O=Corp"), (CN, "y+CN=billing"))))
        assert line["subject"] == \
            "CN=y\\+CN=billing,OU=x\\,CN=billing\\,O=Corp"

    def test_the_string_type_does_not_count(self, door, pki):
        """One name as UTF8String, BMPString and UniversalString."""
        text = "Müller & Söhne"
        gate = door(allow_cn=text)
        kinds = type(x509.NameAttribute(CN, "x")._type)
        for kind in (kinds.UTF8String, kinds.BMPString,
                     kinds.UniversalString):
            holder = pki.issue("types", subject=x509.Name([
                x509.NameAttribute(CN, text, kind)]))
            line = gate.admits(holder)
            assert line["subject"].startswith("CN=M")
        gate.refuses(pki.issue("types", subject=subject(
            (CN, "Mu\u0308ller & So\u0308hne"))))

    def test_a_bmp_string_is_not_read_as_bytes(self, door, pki):
        """Two bytes a character: taken for ASCII these would be the name."""
        kinds = type(x509.NameAttribute(CN, "x")._type)
        gate = door(allow_cn="billing8")
        gate.refuses(pki.issue("bmp", subject=x509.Name([
            x509.NameAttribute(CN, b"billing8".decode("utf-16-be"),
                               kinds.BMPString)])))

    def test_idna_names_are_a_labels(self, door, pki):
        gate = door(allow_dns_san="xn--bcher-kva.example")
        gate.admits(pki.issue("idna", names=names_of(
            dns=["xn--bcher-kva.example"])))
        gate.admits(pki.issue("idna", names=names_of(
            dns=["XN--BCHER-KVA.example"])))
        gate.refuses(pki.issue("idna", names=raw_san(
            (DNS, "bücher.example".encode()))))

    def test_an_address_is_compared_by_value(self, door, pki):
        gate = door(allow_ip_san="2001:DB8:0:0::7")
        gate.admits(pki.issue("ip", names=names_of(ip=["2001:db8::7"])))
        gate.refuses(pki.issue("ip", names=names_of(ip=["2001:db8::8"])))

    def test_an_address_with_a_mask_is_none(self, door, pki):
        """Eight bytes are a range in a name constraint, not in a name."""
        gate = door(allow_ip_san="10.0.0.0/8")
        gate.refuses(pki.issue("mask", names=raw_san(
            (IP, bytes([10, 0, 0, 0, 255, 0, 0, 0])))))

    @pytest.mark.parametrize("size", [10_000, 60_000])
    def test_a_huge_subject_is_only_refused(self, door, pki, size, billing):
        gate = door(allow_cn="billing")
        huge = pki.issue("huge", subject=subject((CN, "huge"),
                                                 (OU, "x" * size)))
        line = gate.refuses(huge, "no rule matches; not in allow_cn")
        assert len(line.raw) < 4 * size
        gate.admits(billing)

    def test_a_huge_subject_may_match(self, door, pki):
        gate = door(allow_cn="huge")
        gate.admits(pki.issue("huge", subject=subject(
            (OU, "x" * 10_000), (CN, "huge"))))

    def test_very_many_attributes_are_looked_through(self, door, pki):
        gate = door(allow_ou="last")
        many = [(OU, f"unit {n}") for n in range(1000)]
        gate.admits(pki.issue("many", subject=subject(*many,
                                                      (OU, "last"))))
        gate.refuses(pki.issue("many", subject=subject(*many)))

    def test_thousands_of_names_are_looked_through(self, door, pki):
        gate = door(allow_dns_san="billing.corp.example")
        many = [f"host-{n}.example" for n in range(3000)]
        gate.admits(pki.issue("many", names=names_of(
            dns=[*many, "billing.corp.example"])))
        line = gate.refuses(pki.issue("many", names=names_of(dns=many)))
        assert "more)" in line["names"]

    def test_a_certificate_too_large_for_a_ticket(self, door, pki, billing):
        """64 KiB is where tickets end, and with them what OpenSSL would
        resume. Nobody is let in or kept out otherwise because of that."""
        gate = door(allow_dns_san="billing.corp.example",
                    options="no_ticket", num_tickets=0)
        many = [f"host-{n}.example" for n in range(4000)]
        gate.admits(pki.issue("many", names=names_of(
            dns=[*many, "billing.corp.example"])))
        gate.refuses(pki.issue("many", names=names_of(dns=many)))
        gate = door(allow_dns_san="billing.corp.example")
        gate.refuses(pki.issue("many", names=names_of(dns=many)))
        gate.admits(billing)

    def test_thousands_of_names_against_thousands_of_globs(self, door, pki):
        gate = door(allow_uri_san=[f"https://corp.example/*/*{n}*/x"
                                   for n in range(500)])
        many = [f"https://corp.example/{'ab' * 20}/{n}/y"
                for n in range(1000)]
        gate.refuses(pki.issue("many", names=names_of(uri=many)))

    def test_other_kinds_of_names_do_not_count(self, door, pki):
        inner = subject((CN, "billing")).public_bytes()
        gate = door(allow_cn="billing", allow_dns_san="billing")
        gate.refuses(pki.issue("directory", names=raw_san(
            (DIRECTORY, inner))))

    def test_terminal_controls_stay_out_of_the_log(self, door, pki):
        gate = door(allow_cn="billing")
        line = gate.refuses(pki.issue("escape", subject=subject(
            (CN, "\x1b[2Jx\ny=\"z\" reason=ok"))))
        assert line["reason"] == DENIED
        assert "\x1b" not in line.raw


class TestRealClients:
    """The same alert, in the words of others."""

    @pytest.mark.parametrize("option", ["-tls1_2", "-tls1_3"])
    def test_openssl(self, backend, gateway, pki, billing, other, option):
        service = backend(echo)
        daemon = gateway(service, allow_cn="billing")
        done = s_client(pki, daemon.address(), option, "-ign_eof",
                        holder=other, given=b"hello\n")
        assert "alert bad certificate" in done.stderr.decode()
        daemon.log.wait("denied", subject=re.compile("CN=other"))
        assert not service.peers
        done = s_client(pki, daemon.address(), option, "-quiet",
                        "-no_ign_eof", holder=billing, given=b"hello\n")
        assert "alert" not in done.stderr.decode()
        daemon.closed(subject=re.compile("CN=billing"))

    def test_gnutls(self, backend, gateway, pki, other):
        service = backend(echo)
        daemon = gateway(service, allow_cn="billing")
        done = gnutls_cli(pki, daemon.address(), holder=other,
                          given=b"hello\n")
        assert done.returncode != 0
        assert "Certificate is bad" in (done.stdout + done.stderr).decode()
        daemon.log.wait("denied", subject=re.compile("CN=other"))
        assert not service.peers

    def test_curl(self, gateway, nginx, pki, billing, other):
        daemon = gateway(nginx, allow_dns_san="*.corp.example")
        url = f"https://localhost:{daemon.port()}/hello"
        assert curl(pki, url, holder=billing).stdout == b"hello from nginx\n"
        done = curl(pki, url, holder=other)
        assert done.returncode != 0
        assert b"bad certificate" in done.stderr
        daemon.log.wait("denied", subject=re.compile("CN=other"))

    def test_many_at_once(self, backend, gateway, raw_connect, pki, version,
                          billing, other):
        """Decisions do not get mixed up between connections."""
        service = backend(echo)
        daemon = gateway(service, allow_cn="billing",
                         process={"workers": 2})
        clients = []
        for n in range(40):
            holder = (billing, other)[n % 2]
            clients.append((holder, raw_connect(
                daemon, context=tls_context(pki, holder, version))))
        for _, client in clients:
            client.start_handshake()
        for holder, client in reversed(clients):
            if holder is billing:
                client.handshake().send(b"x")
                assert client.recv_exactly(1) == b"x"
            else:
                client.be_refused()
        daemon.log.wait("denied", count=20)
        assert len(service.peers) == 20
