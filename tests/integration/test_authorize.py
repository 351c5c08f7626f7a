"""`sallyport authorize` and the handshake are of one mind: for every sort of
certificate and rule, what the command says of a client is what happens to it.
"""

import json
import re
import ssl
import subprocess
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from harness.backends import Backend, echo
from harness.certificates import Maker, dns_only
from harness.clients import VERSIONS, Alert, TlsClient
from harness.daemon import Daemon, environment, ini
from harness.limits import seconds
from harness.pki import pem, san
from harness.programs import sallyport

PRIVATE = re.compile(r"PRIVATE KEY|[A-Za-z0-9+/]{65}")
ATTRIBUTES = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME,
              "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}


def subject(*parts):
    """subject("O=Corp", "CN=billing")"""
    return x509.Name([
        x509.NameAttribute(ATTRIBUTES[key], value)
        for key, value in (part.split("=", 1) for part in parts)])


def email(address):
    return x509.SubjectAlternativeName([x509.RFC822Name(address)])


def colons(digits):
    """As `openssl x509 -fingerprint` prints them."""
    return re.sub("(..)(?!$)", r"\1:", digits.upper())


def cert_sha256(holder):
    return holder.certificate.fingerprint(hashes.SHA256()).hex()


def spki_sha256(holder):
    digest = hashes.Hash(hashes.SHA256())
    digest.update(holder.certificate.public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize().hex()


class Clients:
    """Everybody who may knock, by name."""

    def __init__(self, pki, maker):
        self.pki = pki
        named = maker.ca("Named CA", pki.ca,
                         constraints=dns_only("corp.example"))
        self.holders = {
            "billing": self.of("CN=billing"),
            "Billing": self.of("CN=Billing"),
            "two names": self.of("CN=other", "CN=billing"),
            "billing in O": self.of("O=billing", "CN=other"),
            "ops": self.of("OU=Operations", "CN=ops"),
            "ops of the intermediate": self.of(
                "OU=Operations", "CN=ops", issuer=pki.intermediate_ca),
            "devs of the intermediate": self.of(
                "OU=Development", "CN=dev", issuer=pki.intermediate_ca),
            "corp": self.of("O=Corp Ltd; Sons", "CN=corp"),
            "a.example": self.of("CN=x", names=san("a.example")),
            "CN=a.example": self.of("CN=a.example"),
            "A.Example": self.of("CN=x", names=san("A.Example")),
            "one label": self.of("CN=x", names=san("eu.pay.example")),
            "two labels": self.of("CN=x", names=san("b.eu.pay.example")),
            "wildcard": self.of("CN=x", names=san("*.pay.example")),
            "service": self.of(
                "CN=x", names=san("spiffe://corp.example/ns/pay/sa/one")),
            "deeper service": self.of(
                "CN=x", names=san("spiffe://corp.example/ns/pay/sa/a/b")),
            "foreign service": self.of(
                "CN=x", names=san("spiffe://evil.example/ns/pay/sa/one")),
            "two services": self.of(
                "CN=x", names=san("spiffe://corp.example/ns/pay/sa/one",
                                  "spiffe://corp.example/ns/pay/sa/two")),
            "document": self.of("CN=x", names=san("https://corp.example/a/b")),
            "address": self.of("CN=x", names=san("192.0.2.7")),
            "address in range": self.of("CN=x", names=san("2001:db8::7")),
            "other address": self.of("CN=x", names=san("192.0.2.8")),
            "somebody@corp": self.of("CN=x",
                                     names=email("somebody@corp.example")),
            "Somebody@corp": self.of("CN=x",
                                     names=email("Somebody@corp.example")),
            "revoked": self.of("CN=billing"),
            "huge": self.of("CN=billing", names=san(
                *(f"n{i}.example" for i in range(8000)))),
            "many names": self.of("CN=billing", names=san(
                *(f"n{i}.example" for i in range(2000)))),
            "odd": self.of("O=a\nallowed: authorize any\x1b[2J", "CN=odd"),
            "name allowed": maker.make("x", named, names=["a.corp.example"]),
            "name forbidden": maker.make("x", named, names=["a.example"]),
            "RSA-1024": maker.make("billing", pki.ca, key="rsa1024"),
            "SHA-1": maker.signed_with_sha1("billing", pki.ca),
            "stranger": pki.stranger, "impostor": pki.impostor,
            "expired": pki.expired, "not yet valid": pki.future,
            "self-signed": pki.self_signed, "no EKU": pki.without_eku,
            "server EKU": pki.server_only, "behind": pki.behind,
            "without its chain": pki.behind_without_chain,
        }

    def of(self, *parts, **more):
        return self.pki.issue("x", subject=subject(*parts), **more)


def client_context(holder, version):
    """One that knows no CA, since OpenSSL would send whatever of its chain it
    finds among them; and that does not mind its own keys."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(str(holder.cert), str(holder.key))
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.minimum_version = context.maximum_version = version
    return context


@dataclass
class World:
    """One daemon with a listener for each set of rules."""

    daemon: Daemon
    clients: dict

    def handshake(self, listener, holder, version, server_name):
        """(did it get in, its address)"""
        client = TlsClient(self.daemon.address(listener),
                           client_context(holder, VERSIONS[version]),
                           server_name=server_name)
        try:
            client.handshake()
            client.send(b"x")
            return client.recv() == b"x", client.peer
        except Alert:
            return False, client.peer
        finally:
            client.close()

    def line_about(self, listener, peer, since):
        """What the log says of the client at PEER. Ports come back: another
        listener had it before, maybe."""
        log = self.daemon.log

        def found():
            return [line for _, line in log.lines[since:] if line and
                    line.fields.get("listener") == listener and
                    line.fields.get("peer") == peer]

        with log.news:
            assert log.news.wait_for(found, seconds(10)), log.text()
            return found()[0]


def authorize(config, listener, cert, *more):
    return subprocess.run(
        [sallyport(), "authorize", "-c", str(config), "--listener", listener,
         "--cert", str(cert), *map(str, more)], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(), timeout=seconds(20), check=False)


def rule_sets(clients, maker, pki):
    """{listener: its keys beside the usual ones}"""
    of_root = maker.crl(pki.ca, [clients["revoked"]])
    billing = clients["billing"]
    return {
        "plain": {},
        "cn": {"allow_cn": "billing"},
        "ou": {"allow_ou": ["Development", "Operations"]},
        "o": {"allow_o": "Corp Ltd; Sons"},
        "dns": {"allow_dns_san": "a.example *.pay.example"},
        "uri": {"allow_uri_san": "spiffe://corp.example/ns/pay/sa/* "
                                 "https://corp.example/**"},
        "ip": {"allow_ip_san": "192.0.2.7 2001:db8::/32"},
        "email": {"allow_email_san": "somebody@corp.example"},
        "cert": {"allow_cert_sha256": colons(cert_sha256(billing))},
        "spki": {"allow_spki_sha256": spki_sha256(billing)},
        "several": {"allow_cn": "nobody", "allow_ou": "Operations",
                    "allow_dns_san": "a.example"},
        "staff": {"authorize": "staff"},
        "pinned": {"authorize": "pinned"},
        "two": {"authorize": "staff billing"},
        "any": {"authorize": "any"},
        "serial": {"allow_cn": "billing",
                   "deny_serial": colons(billing.serial)},
        "banned": {"authorize": "any",
                   "deny_cert_sha256": cert_sha256(billing)},
        "ban": {"deny_serial": billing.serial},
        "crl": {"allow_cn": "billing", "crlfile": of_root},
        "crlchain": {"crlfile": of_root, "crl_check": "chain"},
        "oldcrl": {"crlfile": maker.crl(pki.ca, days=(-30, -1))},
        "lax": {"verify_mode": "optional", "allow_cn": "billing"},
        "open": {"cafile": None},
        "names": {"allow_cn": "billing", "sni_mismatch": "default"},
        "strict": {"allow_cn": "billing", "sni_mismatch": "reject"},
    }


POLICIES = {
    "policy staff": {"allow_ou": "Operations",
                     "allow_issuer_cn": "Intermediate CA"},
    "policy billing": {"allow_cn": "billing"},
}


def overlay(listener, *names, **keys):
    return {"listener": listener, "server_name": " ".join(names), **keys}


def sections(clients, maker, pki, backend):
    text = {"sallyport": {"workers": 1, "drain_timeout": "2s"}}
    for name, keys in rule_sets(clients, maker, pki).items():
        text[f"listener {name}"] = {
            "listen": "127.0.0.1:0", "certfile": pki.server.cert,
            "keyfile": pki.server.key, "cafile": pki.ca.cert,
            "backend": backend.address, **keys}
    text.update(POLICIES)
    text["policy pinned"] = {
        "allow_issuer_spki_sha256": spki_sha256(pki.intermediate_ca)}
    for at in ("names", "strict"):
        text[f"server_name {at}-exact"] = overlay(
            at, "ops.w.example", allow_ou="Operations")
        text[f"server_name {at}-wild"] = overlay(
            at, "*.w.example", "other.example", authorize="any")
    text["server_name names-ca"] = overlay(
        "names", "ca.example", cafile=pki.other_ca.cert, authorize="any")
    return text


@pytest.fixture(scope="module")
def world(pki, tmp_path_factory):
    maker = Maker(tmp_path_factory.mktemp("authorize"))
    clients = Clients(pki, maker).holders
    backend = Backend(echo)
    daemon = Daemon(tmp_path_factory.mktemp("daemon"), ini(
        sections(clients, maker, pki, backend)))
    try:
        daemon.wait_ready()
        yield World(daemon, clients)
        daemon.stop()
    finally:
        daemon.kill()
        backend.close()


DENIED = "client_certificate_denied"
UNTRUSTED = "client_certificate_untrusted"

# Listener, client, server name; whether it gets in, and why: the whole rule,
# or a token.
CASES = [
    ("plain", "billing", None, True, "no rule"),
    ("plain", "huge", None, False, "client_certificate_bad"),
    ("plain", "stranger", None, False, UNTRUSTED),
    ("plain", "impostor", None, False, UNTRUSTED),
    ("plain", "expired", None, False, "client_certificate_expired"),
    ("plain", "not yet valid", None, False,
     "client_certificate_not_yet_valid"),
    ("plain", "self-signed", None, False, "client_certificate_self_signed"),
    ("plain", "no EKU", None, False, "client_certificate_purpose"),
    ("plain", "server EKU", None, False, "client_certificate_purpose"),
    ("plain", "behind", None, True, "no rule"),
    ("plain", "without its chain", None, False, UNTRUSTED),
    ("plain", "RSA-1024", None, False, "client_certificate_bad"),
    ("plain", "SHA-1", None, False, "client_certificate_bad"),
    ("plain", "name allowed", None, True, "no rule"),
    ("plain", "name forbidden", None, False, "client_certificate_bad"),
    ("dns", "name forbidden", None, False, "client_certificate_bad"),
    ("cn", "billing", None, True, "allow_cn billing"),
    ("cn", "many names", None, True, "allow_cn billing"),
    ("cn", "two names", None, True, "allow_cn billing"),
    ("cn", "Billing", None, False, DENIED),
    ("cn", "billing in O", None, False, DENIED),
    ("cn", "odd", None, False, DENIED),
    ("cn", "expired", None, False, "client_certificate_expired"),
    ("ou", "ops", None, True, "allow_ou Operations"),
    ("ou", "billing", None, False, DENIED),
    ("o", "corp", None, True, "allow_o Corp Ltd; Sons"),
    ("o", "billing in O", None, False, DENIED),
    ("dns", "a.example", None, True, "allow_dns_san a.example"),
    ("dns", "A.Example", None, True, "allow_dns_san a.example"),
    ("dns", "CN=a.example", None, False, DENIED),
    ("dns", "one label", None, True, "allow_dns_san *.pay.example"),
    ("dns", "two labels", None, False, DENIED),
    ("dns", "wildcard", None, False, DENIED),
    ("uri", "service", None, True,
     "allow_uri_san spiffe://corp.example/ns/pay/sa/*"),
    ("uri", "deeper service", None, False, DENIED),
    ("uri", "foreign service", None, False, DENIED),
    ("uri", "two services", None, False, DENIED),
    ("uri", "document", None, True, "allow_uri_san https://corp.example/**"),
    ("ip", "address", None, True, "allow_ip_san 192.0.2.7"),
    ("ip", "address in range", None, True, "allow_ip_san 2001:db8::/32"),
    ("ip", "other address", None, False, DENIED),
    ("email", "somebody@corp", None, True,
     "allow_email_san somebody@corp.example"),
    ("email", "Somebody@corp", None, False, DENIED),
    ("cert", "billing", None, True, None),
    ("cert", "revoked", None, False, DENIED),
    ("spki", "billing", None, True, None),
    ("spki", "revoked", None, False, DENIED),
    ("several", "ops", None, True, "allow_ou Operations"),
    ("several", "a.example", None, True, "allow_dns_san a.example"),
    ("several", "billing", None, False, DENIED),
    ("staff", "ops of the intermediate", None, True, "policy staff"),
    ("staff", "ops", None, False, DENIED),
    ("staff", "devs of the intermediate", None, False, DENIED),
    ("pinned", "devs of the intermediate", None, True, "policy pinned"),
    ("pinned", "ops", None, False, DENIED),
    ("two", "billing", None, True, "policy billing"),
    ("two", "ops of the intermediate", None, True, "policy staff"),
    ("two", "ops", None, False, DENIED),
    ("any", "ops", None, True, "authorize any"),
    ("any", "stranger", None, False, UNTRUSTED),
    ("serial", "billing", None, False, DENIED),
    ("serial", "revoked", None, True, "allow_cn billing"),
    ("banned", "billing", None, False, DENIED),
    ("banned", "revoked", None, True, "authorize any"),
    ("ban", "billing", None, False, DENIED),
    ("ban", "ops", None, True, "no rule"),
    ("crl", "revoked", None, False, "client_certificate_revoked"),
    ("crl", "billing", None, True, "allow_cn billing"),
    ("crl", "behind", None, False, "client_crl_missing"),
    ("crlchain", "billing", None, True, "no rule"),
    ("oldcrl", "billing", None, False, "client_crl_expired"),
    ("lax", "billing", None, True, "allow_cn billing"),
    ("lax", "ops", None, False, DENIED),
    ("open", "stranger", None, True,
     "verify_mode none: no certificate is asked for"),
    ("names", "billing", None, True, "allow_cn billing"),
    ("names", "billing", "nobody.example", True, "allow_cn billing"),
    ("names", "ops", "nobody.example", False, DENIED),
    ("names", "ops", "ops.w.example", True, "allow_ou Operations"),
    ("names", "billing", "OPS.w.example", False, DENIED),
    ("names", "billing", "x.w.example", True, "authorize any"),
    ("names", "ops", "a.x.w.example", False, DENIED),
    ("names", "stranger", "ca.example", True, "authorize any"),
    ("names", "billing", "ca.example", False, UNTRUSTED),
    ("strict", "billing", "nobody.example", False, "unrecognized_name"),
    ("strict", "billing", None, False, "unrecognized_name"),
    ("strict", "billing", "other.example", True, "authorize any"),
]


def case_id(case):
    listener, client, server_name, *_ = case
    return f"{listener}-{client}-{server_name or 'unnamed'}"


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_what_it_says_is_what_happens(world, case):
    listener, client, server_name, allowed, reason = case
    holder = world.clients[client]
    more = ["--server-name", server_name] if server_name else []
    done = authorize(world.daemon.config, listener, holder.cert, "--json",
                     *more)
    assert done.stderr == ""
    verdict = json.loads(done.stdout)
    assert verdict["allowed"] is allowed, verdict
    assert done.returncode == (0 if allowed else 1)
    assert verdict["reason"] == (reason or verdict["reason"])
    for version in VERSIONS:
        since = world.daemon.log.mark()
        got_in, peer = world.handshake(listener, holder, version, server_name)
        assert got_in is allowed, version
        if not allowed:
            line = world.line_about(listener, peer, since)
            assert line.message == (
                "denied" if reason == DENIED else "refused")
            assert line.fields["reason"] == reason
            assert line.fields["detail"] == verdict["detail"]


@pytest.mark.parametrize("curve", ["secp224r1", "secp256k1"])
def test_a_key_that_no_handshake_proves_is_told(world, pki, tmp_path, curve):
    """The certificate is good; TLS has no signature with it. In TLS 1.3 the
    client finds that out by itself, and shows none."""
    holder = Maker(tmp_path).make("odd", pki.ca, key=curve)
    done = authorize(world.daemon.config, "plain", holder.cert, "--json")
    verdict = json.loads(done.stdout)
    assert done.returncode == 1 and verdict["allowed"] is False
    assert verdict["reason"] == "client_certificate_bad"
    assert "no handshake here can prove" in verdict["detail"]
    for version in VERSIONS:
        got_in, _ = world.handshake("plain", holder, version, None)
        assert not got_in


class TestIdentity:
    """What is said of the client, whatever becomes of it."""

    def test_in_lines(self, world):
        holder = world.clients["ops of the intermediate"]
        done = authorize(world.daemon.config, "staff", holder.cert)
        assert done.returncode == 0
        assert done.stdout.splitlines() == [
            "subject: CN=ops,OU=Operations", "issuer: CN=Intermediate CA",
            f"serial: {holder.serial}", f"sha256: {cert_sha256(holder)}",
            f"spki_sha256: {spki_sha256(holder)}", "names: none",
            "listener: staff", "server name: none",
            "section: [listener staff]", "allowed: policy staff"]

    def test_in_json(self, world):
        holder = world.clients["service"]
        done = authorize(world.daemon.config, "names", holder.cert, "--json",
                         "--server-name", "x.w.example")
        assert json.loads(done.stdout) == {
            "allowed": True, "reason": "authorize any", "listener": "names",
            "server_name": "x.w.example", "section": "server_name names-wild",
            "identity": {
                "subject": "CN=x", "issuer": "CN=Test CA",
                "serial": holder.serial, "sha256": cert_sha256(holder),
                "spki_sha256": spki_sha256(holder), "dns": [],
                "uri": ["spiffe://corp.example/ns/pay/sa/one"], "ip": [],
                "email": [], "bad_names": 0}}

    def test_the_fingerprints_are_values_for_rules(self, world, pki,
                                                   tmp_path):
        holder = world.clients["billing"]
        said = json.loads(authorize(world.daemon.config, "plain", holder.cert,
                                    "--json").stdout)["identity"]
        for key, rule in [("sha256", "allow_cert_sha256"),
                          ("spki_sha256", "allow_spki_sha256")]:
            config = tmp_path / "sallyport.ini"
            config.write_text(gateway(pki, **{rule: said[key]}))
            done = authorize(config, "gw", holder.cert)
            assert f"allowed: {rule} {said[key]}\n" in done.stdout
        config.write_text(gateway(pki, deny_serial=said["serial"]))
        done = authorize(config, "gw", holder.cert)
        number = said["serial"].lstrip("0")
        assert f"denied: deny_serial {number}\n" in done.stdout

    def test_many_names_are_counted(self, world):
        holder = world.clients["many names"]
        done = authorize(world.daemon.config, "cn", holder.cert)
        assert "DNS:n99.example (+1900 more)\n" in done.stdout
        said = json.loads(authorize(world.daemon.config, "cn", holder.cert,
                                    "--json").stdout)
        assert len(said["identity"]["dns"]) == 2000

    def test_control_characters_are_escaped(self, world):
        holder = world.clients["odd"]
        done = authorize(world.daemon.config, "cn", holder.cert)
        assert done.returncode == 1
        assert "\x1b" not in done.stdout
        assert [line for line in done.stdout.splitlines()
                if line.startswith(("allowed", "refused"))] == \
            [done.stdout.splitlines()[-1]]
        assert done.stdout.splitlines()[-1].startswith("refused: ")

    @pytest.mark.parametrize("name", ["x\ny", "x\x1b[2J", "\xff", "a" * 9999])
    def test_any_server_name_is_fit_to_print(self, world, name):
        holder = world.clients["billing"]
        done = authorize(world.daemon.config, "strict", holder.cert,
                         "--server-name", name)
        assert done.returncode == 1
        assert "\x1b" not in done.stdout
        assert len(done.stdout.splitlines()) == 9
        assert "\nrefused: unrecognized_name: " in done.stdout


def gateway(pki, **keys):
    return ini({"listener gw": {
        "listen": "127.0.0.1:0", "backend": "127.0.0.1:9",
        "certfile": pki.server.cert, "keyfile": pki.server.key,
        "cafile": pki.ca.cert, **keys}})


class TestChain:
    def test_can_be_in_files_of_its_own(self, world, pki):
        holder = world.clients["without its chain"]
        done = authorize(world.daemon.config, "plain", holder.cert, "--chain",
                         pki.intermediate_ca.cert)
        assert done.returncode == 0, done.stdout

    def test_may_have_what_is_of_no_use(self, world, pki):
        holder = world.clients["without its chain"]
        done = authorize(world.daemon.config, "plain", holder.cert, "--chain",
                         pki.other_ca.cert, "--chain",
                         pki.intermediate_ca.cert, "--chain", pki.ca.cert)
        assert done.returncode == 0, done.stdout

    def test_is_not_trusted_for_being_sent(self, world, pki):
        holder = world.clients["stranger"]
        done = authorize(world.daemon.config, "plain", holder.cert, "--chain",
                         pki.other_ca.cert)
        assert done.returncode == 1
        assert "\nrefused: client_certificate_self_signed: " in done.stdout


class TestKeys:
    def test_beside_the_certificate_are_never_shown(self, world, tmp_path):
        holder = world.clients["billing"]
        both = tmp_path / "both.pem"
        both.write_bytes(holder.key.read_bytes() + pem(holder.certificate))
        for more in ([], ["--json"]):
            done = authorize(world.daemon.config, "cn", both, *more)
            assert done.returncode == 0
            assert not PRIVATE.search(done.stdout + done.stderr)

    def test_are_no_certificates(self, world):
        holder = world.clients["billing"]
        done = authorize(world.daemon.config, "cn", holder.key)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr == (f'sallyport: --cert "{holder.key}": holds no '
                               "certificate in PEM\n")


class TestNoVerdict:
    def test_without_such_a_file(self, world):
        done = authorize(world.daemon.config, "cn", "/nonexistent.pem")
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr == ('sallyport: --cert "/nonexistent.pem": No such '
                               "file or directory\n")

    def test_without_such_a_listener(self, world):
        holder = world.clients["billing"]
        done = authorize(world.daemon.config, "nobody", holder.cert)
        assert done.returncode == 1
        assert done.stdout == ""
        assert "there is no [listener nobody] section\n" in done.stderr

    def test_on_a_broken_configuration(self, world, pki, tmp_path):
        config = tmp_path / "sallyport.ini"
        config.write_text(gateway(pki, allow_cnn="billing"))
        holder = world.clients["billing"]
        done = authorize(config, "gw", holder.cert)
        assert done.returncode == 1
        assert done.stdout == ""
        assert 'unknown key "allow_cnn"' in done.stderr
        assert done.stderr.endswith("configuration not loaded\n")
        done = authorize(config, "gw", holder.cert, "--json")
        assert done.returncode == 1
        assert json.loads(done.stdout)["errors"] == 1
        assert done.stderr == ""

    def test_on_a_file_of_the_listener_that_is_missing(self, world, pki,
                                                       tmp_path):
        config = tmp_path / "sallyport.ini"
        config.write_text(gateway(pki, crlfile="gone.crl"))
        done = authorize(config, "gw", world.clients["billing"].cert)
        assert done.returncode == 1
        assert 'crlfile "gone.crl": No such file or directory' in done.stderr

    def test_when_it_cannot_be_printed(self, world):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run(
                [sallyport(), "authorize", "-c", str(world.daemon.config),
                 "--listener", "cn", "--cert",
                 str(world.clients["billing"].cert)], stdout=full,
                env=environment(), timeout=seconds(20), check=False)
        assert done.returncode == 1


def test_paths_are_relative_to_where_the_user_is(world, tmp_path):
    holder = world.clients["billing"]
    (tmp_path / "mine.pem").write_bytes(holder.cert.read_bytes())
    done = subprocess.run(
        [sallyport(), "authorize", "-c", str(world.daemon.config),
         "--listener", "cn", "--cert", "mine.pem"], cwd=tmp_path,
        stdout=subprocess.PIPE, env=environment(), timeout=seconds(20),
        check=False)
    assert done.returncode == 0
