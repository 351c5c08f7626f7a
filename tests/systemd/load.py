"""Clients that come without a pause."""

import threading
import time

from harness.clients import TlsClient, tls_context
from harness.limits import wait_until


class Load:
    """While it lasts, THREADS clients connect, shake hands, have a word
    echoed and leave in order, again and again."""

    def __init__(self, pki, address, threads=4):
        self.context = tls_context(pki, pki.good)
        self.address = address
        self.served = 0
        self.failures = []
        self.slowest_s = 0.0
        self.ending = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, daemon=True)
                        for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_served(20)
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join(60)

    def _run(self):
        while not self.ending.is_set():
            began = time.monotonic()
            try:
                self._visit()
            except (OSError, AssertionError) as failure:
                with self.lock:
                    self.failures.append(failure)
            else:
                with self.lock:
                    self.served += 1
            with self.lock:
                self.slowest_s = max(self.slowest_s,
                                     time.monotonic() - began)

    def _visit(self):
        client = TlsClient(self.address, self.context)
        try:
            client.handshake().send(b"ping")
            assert client.recv_exactly(4) == b"ping"
            client.close_notify()
            assert client.recv_to_end() == (b"", "close_notify")
        finally:
            client.close()

    def wait_served(self, more):
        """Until MORE clients were served."""
        goal = self.served + more
        wait_until(lambda: self.served >= goal,
                   f"{more} more clients served; failures: "
                   f"{self.failures[-3:]}", 60)

    def refused(self):
        return [failure for failure in self.failures
                if isinstance(failure, ConnectionRefusedError)]
