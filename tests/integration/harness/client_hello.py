"""A ClientHello made by hand (RFC 5246, RFC 6066), for server names that no
library would send; and what the server answers to it.

It offers TLS 1.2 only: there the answer, certificate included, comes in the
clear.
"""

import os
import socket
import struct

from .limits import seconds

ALERT, HANDSHAKE = 21, 22
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, SERVER_HELLO_DONE = 1, 2, 11, 14
HOST_NAME = 0
ALERTS = {40: "handshake_failure", 47: "illegal_parameter",
          50: "decode_error", 70: "protocol_version",
          80: "internal_error", 112: "unrecognized_name"}
CIPHERS = (0xC02B, 0xC02F)  # ECDHE-ECDSA/RSA-AES128-GCM-SHA256
GROUPS = (0x001D, 0x0017)  # x25519, secp256r1
SIGNATURES = (0x0403, 0x0804, 0x0401)


def vector(size_bytes, content):
    return len(content).to_bytes(size_bytes, "big") + content


def words(*values):
    return vector(2, b"".join(struct.pack(">H", one) for one in values))


def extension(number, content):
    return struct.pack(">H", number) + vector(2, content)


def server_names(*names):
    """The content of the server_name extension."""
    return vector(2, b"".join(bytes([HOST_NAME]) + vector(2, one)
                              for one in names))


def client_hello(sni=None):
    """A whole record. SNI: bytes of a name, or None for no extension; or
    the extension's content as a bytearray."""
    extensions = [extension(10, words(*GROUPS)),
                  extension(11, vector(1, b"\0")),
                  extension(13, words(*SIGNATURES))]
    if isinstance(sni, bytearray):
        extensions.insert(0, extension(0, bytes(sni)))
    elif sni is not None:
        extensions.insert(0, extension(0, server_names(sni)))
    body = (b"\x03\x03" + os.urandom(32) + vector(1, b"") +
            words(*CIPHERS) + vector(1, b"\0") +
            vector(2, b"".join(extensions)))
    message = bytes([CLIENT_HELLO]) + vector(3, body)
    return bytes([HANDSHAKE]) + b"\x03\x01" + vector(2, message)


class Answer:
    """What came: the DER of the server's certificate, or an alert's name."""

    def __init__(self, certificate=None, alert=None):
        self.certificate = certificate
        self.alert = alert


def recv_exactly(sock, n):
    data = b""
    while len(data) < n:
        piece = sock.recv(n - len(data))
        assert piece, f"the server closed after {len(data)} of {n} bytes"
        data += piece
    return data


def recv_record(sock):
    head = recv_exactly(sock, 5)
    return head[0], recv_exactly(sock, int.from_bytes(head[3:], "big"))


def leaf(certificate_message):
    """The first of the certificates in a message's body."""
    size = int.from_bytes(certificate_message[3:6], "big")
    return certificate_message[6:6 + size]


def answer(sock):
    """Reads up to the server's certificate or alert."""
    messages = b""
    while True:
        kind, content = recv_record(sock)
        if kind == ALERT:
            return Answer(alert=ALERTS.get(content[1], content[1]))
        assert kind == HANDSHAKE, f"record of type {kind}"
        messages += content
        while len(messages) >= 4:
            size = int.from_bytes(messages[1:4], "big")
            if len(messages) < 4 + size:
                break
            if messages[0] == CERTIFICATE:
                return Answer(certificate=leaf(messages[4:4 + size]))
            messages = messages[4 + size:]


def say_hello(address, sni=None):
    """(Answer, our address in the daemon's log)"""
    with socket.create_connection(address, seconds(10)) as sock:
        host, port = sock.getsockname()[:2]
        sock.sendall(client_hello(sni))
        return answer(sock), f"{host}:{port}"
