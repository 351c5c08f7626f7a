"""docs/identity.md: its decoders, run against headers that an encoder of the
test's own made from the specification, and against the daemon's."""

import ipaddress
import random
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from harness.clients import tls_context
from harness.limits import seconds

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "identity.md"
SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")
NOBODY = bytes([0x21, 0x00])
IPV4 = ("192.0.2.1", 40000, "198.51.100.2", 443)
IPV6 = ("2001:db8::1", 40000, "2001:db8::2", 443)


def code_block(language):
    blocks = re.findall(rf"^```{language}\n(.*?)^```$",
                        DOCUMENT.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) == 1, f"{len(blocks)} blocks of {language}"
    return blocks[0]


@pytest.fixture(scope="module")
def c_decoder(tmp_path_factory):
    directory = tmp_path_factory.mktemp("identity")
    source = directory / "who.c"
    source.write_text(code_block("c"), encoding="utf-8")
    program = directory / "who"
    done = subprocess.run(
        ["cc", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g",
         "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
         "-o", program, source],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=seconds(60), check=False)
    assert done.returncode == 0, done.stdout.decode()
    return [program]


@pytest.fixture(scope="module")
def python_decoder(tmp_path_factory):
    source = tmp_path_factory.mktemp("identity") / "who.py"
    source.write_text(code_block("python"), encoding="utf-8")
    return [sys.executable, source]


@pytest.fixture(scope="module")
def decode(c_decoder, python_decoder):
    """decode(BYTES): the lines that both decoders print; None: refused."""

    def run(data):
        answers = []
        for command in (c_decoder, python_decoder):
            done = subprocess.run(command, input=data,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE,
                                  timeout=seconds(20), check=False)
            assert done.stderr == b"", done.stderr.decode()
            assert done.returncode in (0, 1)
            answers.append(done.stdout.decode().splitlines()
                           if done.returncode == 0 else None)
        assert answers[0] == answers[1]
        return answers[0]

    return run


# The encoder: proxy-protocol.txt, sections 2.1 and 2.2.

def line(*ends):
    kind = "TCP6" if ":" in ends[0] else "TCP4"
    source, source_port, destination, destination_port = ends
    return (f"PROXY {kind} {source} {destination} {source_port} "
            f"{destination_port}\r\n").encode()


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def ssl_tlv(client, verify, *inner):
    return tlv(0x20, struct.pack("!BI", client, verify) + b"".join(inner))


def frame(command_and_family, body):
    return SIGNATURE + command_and_family + struct.pack("!H", len(body)) + body


def header(ends, *more):
    source, source_port, destination, destination_port = ends
    source = ipaddress.ip_address(source)
    family = 0x11 if source.version == 4 else 0x21
    body = (source.packed + ipaddress.ip_address(destination).packed +
            struct.pack("!HH", source_port, destination_port))
    return frame(bytes([0x21, family]), body + b"".join(more))


def told(ends):
    source, source_port, destination, destination_port = ends
    return f"from {source} {source_port} to {destination} {destination_port}"


FULL = header(
    IPV4, tlv(0x03, b"\x01\x02\x03\x04"),
    ssl_tlv(7, 0, tlv(0x21, b"TLSv1.3"), tlv(0x22, "J\u00fcrgen \\".encode()),
            tlv(0x28, b"0\x00\xff")),
    tlv(0x01, b"h2"), tlv(0x02, b"api.example.com"), tlv(0xE0, b"urn:a"),
    tlv(0xE0, b"urn:b"), tlv(0x99, b""))


class TestVersion1:
    @pytest.mark.parametrize("ends", [
        IPV4, IPV6, ("0.0.0.0", 0, "255.255.255.255", 65535),
        ("1111:2222:3333:4444:5555:6666:7777:8888", 65535,
         "1111:2222:3333:4444:5555:6666:7777:9999", 65535)])
    def test_tells_the_addresses(self, decode, ends):
        data = line(*ends)
        assert decode(data) == [f"header {len(data)}", told(ends)]
        assert decode(data + b"GET / HTTP/1.1\r\n") == decode(data)

    def test_tells_addresses_in_the_usual_way(self, decode):
        data = b"PROXY TCP6 2001:DB8:0::1 ::FFFF:192.0.2.1 1 002\r\n"
        assert decode(data) == [
            f"header {len(data)}",
            "from 2001:db8::1 1 to ::ffff:192.0.2.1 2"]

    @pytest.mark.parametrize("more", [b"", b" ::1 ::1 1 2", b" \0\r\xff"])
    def test_may_tell_nothing(self, decode, more):
        data = b"PROXY UNKNOWN" + more + b"\r\n"
        assert decode(data + b"x") == [f"header {len(data)}"]

    @pytest.mark.parametrize("data", [
        b"", b"P", b"PROXY", b"GET / HTTP/1.1\r\n", b"PROXY \r\n",
        b"PROXY TCP4\r\n", b"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
        b"PROXY UNKNOWN\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n",
        b"PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP4\t1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
        b"PROXY TCP6 fe80::1%lo ::1 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 200000\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.400 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 ::1 1 2\r\n",
        b"PROXY TCP6 ::1 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n",
        b"PROXY TCP6 " + b"1" * 60 + b" ::1 1 2\r\n",
        b"PROXY TCP4 " + b"1" * 200])
    def test_is_refused_when_malformed(self, decode, data):
        assert decode(data) is None


class TestVersion2:
    @pytest.mark.parametrize("ends", [
        IPV4, IPV6, ("::ffff:192.0.2.1", 40000, "2001:db8::2", 443)])
    def test_tells_the_addresses(self, decode, ends):
        data = header(ends)
        assert decode(data) == [f"header {len(data)}", told(ends)]
        assert decode(data + b"\0\0\0more") == decode(data)

    def test_tells_everything(self, decode):
        assert decode(FULL + b"rest") == [
            f"header {len(FULL)}", told(IPV4), "03 \\01\\02\\03\\04",
            "20 verified=1", "  21 TLSv1.3", "  22 J\\C3\\BCrgen \\5C",
            "  28 0\\00\\FF", "01 h2", "02 api.example.com", "E0 urn:a",
            "E0 urn:b", "99 "]

    @pytest.mark.parametrize("client, verify, verified", [
        (1, 1, 0), (1, 0, 0), (3, 0, 0), (4, 0, 0), (5, 0, 1), (7, 0, 1),
        (7, 1, 0), (7, 1 << 24, 0), (0xFF, 0, 1)])
    def test_names_are_trusted_only_when_verified(self, decode, client,
                                                  verify, verified):
        data = header(IPV4, ssl_tlv(client, verify))
        assert decode(data)[2:] == [f"20 verified={verified}"]

    @pytest.mark.parametrize("data", [
        frame(NOBODY, b""), frame(NOBODY, b"whatever"),
        frame(bytes([0x20, 0x00]), b""), frame(bytes([0x20, 0x11]), b"x")])
    def test_may_tell_nothing(self, decode, data):
        assert decode(data + b"rest") == [f"header {len(data)}"]

    def test_has_16384_bytes_at_most(self, decode):
        room = 16384 - 28 - 3
        assert decode(header(IPV4, tlv(4, bytes(room))))
        assert decode(header(IPV4, tlv(4, bytes(room + 1)))) is None

    @pytest.mark.parametrize("data", [
        header(IPV4, b"\x01"), header(IPV4, b"\x01\0"),
        header(IPV4, b"\x01\0\1"), header(IPV4, b"\x01\xff\xffxx"),
        header(IPV4, tlv(0x20, b"\1\0\0\0")),
        header(IPV4, ssl_tlv(7, 0, b"\x21")),
        header(IPV4, ssl_tlv(7, 0, b"\x21\0\3xx")),
        header(IPV4, ssl_tlv(7, 0, b"\x21\0\3"), tlv(4, b"xx")),
        frame(bytes([0x21, 0x11]), bytes(11)),
        frame(bytes([0x21, 0x21]), bytes(35)),
        frame(bytes([0x21, 0x31]), bytes(216)),
        frame(bytes([0x31, 0x11]), bytes(12)),
        frame(bytes([0x22, 0x11]), bytes(12)),
        b"\r\n\r\n\0\r\nquit\n" + bytes(20)])
    def test_is_refused_when_malformed(self, decode, data):
        assert decode(data) is None

    def test_is_refused_wherever_it_is_cut(self, decode):
        for length in range(0, len(FULL), 3):
            assert decode(FULL[:length]) is None


@pytest.mark.parametrize("start", [line(*IPV4), line(*IPV6), FULL])
def test_both_agree_on_what_is_nearly_right(decode, start):
    chance = random.Random(f"seed {start[6:9]}")
    for _ in range(40):
        data = bytearray(start)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.choice(
                [chance.randrange(256), 0, 10, 13, 32, 48, 58])
        decode(bytes(data))


class TestOfTheDaemon:
    TLVS = ("ssl cn cipher sig_alg key_alg group sig_scheme cert alpn "
            "authority unique_id crc32c uri_san")

    @pytest.fixture
    def received(self, backend, gateway, connect, pki):
        """received(VERSION, **keys): (the daemon, the client, all that came
        in front of "hello")"""

        def run(version, holder=pki.good, alpn=None, **keys):
            service = backend()
            daemon = gateway(service, proxy_protocol=version, **keys)
            context = tls_context(pki, holder, None)
            if alpn:
                context.set_alpn_protocols([alpn])
            client = connect(daemon, holder, context=context)
            peer = service.accept()
            client.send(b"hello")
            data = b""
            while not data.endswith(b"hello"):
                piece = peer.recv()
                assert isinstance(piece, bytes), f"{piece} after {data!r}"
                data += piece
            return daemon, client, data[:-len(b"hello")]

        return run

    @staticmethod
    def ends(daemon, client):
        host, port = client.sock.getsockname()
        return host, port, *daemon.address()

    def test_version_1(self, received, decode):
        daemon, client, data = received("v1")
        ends = self.ends(daemon, client)
        assert data == line(*ends)
        assert decode(data) == [f"header {len(data)}", told(ends)]

    def test_version_2_by_default(self, received, decode):
        daemon, client, data = received("v2")
        assert decode(data) == [
            f"header {len(data)}", told(self.ends(daemon, client)),
            "20 verified=1", "  21 TLSv1.3", "  22 good", "02 localhost"]

    def test_version_2_with_everything(self, received, decode, pki):
        _, _, data = received("v2", alpn="h2", alpn_protocols="h2",
                              proxy_tlvs=self.TLVS)
        lines = decode(data)
        assert lines[0] == f"header {len(data)}"
        kinds = [entry.strip().split(" ")[0] for entry in lines[2:]]
        assert sorted(kinds) == ["01", "02", "03", "05", "20", "21", "22",
                                 "23", "24", "25", "26", "27", "28", "E0"]
        assert "01 h2" in lines
        assert "  25 EC256" in lines
        assert "E0 spiffe://corp.example/good" in lines
        assert pki.good.der in data

    def test_the_unique_id_is_that_of_the_log(self, received, decode):
        daemon, client, data = received("v2", proxy_tlvs="unique_id")
        lines = decode(data)
        client.close()
        number = daemon.closed()["conn"]
        assert lines[2:] == [f"05 {number}"]

    def test_without_a_certificate_nobody_is_verified(self, received,
                                                      decode):
        _, _, data = received("v2", holder=None, verify_mode="optional",
                              proxy_tlvs=self.TLVS)
        lines = decode(data)
        kinds = {entry.strip().split(" ")[0] for entry in lines[2:]}
        assert "20 verified=0" in lines
        assert not kinds & {"22", "28", "E0"}
