"""Plaintext services for behind the daemon, which behave as told."""

import os
import socket
import struct
import threading

from .limits import seconds
from .ready import is_readable

# How a stream of bytes can end.
FIN = "FIN"
RESET = "reset"


def background(function, *args):
    """Runs FUNCTION in a thread; join() gives its result or its failure."""
    return Background(function, args)


class Background:
    def __init__(self, function, args):
        self.value = None
        self.error = None
        self.thread = threading.Thread(target=self._run,
                                       args=(function, args), daemon=True)
        self.thread.start()

    def _run(self, function, args):
        try:
            self.value = function(*args)
        except BaseException as error:  # handed to join()
            self.error = error

    def join(self, timeout=30):
        self.thread.join(seconds(timeout))
        assert not self.thread.is_alive(), \
            f"still at work after {seconds(timeout)} s"
        if self.error is not None:
            raise self.error
        return self.value


class Peer:
    """One connection, from the backend's side."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(seconds(15))

    def send(self, data):
        self.sock.sendall(data)

    def recv(self, most=65536):
        """Some bytes; or FIN or RESET, when the stream ended so."""
        try:
            return self.sock.recv(most) or FIN
        except ConnectionResetError:
            return RESET

    def recv_exactly(self, n):
        data = bytearray()
        while len(data) < n:
            piece = self.recv(min(n - len(data), 1 << 20))
            assert isinstance(piece, bytes), \
                f"{piece} after {len(data)} of {n} bytes"
            data += piece
        return bytes(data)

    def recv_to_end(self):
        """(all bytes, FIN or RESET)"""
        data = bytearray()
        while True:
            piece = self.recv(1 << 20)
            if not isinstance(piece, bytes):
                return bytes(data), piece
            data += piece

    def end(self):
        """How the client's stream ended; nothing may come before."""
        data, end = self.recv_to_end()
        assert data == b"", f"{len(data)} unexpected bytes: {data[:60]!r}"
        return end

    def is_quiet(self):
        """Has nothing come, neither bytes nor an end?"""
        return not is_readable(self.sock)

    def finish(self):
        """FIN; goes on reading."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()


class Backend:
    """A listening socket. The test accepts and plays each connection, or
    hands in HANDLER, which then runs in a thread for each."""

    def __init__(self, handler=None, family=socket.AF_INET, path=None,
                 backlog=128):
        if path is not None:
            family, where = socket.AF_UNIX, str(path)
        else:
            where = ("::1" if family == socket.AF_INET6 else "127.0.0.1", 0)
        self.path = path
        self.sock = socket.socket(family)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(where)
        if path is not None:
            os.chmod(path, 0o777)  # workers run as somebody else
        self.sock.listen(backlog)
        self.peers = []
        self.closing = False
        if handler is not None:
            self.handler = handler
            threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self):
        return self.sock.getsockname()[1]

    @property
    def address(self):
        """As the configuration writes it."""
        if self.path is not None:
            return f"unix:{self.path}"
        host = self.sock.getsockname()[0]
        return f"[{host}]:{self.port}" if ":" in host else \
            f"{host}:{self.port}"

    def accept(self, timeout=10):
        self.sock.settimeout(seconds(timeout))
        peer = Peer(self.sock.accept()[0])
        self.peers.append(peer)
        return peer

    def was_dialled(self):
        """Is a connection waiting that nobody has accepted?"""
        return is_readable(self.sock)

    def _serve(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            if self.closing:
                sock.close()
                return
            peer = Peer(sock)
            self.peers.append(peer)
            threading.Thread(target=self._handle, args=(peer,),
                             daemon=True).start()

    def _handle(self, peer):
        try:
            self.handler(peer)
        except OSError:
            pass  # clients of these tests leave as they like
        finally:
            peer.close()

    def close(self):
        self.closing = True
        try:
            self.sock.shutdown(socket.SHUT_RDWR)  # wakes accept()
        except OSError:
            pass
        self.sock.close()
        for peer in self.peers:
            peer.close()


def echo(peer):
    """Sends back what comes, and ends when the other side has."""
    while True:
        data = peer.recv(1 << 18)
        if not isinstance(data, bytes):
            break
        peer.send(data)
    if data == FIN:
        peer.finish()


def closed_port():
    """An address that refuses: bound, so that nobody else gets it, but not
    listening. Keep the socket as long as the address is used."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock, f"127.0.0.1:{sock.getsockname()[1]}"


def deaf_port():
    """An address that does not answer: its backlog is full, so that the
    kernel drops every further SYN. Returns the sockets to keep."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    address = listener.getsockname()
    kept = [listener]
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(address)
        kept.append(filler)
    return kept, f"127.0.0.1:{address[1]}"
