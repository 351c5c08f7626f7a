"""Measures one proxy in one scenario, once."""

import contextlib
import itertools
import os
import shutil
import time

from . import processes
from .programs import BenchError, Load
from .proxies import DESCRIPTORS, Setup, shown_certificate


MANY = 1000  # files to be read that a start may leave work behind


class Bench:
    """What all measurements share: our programs, keys, directory, CPUs."""

    def __init__(self, directory, load_path, backend, keys, limit_s):
        self.directory = directory
        self.load_path = load_path
        self.backend = backend
        self.keys = keys
        self.limit_s = limit_s
        self._numbers = itertools.count()

    def move_backend(self, cpus):
        """To where the measurement that follows wants it."""
        for pid in processes.tree([self.backend.process.pid]):
            os.sched_setaffinity(pid, cpus)

    @contextlib.contextmanager
    def proxy(self, kind, setup, cpus):
        """A fresh proxy, which is gone afterwards."""
        self.move_backend(cpus)
        directory = self.directory / f"{next(self._numbers)}-{kind.name}"
        proxy = kind(directory, setup, self.backend.port, cpus)
        try:
            yield proxy
        finally:
            proxy.stop()
            shutil.rmtree(directory)

    @contextlib.contextmanager
    def load(self, proxy, cpus, **options):
        """A load that is ready to go; told to end afterwards. What it did to
        warm up is verified like the rest."""
        keys = {}
        if proxy.setup.ca_file:
            keys = {"cert": self.keys.client.cert,
                    "key": self.keys.client.key}
        before = self.backend.count()
        load = Load(self.load_path, cpus, limit=self.limit_s,
                    port=proxy.port, **keys, **options)
        try:
            self.backend.expect(before, load.wait_ready())
            yield load
            load.end()
        finally:
            load.kill()

    def setup(self, rsa=False, mutual=False, **more):
        return Setup(server=self.keys.rsa if rsa else self.keys.ecdsa,
                     ca_file=self.keys.ca_file if mutual else None, **more)


def check_handshakes(did, tls="1.3", rsa=False, tickets=2, resume=False):
    """That all proxies did the same work: suite, group, signature, number of
    tickets and of resumptions."""
    cipher = "TLS_AES_128_GCM_SHA256" if tls == "1.3" else \
        f"ECDHE-{'RSA' if rsa else 'ECDSA'}-AES128-GCM-SHA256"
    want = {"cipher": cipher, "group": "X25519",
            "resumed": did["connections"] if resume else 0}
    if not resume:
        want["signature"] = "RSASSA-PSS" if rsa else "id-ecPublicKey"
    if tls == "1.3" and not resume:
        want["tickets"] = tickets * did["connections"]
    wrong = {key: did[key] for key, value in want.items()
             if did[key] != value}
    if wrong:
        raise BenchError(f"got {wrong}, wanted {want}")


def check_bytes(did, load):
    """That the load did all it was told to."""
    connections = load.get("connections")
    exchanges = connections * load.get("exchanges", 1)
    want = {"exchanges": exchanges,
            "sent": exchanges * load.get("upload", 64),
            "received": exchanges * load.get("download", 64), "cut": 0}
    wrong = {key: did[key] for key, value in want.items()
             if did[key] != value}
    if wrong:
        raise BenchError(f"got {wrong}, wanted {want}")


def add(*dids):
    return {key: sum(did[key] for did in dids)
            for key in ("exchanges", "sent", "received")}


def one_run(bench, kind, scenario, scale, cpus):
    """One proxy, one scenario, once; a dict of numbers."""
    near, far = (cpus[:1], cpus[-1:]) if scenario.apart else (cpus, cpus)
    setup = bench.setup(scenario.rsa, scenario.mutual,
                        tickets=scenario.tickets, workers=len(near))
    options = scenario.sized(scale)
    with bench.proxy(kind, setup, near) as proxy:
        bench.move_backend(far)
        if scenario.storm:
            return _storm_run(bench, proxy, scenario, options, far)
        with bench.load(proxy, far, processes=len(far),
                        **options) as load:
            return _work(bench, proxy, scenario, options, load)


def _work(bench, proxy, scenario, options, load):
    before = bench.backend.count()
    cpu_ns = proxy.cpu_ns()
    load.go()
    did = load.result()
    cpu_ns = proxy.cpu_ns() - cpu_ns
    bench.backend.expect(before, did)
    check_bytes(did, options)
    if not scenario.is_steady:
        check_handshakes(did, options.get("tls", "1.3"), scenario.rsa,
                         scenario.tickets, options.get("resume", False))
    units = scenario.units(did)
    return {"cpu_us": cpu_ns / 1000 / units, "rate": units / did["seconds"],
            "p50_us": did["p50_us"], "p99_us": did["p99_us"],
            "p999_us": did["p999_us"]}


def _storm_run(bench, proxy, scenario, options, cpus):
    with bench.load(proxy, cpus, **options) as load, \
            bench.load(proxy, cpus, **scenario.storm) as storm:
        before = bench.backend.count()
        cpu_ns = proxy.cpu_ns()
        storm.go()
        load.go()
        did = load.result()
        storm.say("end")
        storm_did = storm.result()
        cpu_ns = proxy.cpu_ns() - cpu_ns
    bench.backend.expect(before, add(did, storm_did))
    check_bytes(did, options)
    check_handshakes(storm_did, rsa=True)
    return {"rate": did["exchanges"] / did["seconds"],
            "storm_rate": storm_did["connections"] / storm_did["seconds"],
            "p50_us": did["p50_us"], "p99_us": did["p99_us"],
            "p999_us": did["p999_us"]}


def growth_run(bench, kind, what, count, load_options, cpus):
    """Handshakes among COUNT listeners or server names ("names")."""
    more = {"listeners": count} if what == "listeners" else \
        {"names": bench.keys.named(count)}
    target = {"ports": count} if what == "listeners" else {"names": count}
    with bench.proxy(kind, bench.setup(**more), cpus) as proxy:
        with bench.load(proxy, cpus, **target, **load_options) as load:
            if count >= MANY:
                processes.await_rest(proxy.pids)
            before = bench.backend.count()
            cpu_ns = proxy.cpu_ns()
            load.go()
            did = load.result()
            cpu_ns = proxy.cpu_ns() - cpu_ns
            bench.backend.expect(before, did)
        check_bytes(did, load_options)
        check_handshakes(did)
        return {"cpu_us": cpu_ns / 1000 / did["connections"],
                "rate": did["connections"] / did["seconds"],
                "start_s": proxy.start_s,
                "pss_bytes": processes.settled_pss_bytes(proxy.pids)}


def held_run(bench, kind, mutual, count, cpus):
    """Memory of COUNT connections that do nothing, and whether each of them
    still serves after that."""
    spread = 1 if count * 2 + 500 < DESCRIPTORS else 4
    more = {"workers": spread} if kind.has_workers else {"instances": spread}
    setup = bench.setup(mutual=mutual, **more)
    with bench.proxy(kind, setup, cpus) as proxy:
        empty = processes.settled_pss_bytes(proxy.pids)
        options = {"connections": count, "exchanges": 1}
        with bench.load(proxy, cpus, steady=True, processes=4,
                        ports=setup.instances, concurrency=32,
                        **options) as load:
            full = processes.settled_pss_bytes(proxy.pids)
            before = bench.backend.count()
            load.go()
            did = load.result()
            bench.backend.expect(before, did)
            served = processes.settled_pss_bytes(proxy.pids)
        check_bytes(did, options)
        return {"bytes": (full - empty) / count,
                "served_bytes": (served - empty) / count,
                "empty_bytes": empty, "processes": spread}


def reload_run(bench, kind, what, count, cpus):
    """From the signal until a renewed certificate is shown; and once more
    beside connections that are in use."""
    name = None
    more = {"listeners": count}
    renewed = bench.keys.server("old")
    if what == "names":
        more = {"names": bench.keys.named(count)}
        renewed = more["names"][count - 1]
        name = f"n{count - 1}.bench.example"
    setup = Setup(server=bench.keys.server("old"), reloads=True, **more)
    if what == "listeners":
        renewed = setup.server
    with bench.proxy(kind, setup, cpus) as proxy:
        if shown_certificate(proxy.port, name) != renewed.der:
            raise BenchError("another certificate than the one it was given")
        processes.await_rest(proxy.pids)
        before = processes.settled_pss_bytes(proxy.pids)
        new = bench.keys.server("new", name=name or "localhost")
        renewed.replace_with(new)
        took = _reload(proxy, name, new, bench.limit_s)
        processes.await_rest(proxy.pids)
        after = processes.settled_pss_bytes(proxy.pids)
        newer = bench.keys.server("newer", name=name or "localhost")
        renewed.replace_with(newer)
        pause_us = _reload_in_use(bench, proxy, name, newer, took, cpus)
        return {"reload_s": took, "pause_us": pause_us,
                "before_bytes": before, "after_bytes": after}


def _reload(proxy, name, new, limit_s):
    """How long it takes until the certificate NEW is shown."""
    began = time.monotonic()
    proxy.reload()
    while shown_certificate(proxy.port, name) != new.der:
        if time.monotonic() - began > limit_s:
            raise BenchError("the new certificate never came")
        time.sleep(0.005)
    return time.monotonic() - began


def _reload_in_use(bench, proxy, name, new, took, cpus):
    """The longest round trip meanwhile, and while things settle after that,
    where the last reload TOOK seconds."""
    interval_us = 10000
    options = {"connections": 20, "upload": 100, "download": 100,
               "exchanges": int((2 * took + 1) * 1e6 / interval_us)}
    with bench.load(proxy, cpus, steady=True, interval=interval_us,
                    **options) as load:
        before = bench.backend.count()
        load.go()
        _reload(proxy, name, new, bench.limit_s)
        did = load.result()
        bench.backend.expect(before, did)
    check_bytes(did, options)
    return did["max_us"]
