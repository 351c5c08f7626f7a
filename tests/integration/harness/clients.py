"""TLS clients: one whose every move the test decides, and real ones."""

import re
import socket
import ssl
import struct
import subprocess
import time

from .limits import seconds, wait_until
from .programs import need
from .ready import is_readable, ready

# How the server's stream can end.
CLOSE_NOTIFY = "close_notify"
TRUNCATED = "truncated"  # FIN without close_notify
RESET = "reset"

TLS1_2 = ssl.TLSVersion.TLSv1_2
TLS1_3 = ssl.TLSVersion.TLSv1_3
VERSIONS = {"TLSv1.2": TLS1_2, "TLSv1.3": TLS1_3}


def tls_context(pki, holder=None, version=None, trust=None):
    """A client's context, with HOLDER's certificate and just one VERSION."""
    context = ssl.create_default_context(
        cafile=str((trust or pki.ca).cert))
    if holder is not None:
        context.load_cert_chain(str(holder.cert), str(holder.key))
    # Python has OpenSSL take a bare FIN for an end; these tests must not.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


class Alert(Exception):
    """A fatal alert from the server: Alert("unknown_ca")."""


def alert_of(error):
    """OpenSSL's "tlsv1 alert unknown ca" is everybody's unknown_ca. Some
    releases of Python know the reason of an alert only in words."""
    reason = error.reason or re.sub(r"^\[SSL[^]]*\]|\(_ssl.*$", "",
                                    str(error)).strip().replace(" ", "_")
    found = re.match(r"(?:TLSV1|TLSV13|SSLV3)_ALERT_(\w+)|"
                     r"TLSV1_(UNRECOGNIZED_NAME)$", reason.upper())
    return (found[1] or found[2]).lower() if found else None


def is_truncation(error):
    """A FIN without close_notify has a type of its own only in some releases
    of Python."""
    return isinstance(error, ssl.SSLEOFError) or \
        error.reason == "UNEXPECTED_EOF_WHILE_READING"


class TlsClient:
    """TLS over a socket that the test can reach, unlike ssl.SSLSocket's:
    half-close, truncation and broken records are moves like any other."""

    def __init__(self, address, context, server_name="localhost",
                 session=None, receive_buffer=None):
        family = socket.AF_UNIX if isinstance(address, str) else (
            socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.sock = socket.socket(family)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                 receive_buffer)
        self.sock.settimeout(seconds(15))
        self.sock.connect(address)
        self.peer = self.name_in_log()
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing,
                                    server_hostname=server_name,
                                    session=session)
        self.end = None

    def name_in_log(self):
        """Our address, as the daemon's log names its peer."""
        if self.sock.family == socket.AF_UNIX:
            return "unix:"
        host, port = self.sock.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def flush(self):
        if self.outgoing.pending:
            self.sock.sendall(self.outgoing.read())

    def fill(self):
        """One recv(). At the end of TCP notes how it ended."""
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionResetError:
            self.end = RESET
            data = b""
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()

    def handshake(self, at_once=b""):
        """Returns self. A refusal is an Alert; in TLS 1.3 it may come only
        with the first recv(). AT_ONCE leaves together with our last flight.
        """
        while True:
            try:
                self.tls.do_handshake()
                if at_once:
                    self.tls.write(at_once)
                self.flush()
                return self
            except ssl.SSLWantReadError:
                self.flush()
                self.fill()
            except ssl.SSLError as error:
                # Tell the server, as every client does.
                self.flush()
                if alert_of(error):
                    raise Alert(alert_of(error)) from error
                if is_truncation(error):
                    raise ConnectionResetError(
                        "the server went away in the handshake") from error
                raise

    def start_handshake(self):
        """Sends the ClientHello and waits for nothing."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        self.flush()

    def send(self, data):
        self.tls.write(data)
        self.flush()

    def recv(self, most=65536):
        """Some bytes, or b"" at the end; then .end says which."""
        while self.end is None or self.incoming.pending:
            try:
                data = self.tls.read(most)
                if data:
                    return data
                self.end = CLOSE_NOTIFY
            except ssl.SSLWantReadError:
                self.flush()
                self.fill()
            except ssl.SSLZeroReturnError:
                self.end = CLOSE_NOTIFY
            except ssl.SSLError as error:
                if alert_of(error):
                    raise Alert(alert_of(error)) from error
                if not is_truncation(error):
                    raise
                self.end = self.end or TRUNCATED
            if self.end in (CLOSE_NOTIFY, TRUNCATED):
                break
        return b""

    def recv_exactly(self, n):
        data = bytearray()
        while len(data) < n:
            piece = self.recv(n - len(data))
            assert piece, f"{self.end} after {len(data)} of {n} bytes"
            data += piece
        return bytes(data)

    def recv_to_end(self):
        """(all bytes, CLOSE_NOTIFY or TRUNCATED or RESET)"""
        data = bytearray()
        while True:
            piece = self.recv(1 << 18)
            if not piece:
                return bytes(data), self.end
            data += piece

    def stream_end(self):
        """How the server's stream ended; nothing may come before."""
        data, end = self.recv_to_end()
        assert data == b"", f"{len(data)} unexpected bytes: {data[:60]!r}"
        return end

    def be_refused(self):
        """Tries to get in, which must fail."""
        try:
            self.handshake()
            self.recv_to_end()
        except Alert:
            return
        raise AssertionError("got in")

    def tcp_end(self):
        """What TCP says after close_notify: b"" for a FIN."""
        return self.sock.recv(1)

    def is_quiet(self):
        return not is_readable(self.sock)

    def exchange(self, data, expect):
        """Sends DATA and reads EXPECT bytes at the same time."""
        view, sent, got = memoryview(data), 0, bytearray()
        self.sock.setblocking(False)
        pending = b""
        deadline = time.monotonic() + seconds(40)
        while len(got) < expect:
            assert time.monotonic() < deadline, \
                f"stuck: {sent} sent, {len(got)} received"
            if not pending and sent < len(view):
                sent += self.tls.write(view[sent:sent + (1 << 18)])
                pending = self.outgoing.read()
            readable, writable = ready(
                self.sock, to_send=bool(pending), timeout=1)
            if writable:
                pending = pending[self.sock.send(pending):]
            if readable:
                self.fill()
                assert self.end is None, self.end
                try:
                    while True:
                        got += self.tls.read(1 << 18)
                except ssl.SSLWantReadError:
                    pass
        self.sock.settimeout(seconds(15))
        self.sock.sendall(pending)
        return bytes(got)

    def close_notify(self):
        """Ends our stream in order; goes on reading."""
        try:
            self.tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        self.flush()

    def vanish(self):
        """FIN without close_notify: what a killed client sends."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()


def say(client, text=b"hello"):
    """Is there still an echo?"""
    client.send(text)
    assert client.recv_exactly(len(text)) == text


def refuses_connections(address):
    """Waits for it: workers hear of it one by one."""
    def is_refused():
        try:
            socket.create_connection(address, 1).close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            return False  # the last one closed it just now
        return False
    wait_until(is_refused, f"nobody listens on {address}")


def run(arguments, given=b"", timeout=30):
    """A program to its end, fed with GIVEN."""
    return subprocess.run(arguments, input=given, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=seconds(timeout),
                          check=False)


def curl(pki, url, *args, holder=None, timeout=60):
    command = [need("curl", "curl"), "--silent", "--show-error",
               "--cacert", str(pki.ca.cert), "--max-time",
               str(seconds(timeout))]
    if holder is not None:
        command += ["--cert", str(holder.cert), "--key", str(holder.key)]
    return run([*command, *args, url], timeout=timeout + 10)


def s_client(pki, address, *args, holder=None, given=b"", timeout=20):
    """openssl s_client. Reads GIVEN, then (with -ign_eof) to the server's
    end."""
    command = [need("openssl", "openssl"), "s_client", "-connect",
               f"{address[0]}:{address[1]}", "-CAfile", str(pki.ca.cert)]
    if holder is not None:
        command += ["-cert", str(holder.cert), "-key", str(holder.key)]
    return run([*command, *args], given, timeout)


def gnutls_cli(pki, address, *args, holder=None, given=b"", timeout=20):
    command = [need("gnutls-cli", "gnutls-bin"), "--x509cafile",
               str(pki.ca.cert), "--verify-hostname", "localhost",
               "--port", str(address[1])]
    if holder is not None:
        command += ["--x509certfile", str(holder.cert),
                    "--x509keyfile", str(holder.key)]
    return run([*command, *args, address[0]], given, timeout)
