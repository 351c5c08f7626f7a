"""Numbers of all rounds, and what they come to."""

import statistics

OURS = "sallyport"


class Spread:
    """A median and what lay around it."""

    def __init__(self, values):
        self.median = statistics.median(values)
        self.low = min(values)
        self.high = max(values)


class Table:
    """Rounds of one scenario: {proxy: [{"cpu_us": ...} of each round]}."""

    def __init__(self, rounds):
        self.rounds = {name: runs for name, runs in rounds.items() if runs}

    @property
    def peers(self):
        return [name for name in self.rounds if name != OURS]

    def spread(self, name, number):
        values = [run[number] for run in self.rounds.get(name, ())
                  if number in run]
        return Spread(values) if values else None

    def ratio(self, peer, number):
        """Ours to PEER's, round by round: what disturbs one round disturbs
        both."""
        pairs = [(ours[number], its[number]) for ours, its in
                 zip(self.rounds.get(OURS, ()), self.rounds.get(peer, ()))
                 if number in ours and number in its]
        if not pairs or any(its <= 0 for _, its in pairs):
            return None
        return Spread([ours / its for ours, its in pairs])

    def best_peer(self, number):
        """Who of the peers has the least of NUMBER."""
        known = [name for name in self.peers if self.spread(name, number)]
        return min(known, key=lambda name: self.spread(name, number).median,
                   default=None)

    def without(self, names):
        return Table({name: runs for name, runs in self.rounds.items()
                      if name not in names})
