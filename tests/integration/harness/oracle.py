"""The oracle: one and the same context in Python's own ssl module and in
sallyport, driven by the same client.

A `Server` says what the context is, a `Client` who comes; `attempt()` tells
how it went in the client's eyes, after its first read: in TLS 1.3 a client
learns of its refusal no earlier.
"""

import queue
import socket
import ssl
import threading
import warnings
from dataclasses import dataclass

from .clients import Alert, TlsClient
from .limits import seconds

VERSIONS = {"1.0": "TLSv1", "1.1": "TLSv1.1", "1.2": "TLSv1.2",
            "1.3": "TLSv1.3"}
ENUMS = {"1.0": "TLSv1", "1.1": "TLSv1_1", "1.2": "TLSv1_2",
         "1.3": "TLSv1_3"}
DEFAULT_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
# TLS 1.0 and 1.1 know neither of these two.
LEGACY_CIPHERS = DEFAULT_CIPHERS + ":ECDHE+AES"
VERIFY_MODES = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL,
                "required": ssl.CERT_REQUIRED}
VERIFY_FLAGS = {"x509_strict": ssl.VERIFY_X509_STRICT,
                "x509_partial_chain": ssl.VERIFY_X509_PARTIAL_CHAIN,
                "x509_trusted_first": ssl.VERIFY_X509_TRUSTED_FIRST}
CRL_FLAGS = {"none": 0, "leaf": ssl.VERIFY_CRL_CHECK_LEAF,
             "chain": ssl.VERIFY_CRL_CHECK_CHAIN}
ALL_FLAGS = frozenset(VERIFY_FLAGS)


@dataclass(frozen=True)
class Server:
    """A context. Certificates, CAs and CRLs go by their names in Material."""

    certificates: tuple = ("server",)
    ca: str = None
    verify_mode: str = "none"
    verify_flags: frozenset = ALL_FLAGS
    crl: str = None
    crl_check: str = "none"
    floor: str = "1.2"
    ceiling: str = "1.3"
    ciphers: str = DEFAULT_CIPHERS
    server_preference: bool = True
    alpn: tuple = ()

    def is_legacy(self):
        return self.floor < "1.2"


@dataclass(frozen=True)
class Client:
    certificate: str = None
    floor: str = "1.2"
    ceiling: str = "1.3"
    ciphers: str = "DEFAULT"
    alpn: tuple = ()


@dataclass(frozen=True)
class Outcome:
    """Who got in agrees on all; who did not, on the alert."""

    accepted: bool
    version: str = None
    cipher: str = None
    alpn: str = None
    refusal: str = None

    def __str__(self):
        if self.accepted:
            return f"accepted: {self.version} {self.cipher} ALPN {self.alpn}"
        return f"refused: {self.refusal}"


def set_versions(context, floor, ceiling):
    with warnings.catch_warnings():
        # TLS 1.0 and 1.1 are deprecated, as we know.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = getattr(ssl.TLSVersion, ENUMS[floor])
        context.maximum_version = getattr(ssl.TLSVersion, ENUMS[ceiling])


def python_context(server, material):
    """SERVER as Python's ssl has it. No default is relied on: they change
    from one release of Python to the next."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    level = ":@SECLEVEL=0" if server.is_legacy() else ""
    context.set_ciphers(server.ciphers + level)
    set_versions(context, server.floor, server.ceiling)
    for name in server.certificates:
        holder = material.holder(name)
        context.load_cert_chain(str(holder.cert), str(holder.key))
    context.verify_mode = VERIFY_MODES[server.verify_mode]
    flags = CRL_FLAGS[server.crl_check]
    for name in server.verify_flags:
        flags |= VERIFY_FLAGS[name]
    context.verify_flags = ssl.VerifyFlags(flags)
    if server.ca is not None:
        context.load_verify_locations(cafile=str(material.ca(server.ca)))
    if server.crl is not None:
        context.load_verify_locations(cafile=str(material.crl(server.crl)))
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if server.server_preference:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if server.alpn:
        context.set_alpn_protocols(list(server.alpn))
    context.load_dh_params(str(material.dh_params))
    return context


def listener_keys(server, material, backend):
    """SERVER as sallyport's configuration has it."""
    holders = [material.holder(name) for name in server.certificates]
    keys = {
        "listen": "127.0.0.1:0",
        "certfile": [holder.cert for holder in holders],
        "keyfile": [holder.key for holder in holders],
        "minimum_version": VERSIONS[server.floor],
        "maximum_version": VERSIONS[server.ceiling],
        "ciphers": server.ciphers,
        "backend": backend.address,
    }
    if server.ca is not None:
        keys["cafile"] = material.ca(server.ca)
        keys["verify_mode"] = server.verify_mode
        keys["verify_flags"] = " ".join(
            name if name in server.verify_flags else f"-{name}"
            for name in sorted(ALL_FLAGS))
    if server.crl is not None:
        keys["crlfile"] = material.crl(server.crl)
    if server.crl is not None or server.crl_check != "none":
        keys["crl_check"] = server.crl_check
    if not server.server_preference:
        keys["options"] = "-cipher_server_preference"
    if server.alpn:
        keys["alpn_protocols"] = " ".join(server.alpn)
    return keys


def client_context(client, material):
    """The client is lax, so that it is the servers that decide."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers(client.ciphers + ":@SECLEVEL=0")
    set_versions(context, client.floor, client.ceiling)
    context.load_verify_locations(cafile=str(material.ca("ca")))
    if client.certificate is not None:
        holder = material.holder(client.certificate)
        context.load_cert_chain(str(holder.cert), str(holder.key))
    if client.alpn:
        context.set_alpn_protocols(list(client.alpn))
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


def attempt(address, context):
    """(Outcome, our own address): how a client of CONTEXT fares there."""
    client = TlsClient(address, context)
    try:
        client.handshake()
        client.send(b"x")
        if client.recv() != b"x":
            return Outcome(False, refusal=str(client.end)), client.peer
        return Outcome(True, client.tls.version(), client.tls.cipher()[0],
                       client.tls.selected_alpn_protocol()), client.peer
    except Alert as alert:
        return Outcome(False, refusal=f"alert {alert}"), client.peer
    except ssl.SSLError as error:
        return Outcome(False, refusal=f"by client: {error.reason}"), \
            client.peer
    except OSError as error:
        return Outcome(False, refusal=repr(error)), client.peer
    finally:
        client.close()


class PythonServer:
    """Python's ssl, listening: each connection gets the context that was put
    forward for it, and its bytes back."""

    def __init__(self):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.contexts = queue.Queue()
        self.reasons = queue.Queue()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def attempt(self, server_context, client):
        """(Outcome, what the server says about a refusal)"""
        self.contexts.put(server_context)
        outcome, _ = attempt(self.sock.getsockname(), client)
        return outcome, self.reasons.get(timeout=seconds(15))

    def _serve(self):
        while True:
            context = self.contexts.get()
            if context is None:
                return
            sock, _ = self.sock.accept()
            sock.settimeout(seconds(10))
            self.reasons.put(self._connection(sock, context))

    @staticmethod
    def _connection(sock, context):
        tls = context.wrap_socket(sock, server_side=True,
                                  do_handshake_on_connect=False)
        reason = ""
        try:
            tls.do_handshake()
            tls.sendall(tls.recv(100))
        except OSError as error:
            reason = str(error)
        # Bytes left unread would turn our end into a reset, and a reset
        # swallows the alert.
        with socket.socket(fileno=tls.detach()) as rest:
            try:
                rest.shutdown(socket.SHUT_WR)
                while rest.recv(4096):
                    pass
            except OSError:
                pass
        return reason

    def close(self):
        self.contexts.put(None)
        self.thread.join(seconds(10))
        self.sock.close()
