"""What `sallyport check` says about each thing that can be wrong.

Findings are compared as printed, less the name of the file in front:
"7: [listener gw] ..." stands for "/path/sallyport.ini:7: [listener gw] ...".
"""

import os
import re

import pytest

from harness.daemon import Check, run_check
from harness.programs import need, need_root

# Six lines that are fine; what a test adds is line 7.
GATEWAY = """\
[listener gw]
listen = 127.0.0.1:0
certfile = {pki.server.cert}
keyfile = {pki.server.key}
cafile = {pki.ca.cert}
backend = 127.0.0.1:8080
"""


def without(key, text=GATEWAY):
    """TEXT with KEY's line made a comment, so that lines keep their
    numbers."""
    return re.sub(rf"^{key} =", f"# {key} =", text, flags=re.M)


def replaced(key, value):
    return re.sub(rf"^{key} = .*", f"{key} = {value}", GATEWAY, flags=re.M)


# name: (the file, what is found)
ERRORS = {
    # keys
    "unknown key": (
        GATEWAY + "minimum_verson = TLSv1.2\n",
        ['7: [listener gw] unknown key "minimum_verson"; did you mean '
         '"minimum_version"?']),
    "unknown key like no other": (
        GATEWAY + "frobnicate = 1\n",
        ['7: [listener gw] unknown key "frobnicate"']),
    "key that is not built yet": (
        GATEWAY + "starttls = smtp\n",
        ['7: [listener gw] unknown key "starttls"']),
    "key of another section": (
        GATEWAY + "workers = 2\n",
        ['7: [listener gw] key "workers" belongs in [sallyport]']),
    "listener key in the process section": (
        GATEWAY + "[sallyport]\nbackend = 127.0.0.1:1\n",
        [re.compile(r'8: \[sallyport\] key "backend" belongs in \[')]),
    "key in capitals": (
        GATEWAY + "Ciphers = HIGH\n",
        ['7: [listener gw] unknown key "Ciphers"; did you mean "ciphers"?']),
    "scalar given twice": (
        GATEWAY + "idle_timeout = 1h\nidle_timeout = 1h\n",
        ["8: [listener gw] idle_timeout given twice; first in line 7"]),
    "scalar continued": (
        GATEWAY + "idle_timeout = 1h\n    2h\n",
        ["8: [listener gw] idle_timeout takes one value; this indented line "
         "continues it"]),
    "indented key": (
        GATEWAY + "ciphers = HIGH\n  idle_timeout = 1h\n",
        ['8: [listener gw] indented, this line continues "ciphers"; remove '
         'the blanks before "idle_timeout = 1h"']),
    "key without value": (
        GATEWAY + "ciphers =\n",
        ["7: [listener gw] ciphers has no value"]),
    "missing listen": (
        without("listen"),
        ['1: [listener gw] missing required key "listen"']),
    "missing backend": (
        without("backend"),
        ['1: [listener gw] missing required key "backend"']),
    "missing certfile": (
        without("certfile", without("keyfile")),
        ['1: [listener gw] missing required key "certfile"']),

    # sections
    "no listener": (
        "[sallyport]\nworkers = 1\n",
        ["there is no [listener NAME] section"]),
    "empty file": (
        "", ["there is no [listener NAME] section"]),
    "unknown section": (
        GATEWAY + "[upstream x]\n",
        ["7: unknown section [upstream x]"]),
    "misspelt section": (
        GATEWAY + "[default]\n",
        ["7: unknown section [default]; did you mean [defaults]?"]),
    "listener without name": (
        GATEWAY + "[listener]\n",
        ["7: [listener] section has no name: [listener NAME]"]),
    "process section with name": (
        GATEWAY + "[sallyport x]\n",
        ["7: [sallyport x] section takes no name: [sallyport]"]),
    "section given twice": (
        GATEWAY + "[listener gw]\n",
        ["7: [listener gw] section given twice; first in line 1"]),
    "header without end": (
        GATEWAY + "[sallyport\nworkers = 2\n",
        ['7: section header has no closing "]"']),
    "text behind a header": (
        GATEWAY + "[sallyport] workers = 2\n",
        ["7: text after the section header"]),
    "header without type": (
        GATEWAY + "[]\n",
        ['7: section header is not "[type]" or "[type name]"']),
    "odd character in a name": (
        GATEWAY + "[listener a/b]\n",
        ['7: name of a section may hold letters, digits, "-", "_" and "." '
         'only']),
    "name that is too long": (
        GATEWAY + f"[listener {'x' * 60}]\nworkers = 2\n",
        ["7: section header is longer than 49 bytes"]),

    # lines
    "key before any section": (
        "workers = 2\n" + GATEWAY,
        ["1: key before the first section header"]),
    "line that is no pair": (
        GATEWAY + "what is this\n",
        ['7: [listener gw] line is not "key = value"']),
    "key that is too long": (
        GATEWAY + "x" * 60 + " = 1\n",
        ["7: [listener gw] key is longer than 49 bytes"]),
    "line of 300 bytes": (
        GATEWAY + "ciphers = " + "HIGH:" * 58 + "HIGH\nlisten = x\n",
        ["7: [listener gw] line is longer than 198 bytes",
         re.compile(r'^8: \[listener gw\] listen "x" ')]),
    "line of a megabyte": (
        GATEWAY + "ciphers = " + "x" * 1_000_000 + "\n",
        ["7: [listener gw] line is longer than 198 bytes"]),
    "long line whose tail looks like a key": (
        GATEWAY + "ciphers = " + "H" * 200 + "\n" +
        "x" * 210 + "\tallow_remote_plaintext = yes\n",
        ["7: [listener gw] line is longer than 198 bytes",
         re.compile(r"^8: \[listener gw\] ")]),
    "NUL byte": (
        GATEWAY + "ciphers = HIGH\0x\n",
        ["7: [listener gw] line holds a NUL byte"]),
    "control character": (
        GATEWAY + "ciphers = \x1b[2J\n",
        ["7: [listener gw] line holds a control character (0x1b)"]),

    # values
    "unknown version": (
        GATEWAY + "minimum_version = TLSv1.5\n",
        ['7: [listener gw] minimum_version "TLSv1.5" is not one of: TLSv1, '
         'TLSv1.1, TLSv1.2, TLSv1.3']),
    "maximum below minimum": (
        GATEWAY + "minimum_version = TLSv1.3\nmaximum_version = TLSv1.2\n",
        ['8: [listener gw] maximum_version "TLSv1.2" is below '
         'minimum_version "TLSv1.3"']),
    "unknown verify_mode": (
        GATEWAY + "verify_mode = yes\n",
        ['7: [listener gw] verify_mode "yes" is not one of: none, optional, '
         'required']),
    "verify_mode none beside a CA": (
        GATEWAY + "verify_mode = none\n",
        ['7: [listener gw] verify_mode "none" would ignore cafile; remove '
         'one of them']),
    "verify_mode required without a CA": (
        without("cafile") + "verify_mode = required\n",
        [re.compile(r'^3: warning: \[listener gw\] certfile "[^"]*" '
                    r'certificate 1 \(CN=localhost\) is issued by '
                    r'"CN=Test CA", which is neither in the file nor a root'),
         "7: [listener gw] verify_mode needs a cafile to verify with"]),
    "boolean that is none": (
        GATEWAY + "allow_remote_plaintext = maybe\n",
        ['7: [listener gw] allow_remote_plaintext "maybe" is not one of: '
         'yes, no, true, false, on, off']),
    "duration without unit": (
        GATEWAY + "idle_timeout = 10\n",
        ['7: [listener gw] idle_timeout "10" has no unit; write 10s for '
         'seconds (ms, s, m, h, d)']),
    "duration that is none": (
        GATEWAY + "idle_timeout = soon\n",
        [re.compile(r'^7: \[listener gw\] idle_timeout "soon" is not a '
                    r'duration')]),
    "duration below zero": (
        GATEWAY + "idle_timeout = -1s\n",
        [re.compile(r'^7: \[listener gw\] idle_timeout "-1s" is not ')]),
    "duration beyond its range": (
        GATEWAY + "handshake_timeout = 10h\n",
        ['7: [listener gw] handshake_timeout "10h" is not between 100ms and '
         '5m']),
    "handshake_timeout without end": (
        GATEWAY + "handshake_timeout = 0\n",
        ['7: [listener gw] handshake_timeout "0" is not between 100ms and '
         '5m']),
    "no workers": (
        GATEWAY + "[sallyport]\nworkers = 0\n",
        ['8: [sallyport] workers "0" is not a whole number from 1 to 1024, '
         'or auto']),
    "workers that are no number": (
        GATEWAY + "[sallyport]\nworkers = 2x\n",
        ['8: [sallyport] workers "2x" is not a whole number from 1 to 1024, '
         'or auto']),
    "unknown log_level": (
        GATEWAY + "[sallyport]\nlog_level = chatty\n",
        ['8: [sallyport] log_level "chatty" is not one of: error, warn, '
         'notice, info, debug']),
    "unknown log_format": (
        GATEWAY + "[sallyport]\nlog_format = xml\n",
        ['8: [sallyport] log_format "xml" is not one of: auto, text, json, '
         'journal']),
    "ciphers that are none": (
        GATEWAY + "ciphers = NONSENSE\n",
        ['7: [listener gw] ciphers "NONSENSE" leaves no cipher for TLS '
         '1.2']),
    "unknown ciphersuite": (
        GATEWAY + "ciphersuites = TLS_AES_128_GCM_SHA256 TLS_NONSENSE\n",
        ['7: [listener gw] ciphersuites: "TLS_NONSENSE" is no TLS 1.3 '
         'cipher suite of this OpenSSL']),

    # addresses
    "port that is too large": (
        replaced("listen", "127.0.0.1:99999999"),
        ['2: [listener gw] listen "127.0.0.1:99999999": "99999999" is not '
         'a port (1-65535)']),
    "backend port that is too large": (
        replaced("backend", "127.0.0.1:99999999"),
        ['6: [listener gw] backend "127.0.0.1:99999999": "99999999" is not '
         'a port (1-65535)']),
    "backend port 0": (
        replaced("backend", "127.0.0.1:0"),
        ['6: [listener gw] backend "127.0.0.1:0": "0" is not a port '
         '(1-65535)']),
    "listen without port": (
        replaced("listen", "127.0.0.1"),
        ['2: [listener gw] listen "127.0.0.1" has no port (ADDRESS:PORT)']),
    "listen on a host name": (
        replaced("listen", "localhost:8443"),
        ['2: [listener gw] listen "localhost:8443": "localhost" is not an '
         'address to listen on (IPV4:PORT, [IPV6]:PORT, *:PORT, unix:/PATH, '
         'systemd:NAME)']),
    "IPv4 address that is none": (
        replaced("listen", "127.0.0.256:1"),
        ['2: [listener gw] listen "127.0.0.256:1": "127.0.0.256" is not an '
         'IPv4 address']),
    "IPv6 address without brackets": (
        replaced("listen", "::1:8443"),
        ['2: [listener gw] listen "::1:8443": an IPv6 address wants '
         'brackets ([IPV6]:PORT)']),
    "unix path that is too long": (
        replaced("backend", "unix:/" + "x" * 120),
        [re.compile(r'^6: \[listener gw\] backend "unix:/x{120}" is too '
                    r'long for a unix socket: 121 bytes, at most 107$')]),
    "backend on any address": (
        replaced("backend", "*:80"),
        ['6: [listener gw] backend "*:80": * can be listened on only, not '
         'connected to']),
    "two backends": (
        GATEWAY + "backend = 127.0.0.1:2\n",
        ["7: [listener gw] backend given twice; first in line 6"]),
    "backend on another machine": (
        replaced("backend", "192.0.2.1:80"),
        ['6: [listener gw] backend "192.0.2.1:80" may be on another machine '
         'and would be sent plaintext; set allow_remote_plaintext = yes if '
         'that is meant']),
    "backend by name": (
        replaced("backend", "localhost:80"),
        ['6: [listener gw] backend "localhost:80" may be on another machine '
         'and would be sent plaintext; set allow_remote_plaintext = yes if '
         'that is meant']),
    "one address twice": (
        replaced("listen", "127.0.0.1:4433") + "listen = 127.0.0.1:4433\n",
        ['7: [listener gw] listen "127.0.0.1:4433" overlaps '
         '"127.0.0.1:4433" of [listener gw] in line 2']),
    "two listeners on one address": (
        replaced("listen", "127.0.0.1:4433") +
        replaced("listen", "*:4433").replace("gw]", "two]"),
        ['8: [listener two] listen "*:4433" overlaps "127.0.0.1:4433" of '
         '[listener gw] in line 2']),

    # files
    "certfile that is missing": (
        replaced("certfile", "/nonexistent/gw.pem"),
        ['3: [listener gw] certfile "/nonexistent/gw.pem": No such file or '
         'directory']),
    "keyfile that is missing": (
        replaced("keyfile", "/nonexistent/gw.key"),
        ['4: [listener gw] keyfile "/nonexistent/gw.key": No such file or '
         'directory']),
    "cafile that is missing": (
        replaced("cafile", "/nonexistent/ca.pem"),
        ['5: [listener gw] cafile "/nonexistent/ca.pem": No such file or '
         'directory']),
    "certfile that is a directory": (
        replaced("certfile", "/etc"),
        ['3: [listener gw] certfile "/etc": Is a directory']),
    "cafile that is a device": (
        replaced("cafile", "/dev/zero"),
        ['5: [listener gw] cafile "/dev/zero": is not a regular file']),
    "certfile that holds a key": (
        replaced("certfile", "{pki.server.key}"),
        ['3: [listener gw] certfile "{pki.server.key}" holds no certificate '
         'in PEM; it holds a private key']),
    "keyfile that holds a certificate": (
        replaced("keyfile", "{secret_certificate}"),
        ['4: [listener gw] keyfile "{secret_certificate}" holds no private '
         'key in PEM; it holds a certificate']),
    "cafile that is empty": (
        replaced("cafile", "/dev/null"),
        ['5: [listener gw] cafile "/dev/null": is not a regular file']),
    "keyfile that others can read": (
        replaced("keyfile", "{public_key_file}"),
        ['4: [listener gw] keyfile "{public_key_file}": is accessible by '
         'others (mode 0644); chmod 0600']),
    "password_file that others can read": (
        replaced("keyfile", "{encrypted_key}") +
        "password_file = {public_password}\n",
        ['7: [listener gw] password_file "{public_password}": is accessible '
         'by others (mode 0644); chmod 0600']),
    "encrypted key": (
        replaced("keyfile", "{encrypted_key}"),
        ['4: [listener gw] keyfile "{encrypted_key}" is encrypted; set '
         'password_file']),
    "old-fashioned encrypted key": (
        replaced("keyfile", "{old_encrypted_key}"),
        ['4: [listener gw] keyfile "{old_encrypted_key}" is encrypted; set '
         'password_file']),
    "wrong password": (
        replaced("keyfile", "{encrypted_key}") +
        "password_file = {wrong_password}\n",
        ['4: [listener gw] keyfile "{encrypted_key}" is encrypted, and not '
         'with the password in password_file "{wrong_password}"']),
    "chain in the wrong order": (
        replaced("certfile", "{backwards}"),
        [re.compile(r'^3: warning: \[listener gw\] certfile "[^"]*" '
                    r'certificate 2 \(CN=localhost\) did not sign '
                    r'certificate 1 \(CN=Intermediate CA\)'),
         re.compile(r'^4: \[listener gw\] keyfile "[^"]*" ')]),
    "two certfiles with one keyfile": (
        GATEWAY + "certfile = {pki.server_behind.cert}\n",
        [re.compile(r"^4: \[listener gw\] 1 keyfile for 2 certfile")]),
}


@pytest.fixture(scope="module")
def names(pki):
    """What the files above may name in braces."""
    server = pki.server
    behind = pki.server_behind.cert.read_bytes()
    split = behind.index(b"-----BEGIN", 1)
    return {
        "pki": pki,
        "secret_certificate": pki.write("certificate.key",
                                        server.cert.read_bytes()),
        "public_key_file": pki.write("public.key", server.key.read_bytes(),
                                     0o644),
        "encrypted_key": pki.encrypted_key(server),
        "old_encrypted_key": pki.encrypted_key(server, traditional=True),
        "wrong_password": pki.password_file("wrong"),
        "public_password": pki.write("public-password", b"x\n", 0o644),
        "backwards": pki.write("backwards.pem",
                               behind[split:] + behind[:split]),
    }


def is_like(finding, expected):
    if isinstance(expected, re.Pattern):
        return expected.search(finding) is not None
    return finding == expected


@pytest.mark.parametrize("text, expected", ERRORS.values(), ids=ERRORS)
def test_is_found_with_its_place(check, names, text, expected):
    result = check(text.format(**names))
    expected = [line if isinstance(line, re.Pattern)
                else line.format(**names) for line in expected]
    assert result.status == 1
    assert len(result.findings) == len(expected), result.stderr
    for finding, wanted in zip(result.findings, expected):
        assert is_like(finding, wanted), \
            f"\n{finding}\nis not\n{wanted}"
    warnings = sum(": warning: " in finding for finding in result.findings)
    assert result.count == "sallyport: {}, {}; configuration not " \
        "loaded".format(plural(len(expected) - warnings, "error"),
                        plural(warnings, "warning"))


def plural(n, noun):
    return f"{n or 'no'} {noun}{'' if n == 1 else 's'}"


def test_a_fine_file_is_fine(check, names):
    result = check(GATEWAY.format(**names))
    assert result.status == 0
    assert result.stderr == \
        "sallyport: no errors, no warnings; configuration is fine\n"
    assert result.stdout == ""


def test_every_finding_starts_with_the_file_as_given(check, names):
    result = check(GATEWAY.format(**names) + "x = 1\n")
    assert re.match(r"/.*/sallyport\.ini:7: \[listener gw\] ",
                    result.stderr)


def test_all_errors_are_found_in_one_run_in_order(check, names):
    text = (GATEWAY.replace("127.0.0.1:0", "127.0.0.1:x")
            .replace("{pki.server.cert}", "/nonexistent")
            + "bakend = 1\nidle_timeout = 5\n[sallyport]\nworkers = many\n"
            + "[listener two]\nlisten = 127.0.0.1:0\n")
    result = check(text.format(**names))
    places = [int(finding.split(":")[0]) for finding in result.findings]
    assert places == [2, 3, 7, 8, 10, 11, 11]
    assert result.count == \
        "sallyport: 7 errors, no warnings; configuration not loaded"


def test_a_key_of_somebody_else_shows_both_public_keys(check, names, pki):
    text = GATEWAY.replace("pki.server.key", "pki.good.key")
    result = check(text.format(**names))
    assert result.status == 1
    assert re.fullmatch(
        rf'4: \[listener gw\] keyfile "{pki.good.key}" does not match '
        rf'certfile "{pki.server.cert}"\n'
        r"    certificate public key sha256:[0-9a-f]+\.\. \(EC P-256, "
        r"CN=localhost\); private key sha256:[0-9a-f]+\.\. \(EC P-256\)",
        result.findings[0]), result.stderr


def test_a_ca_without_key_usage_is_warned_of(check, names, pki):
    text = GATEWAY.replace("pki.ca.cert", "pki.sloppy_ca.cert") + \
        "cafile = {pki.ca.cert}\n"
    result = check(text.format(**names))
    assert result.status == 0
    assert result.findings[0].startswith(
        f'5: warning: [listener gw] cafile "{pki.sloppy_ca.cert}" '
        "certificate 1 (CN=Tutorial CA) has no keyUsage; with "), \
        result.stderr
    assert '"CA cert does not include key usage extension"' in result.stderr
    assert result.count.startswith("sallyport: no errors, 1 warning; ")


def test_strict_makes_warnings_fatal(check, names):
    text = GATEWAY.replace("pki.ca.cert", "pki.sloppy_ca.cert")
    assert check(text.format(**names), "--strict").status == 1


def test_strict_lets_a_fine_file_through(check, names):
    assert check(GATEWAY.format(**names), "--strict").status == 0


@pytest.mark.parametrize("change, words", [
    ({"pki.server.": "pki.server_future."}, "is not yet valid"),
    ({"pki.server.": "pki.server_expired."}, "has expired: it was valid "),
    ({"pki.server.": "pki.server_for_clients."},
     "has an extendedKeyUsage without serverAuth; clients will refuse it"),
    ({"pki.ca.": "pki.expired."}, "is no CA"),
    ({"backend = 127": "minimum_version = TLSv1.1\nbackend = 127"},
     'minimum_version "TLSv1.1" lets clients use a protocol that is no '
     'longer safe'),
])
def test_is_warned_of(check, names, change, words):
    text = GATEWAY
    for old, new in change.items():
        text = text.replace(old, new)
    result = check(text.format(**names))
    assert result.status == 0
    assert words in result.stderr
    assert ": warning: [listener gw] " in result.findings[0]


class TestAccepted:
    """Files that look odd but are right."""

    @pytest.mark.parametrize("text", [
        "\ufeff" + GATEWAY,
        GATEWAY.replace("\n", "\r\n"),
        GATEWAY.rstrip("\n"),
        GATEWAY.replace(" = ", "="),
        "# note\n; note\n\n" + GATEWAY.replace("\n", " ; note\n"),
        GATEWAY + "ciphersuites = TLS_AES_128_GCM_SHA256\n"
                  "\tTLS_AES_256_GCM_SHA384\n",
        GATEWAY + "listen = 127.0.0.2:0 [::1]:0\n",
        GATEWAY.replace("127.0.0.1:8080", "[::1]:8080"),
        GATEWAY.replace("127.0.0.1:8080", "unix:/run/x.sock"),
        GATEWAY.replace("127.0.0.1:8080", "db.example:5432") +
        "allow_remote_plaintext = yes\n",
        "[defaults]\nidle_timeout = 5m\n" + GATEWAY,
        GATEWAY + "idle_timeout = 0\ntcp_keepalive = 0\n",
        GATEWAY + "[sallyport]\nworkers = auto\nmax_connections = 100\n"
                  "drain_timeout = 0\n",
    ], ids=["byte order mark", "CRLF", "no last newline", "no blanks",
            "comments", "continuation", "several on a line",
            "IPv6 backend", "unix backend", "named backend", "defaults",
            "zeros", "process"])
    def test_is_accepted(self, check, names, text):
        result = check(text.format(**names))
        assert result.status == 0, result.stderr
        assert result.findings == []

    def test_paths_are_relative_to_the_configuration(self, check, names,
                                                     tmp_path, pki):
        for name, source in (("a.pem", pki.server.cert),
                             ("a.key", pki.server.key),
                             ("ca.pem", pki.ca.cert)):
            (tmp_path / name).touch(0o600)
            (tmp_path / name).write_bytes(source.read_bytes())
        result = check("[listener gw]\nlisten = 127.0.0.1:0\n"
                       "certfile = a.pem\nkeyfile = a.key\n"
                       "cafile = ca.pem\nbackend = 127.0.0.1:1\n")
        assert result.status == 0, result.stderr

    def test_credentials_come_from_the_service_manager(
            self, gateway, backend, pki, tmp_path):
        (tmp_path / "gw.key").touch(0o600)
        (tmp_path / "gw.key").write_bytes(pki.server.key.read_bytes())
        gateway(backend(), keyfile="credential:gw.key", daemon={
            "env": {"CREDENTIALS_DIRECTORY": str(tmp_path)}})


class TestConfigurationItself:
    def test_that_is_missing(self, tmp_path, run_on):
        result = run_on(tmp_path / "nowhere.ini")
        assert result.status == 1
        assert result.stderr == (
            f"{tmp_path}/nowhere.ini: cannot read the configuration: No "
            "such file or directory\n"
            "sallyport: 1 error, no warnings; configuration not loaded\n")

    def test_that_is_a_directory(self, tmp_path, run_on):
        result = run_on(tmp_path)
        assert result.status == 1
        assert "Is a directory" in result.stderr

    def test_that_is_a_fifo_does_not_block(self, tmp_path, run_on):
        os.mkfifo(tmp_path / "fifo")
        result = run_on(tmp_path / "fifo")
        assert result.status == 1
        assert "is not a regular file" in result.stderr

    def test_that_is_huge(self, check):
        result = check(b"#" * (17 << 20))
        assert result.status == 1
        assert "is larger than" in result.stderr

    def test_that_is_noise(self, check):
        result = check(bytes(range(256)) * 300)
        assert result.status == 1

    def test_that_cannot_be_read(self, check, names, tmp_path):
        need_root("without root every file of ours can be read")
        config = tmp_path / "sallyport.ini"
        config.touch()
        os.chown(config, 65534, 65534)
        config.chmod(0o600)
        result = check(GATEWAY.format(**names), wrapper=powerless())
        assert result.status == 1
        assert "cannot read the configuration: Permission denied" in \
            result.stderr

    def test_names_a_file_that_cannot_be_read(self, check, names, pki):
        need_root("without root every file of ours can be read")
        locked = pki.write("locked.key", pki.server.key.read_bytes())
        os.chown(locked, 65534, 65534)
        text = GATEWAY.replace("{pki.server.key}", str(locked))
        result = check(text.format(**names), wrapper=powerless())
        assert result.findings == [
            f'4: [listener gw] keyfile "{locked}": Permission denied']


def powerless():
    """Runs as root without root's right to read every file."""
    return [need("setpriv", "util-linux"), "--bounding-set",
            "-dac_override,-dac_read_search"]


@pytest.fixture
def run_on():
    """run_on(PATH): `sallyport check -c PATH`."""
    return lambda path: Check(path, run_check(path))
