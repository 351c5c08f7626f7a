"""What Python's own ssl.SSLContext does, sallyport does: the same context in
both, driven by the same client over a matrix of some hundred combinations.

Accept or refuse, the alert, the version, the cipher and the ALPN protocol must
agree. DIFFERENCES names every exception: one that is missing there fails, and
so does one that is there without being one any more.
"""

import itertools
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from harness.backends import Backend, echo
from harness.certificates import Maker, dns_only
from harness.clients import run
from harness.daemon import Daemon, ini
from harness.oracle import (ALL_FLAGS, DEFAULT_CIPHERS, LEGACY_CIPHERS,
                            Client, PythonServer, Server, attempt,
                            client_context, listener_keys, python_context)
from harness.pki import CLIENT_AUTH, SERVER_AUTH
from harness.programs import need


class Material:
    """Every certificate, CA and CRL of the matrix, by name."""

    def __init__(self, directory):
        self.maker = Maker(directory)
        self.holders = {}
        self.cas = {}
        self.crls = {}
        self._authorities()
        self._servers()
        self._clients()
        self._flawed_authorities()
        self._crls()
        self.dh_params = directory / "dh.pem"
        made = run([need("openssl", "openssl"), "genpkey", "-genparam",
                    "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048",
                    "-out", str(self.dh_params)])
        assert made.returncode == 0, made.stderr

    def holder(self, name):
        return self.holders[name]

    def ca(self, name):
        return self.cas[name].cert if hasattr(self.cas[name], "cert") \
            else self.cas[name]

    def crl(self, name):
        return self.crls[name]

    def _authorities(self):
        make = self.maker
        cas = self.cas
        cas["ca"] = root = make.ca("Test CA")
        cas["other"] = make.ca("Other CA")
        cas["impostor"] = make.ca("Test CA")
        cas["intermediate"] = make.ca("Intermediate CA", root)
        cas["second"] = make.ca("Second Intermediate CA", root)
        cas["short path"] = make.ca("Short CA", root, path_length=0)
        cas["below short"] = make.ca("Long CA", cas["short path"])
        cas["named"] = make.ca("Named CA", root,
                               constraints=dns_only("corp.example"))
        cas["rsa1024"] = make.ca("Weak CA", root, key="rsa1024")
        cas["both"] = make.together(root.cert, cas["other"].cert)
        cas["pair"] = make.together(cas["intermediate"].cert,
                                    cas["second"].cert)

    def _servers(self):
        root = self.cas["ca"]
        self.holders["server"] = self.maker.server(root)
        self.holders["server rsa"] = self.maker.server(root, key="rsa2048")

    def _clients(self):
        make, cas, holders = self.maker.make, self.cas, self.holders
        root = cas["ca"]
        holders["good"] = make("good", root)
        holders["good rsa"] = make("good", root, key="rsa2048")
        holders["wrong CA"] = make("wrong", cas["other"])
        holders["impostor's"] = make("impostor", cas["impostor"])
        holders["expired"] = make("expired", root, days=(-30, -1))
        holders["not yet valid"] = make("future", root, days=(1, 30))
        holders["revoked"] = make("revoked", root)
        holders["self-signed"] = make("self-signed")
        holders["no EKU"] = make("no-eku", root, eku=None)
        holders["server EKU"] = make("server-eku", root, eku=[SERVER_AUTH])
        holders["both EKUs"] = make("both-eku", root,
                                    eku=[CLIENT_AUTH, SERVER_AUTH])
        holders["intermediate sent"] = make("behind", cas["intermediate"])
        holders["intermediate missing"] = make(
            "lonely", cas["intermediate"], send_chain=False)
        holders["path too long"] = make("long", cas["below short"])
        holders["path just right"] = make("short", cas["short path"])
        holders["name allowed"] = make("named", cas["named"],
                                       names=["a.corp.example"])
        holders["name forbidden"] = make("misnamed", cas["named"],
                                         names=["a.evil.example"])
        holders["RSA-1024"] = make("weak", root, key="rsa1024")
        holders["RSA-1024 CA"] = make("under-weak", cas["rsa1024"])
        holders["SHA-1"] = self.maker.signed_with_sha1("sha1", root)
        holders["no key usage"] = make("no-usage", root, key_usage=False)
        holders["may sign"] = make("may-sign", root, may_sign=True)
        holders["no key ids"] = make("no-ids", root, key_ids=False)
        holders["revoked behind"] = make("revoked", cas["intermediate"])
        holders["behind revoked"] = make("behind", cas["second"])

    def _flawed_authorities(self):
        make = self.maker
        for name, flaw in FLAWED_CAS.items():
            self.cas[name] = made = make.ca(f"Flawed {name}", **flaw)
            self.holders[f"client of {name}"] = make.make("client", made)
            between = make.ca(f"Flawed intermediate {name}", self.cas["ca"],
                              **flaw)
            self.holders[f"behind {name}"] = make.make("client", between)

    def _crls(self):
        make, cas, holders = self.maker, self.cas, self.holders
        root, middle = cas["ca"], cas["intermediate"]
        of_root = make.crl(root, [holders["revoked"], cas["second"]])
        of_middle = make.crl(middle, [holders["revoked behind"]])
        of_second = make.crl(cas["second"])
        self.crls["root"] = of_root
        self.crls["all"] = make.together(of_root, of_middle, of_second)
        self.crls["no root"] = make.together(of_middle, of_second)
        self.crls["expired"] = make.crl(root, [holders["revoked"]],
                                        days=(-30, -1))
        self.crls["future"] = make.crl(root, [holders["revoked"]],
                                       days=(1, 30))
        self.crls["forged"] = make.crl(cas["impostor"])
        self.crls["empty"] = make.crl(root)


# What a home-made CA may lack, as arguments for Maker.ca().
FLAWED_CAS = {
    "without keyUsage": {"key_usage": False},
    "with a keyUsage that may not sign": {"may_sign": False},
    "without critical basicConstraints": {"critical_basic": False},
    "without key identifiers": {"key_ids": False},
    "that says it is none": {"basic_says_ca": False},
}


# The matrix: each function yields (what it is, server, client).

def versions():
    """Floor x ceiling x what the client knows."""
    names = ["1.0", "1.1", "1.2", "1.3"] if ssl.HAS_TLSv1 else ["1.2", "1.3"]
    ranges = [(low, high) for low, high in
              itertools.product(names, names) if low <= high]
    for ours, theirs in itertools.product(ranges, ranges):
        server = Server(floor=ours[0], ceiling=ours[1])
        if server.is_legacy():
            server = replace(server, ciphers=LEGACY_CIPHERS)
        yield (f"server {'-'.join(ours)}, client {'-'.join(theirs)}",
               server, Client(floor=theirs[0], ceiling=theirs[1]))


CERTIFICATES = [
    None, "good", "good rsa", "wrong CA", "impostor's", "expired",
    "not yet valid", "revoked", "self-signed", "no EKU", "server EKU",
    "both EKUs", "intermediate sent", "intermediate missing",
    "path too long", "path just right", "name allowed", "name forbidden",
    "RSA-1024", "RSA-1024 CA", "SHA-1", "no key usage", "may sign",
    "no key ids",
]


def of_version(client, version):
    return replace(client, floor=version, ceiling=version)


def certificates():
    """verify_mode x the client's certificate."""
    for mode, who, version in itertools.product(
            ["none", "optional", "required"], CERTIFICATES, ["1.2", "1.3"]):
        server = Server() if mode == "none" else \
            Server(ca="ca", verify_mode=mode)
        yield (f"{mode}, certificate: {who or 'none'}, {version}", server,
               of_version(Client(certificate=who), version))


def strictness():
    """x509_strict x what is wrong with the CA, or the intermediate CA."""
    for strict, flaw, version in itertools.product(
            [True, False], FLAWED_CAS, ["1.2", "1.3"]):
        flags = ALL_FLAGS if strict else ALL_FLAGS - {"x509_strict"}
        for ca, who in ((flaw, "client of"), ("ca", "behind")):
            server = Server(ca=ca, verify_mode="required",
                            verify_flags=flags)
            yield (f"strict {strict}, {who} CA {flaw}, {version}", server,
                   of_version(Client(certificate=f"{who} {flaw}"), version))


def anchors():
    """x509_partial_chain and x509_trusted_first x what is the anchor."""
    for flags, ca, who in itertools.product(
            [ALL_FLAGS, ALL_FLAGS - {"x509_partial_chain"},
             ALL_FLAGS - {"x509_trusted_first"},
             ALL_FLAGS - {"x509_strict"}, frozenset()],
            ["ca", "intermediate", "both", "pair"],
            ["good", "wrong CA", "intermediate sent",
             "intermediate missing"]):
        yield (f"flags {'+'.join(sorted(flags)) or 'none'}, anchor {ca}, "
               f"{who}",
               Server(ca=ca, verify_mode="required", verify_flags=flags),
               Client(certificate=who))


def ciphers():
    """Our list x the client's x the kinds of our keys."""
    ours = [DEFAULT_CIPHERS, "ECDHE-ECDSA-AES128-GCM-SHA256",
            "ECDHE+AES256", "ECDHE+CHACHA20",
            "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
            "DHE+AESGCM:ECDHE-RSA-AES256-GCM-SHA384"]
    theirs = ["DEFAULT", "ECDHE+AES128+AESGCM",
              "AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384",
              "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE+AESGCM",
              "ECDHE+AES128:!AESGCM", "DHE+AESGCM"]
    for list_, kinds in itertools.product(
            ours, [("server",), ("server rsa",), ("server", "server rsa")]):
        if kinds == ("server",) and "ECDSA" not in list_ and \
                "RSA" in list_:
            continue  # our check refuses what nobody could ever use
        for client in theirs:
            yield (f"{'+'.join(kinds)} {list_}, client {client}",
                   Server(certificates=kinds, ciphers=list_),
                   of_version(Client(ciphers=client), "1.2"))


def preference():
    """Whose order of ciphers counts."""
    for ours, client in itertools.product(
            [True, False],
            ["ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
             "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
             "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256"]):
        yield (f"ours {ours}, client {client}",
               Server(server_preference=ours),
               of_version(Client(ciphers=client), "1.2"))


def alpn():
    """Our protocols x theirs."""
    ours = [(), ("h2", "http/1.1"), ("http/1.1", "h2"), ("postgresql",)]
    theirs = [(), ("h2",), ("http/1.1", "h2"), ("imap", "http/1.1"),
              ("postgresql",), ("H2",)]
    for server, client, version in itertools.product(ours, theirs,
                                                     ["1.2", "1.3"]):
        yield (f"ours {' '.join(server) or 'none'}, "
               f"theirs {' '.join(client) or 'none'}, {version}",
               Server(alpn=server),
               of_version(Client(alpn=client), version))


def crls():
    """crl_check x the CRLs there are x who is revoked."""
    everybody = ["good", "revoked", "intermediate sent", "revoked behind",
                 "behind revoked"]
    for check, crl, who in itertools.product(
            ["leaf", "chain"],
            ["root", "all", "no root", "expired", "future", "forged",
             "empty"], everybody):
        yield (f"{check}, CRLs {crl}, {who}",
               Server(ca="ca", verify_mode="required", crl=crl,
                      crl_check=check),
               Client(certificate=who))
    for who in everybody:
        yield (f"no CRL, {who}", Server(ca="ca", verify_mode="required"),
               Client(certificate=who))


FAMILIES = [versions, certificates, strictness, anchors, ciphers, preference,
            alpn, crls]
MATRIX = {f"{family.__name__}: {what}": (server, client)
          for family in FAMILIES for what, server, client in family()}


# Where we differ on purpose.

def shows_no_eku(server, client):
    return server.verify_mode != "none" and client.certificate == "no EKU"


def shares_no_protocol(server, client):
    return bool(server.alpn and client.alpn and
                not set(server.alpn) & set(client.alpn))


def prefers_chacha(server, client):
    return server.server_preference and "server" in server.certificates and \
        server.ciphers == DEFAULT_CIPHERS and \
        client.ciphers.startswith("ECDHE-ECDSA-CHACHA20-POLY1305:")


@dataclass(frozen=True)
class Difference:
    """PYTHON and OURS: how the outcome in words begins."""

    name: str
    applies: Callable
    python: str
    ours: str
    reason: str


DIFFERENCES = [
    Difference(
        "client certificate without extendedKeyUsage", shows_no_eku,
        "accepted", "refused: alert unsupported_certificate",
        "a server's certificate of the same CA, made without thought, would "
        "do as a client's"),
    Difference(
        "no ALPN protocol in common", shares_no_protocol,
        "accepted", "refused: alert no_application_protocol",
        "RFC 7301 section 3.2: to go on without one lets the traffic of one "
        "protocol reach the service of another (the ALPACA attack)"),
    Difference(
        "client that puts ChaCha20 first", prefers_chacha,
        "accepted: TLSv1.2 ECDHE-ECDSA-AES",
        "accepted: TLSv1.2 ECDHE-ECDSA-CHACHA20-POLY1305",
        "such a client has no AES instructions, and software AES is slow and "
        "leaks through timing; SSL_OP_PRIORITIZE_CHACHA has no name in "
        "Python"),
]


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return Material(tmp_path_factory.mktemp("oracle-pki"))


@pytest.fixture(scope="module")
def python():
    server = PythonServer()
    yield server
    server.close()


class Ours:
    """One daemon with a listener for each context of the matrix."""

    def __init__(self, directory, material):
        self.backend = Backend(echo)
        sections = {"sallyport": {"workers": 1, "drain_timeout": "1s"}}
        self.names = {}
        for server, _ in MATRIX.values():
            if server not in self.names:
                name = f"c{len(self.names)}"
                self.names[server] = name
                sections[f"listener {name}"] = listener_keys(
                    server, material, self.backend)
        self.daemon = Daemon(directory, ini(sections))
        self.daemon.wait_ready(30)
        self.addresses = {
            line["listener"]: line["address"]
            for line in self.daemon.log.find("listening")}

    def attempt(self, server, client):
        """(Outcome, our address in the log)"""
        host, port = self.addresses[self.names[server]].rsplit(":", 1)
        return attempt((host, int(port)), client)

    def reason(self, peer):
        """What the log says about PEER's refusal, if it says so at once: it
        holds lines back when there are hundreds."""
        try:
            return self.daemon.refused(peer=peer, timeout=1).raw
        except AssertionError:
            return "no line in the log"

    def close(self):
        try:
            self.daemon.stop()
        finally:
            self.daemon.kill()
            self.backend.close()


@pytest.fixture(scope="module")
def ours(tmp_path_factory, material):
    running = Ours(tmp_path_factory.mktemp("oracle"), material)
    yield running
    running.close()


@pytest.fixture(scope="module")
def contexts(material):
    """Makes each of Python's contexts once."""
    made = {}

    def context(make, what):
        if what not in made:
            made[what] = make(what, material)
        return made[what]

    return context


@pytest.mark.parametrize("combination", MATRIX.values(), ids=MATRIX)
def test_sallyport_does_what_python_does(contexts, python, ours,
                                         combination):
    server, client = combination
    theirs = contexts(client_context, client)
    expected, reason = python.attempt(contexts(python_context, server),
                                      theirs)
    actual, peer = ours.attempt(server, theirs)

    listed = next((it for it in DIFFERENCES if it.applies(*combination)),
                  None)
    if listed is None:
        agree = expected == actual
    else:
        agree = str(expected).startswith(listed.python) and \
            str(actual).startswith(listed.ours)
    if not agree:
        what = f"not as listed under \"{listed.name}\"" if listed else \
            "they differ"
        pytest.fail(f"{what}:\n{server}\n{client}\n"
                    f"Python:    {expected} ({reason})\n"
                    f"sallyport: {actual} ({ours.reason(peer)})",
                    pytrace=False)


def test_the_matrix_is_large_enough():
    assert len(MATRIX) >= 300


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda it: it.name)
def test_each_listed_difference_occurs_and_has_its_reason(difference):
    assert any(difference.applies(*combination)
               for combination in MATRIX.values())
    assert difference.reason


def test_both_outcomes_occur_in_each_family(contexts, python):
    """Lest a family prove nothing."""
    for family in FAMILIES:
        results = {python.attempt(contexts(python_context, server),
                                  contexts(client_context, client))[0]
                   .accepted for _, server, client in family()}
        assert True in results
        if family is not preference:
            assert False in results or family is alpn
