"""Tables on the terminal while a run is under way."""

from .results import OURS, Table

# Name of a number, its column, and how to print one.
COLUMNS = [
    ("cpu_us", "CPU us", "{:.1f}"),
    ("rate", "per s", "{:.0f}"),
    ("p50_us", "p50 us", "{:.0f}"),
    ("p99_us", "p99 us", "{:.0f}"),
    ("p999_us", "p99.9 us", "{:.0f}"),
    ("storm_rate", "storm/s", "{:.0f}"),
    ("bytes", "bytes each", "{:.0f}"),
    ("served_bytes", "once served", "{:.0f}"),
    ("start_s", "start s", "{:.2f}"),
    ("reload_s", "reload s", "{:.2f}"),
    ("pause_us", "longest round trip us", "{:.0f}"),
    ("pss_bytes", "PSS bytes", "{:.0f}"),
    ("before_bytes", "PSS before", "{:.0f}"),
    ("after_bytes", "PSS after", "{:.0f}"),
]


def columns_of(results):
    """Those of COLUMNS that these results have numbers for."""
    return [column for column in COLUMNS
            if any(results.spread(name, column[0])
                   for name in results.rounds)]


def cell(spread, form):
    """A median; and its lowest and highest, if that is not all the same."""
    if spread is None:
        return "-"
    text = form.format(spread.median)
    if spread.low == spread.high:
        return text
    return f"{text} ({form}..{form})".format(spread.low, spread.high)


def median(spread, form):
    return "-" if spread is None else form.format(spread.median)


def rows(rounds, brief=False):
    """Header and a row for each proxy; every number is followed by the ratio
    of ours to that proxy's. BRIEF: what lay around the medians is told of the
    first number only."""
    results = Table(rounds)
    columns = columns_of(results)
    header = [""]
    for _, title, _ in columns:
        header += [title, "ours/its"]
    found = [header]
    for name in rounds:
        row = [name]
        for i, (number, _, form) in enumerate(columns):
            ratio = None if name == OURS else results.ratio(name, number)
            tell = median if brief and i > 0 else cell
            row += [tell(results.spread(name, number), form),
                    tell(ratio, "{:.2f}") if ratio else ""]
        found.append(row)
    return found


def table(key, rounds, seconds):
    """What one scenario came to."""
    lines = rows(rounds, brief=True)
    widths = [max(len(line[i]) for line in lines)
              for i in range(len(lines[0]))]
    print(f"\n{key}  ({seconds:.0f} s)")
    for line in lines:
        print("  " + "  ".join(text.ljust(width) for text, width
                               in zip(line, widths)).rstrip(), flush=True)
