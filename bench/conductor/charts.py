"""Bar charts as SVG, drawn by hand: no library, no fonts, no scripts."""

from html import escape

COLOURS = ["#1f6f8b", "#c8963e", "#7a9e5f", "#b0596a", "#8a8a8a", "#d9b98a",
           "#b5cba3"]
LEFT, RIGHT, TOP, BAR, GAP = 165, 60, 56, 13, 14
WIDTH = 760


def _text(x, y, text, anchor="start", size=12, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
            f'font-size="{size}" font-weight="{weight}">{escape(text)}'
            "</text>")


def _legend(names, shown):
    parts, x = [], 12
    for name, colour in zip(names, COLOURS):
        if name not in shown:
            continue
        parts.append(f'<rect x="{x}" y="32" width="11" height="11" '
                     f'fill="{colour}"/>')
        parts.append(_text(x + 15, 42, name))
        x += 26 + 7.2 * len(name)
    return parts


def bars(title, names, groups, form="{:.2f}", line=None):
    """GROUPS: [(label, {name: value})]; NAMES give order and colours. LINE is
    a value to draw a mark at. Longer is worse in all of ours."""
    shown = {name for _, group in groups for name in group}
    values = [value for _, group in groups for value in group.values()]
    # What is far worse than the rest would make the rest unreadable.
    values.sort()
    top = min(values[-1], 3 * values[len(values) // 2])
    scale = (WIDTH - LEFT - RIGHT) / top
    parts, y = [], TOP
    for label, group in groups:
        height = BAR * len(group)
        parts.append(_text(LEFT - 8, y + height / 2 + 4, label, "end"))
        for name in (name for name in names if name in group):
            value = group[name]
            width = min(value, top) * scale
            parts.append(f'<rect x="{LEFT}" y="{y:.1f}" width="{width:.1f}" '
                         f'height="{BAR - 2}" '
                         f'fill="{COLOURS[names.index(name)]}"/>')
            parts.append(_text(LEFT + width + 4, y + BAR - 4,
                               form.format(value), size=10))
            y += BAR
        y += GAP
    if line is not None:
        x = LEFT + line * scale
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" '
                     f'y2="{y - GAP}" stroke="#222" stroke-dasharray="3 3"/>')
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
            f'height="{y:.0f}" viewBox="0 0 {WIDTH} {y:.0f}" '
            'font-family="sans-serif" fill="#222">')
    return "\n".join([head, '<rect width="100%" height="100%" fill="#fff"/>',
                      _text(12, 20, title, size=15, weight="bold"),
                      *_legend(names, shown), *parts, "</svg>", ""])
