"""`sallyport check` proves more than a start does: what clients will say to
our certificates, in words and places; and what it prints for machines."""

import json
import os
import re
import subprocess

import pytest

from harness.certificates import Maker, dns_only
from harness.daemon import environment
from harness.limits import seconds
from harness.pki import SERVER_AUTH
from harness.programs import sallyport

PRIVATE = re.compile(r"PRIVATE KEY|[A-Za-z0-9+/]{60}")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(Maker(tmp_path_factory.mktemp("check")))


class Made:
    """Certificates that a start takes and a client may not."""

    def __init__(self, make):
        self.make = make
        self.root = make.ca("Root")
        self.middle = make.ca("Middle", self.root)
        self.good = make.server(self.middle)
        self.alone = make.server(self.middle, send_chain=False)
        self.api = self.server("api.example", "*.api.example")
        self.crl = make.crl(self.root)

    def server(self, *names, issuer=None, **changes):
        return self.make.make(names[0] if names else "nameless",
                              issuer or self.middle, eku=[SERVER_AUTH],
                              names=names, **changes)

    def below(self, **changes):
        """One for localhost below an intermediate with CHANGES."""
        return self.server("localhost", issuer=self.make.ca(
            "Odd", self.root, **changes))


def listener(holder, *more, name="gw"):
    """Three lines with a header, then certfile (4), keyfile (5) and MORE."""
    return "\n".join([
        f"[listener {name}]", "listen = 127.0.0.1:0",
        "backend = 127.0.0.1:8080",
        f"certfile = {holder.cert}", f"keyfile = {holder.key}", *more, ""])


def server_name(holder, *names, name="api"):
    """The header, then listener, server_name (+2), certfile, keyfile."""
    return "\n".join([
        f"[server_name {name}]", "listener = gw",
        f"server_name = {' '.join(names)}",
        f"certfile = {holder.cert}", f"keyfile = {holder.key}", ""])


def say(line, section, text):
    return f"{line}: warning: [{section}] {text}"


class TestOurOwnChain:
    """The findings on the certificate of [listener gw], in line 4."""

    def find(self, check, holder, *more):
        result = check(listener(holder, *more))
        prefix = f'4: warning: [listener gw] certfile "{holder.cert}" '
        assert result.status == 0, result.stderr
        assert all(one.startswith(prefix) for one in result.findings)
        return [one[len(prefix):] for one in result.findings]

    def test_that_is_good_is_fine(self, check, made):
        assert self.find(check, made.good) == []

    def test_whose_root_is_known_is_fine(self, check, made):
        assert self.find(check, made.server("localhost", issuer=made.root),
                         f"cafile = {made.root.cert}") == []

    def test_that_is_self_signed_is_fine(self, check, made):
        assert self.find(check, made.make.server(None)) == []

    def test_whose_intermediate_is_missing(self, check, made):
        assert self.find(check, made.alone, f"cafile = {made.root.cert}") == [
            'certificate 1 (CN=localhost) is issued by "CN=Middle", which is '
            "neither in the file nor a root that is known here;\n"
            "    clients that lack the intermediate will refuse: append it "
            "to the file"]

    def test_whose_intermediate_is_in_the_wrong_file(self, check, made):
        found = self.find(check, made.alone, f"cafile = {made.root.cert}",
                          f"cafile = {made.middle.cert}")
        assert found == [
            'certificate 1 (CN=localhost) is issued by "CN=Middle", an '
            "intermediate CA that is not in the file;\n"
            "    clients that lack the intermediate will refuse: append it "
            "to the file"]

    def test_whose_issuer_is_known_to_another_listener(self, check, made):
        direct = made.server("localhost", issuer=made.root)
        result = check(listener(direct) + listener(
            made.good, f"cafile = {made.root.cert}", name="two"))
        assert result.findings == []

    def test_that_is_out_of_order(self, check, made):
        deep = made.server("localhost",
                           issuer=made.make.ca("Deep", made.middle))
        leaf, deep_ca, middle = pems(deep.cert)
        deep.cert.write_text(leaf + middle + deep_ca)
        found = self.find(check, deep)
        assert found[0] == (
            "certificate 2 (CN=Middle) did not sign certificate 1 "
            "(CN=localhost), the one before it: the chain is out of order")

    def test_whose_ca_strict_clients_refuse(self, check, made):
        assert self.find(check, made.below(key_usage=False)) == [
            "certificate 2 (CN=Odd): clients that verify strictly will "
            'refuse it ("CA cert does not include key usage extension")']

    def test_whose_ca_is_none(self, check, made):
        found = self.find(check, made.below(basic_says_ca=False))
        assert found[0].startswith("certificate 2 (CN=Odd): clients will "
                                   'refuse it ("')

    def test_that_is_too_long(self, check, made):
        short = made.make.ca("Short", path_length=0)
        below = made.server("localhost",
                            issuer=made.make.ca("Odd", short))
        assert self.find(check, below, f"cafile = {short.cert}") == [
            "is issued by a CA (CN=Short) that clients will refuse "
            '("path length constraint exceeded")']

    def test_whose_ca_may_not_certify_its_name(self, check, made):
        assert self.find(check, made.below(
            constraints=dns_only("corp.example"))) == [
                "certificate 1 (CN=localhost): clients will refuse it "
                '("permitted subtree violation")']

    def test_that_has_no_names(self, check, made):
        assert self.find(check, made.server()) == [
            "certificate 1 (CN=nameless) has no subjectAltName; clients "
            "find no server name in it"]

    def test_that_expires_soon(self, check, made):
        found = self.find(check, made.server("localhost", days=(-1, 13)))
        assert re.fullmatch(
            r"certificate 1 \(CN=localhost\) expires soon: it is valid "
            r"until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found[0])
        assert len(found) == 1

    def test_that_expires_later(self, check, made):
        assert self.find(check, made.server("localhost",
                                            days=(-1, 15))) == []

    def test_whose_ca_has_expired(self, check, made):
        found = self.find(check, made.below(days=(-9, -1)))
        assert re.fullmatch(
            r"certificate 2 \(CN=Odd\) has expired: it was valid until .*Z",
            found[0])
        assert len(found) == 1

    def test_that_is_for_clients(self, check, made):
        client = made.make.make("client", made.middle, names=("localhost",))
        assert self.find(check, client) == [
            "certificate 1 (CN=client) has an extendedKeyUsage without "
            "serverAuth; clients will refuse it"]


def pems(path):
    return re.findall(r"-----BEGIN.*?-----END CERTIFICATE-----\n",
                      path.read_text(), re.S)


class TestWeakKeys:
    def test_are_warned_of_where_they_are_taken_at_all(self, check, made):
        """TLS 1.0 needs OpenSSL's level 0, which takes anything."""
        short = made.server("localhost", key="rsa1024")
        result = check(listener(short, "minimum_version = TLSv1"))
        assert result.status == 0, result.stderr
        assert result.findings[0] == say(
            4, "listener gw", f'certfile "{short.cert}" certificate 1 '
            "(CN=localhost) has a weak key, RSA 1024: use RSA 2048, EC P-256 "
            "or better")

    def test_in_the_chain_are_warned_of(self, check, made):
        result = check(listener(made.below(key="rsa1024"),
                                "minimum_version = TLSv1"))
        assert "certificate 2 (CN=Odd) has a weak key, RSA 1024: " in \
            result.findings[0]

    def test_are_errors_elsewhere(self, check, made):
        short = made.server("localhost", key="rsa1024")
        result = check(listener(short))
        assert result.status == 1
        assert any(one.startswith("4: [listener gw] certfile ")
                   for one in result.findings)

    def test_signatures_with_sha1_are_warned_of(self, check, made):
        old = made.make.signed_with_sha1("old", made.root)
        result = check(listener(old, "minimum_version = TLSv1"))
        assert say(
            4, "listener gw", f'certfile "{old.cert}" certificate 1 (CN=old) '
            "is signed with SHA1, which can be forged: have it reissued with "
            "SHA-256 or better") in result.findings


class TestServerNames:
    def test_that_the_certificate_holds_are_fine(self, check, made):
        result = check(listener(made.good) + server_name(
            made.api, "api.example", "x.api.example"))
        assert result.findings == [], result.stderr

    def test_that_it_does_not_hold_are_warned_of(self, check, made):
        result = check(listener(made.good) + server_name(
            made.api, "api.example", "a.b.api.example", "www.example"))
        assert result.status == 0
        assert result.findings == [
            say(8, "server_name api", f'server_name "{name}" is not covered '
                f'by certfile "{made.api.cert}", which is for api.example, '
                "*.api.example")
            for name in ("a.b.api.example", "www.example")]

    def test_of_the_listeners_certificate_are_looked_at_too(self, check,
                                                            made):
        result = check(listener(made.good) + "[server_name api]\n"
                       "listener = gw\nserver_name = www.example\n")
        assert result.findings == [
            say(8, "server_name api", 'server_name "www.example" is not '
                f'covered by certfile "{made.good.cert}", which is for '
                "localhost, 127.0.0.1")]

    def test_have_their_chain_proven(self, check, made):
        alone = made.server("www.example", send_chain=False)
        result = check(listener(made.good) +
                       server_name(alone, "www.example"))
        assert len(result.findings) == 1
        assert result.findings[0].startswith(
            f'9: warning: [server_name api] certfile "{alone.cert}" '
            'certificate 1 (CN=www.example) is issued by "CN=Middle", which ')

    def test_that_inherit_say_nothing_twice(self, check, made):
        """The listener's certificate is its own affair."""
        old = made.server("localhost", days=(-9, -1))
        result = check(listener(old) + "[server_name one]\n"
                       "listener = gw\nserver_name = localhost\n")
        assert len(result.findings) == 1
        assert result.findings[0].startswith("4: warning: [listener gw] ")

    def test_that_are_shadowed_are_found(self, check, made):
        wild = made.server("*.corp.example")
        result = check(
            listener(made.good) + server_name(wild, "*.corp.example") +
            server_name(wild, "a.corp.example", name="one") +
            server_name(wild, "A.corp.example.", name="two"))
        assert result.status == 1
        assert [one for one in result.findings if "[server_name two]" in one
                and "given twice; first in line 13" in one]


class TestFiles:
    def test_a_key_that_others_can_read(self, check, made):
        made.good.key.chmod(0o644)
        try:
            result = check(listener(made.good))
        finally:
            made.good.key.chmod(0o600)
        assert result.status == 1
        assert result.findings == [
            f'5: [listener gw] keyfile "{made.good.key}": is accessible by '
            "others (mode 0644); chmod 0600"]

    def test_an_expired_crl(self, check, made):
        late = made.make.crl(made.root, days=(-9, -1))
        result = check(listener(made.good, f"cafile = {made.root.cert}",
                                f"crlfile = {late}"))
        assert any(one.startswith("7: ") and str(late) in one
                   and "expired" in one for one in result.findings), \
            result.stderr

    def test_a_crl_of_somebody_else(self, check, made):
        stranger = made.make.ca("Stranger")
        foreign = made.make.crl(stranger)
        result = check(listener(made.good, f"cafile = {made.root.cert}",
                                f"crlfile = {foreign}"))
        assert any(one.startswith("7: ") and str(foreign) in one
                   for one in result.findings), result.stderr

    def test_a_good_crl(self, check, made):
        result = check(listener(made.good, f"cafile = {made.root.cert}",
                                f"crlfile = {made.crl}"))
        assert result.findings == [], result.stderr

    def test_a_ca_without_key_usage_where_strictness_is_off(self, check,
                                                            made):
        sloppy = made.make.ca("Sloppy", key_usage=False)
        lines = [f"cafile = {sloppy.cert}"]
        assert len(check(listener(made.good, *lines)).findings) == 1
        lines.append("verify_flags = -x509_strict")
        assert not [one for one in check(listener(made.good, *lines)).findings
                    if "keyUsage" in one]


class TestStrict:
    def test_makes_findings_of_clients_fatal(self, check, made):
        text = listener(made.server())
        assert check(text).status == 0
        result = check(text, "--strict")
        assert result.status == 1
        assert result.count == \
            "sallyport: no errors, 1 warning; configuration not loaded"


class TestListener:
    @pytest.fixture
    def text(self, made):
        return listener(made.server("one"), name="one") + \
            listener(made.server(), name="two")

    def test_leaves_the_others_out(self, check, text):
        assert len(check(text).findings) == 1
        assert check(text, "--listener", "one").findings == []
        assert len(check(text, "--listener", "two").findings) == 1

    def test_of_no_such_name_is_an_error(self, check, text):
        result = check(text, "--listener", "three")
        assert result.status == 1
        assert result.findings == ["there is no [listener three] section"]

    def test_restricts_what_is_printed(self, check, text):
        printed = check(text, "--print", "--listener", "one").stdout
        assert "[listener one]" in printed
        assert "[listener two]" not in printed


class TestJson:
    def load(self, result):
        assert result.stderr == ""
        assert result.stdout.count("\n") == 1
        return json.loads(result.stdout)

    def test_of_a_good_file(self, check, made, tmp_path):
        result = check(listener(made.good), "--json")
        assert result.status == 0
        assert self.load(result) == {
            "file": str(tmp_path / "sallyport.ini"), "errors": 0,
            "warnings": 0, "findings": []}

    def test_has_every_finding_with_its_place(self, check, made, tmp_path):
        config = str(tmp_path / "sallyport.ini")
        result = check(listener(made.server()) + "x = 1\n", "--json")
        assert result.status == 1
        found = self.load(result)
        assert (found["errors"], found["warnings"]) == (1, 1)
        assert found["findings"][1] == {
            "severity": "error", "file": config, "line": 6,
            "section": "listener gw", "text": 'unknown key "x"'}
        assert found["findings"][0]["severity"] == "warning"
        assert found["findings"][0]["line"] == 4

    def test_agrees_with_the_text(self, check, made):
        text = listener(made.server()) + "x = 1\nidle_timeout = 5\n"
        plain = check(text)
        found = self.load(check(text, "--json"))
        assert plain.findings == [
            "{}:{} [{}] {}".format(
                one["line"],
                " warning:" if one["severity"] == "warning" else "",
                one["section"], one["text"].replace("\n", "\n    "))
            for one in found["findings"]]

    def test_keeps_the_exit_status_of_strict(self, check, made):
        text = listener(made.server())
        assert check(text, "--json").status == 0
        assert check(text, "--json", "--strict").status == 1

    @pytest.mark.parametrize("noise", [
        bytes(range(256)) * 40, b"\xff\xfe[\x00", b'[listener "\\"]\n',
        b"[listener gw]\nx\xc3\x28 = \xed\xa0\x80\n",
        b"[listener gw]\ncertfile = /\xff\xfe\"\\\t.pem\n" * 3,
        "[listener gw]\ncertfile = \u202e\u2028\U0001f600\n".encode()],
        ids=["all bytes", "UTF-16", "marks", "bad UTF-8", "odd path",
             "odd characters"])
    def test_is_valid_whatever_the_file_holds(self, check, noise):
        result = check(noise, "--json")
        assert result.status == 1
        found = self.load(result)
        assert found["errors"] > 0
        assert found["findings"]

    def test_of_a_file_that_is_missing(self, tmp_path, check):
        result = check("", "--json", "-c", str(tmp_path / "nowhere\n.ini"))
        assert result.status == 1
        assert self.load(result)["file"] == f"{tmp_path}/nowhere\n.ini"


class TestPrint:
    @pytest.fixture
    def text(self, made):
        return (
            "[sallyport]\nworkers = 3\n"
            "[defaults]\nidle_timeout = 5m\n"
            + listener(made.good, f"cafile = {made.root.cert}",
                       f"crlfile = {made.crl}", "alpn_protocols = h2 http/1.1",
                       "options = -cipher_server_preference no_ticket",
                       "listen = [::1]:0") +
            server_name(made.api, "api.example", "x.api.example") +
            "minimum_version = TLSv1.3\nverify_mode = optional\n")

    def test_says_where_each_value_came_from(self, check, made, text):
        result = check(text, "--print")
        assert result.status == 0, result.stderr
        process, gateway, api = result.stdout.split("\n\n")
        assert "workers = 3 ; line 2" in lines(process)
        assert "log_level = info ; default" in lines(process)
        assert lines(gateway)[0] == "[listener gw]"
        assert f"certfile = {made.good.cert} ; line 8" in lines(gateway)
        assert "idle_timeout = 5m ; [defaults], line 4" in lines(gateway)
        assert "minimum_version = TLSv1.2 ; default" in lines(gateway)
        assert "listen = 127.0.0.1:0 [::1]:0 ; line 6" in lines(gateway)
        assert lines(api)[0] == "[server_name api]"
        assert "minimum_version = TLSv1.3 ; line 20" in lines(api)
        assert f"cafile = {made.root.cert} ; [listener gw], line 10" in \
            lines(api)
        assert "idle_timeout = 5m ; [defaults], line 4" in lines(api)

    def test_shows_what_openssl_made_of_it(self, check, text):
        _, gateway, api = check(text, "--print").stdout.split("\n\n")
        assert became(gateway, "options") >= {
            "SSL_OP_NO_COMPRESSION", "SSL_OP_NO_RENEGOTIATION",
            "SSL_OP_NO_TICKET"}
        assert "SSL_OP_CIPHER_SERVER_PREFERENCE" not in \
            became(gateway, "options")
        assert became(gateway, "verify_flags") == {
            "X509_V_FLAG_X509_STRICT", "X509_V_FLAG_PARTIAL_CHAIN",
            "X509_V_FLAG_TRUSTED_FIRST", "X509_V_FLAG_CRL_CHECK"}
        assert became(gateway, "verify_mode") == {
            "SSL_VERIFY_PEER", "SSL_VERIFY_FAIL_IF_NO_PEER_CERT"}
        assert became(api, "verify_mode") == {"SSL_VERIFY_PEER"}
        assert became(gateway, "minimum_version") == {"TLS1_2_VERSION"}
        assert became(api, "minimum_version") == {"TLS1_3_VERSION"}
        assert "ECDHE-ECDSA-AES256-GCM-SHA384" in became(gateway, "ciphers")
        assert became(api, "ciphers") == {"none"}
        assert "TLS_AES_256_GCM_SHA384" in became(api, "ciphersuites")
        assert {group.lower() for group in became(gateway, "groups")} >= {
            "x25519", "secp256r1"}

    @pytest.mark.parametrize("comments", [True, False])
    def test_can_be_loaded_and_means_the_same(self, check, text, comments):
        printed = check(text, "--print").stdout
        again = check(printed if comments else bare(printed), "--print")
        assert again.status == 0, again.stderr
        assert bare(again.stdout) == bare(printed)

    def test_of_long_values_can_be_loaded_and_means_the_same(
            self, check, made, text):
        ca = made.root.cert.read_text().replace("\n", "\n\t").rstrip()
        text = text.replace(
            f"cafile = {made.root.cert}\n",
            f"cafile = {made.root.cert}\n\t{made.middle.cert}\n"
            f"cadata =\n\t{ca}\n"
            "ciphers = " + "\n\t".join(["ECDHE-ECDSA-AES128-GCM-SHA256"] * 12)
            + "\n")
        printed = check(text, "--print").stdout
        again = check(printed, "--print")
        assert again.status == 0, again.stderr
        assert bare(again.stdout) == bare(printed)
        assert str(made.middle.cert) in printed
        assert printed.count("-----BEGIN CERTIFICATE-----") == 2

    def test_names_secrets_and_never_shows_them(self, check, pki):
        key = pki.encrypted_key(pki.server)
        password = pki.password_file()
        text = (f"[listener gw]\nlisten = 127.0.0.1:0\nbackend = 127.0.0.1:1\n"
                f"certfile = {pki.server.cert}\nkeyfile = {key}\n"
                f"password_file = {password}\ncafile = {pki.ca.cert}\n")
        result = check(text, "--print")
        assert result.status == 0, result.stderr
        assert f"keyfile = {key} ; line 5" in lines(result.stdout)
        assert f"password_file = {password} ; line 6" in lines(result.stdout)
        assert not PRIVATE.search(result.stdout)
        assert password.read_text().strip() not in result.stdout

    def test_of_a_file_with_errors_prints_findings_only(self, check, text):
        result = check(text + "x = 1\n", "--print")
        assert result.status == 1
        assert result.stdout == ""
        assert 'unknown key "x"' in result.stderr

    def test_goes_with_warnings(self, check, made):
        result = check(listener(made.server()), "--print")
        assert result.status == 0
        assert "[listener gw]" in result.stdout
        assert len(result.findings) == 1


def lines(text):
    return text.splitlines()


def bare(text):
    """TEXT without comments."""
    kept = [re.sub(r" ;.*", "", line) for line in lines(text)
            if not line.startswith("#")]
    return "\n".join(kept) + "\n"


def became(section, key):
    """The words of the comment below KEY."""
    words = set()
    inside = False
    for line in lines(section):
        if inside and line.startswith("#   "):
            words.update(line[4:].split())
        else:
            inside = line.startswith((f"{key} = ", f"# {key} is not set"))
    return words


class TestOutput:
    @pytest.mark.parametrize("option", ["--json", "--print"])
    def test_to_a_full_disk_is_noticed(self, made, tmp_path, option):
        config = tmp_path / "sallyport.ini"
        config.write_text(listener(made.good))
        with open("/dev/full", "w", encoding="ascii") as full:
            assert check_into(full, config, option) == 1

    def test_leaves_nothing_behind(self, check, made, tmp_path):
        """A key log made here would belong to whoever checks."""
        result = check(listener(made.good, "keylog_filename = keys.log"),
                       "--print")
        assert result.status == 0, result.stderr
        assert "keylog_filename = keys.log ; line 6" in result.stdout
        assert os.listdir(tmp_path) == ["sallyport.ini"]

    def test_finds_a_key_log_that_cannot_be_made(self, check, made):
        result = check(listener(made.good,
                                "keylog_filename = /nonexistent/keys.log"))
        assert result.status == 1
        assert "6: [listener gw] keylog_filename " \
            '"/nonexistent/keys.log": No such file or directory' in \
            result.findings


def check_into(out, config, option):
    return subprocess.run(
        [sallyport(), "check", "-c", str(config), option],
        stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL,
        env=environment(), timeout=seconds(20), check=False).returncode
