"""Instructions for one unit of work, as callgrind counts them."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from .programs import BenchError, Load
from .proxies import Sallyport, Setup
from .scenarios import MIB

# Two amounts of work; what the larger costs more, divided by how much more
# work it is, has neither the start nor the end in it.
HANDSHAKES = (10, 40)
EXCHANGES = (100, 600)
MEBIBYTES = (4, 20)


def _handshakes(n, **options):
    return {"connections": n, "concurrency": 1, "warm_up": 3, **options}


def _steady(n, **options):
    return {"steady": True, "connections": 1, "exchanges": 1, **options}


# Name: what one unit is, the two amounts, options of bench/load for an amount,
# whether clients need a certificate.
WORK = {
    "full": ("handshake", HANDSHAKES, _handshakes, False),
    "full-tls12": ("handshake", HANDSHAKES,
                   lambda n: _handshakes(n, tls="1.2"), False),
    "mutual": ("handshake", HANDSHAKES, _handshakes, True),
    "mutual-tls12": ("handshake", HANDSHAKES,
                     lambda n: _handshakes(n, tls="1.2"), True),
    "resumed": ("handshake", HANDSHAKES,
                lambda n: _handshakes(n, resume=True), False),
    "mutual-resumed": ("handshake", HANDSHAKES,
                       lambda n: _handshakes(n, resume=True), True),
    "round-trip": ("round trip", EXCHANGES,
                   lambda n: _steady(n, exchanges=n, upload=100,
                                     download=100), False),
    "down": ("MiB", MEBIBYTES, lambda n: _steady(n, download=n * MIB), False),
    "up": ("MiB", MEBIBYTES, lambda n: _steady(n, upload=n * MIB), False),
}


class CountedSallyport(Sallyport):
    """The daemon under callgrind. Its workers are not confined and stay who
    they are: callgrind wants to write a file when they end."""

    def command(self, number, config):
        return ["valgrind", "--quiet", "--tool=callgrind",
                "--trace-children=yes", "--callgrind-out-file=counts.%p",
                *super().command(number, config)]

    def config(self, ports):
        changes = "sandbox = off\n"
        if os.geteuid() == 0:
            changes += "user = root\ngroup = root\n"
        return super().config(ports).replace(
            "[sallyport]\n", "[sallyport]\n" + changes, 1)

    def end(self):
        """Orderly, so that the counts are written. Returns their sum: what
        the supervisor does is the same whatever the work."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                raise BenchError("callgrind did not end")
        counts = [_count(path) for path in self.directory.glob("counts.*")]
        if len(counts) < 2:
            raise BenchError("neither supervisor nor worker may be missing")
        return sum(counts)


def _count(path):
    found = re.search(r"^(?:summary|totals): (\d+)", path.read_text(),
                      re.MULTILINE)
    if found is None:
        raise BenchError(f"{path.name} has no count")
    return int(found.group(1))


def _run(directory, keys, backend, load_path, mutual, options):
    setup = Setup(server=keys.ecdsa, ca_file=keys.ca_file if mutual else None)
    cpus = sorted(os.sched_getaffinity(0))
    proxy = CountedSallyport(directory, setup, backend.port, cpus)
    try:
        certificate = {"cert": keys.client.cert, "key": keys.client.key} \
            if mutual else {}
        before = backend.count()
        load = Load(load_path, cpus, limit=120, port=proxy.port,
                    **certificate, **options)
        try:
            before = backend.expect(before, load.wait_ready())
            load.go()
            backend.expect(before, load.result())
            load.end()
        finally:
            load.kill()
        return proxy.end()
    finally:
        proxy.stop()
        shutil.rmtree(directory)


def per_unit(name, directory, keys, backend, load_path):
    """Instructions of one unit of WORK[NAME]."""
    _, amounts, options, mutual = WORK[name]
    few, many = (_run(Path(directory) / f"{name}-{n}", keys, backend,
                      load_path, mutual, options(n)) for n in amounts)
    return round((many - few) / (amounts[1] - amounts[0]))
