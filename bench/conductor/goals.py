"""What was promised, row by row, and whether a run kept it."""

from dataclasses import dataclass

from .results import Table
from .scenarios import GROWTH, HELD, SCENARIOS

WORST = 1.05  # of the best peer, in any row that has no goal of its own
TUNED = 0.90  # bulk, beside the peers tuned for it
HELD_GOAL = 0.86
TUNED_PEERS = ("haproxy-tuned", "nginx-tuned")


@dataclass
class Row:
    """One promise: NUMBER in the scenario KEY, against the best peer."""

    key: str
    title: str
    number: str
    what: str  # the number, in words
    goal: float
    tuned: bool = False  # whether the peers tuned for bulk count

    @property
    def name(self):
        """What a reason for missing it is filed under."""
        return self.key + (" tuned" if self.tuned else "") + {
            "p99_us": " latency", "pause_us": " pause"}.get(self.number, "")


@dataclass
class Verdict:
    row: Row
    ours: float
    peer: str
    theirs: float
    ratio: object  # results.Spread

    @property
    def is_met(self):
        return self.ratio.median <= self.row.goal

    @property
    def missed_by(self):
        return self.ratio.median / self.row.goal - 1


def promises():
    for scenario in SCENARIOS:
        if scenario.latency_goal:
            yield Row(scenario.key, scenario.title, "p99_us", "p99, us",
                      scenario.latency_goal)
            continue
        what = f"CPU us per {scenario.unit}"
        yield Row(scenario.key, scenario.title, "cpu_us", what,
                  scenario.goal or WORST)
        if scenario.tuned:
            yield Row(scenario.key, scenario.title + ", peers tuned for bulk",
                      "cpu_us", what, TUNED, tuned=True)
    for scenario in SCENARIOS:
        if scenario.two:
            yield Row(f"{scenario.key}-two",
                      scenario.title + ", two workers on two CPUs", "cpu_us",
                      f"CPU us per {scenario.unit}", WORST)
    for what, counts in GROWTH.items():
        words = what.replace("names", "server names")
        for count in counts:
            yield Row(f"{what}-{count}", f"Full handshake, {count} {words}",
                      "cpu_us", "CPU us per connection", WORST)
        yield Row(f"reload-{what}-{counts[-1]}",
                  f"Reload, {counts[-1]} {words}", "reload_s", "seconds",
                  WORST)
        yield Row(f"reload-{what}-{counts[-1]}",
                  f"Reload in use, {counts[-1]} {words}", "pause_us",
                  "longest round trip, us", WORST)
    for kind, words in (("plain", ""), ("mutual", ", mutual TLS")):
        for count in HELD:
            yield Row(f"held-{kind}-{count}",
                      f"Idle connections, {count}{words}", "bytes",
                      "bytes of PSS each", HELD_GOAL)


def judge(results):
    """Verdicts on all rows that RESULTS ({key: {proxy: rounds}}) have numbers
    for."""
    for row in promises():
        table = Table(results.get(row.key, {}))
        if not row.tuned:
            table = table.without(TUNED_PEERS)
        peer = table.best_peer(row.number)
        ratio = table.ratio(peer, row.number) if peer else None
        if ratio is None:
            continue
        yield Verdict(row, table.spread("sallyport", row.number).median,
                      peer, table.spread(peer, row.number).median, ratio)
