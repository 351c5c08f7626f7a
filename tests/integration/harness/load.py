"""Clients that keep coming."""

import threading

from .clients import Alert, TlsClient, say
from .limits import seconds


class Load:
    """Clients that come one after the other, in several threads."""

    def __init__(self, address, context, threads=4):
        self.address = address
        self.context = context
        self.over = threading.Event()
        self.news = threading.Condition()
        self.served = 0
        self.refused = []  # connect() failed
        self.broken = []  # whatever came later
        self.threads = [threading.Thread(target=self._run, daemon=True)
                        for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        while not self.over.is_set():
            try:
                client = TlsClient(self.address, self.context)
            except OSError as error:
                self.refused.append(error)
                continue
            try:
                client.handshake()
                say(client)
                client.close_notify()
                client.recv_to_end()
            except (OSError, Alert, AssertionError) as error:
                self.broken.append(error)
            finally:
                client.close()
            with self.news:
                self.served += 1
                self.news.notify_all()

    def wait_served(self, more):
        with self.news:
            goal = self.served + more
            assert self.news.wait_for(lambda: self.served >= goal,
                                      seconds(30)), "the load stands still"

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(seconds(30))
            assert not thread.is_alive()
