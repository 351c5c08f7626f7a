"""Tables on the terminal while a run is under way."""

from .results import OURS, Table

# Name of a number, its column, how to print one, and whether its ratio is
# worth a column.
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
    ("pss_bytes", "PSS bytes", "{:.0f}"),
    ("before_bytes", "PSS before", "{:.0f}"),
    ("after_bytes", "PSS after", "{:.0f}"),
]
MAIN = ("cpu_us", "bytes", "reload_s", "p99_us")


def _cell(spread, form):
    if spread is None:
        return "-"
    if spread.low == spread.high:
        return form.format(spread.median)
    return f"{form} ({form}..{form})".format(spread.median, spread.low,
                                             spread.high)


def table(key, rounds, seconds):
    """Medians, lowest and highest; and our ratio to each."""
    results = Table(rounds)
    columns = [column for column in COLUMNS
               if any(results.spread(name, column[0])
                      for name in results.rounds)]
    known = {column[0] for column in columns}
    main = next((number for number in MAIN if number in known), None)
    rows = [["", *(title for _, title, _ in columns), "ours/its"]]
    for name in rounds:
        row = [name, *(_cell(results.spread(name, number), form)
                       for number, _, form in columns)]
        ratio = results.ratio(name, main) if main and name != OURS else None
        rows.append([*row, _cell(ratio, "{:.2f}") if ratio else ""])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print(f"\n{key}  ({seconds:.0f} s)")
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width
                               in zip(row, widths)).rstrip(), flush=True)
