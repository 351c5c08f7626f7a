"""Makes docs/performance.md and its charts of a run's results."""

import re
from pathlib import Path

from . import charts, show
from .goals import TUNED_PEERS, judge
from .results import OURS, Table
from .scenarios import GROWTH, HELD, SCENARIOS

HEAD = """# Performance

Written by `bench/report` from what `bench/run` measured;
[bench/README.md](../bench/README.md) has the method, and how to run it
yourself. Edits belong there and into `bench/why.md`, not here.

CPU time is that of all processes of a proxy, user and system, for one unit of
work; less is better everywhere but in throughput. "Ours/its" is sallyport's
number divided by the peer's, round by round: under 1.00 we need less. Numbers
are medians, with the lowest and highest round in parentheses.
"""

CAVEATS = """A "connection" is a handshake, 64 bytes each way, and an orderly end. Client, proxy and backend share one CPU (in
the second table two), so throughput and latency are those of the whole chain
at saturation, while CPU time is the proxy's alone. Certificates are ECDSA
P-256 unless RSA is named, the group is X25519, the cipher AES-128-GCM: the
load generator offers nothing else and checks that it got it. Everybody gives
two session tickets unless the row says one. Nobody writes an access log.
sallyport runs as installed, with its sandbox on.
"""


def _table(lines):
    head, *rest = lines
    rule = ["---"] * len(head)
    return "\n".join("| " + " | ".join(line) + " |"
                     for line in [head, rule, *rest]) + "\n"


def _setting(run, is_only):
    """When, where and how much; of several runs also what."""
    versions = ", ".join(f"{name} {version}" for name, version
                         in run["versions"].items()
                         if name not in TUNED_PEERS)
    where = run["machine"]
    size = "" if run["scale"] == 1 else \
        f" **Only {run['scale']:g} of the full work.**"
    what = "" if is_only else f"{', '.join(run['results'])}: "
    return (f"{what}{'Measured' if is_only else 'measured'} on {run['date']} "
            f"in {run['seconds'] / 60:.0f} minutes; "
            f"rounds: {run['rounds']}. {where['cpus']} CPUs ({where['cpu']}), "
            f"{where['memory_gib']} GiB, Linux {where['kernel']}, "
            f"{where['system']}, {where['openssl']}, libevent "
            f"{where['libevent']}; {versions}.{size}\n")


def reasons(path):
    """{name of a row: text} of the file of reasons."""
    text = path.read_text() if path.is_file() else ""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return {name.strip(): body.strip()
            for name, body in zip(parts[1::2], parts[2::2])}


def _goals(verdicts):
    lines = [["what", "", "ours", "best peer", "", "ours/its", "goal", ""]]
    for verdict in verdicts:
        row = verdict.row
        form = "{:.2f}" if verdict.ours < 100 else "{:.0f}"
        met = "met" if verdict.is_met else \
            f"**missed by {verdict.missed_by:.0%}**"
        lines.append([row.title, row.what, form.format(verdict.ours),
                      verdict.peer, form.format(verdict.theirs),
                      show.cell(verdict.ratio, "{:.2f}"),
                      f"<= {row.goal:.2f}", met])
    return _table(lines)


def _misses(verdicts, why):
    missed = [verdict for verdict in verdicts if not verdict.is_met]
    if not missed:
        return "All goals are met.\n"
    parts = []
    for verdict in missed:
        reason = why.get(verdict.row.name, "Not explained yet.")
        parts.append(f"**{verdict.row.title}** ({verdict.row.what}): "
                     f"{verdict.ratio.median:.2f} of {verdict.peer} where "
                     f"{verdict.row.goal:.2f} was the goal. {reason}\n")
    return "\n".join(parts)


def _details(results):
    titles = {scenario.key: scenario.title for scenario in SCENARIOS}
    titles.update({f"{key}-two": title + ", two workers on two CPUs"
                   for key, title in titles.items()})
    for key, rounds in results.items():
        yield f"### {titles.get(key, key)}\n\n{_table(show.rows(rounds))}"


def _medians(results, key, number):
    table = Table(results.get(key, {}))
    return {name: table.spread(name, number).median
            for name in table.rounds if table.spread(name, number)}


def _relative(results, keys, number="cpu_us"):
    """[(key, {proxy: number over ours})] of the keys that were measured."""
    groups = []
    for key in keys:
        group = _medians(results, key, number)
        if OURS in group and len(group) > 1:
            groups.append((key, {name: value / group[OURS]
                                 for name, value in group.items()}))
    return groups


def _absolute(results, keys, number, factor=1):
    groups = [(key, _medians(results, key, number)) for key in keys]
    return [(key, {name: value * factor for name, value in group.items()})
            for key, group in groups if group]


def drawings(run):
    """{file name: (title, SVG)} of all charts that there are numbers for."""
    results = run["results"]
    names = list(run["versions"])
    singles = [s.key for s in SCENARIOS if not s.latency_goal]
    held = [f"held-{kind}-{count}" for kind in ("plain", "mutual")
            for count in HELD]
    wanted = {
        "cpu": ("CPU time per unit, sallyport = 1",
                _relative(results, singles), "{:.2f}", 1),
        "cpu-two": ("CPU time per unit, two workers on two CPUs, "
                    "sallyport = 1",
                    _relative(results, [f"{key}-two" for key in singles]),
                    "{:.2f}", 1),
        "memory": ("Idle connection: KiB of PSS",
                   _absolute(results, held, "bytes", 1 / 1024), "{:.1f}",
                   None),
        "latency": ("Round trips alone, and beside an RSA-2048 handshake "
                    "storm: p99, ms",
                    _absolute(results, ["paced", "storm"], "p99_us", 0.001),
                    "{:.1f}", None),
        "growth": ("Full handshake among many: CPU us",
                   _absolute(results, [f"{what}-{count}" for what, counts
                                       in GROWTH.items() for count in counts],
                             "cpu_us"), "{:.0f}", None),
    }
    return {stem: (title, charts.bars(title, names, groups, form, line))
            for stem, (title, groups, form, line) in wanted.items() if groups}


def _together(table, again):
    """All rounds of two runs of one scenario. Who failed in one of them is
    out, so that a round of one proxy stands beside the same one of another."""
    return {name: rounds + again[name] if rounds and again[name] else []
            for name, rounds in table.items() if name in again}


def merged(runs):
    """One run of several that measured different things, or the same again:
    no round is left out."""
    results = {}
    for run in runs:
        for key, table in run["results"].items():
            results[key] = _together(results[key], table) \
                if key in results else table
    return {"results": results,
            "versions": {name: version for run in runs
                         for name, version in run["versions"].items()},
            "failures": [failure for run in runs
                         for failure in run["failures"]]}


def write(runs, why_file, output):
    """Writes OUTPUT and the charts beside it, performance-*.svg. Returns the
    names of the rows whose goal is missed without a reason."""
    run = merged(runs)
    why = reasons(why_file)
    verdicts = list(judge(run["results"]))
    pictures = drawings(run)
    for old in output.parent.glob(f"{output.stem}-*.svg"):
        old.unlink()
    for stem, (_, svg) in pictures.items():
        Path(output.parent / f"{output.stem}-{stem}.svg").write_text(svg)
    failures = [f"- {key}: {name}: {text}\n"
                for key, name, text in run["failures"]]
    parts = [HEAD, *(_setting(one, len(runs) == 1) for one in runs), CAVEATS,
             *(f"![{title}]({output.stem}-{stem}.svg)\n"
               for stem, (title, _) in pictures.items()),
             "## Goals\n", _goals(verdicts), "## Goals missed, and why\n",
             _misses(verdicts, why)]
    if failures:
        parts += ["## What could not be measured\n", "".join(failures)]
    parts += ["## All numbers\n", *_details(run["results"])]
    output.write_text("\n".join(parts))
    return [verdict.row.name for verdict in verdicts
            if not verdict.is_met and verdict.row.name not in why]
