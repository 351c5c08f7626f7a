"""docs/sslcontext.md leaves nothing out and names nothing that is not there.
"""

import re
import ssl
import subprocess
from pathlib import Path

import pytest

from harness.programs import ROOT, sallyport

HERE = Path(__file__).resolve().parent
DOCUMENT = ROOT / "docs" / "sslcontext.md"

# Debian 12 has Python 3.11; the page is about 3.13.
PYTHON_3_13 = """
cert_store_stats check_hostname get_ca_certs get_ciphers
hostname_checks_common_name keylog_filename load_cert_chain
load_default_certs load_dh_params load_verify_locations maximum_version
minimum_version num_tickets options post_handshake_auth protocol
security_level session_stats set_alpn_protocols set_ciphers
set_default_verify_paths set_ecdh_curve set_npn_protocols
set_psk_client_callback set_psk_server_callback set_servername_callback
sni_callback sslobject_class sslsocket_class verify_flags verify_mode wrap_bio
wrap_socket
""".split()
OPTIONS_3_13 = """
OP_ALL OP_CIPHER_SERVER_PREFERENCE OP_ENABLE_KTLS OP_ENABLE_MIDDLEBOX_COMPAT
OP_IGNORE_UNEXPECTED_EOF OP_LEGACY_SERVER_CONNECT OP_NO_COMPRESSION
OP_NO_RENEGOTIATION OP_NO_SSLv2 OP_NO_SSLv3 OP_NO_TICKET OP_NO_TLSv1
OP_NO_TLSv1_1 OP_NO_TLSv1_2 OP_NO_TLSv1_3 OP_SINGLE_DH_USE OP_SINGLE_ECDH_USE
""".split()
VERIFY_3_13 = """
VERIFY_ALLOW_PROXY_CERTS VERIFY_CRL_CHECK_CHAIN VERIFY_CRL_CHECK_LEAF
VERIFY_DEFAULT VERIFY_X509_PARTIAL_CHAIN VERIFY_X509_STRICT
VERIFY_X509_TRUSTED_FIRST
""".split()


def public(thing, prefix=""):
    return {name for name in dir(thing)
            if not name.startswith("_") and name.startswith(prefix)}


# The section: (what it must have a row for, in the running Python, in 3.13)
SECTIONS = {
    "Attributes and methods": (public(ssl.SSLContext), PYTHON_3_13),
    "options": (public(ssl, "OP_"), OPTIONS_3_13),
    "verify_flags": (public(ssl, "VERIFY_"), VERIFY_3_13),
}
TABLES = [*SECTIONS, "What SSLContext cannot say"]
QUOTED = re.compile(r"`([^`]+)`")
TEST = re.compile(r"`(test_\w+\.py)::(\w+)`")


def rows(section):
    """{what is in a row's first cell: its other cells}"""
    text = DOCUMENT.read_text().split(f"\n## {section}\n")[1]
    table = [line for line in text.split("\n## ")[0].splitlines()
             if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")]
             for line in table]
    assert all(len(row) == 4 for row in cells), "a row without four cells"
    found = {row[0].strip("`"): row[1:] for row in cells}
    assert len(found) == len(cells), "two rows of one name"
    return found


@pytest.fixture(scope="module")
def keys():
    """{option: its words, if it is made of words} as the daemon has them."""
    manual = (ROOT / "man" / "sallyport.ini.5").read_text()
    found = re.findall(r"^\.It Ic (\w+) No = ", manual, re.M)
    assert len(found) > 20
    return {key: words(manual, key) for key in found}


def words(manual, key):
    """All that the manual calls a value of KEY."""
    text = re.split(rf"^\.It Ic {key} No = ", manual, flags=re.M)[1]
    text = re.split(r"^\.(?:It Ic|Sh) ", text, flags=re.M)[0]
    return set(re.findall(r"^\.Cm (\w+)", text, re.M))


@pytest.mark.parametrize("section", SECTIONS)
def test_nothing_is_left_out(section):
    running, listed = SECTIONS[section]
    there = set(rows(section))
    assert not running - there, "in this Python, but not on the page"
    assert not set(listed) - there, "in Python 3.13, but not on the page"
    assert not there - running - set(listed), "on the page, but in no Python"


def test_each_row_has_a_key_or_a_reason(keys):
    for name, (ours, default, shown) in rows(
            "Attributes and methods").items():
        if ours.startswith("none: "):
            assert len(ours) > len("none: a matter")
            assert default == "", name
        else:
            assert QUOTED.findall(ours)[0] in keys, name
            assert shown, f"no test for {name}"


@pytest.mark.parametrize("section", SECTIONS)
def test_each_key_named_exists(keys, section):
    """Whatever stands quoted in the second cell is a key, a flag, or a name
    of Python's own."""
    known = {*keys, *keys["options"], *keys["verify_flags"], *PYTHON_3_13,
             *public(ssl), "SSLKEYLOGFILE"}
    for name, (ours, *_) in rows(section).items():
        for quoted in QUOTED.findall(ours):
            key, equals, value = quoted.partition(" = ")
            if equals:
                assert value in keys[key], quoted
            elif re.fullmatch(r"\w+", quoted):
                assert quoted in known, f"{quoted}, in the row of {name}"


def test_each_key_that_python_lacks_exists(keys):
    there = set(rows("What SSLContext cannot say"))
    assert there <= set(keys)
    assert not there & set(PYTHON_3_13)


@pytest.mark.parametrize("section, key", [("options", "options"),
                                          ("verify_flags", "verify_flags")])
def test_each_flag_has_its_row(keys, section, key):
    """And no flag of ours is missing there."""
    named = set()
    for ours, *_ in rows(section).values():
        if not ours.startswith(("none: ", "refused: ")):
            named.add(QUOTED.findall(ours)[0])
    assert named == keys[key]


def test_the_defaults_named_are_the_daemons(check, pki, tmp_path):
    """By the daemon's own word."""
    config = tmp_path / "default.ini"
    config.write_text(f"""\
[listener gw]
listen = 127.0.0.1:0
certfile = {pki.server.cert}
keyfile = {pki.server.key}
backend = 127.0.0.1:1
""")
    printed = subprocess.run(
        [sallyport(), "check", "--print", "-c", str(config)], check=True,
        stdout=subprocess.PIPE, timeout=20).stdout.decode()
    values = dict(re.findall(r"^(\w+) = (.*?)(?: ; \w.*)?$", printed, re.M))
    compared = 0
    for name, cells in rows("Attributes and methods").items():
        default = re.fullmatch(r"`([^`]+)`", cells[1])
        if default:
            key = QUOTED.findall(cells[0])[0]
            assert values[key] == default[1], name
            compared += 1
    assert compared >= 5
    for section, key in (("options", "options"),
                         ("verify_flags", "verify_flags")):
        on = {QUOTED.findall(cells[0])[0]
              for cells in rows(section).values() if cells[1] == "on"}
        always = {"single_dh_use", "single_ecdh_use"}
        assert on - always == set(values[key].split())


@pytest.mark.parametrize("section", TABLES)
def test_each_test_named_exists(section):
    for name, cells in rows(section).items():
        shown = cells[-1]
        if shown == "see below":
            assert name in SECTIONS
            continue
        rest = TEST.sub("", shown).replace("the oracle", "").strip()
        assert rest == "", f"{rest!r} in the row of {name} is no test"
        for filename, test in TEST.findall(shown):
            assert (HERE / filename).is_file(), filename
            assert re.search(rf"^\s*def {test}\(",
                             (HERE / filename).read_text(), re.M), test


def test_the_oracle_is_what_the_page_says():
    text = DOCUMENT.read_text()
    filename, test = re.search(r"`the oracle` is\s+`(test_\w+\.py)::(\w+)`",
                               text).groups()
    source = (HERE / filename).read_text()
    assert f"\ndef {test}(" in source
    assert "\nDIFFERENCES = [" in source and "`DIFFERENCES`" in text
