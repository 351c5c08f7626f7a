"""What the scanners that auditors bring say about a listener whose
configuration says nothing: no finding above LOW."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from harness.certificates import Maker
from harness.clients import run
from harness.programs import need

HARMLESS = {"OK", "INFO", "LOW", "DEBUG"}
# Findings about the scanner and its host.
NOT_ABOUT_US = {"engine_problem", "old_fart", "optimal_proto"}
# One finding of each section asked for: who finds nothing has not looked.
SECTIONS = {
    "-p": ["SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3"],
    "-s": ["cipherlist_NULL", "cipherlist_aNULL", "cipherlist_EXPORT"],
    "-S": ["cert_signatureAlgorithm", "cert_chain_of_trust", "cert_trust",
           "sessionresumption_ticket", "sessionresumption_ID"],
    "-U": ["heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_renego",
           "secure_client_renego", "CRIME_TLS", "POODLE_SSL", "SWEET32",
           "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13"],
    "-4": ["RC4"],
    "-g": ["GREASE"],
}
# testssl looks for resumption with two runs of s_client whose input is at its
# end from the start. Of TLS 1.3, the tickets come after the handshake: the
# first run often quits (whatever the server, OpenSSL's own too) without having
# read them, and testssl speaks of a connect problem. A request makes it stay
# until the answer, which comes after the tickets.
OPENSSL = """#!/bin/sh
case " $* " in
*" s_client "*" -sess_out "*)
    printf 'GET / HTTP/1.0\\r\\n\\r\\n' | exec {openssl} "$@" -ign_eof ;;
*)  exec {openssl} "$@" ;;
esac
"""


def http(peer):
    """So much of a web server that a scanner goes on at once."""
    peer.recv()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
              b"Connection: close\r\n\r\nok\n")
    peer.finish()


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("scanners"))


@pytest.fixture(scope="module")
def scanned(maker):
    """(CA, a certificate that no scanner finds fault with): the findings
    are to be about the daemon."""
    ca = maker.ca("Test CA", days=(-1, 400))
    return ca, maker.server(ca, days=(-1, 200),
                            crl_uri="http://localhost/ca.crl")


@pytest.fixture
def default_listener(backend, start_daemon, scanned):
    """Nobody is asked for a certificate, or no scanner would get in; all
    else is the default."""
    _, server = scanned
    return start_daemon({
        "sallyport": {"workers": 1},
        "listener gw": {"listen": "127.0.0.1:0", "certfile": server.cert,
                        "keyfile": server.key,
                        "backend": backend(http).address}})


def target(daemon):
    return f"localhost:{daemon.port()}"


def check_xml(root):
    """What is wrong, by sslscan's own judgement."""
    wrong = []
    for one in root.iter("protocol"):
        name = f"{one.get('type')} {one.get('version')}"
        known = name in ("tls 1.2", "tls 1.3")
        if (one.get("enabled") == "1") != known:
            wrong.append(f"{name} enabled={one.get('enabled')}")
    for one in root.iter("cipher"):
        if one.get("strength") not in ("strong", "acceptable"):
            wrong.append(f"cipher {one.get('cipher')} is "
                         f"{one.get('strength')}")
    for one in root.iter("group"):
        if int(one.get("bits")) < 112:
            wrong.append(f"group {one.get('name')}")
    for name, attribute, right in (
            ("compression", "supported", "0"),
            ("fallback", "supported", "1"),
            ("heartbleed", "vulnerable", "0")):
        wrong += [f"{name} {attribute}={one.get(attribute)}"
                  for one in root.iter(name) if one.get(attribute) != right]
    wrong += ["renegotiation by the client" for one in
              root.iter("renegotiation")
              if one.get("supported") == "1" and one.get("secure") != "1"]
    for tag in ("expired", "self-signed"):
        wrong += [f"certificate: {tag}" for one in root.iter(tag)
                  if one.text != "false"]
    return wrong


def test_sslscan_finds_nothing(default_listener):
    done = run([need("sslscan", "sslscan"), "--xml=-", "--no-colour",
                "--show-certificate", target(default_listener)], timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    root = ElementTree.fromstring(done.stdout)
    versions = {one.get("sslversion") for one in root.iter("cipher")}
    assert versions == {"TLSv1.2", "TLSv1.3"}
    assert len(list(root.iter("protocol"))) == 6
    assert list(root.iter("heartbleed"))
    assert list(root.iter("certificate"))
    assert check_xml(root) == []


def test_sslscan_is_understood(start_daemon, backend, scanned):
    """A bad listener is found out: the test above can fail."""
    _, server = scanned
    daemon = start_daemon({
        "sallyport": {"workers": 1},
        "listener gw": {"listen": "127.0.0.1:0", "certfile": server.cert,
                        "keyfile": server.key, "minimum_version": "TLSv1",
                        "ciphers": "ECDHE+AES:@SECLEVEL=0",
                        "backend": backend(http).address}})
    done = run([need("sslscan", "sslscan"), "--xml=-", "--no-colour",
                target(daemon)], timeout=60)
    assert "tls 1.0 enabled=1" in check_xml(
        ElementTree.fromstring(done.stdout))


@pytest.fixture
def patient_openssl(tmp_path):
    script = tmp_path / "openssl"
    script.write_text(OPENSSL.format(openssl=need("openssl", "openssl")))
    script.chmod(0o755)
    return script


@pytest.mark.limit(180)
def test_testssl_finds_nothing(default_listener, scanned, patient_openssl,
                               tmp_path):
    ca, _ = scanned
    report = tmp_path / "findings.json"
    need("hexdump", "bsdextrautils")
    done = run([need("testssl", "testssl.sh"), "--quiet", "--color", "0",
                "--warnings", "off", "--nodns", "none",
                "--connect-timeout", "10", "--openssl-timeout", "10",
                "--openssl", str(patient_openssl),
                "--add-ca", str(ca.cert), "--jsonfile", str(report),
                *SECTIONS, "-f", "-P", target(default_listener)],
               timeout=150)
    assert report.exists(), done.stderr.decode() + done.stdout.decode()
    findings = json.loads(report.read_text())
    # One name may have several certificates, "<cert#1>".
    ids = {one["id"].split(" ")[0] for one in findings}
    for section, wanted in SECTIONS.items():
        missing = set(wanted) - ids
        assert not missing, f"testssl {section} did not look at {missing}"
    resumption = {one["id"]: one["finding"] for one in findings
                  if one["id"].startswith("sessionresumption_")}
    assert resumption == {"sessionresumption_ticket": "supported",
                          "sessionresumption_ID": "supported"}
    bad = [f"{one['severity']} {one['id']}: {one['finding']}"
           for one in findings if one["severity"] not in HARMLESS
           and one["id"] not in NOT_ABOUT_US]
    assert not bad, "\n".join(bad)
