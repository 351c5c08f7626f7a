"""The whole run: which proxy meets which scenario, in which order."""

import datetime
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from . import machine, measure, proxies, show
from .keys import Keys
from .programs import Backend, BenchError
from .scenarios import (GROWTH, GROWTH_LOAD, GROWTH_ROUNDS, HELD, NOT_QUICK,
                        SCENARIOS)

LIMIT_S = 120  # of one run, before it counts as failed

GROWN = [f"{what}-{count}" for what, counts in GROWTH.items()
         for count in counts]
RELOADED = [f"reload-{what}-{counts[-1]}" for what, counts in GROWTH.items()]
HOLDING = [f"held-{kind}-{count}" for kind in ("plain", "mutual")
           for count in HELD]


def names():
    """Of everything that can be measured, in order."""
    return [*(scenario.key for scenario in SCENARIOS),
            *(f"{scenario.key}-two" for scenario in SCENARIOS
              if scenario.two), *GROWN, *RELOADED, *HOLDING]


class Suite:
    """ON_RESULT is called, with nothing, whenever there is one more."""

    def __init__(self, bench, args, kinds, tuned, cpus, on_result):
        self.bench = bench
        self.on_result = on_result
        self.wanted = args.scenario or [
            name for name in names() if not (args.quick and name in NOT_QUICK)]
        self.size_scale = args.scale or 1  # what --quick leaves alone
        self.kinds = kinds
        self.tuned = tuned
        self.cpus = cpus
        self.scale = args.scale or (0.25 if args.quick else 1)
        self.rounds = args.rounds or (2 if args.quick else 5)
        self.results = {}
        self.failures = []

    def run(self):
        for scenario in SCENARIOS:
            kinds = [*self.kinds, *(self.tuned if scenario.tuned else ())]
            self._compare(scenario.key, kinds, self.rounds,
                          lambda kind, s=scenario: measure.one_run(
                              self.bench, kind, s, self.scale,
                              self.cpus if s.apart else self.cpus[:1]))
        if len(self.cpus) > 1:
            self._run_two()
        self._run_growth()
        self._run_reloads()
        self._run_held()

    def _sized(self, count):
        return max(int(count * self.size_scale), min(count, 10))

    def _run_two(self):
        for scenario in SCENARIOS:
            if scenario.two:
                self._compare(f"{scenario.key}-two", self.kinds, self.rounds,
                              lambda kind, s=scenario: measure.one_run(
                                  self.bench, kind, s, self.scale,
                                  self.cpus))

    def _run_growth(self):
        load = dict(GROWTH_LOAD)
        load["connections"] = max(int(load["connections"] * self.scale), 4)
        for what, counts in GROWTH.items():
            for count in counts:
                self._compare(f"{what}-{count}", self.kinds,
                              min(self.rounds, GROWTH_ROUNDS),
                              lambda kind, w=what, c=self._sized(count):
                              measure.growth_run(self.bench, kind, w, c,
                                                 load, self.cpus[:1]))

    def _run_reloads(self):
        for what, counts in GROWTH.items():
            kinds = [kind for kind in self.kinds
                     if what != "names" or kind.loads_names]
            self._compare(f"reload-{what}-{counts[-1]}", kinds, 1,
                          lambda kind, w=what, c=self._sized(counts[-1]):
                          measure.reload_run(self.bench, kind, w, c,
                                             self.cpus))

    def _run_held(self):
        for mutual in (False, True):
            word = "mutual" if mutual else "plain"
            for count in HELD:
                self._compare(f"held-{word}-{count}", self.kinds, 1,
                              lambda kind, m=mutual, c=self._sized(count):
                              measure.held_run(self.bench, kind, m, c,
                                               self.cpus))

    def _compare(self, key, kinds, rounds, measure_one):
        """All KINDS in turn, ROUNDS times. Who fails once is out."""
        if key not in self.wanted:
            return
        table = {kind.name: [] for kind in kinds}
        began = time.monotonic()
        for _ in range(rounds):
            for kind in list(kinds):
                run_began = time.monotonic()
                try:
                    table[kind.name].append(measure_one(kind))
                    table[kind.name][-1]["took_s"] = round(
                        time.monotonic() - run_began, 2)
                except BenchError as error:
                    self.bench.backend.settle()
                    self.failures.append((key, kind.name, str(error)))
                    kinds = [other for other in kinds if other != kind]
                    table[kind.name] = []
        self.results[key] = table
        self.on_result()
        show.table(key, table, time.monotonic() - began)


def choose(wanted):
    """The peers named, or all of them."""
    if wanted is None:
        return proxies.PEERS, proxies.TUNED
    known = {kind.name: kind for kind in proxies.PEERS + proxies.TUNED}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.exit(f"bench/run: no such peer: {' '.join(unknown)}; there are "
                 f"{' '.join(known)}")
    chosen = [known[name] for name in wanted]
    return ([kind for kind in chosen if kind in proxies.PEERS],
            [kind for kind in chosen if kind in proxies.TUNED])


def check(args):
    """Ends with a word on what cannot work, before anything is started."""
    unknown = set(args.scenario or ()) - set(names())
    if unknown:
        sys.exit(f"bench/run: no such scenario: {' '.join(sorted(unknown))}; "
                 "--list names them")
    binary = (args.sallyport or args.build / "sallyport").resolve()
    for path in (binary, args.build / "bench" / "load",
                 args.build / "bench" / "backend"):
        if not path.is_file():
            sys.exit(f"bench/run: {path} is missing: run \"make bench-build\" "
                     "and say where with --build")
    proxies.Sallyport.binary = str(binary)


def run(args):
    check(args)
    peers, tuned = choose(args.peers)
    kinds = [proxies.Sallyport, *peers]
    cpus = args.cpu or sorted(os.sched_getaffinity(0))[:2]
    output = args.output or args.build / "bench-results.json"
    versions = {kind.name: kind.version() for kind in kinds + tuned}
    directory = Path(tempfile.mkdtemp(prefix="bench-"))
    began = time.monotonic()
    backend = None
    try:
        backend = Backend(str(args.build / "bench" / "backend"), 4, cpus)
        bench = measure.Bench(directory,
                              str(args.build / "bench" / "load"), backend,
                              Keys(directory), LIMIT_S)
        suite = Suite(bench, args, kinds, tuned, cpus,
                      lambda: save(output, suite, versions, began))
        suite.run()
        backend.close()
    finally:
        if backend is not None:
            backend.kill()
        shutil.rmtree(directory, ignore_errors=True)
    print(f"results are in {output}")
    for failure in suite.failures:
        print("FAILED: %s: %s: %s" % failure)
    print(f"\n{time.monotonic() - began:.0f} s in all")
    return 1 if any(name == "sallyport" for _, name, _ in suite.failures) \
        else 0


def save(output, suite, versions, began):
    """What there is so far: a run that is cut off has not been for nothing."""
    fresh = output.with_suffix(".new")
    fresh.write_text(json.dumps({
        "date": datetime.date.today().isoformat(),
        "seconds": round(time.monotonic() - began),
        "rounds": suite.rounds, "scale": suite.scale,
        "machine": machine.describe(),
        "versions": versions,
        "descriptors": proxies.DESCRIPTORS,
        "results": suite.results,
        "failures": suite.failures}, indent=1) + "\n")
    fresh.replace(output)
