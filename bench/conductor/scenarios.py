"""What is measured: a table. A scenario says what the proxy is set up for,
what the load does, and what one unit of its work is."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Scenario:
    key: str
    title: str
    unit: str  # what CPU time is given for
    load: dict  # options of bench/load, at full size
    rsa: bool = False
    mutual: bool = False
    tickets: int = 2
    goal: float = None  # CPU against the best peer
    tuned: bool = False  # the peers tuned for bulk take part
    two: bool = False  # again with two workers on two CPUs
    apart: bool = False  # the proxy has a CPU for itself
    storm: dict = None  # handshakes that go on beside the load
    latency_goal: float = None  # p99 against the best peer

    @property
    def is_steady(self):
        return bool(self.load.get("steady"))

    @property
    def is_bulk(self):
        return max(self.load.get("upload", 0),
                   self.load.get("download", 0)) >= MIB

    def sized(self, scale):
        """Options of the load, its work scaled by SCALE, never to none."""
        load = dict(self.load)
        for key in ("upload", "download"):
            if load.get(key, 0) >= MIB:
                load[key] = max(int(load[key] * scale), 64 * 1024)
        if not self.is_bulk:
            key = "exchanges" if self.is_steady else "connections"
            load[key] = max(int(load[key] * scale), 4)
        return load

    def units(self, did):
        """How many units the load did, by its own account."""
        if self.is_bulk:
            return (did["sent"] + did["received"]) / MIB
        return did["exchanges"]


def _handshakes(count, **options):
    return {"connections": count, "concurrency": 16, "warm_up": 32, **options}


def _bulk(connections, **options):
    return {"steady": True, "connections": connections, "exchanges": 1,
            "upload": 64, "download": 64, **options}


SCENARIOS = [
    Scenario("full", "Full handshake, TLS 1.3, ECDSA P-256",
             "connection", _handshakes(1600), goal=0.85, two=True),
    Scenario("full-one-ticket", "Full handshake, TLS 1.3, ECDSA P-256, one ticket",
             "connection", _handshakes(1600), tickets=1, goal=0.80),
    Scenario("full-tls12", "Full handshake, TLS 1.2, ECDSA P-256",
             "connection", _handshakes(1600, tls="1.2"), goal=0.85),
    Scenario("full-rsa", "Full handshake, TLS 1.3, RSA-2048", "connection",
             _handshakes(900), rsa=True, goal=0.92),
    Scenario("mutual", "Full handshake, TLS 1.3, mutual, client seen before",
             "connection", _handshakes(900), mutual=True, goal=0.75,
             two=True),
    Scenario("mutual-tls12", "Full handshake, TLS 1.2, mutual, client seen before",
             "connection", _handshakes(900, tls="1.2"), mutual=True, goal=0.75),
    Scenario("resumed", "Resumed handshake, TLS 1.3", "connection",
             _handshakes(2000, resume=True), goal=0.85, two=True),
    Scenario("mutual-resumed", "Resumed handshake, TLS 1.3, mutual",
             "connection", _handshakes(1600, resume=True), mutual=True,
             goal=0.85),
    Scenario("down-1", "Bulk down, 1 connection", "MiB",
             _bulk(1, download=512 * MIB), goal=0.75, tuned=True),
    Scenario("down-64", "Bulk down, 64 connections", "MiB",
             _bulk(64, download=8 * MIB), goal=0.75, tuned=True, two=True),
    Scenario("up-1", "Bulk up, 1 connection", "MiB",
             _bulk(1, upload=512 * MIB), goal=0.75, tuned=True),
    Scenario("up-64", "Bulk up, 64 connections", "MiB",
             _bulk(64, upload=8 * MIB), goal=0.75, tuned=True, two=True),
    Scenario("round-trips", "Round trips of 100 bytes, 200 connections",
             "round trip",
             {"steady": True, "connections": 200, "exchanges": 200,
              "upload": 100, "download": 100}, goal=0.78, two=True),
    Scenario("paced", "Round trips of 100 bytes, 200 connections, 50 a second "
             "each", "round trip",
             {"steady": True, "connections": 200, "exchanges": 100,
              "upload": 100, "download": 100, "interval": 20000}, apart=True,
             latency_goal=1.05),
    Scenario("storm", "Round trips of 100 bytes beside an RSA-2048 storm",
             "round trip",
             {"steady": True, "connections": 20, "exchanges": 120,
              "upload": 100, "download": 100, "interval": 10000}, rsa=True,
             apart=True,
             storm={"concurrency": 64, "warm_up": 64, "endless": True},
             latency_goal=1.1),
]

# How the cost of a handshake grows with what there is to choose from.
GROWTH = {"listeners": (1, 100, 1000), "names": (1, 100, 1000, 10000)}
GROWTH_ROUNDS = 3  # but one alone where starting takes longest
GROWTH_LOAD = {"connections": 1000, "concurrency": 16, "warm_up": 32}

# Connections that are only there.
HELD = (5000, 20000)

# What cannot be made smaller, and takes too long for a first look.
NOT_QUICK = {"names-10000", "reload-names-10000", "held-plain-20000",
             "held-mutual-20000"}
