"""The PROXY protocol, written from its specification (proxy-protocol.txt,
sections 2.1 and 2.2) and from nothing else: a strict decoder of what the
daemon sends, and an encoder of what a proxy in front of it would send, right
or wrong."""

import ipaddress
import struct
from dataclasses import dataclass, field

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
FIXED = 16  # signature, version and command, family, length
V1_MAX = 107

LOCAL, PROXY = 0x20, 0x21
UNSPEC, TCP4, UDP4, TCP6, UNIX_STREAM = 0x00, 0x11, 0x12, 0x21, 0x31

ALPN, AUTHORITY, CRC32C, NOOP, UNIQUE_ID = 0x01, 0x02, 0x03, 0x04, 0x05
SSL, NETNS = 0x20, 0x30
SSL_VERSION, SSL_CN, SSL_CIPHER, SSL_SIG_ALG, SSL_KEY_ALG = range(0x21, 0x26)
SSL_GROUP, SSL_SIG_SCHEME, SSL_CERT = range(0x26, 0x29)
URI_SAN = 0xE0  # the daemon's own, of the range for applications

# Bits of the first byte in SSL.
CLIENT_SSL, CLIENT_CERT_CONN, CLIENT_CERT_SESS = 1, 2, 4

ONCE = {ALPN, AUTHORITY, CRC32C, UNIQUE_ID, SSL, NETNS, SSL_VERSION, SSL_CN,
        SSL_CIPHER, SSL_SIG_ALG, SSL_KEY_ALG, SSL_GROUP, SSL_SIG_SCHEME,
        SSL_CERT}


def crc32c(data):
    """RFC 3720, appendix B.4: Castagnoli, reflected; bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Malformed(Exception):
    """What the specification does not allow."""


@dataclass
class Ssl:
    client: int
    verify: int
    tlvs: dict

    def text(self, kind):
        return self.tlvs[kind][0].decode() if kind in self.tlvs else None


@dataclass
class Header:
    version: int
    size: int
    is_local: bool = False
    family: int = UNSPEC
    source: tuple = None  # ("127.0.0.1", 1234)
    destination: tuple = None
    tlvs: dict = field(default_factory=dict)  # {type: [values in order]}
    order: list = field(default_factory=list)  # [(type, value)]

    def value(self, kind):
        return self.tlvs[kind][0] if kind in self.tlvs else None

    def text(self, kind):
        return self.tlvs[kind][0].decode() if kind in self.tlvs else None

    def texts(self, kind):
        return [value.decode() for value in self.tlvs.get(kind, [])]

    @property
    def ssl(self):
        """The parts of SSL, or None."""
        content = self.value(SSL)
        if content is None:
            return None
        if len(content) < 5:
            raise Malformed("SSL is shorter than its fixed part")
        client, verify = struct.unpack(">BI", content[:5])
        tlvs, _ = read_tlvs(content[5:])
        if client & CLIENT_SSL and SSL_VERSION not in tlvs:
            raise Malformed("SSL without a version")
        return Ssl(client, verify, tlvs)


def read_tlvs(content):
    tlvs, order = {}, []
    while content:
        if len(content) < 3:
            raise Malformed(f"{len(content)} bytes where a TLV should be")
        kind, size = struct.unpack(">BH", content[:3])
        if len(content) < 3 + size:
            raise Malformed(f"TLV {kind:#x} ends beyond the header")
        if kind in tlvs and kind in ONCE:
            raise Malformed(f"TLV {kind:#x} twice")
        tlvs.setdefault(kind, []).append(content[3:3 + size])
        order.append((kind, content[3:3 + size]))
        content = content[3 + size:]
    return tlvs, order


def check_sum(header, content):
    """The sum is over the whole header with zeroes in its own place."""
    if header.value(CRC32C) is None:
        return
    if len(header.value(CRC32C)) != 4:
        raise Malformed("CRC32C is not of four bytes")
    at = len(content) - sum(3 + len(value) for _, value in header.order)
    for kind, value in header.order:
        if kind == CRC32C:
            break
        at += 3 + len(value)
    zeroed = content[:at + 3] + bytes(4) + content[at + 7:]
    if crc32c(zeroed) != struct.unpack(">I", header.value(CRC32C))[0]:
        raise Malformed("wrong CRC32C")


def decode_v2(content):
    """CONTENT is exactly one header."""
    command, family, size = struct.unpack(">BBH", content[12:FIXED])
    if command >> 4 != 2:
        raise Malformed(f"version {command >> 4}")
    if command not in (LOCAL, PROXY):
        raise Malformed(f"command {command & 15}")
    if len(content) != FIXED + size:
        raise Malformed("length")
    header = Header(2, len(content), command == LOCAL, family)
    widths = {UNSPEC: 0, TCP4: 4, UDP4: 4, TCP6: 16}
    if family not in widths:
        raise Malformed(f"family {family:#x}")
    width = widths[family]
    at = FIXED
    if width:
        ends = content[at:at + 2 * width]
        at += 2 * width
        ports = struct.unpack(">HH", content[at:at + 4])
        at += 4
        header.source = (str(ipaddress.ip_address(ends[:width])), ports[0])
        header.destination = (str(ipaddress.ip_address(ends[width:])),
                              ports[1])
    header.tlvs, header.order = read_tlvs(content[at:])
    check_sum(header, content)
    return header


def decode_v1(line):
    if not line.startswith(b"PROXY ") or not line.endswith(b"\r\n") or \
            len(line) > V1_MAX:
        raise Malformed(repr(line))
    header = Header(1, len(line))
    words = line[:-2].decode("ascii").split(" ")
    if words[1] == "UNKNOWN":
        return header
    if len(words) != 6 or words[1] not in ("TCP4", "TCP6"):
        raise Malformed(repr(line))
    kind = {"TCP4": ipaddress.IPv4Address, "TCP6": ipaddress.IPv6Address}
    header.family = {"TCP4": TCP4, "TCP6": TCP6}[words[1]]
    ports = [int(word) for word in words[4:]]
    if any(str(port) != word or not 0 <= port < 65536
           for port, word in zip(ports, words[4:])):
        raise Malformed(repr(line))
    header.source = (str(kind[words[1]](words[2])), ports[0])
    header.destination = (str(kind[words[1]](words[3])), ports[1])
    return header


def read_header(peer):
    """The header in front of a backend's connection, and not a byte more."""
    start = peer.recv_exactly(1)
    if start == b"P":
        while not start.endswith(b"\n"):
            if len(start) >= V1_MAX:
                raise Malformed(repr(start))
            start += peer.recv_exactly(1)
        return decode_v1(start)
    start += peer.recv_exactly(FIXED - 1)
    if not start.startswith(SIGNATURE):
        raise Malformed(repr(start))
    size = struct.unpack(">H", start[14:])[0]
    return decode_v2(start + (peer.recv_exactly(size) if size else b""))


def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def address_block(source, destination):
    ends = [ipaddress.ip_address(end[0]).packed
            for end in (source, destination)]
    return b"".join(ends) + struct.pack(">HH", source[1], destination[1])


def v2(source=None, destination=None, tlvs=b"", *, command=PROXY,
       family=None, addresses=None, size=None):
    """A header; anything may be made wrong by naming it."""
    if addresses is None:
        addresses = address_block(source, destination) if source else b""
    if family is None:
        family = UNSPEC if source is None else (
            TCP6 if ":" in source[0] else TCP4)
    body = addresses + tlvs
    return SIGNATURE + struct.pack(
        ">BBH", command, family, len(body) if size is None else size) + body


def v2_with_sum(source, destination, tlvs=b"", wrong_by=0):
    """With CRC32C behind TLVS."""
    blank = v2(source, destination, tlvs + tlv(CRC32C, bytes(4)))
    return blank[:-4] + struct.pack(">I", crc32c(blank) ^ wrong_by)


def v1(source, destination):
    kind = b"TCP6" if ":" in source[0] else b"TCP4"
    return b"PROXY %s %s %s %d %d\r\n" % (
        kind, source[0].encode(), destination[0].encode(), source[1],
        destination[1])
