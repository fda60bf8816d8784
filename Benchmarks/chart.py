"""Curves of queries per second over recall, as plain SVG text."""

import math
from html import escape

COLORS = {
    "Basis": ["#0b5cad", "#d1495b", "#1b998b", "#6a3d9a", "#e07b00", "#222222"],
    "": ["#8a8a8a", "#c98a1b", "#7a5195", "#5b8c2a", "#b07aa1", "#5f6b6d", "#a0522d", "#4f9bd9"]}
TICKS = [0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999]
WIDTH, HEIGHT, TOP, GAP = 440, 400, 64, 74


def across(recall):
    """High recall gets more room: equal steps halve what is missed."""
    low, high = (-math.log(1 - r) for r in (TICKS[0], TICKS[-1]))
    return (-math.log(1 - min(max(recall, TICKS[0]), TICKS[-1])) - low) / (high - low) * WIDTH


def write(path, title, panels):
    """`panels`: pairs of a heading and {name: [(recall, queries per second)]}, best points only."""
    names = list(dict.fromkeys(name for _, curves in panels for name in curves))
    counts = {"Basis": 0, "": 0}
    color = {}
    for name in names:
        group = "Basis" if name.startswith("Basis") else ""
        color[name] = COLORS[group][counts[group] % len(COLORS[group])]
        counts[group] += 1
    width = GAP + len(panels) * (WIDTH + GAP) + 170
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT + TOP + 62}" '
           f'viewBox="0 0 {width} {HEIGHT + TOP + 62}" font-size="12" '
           'font-family="DejaVu Sans, Helvetica, sans-serif">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{GAP}" y="26" font-size="17" font-weight="bold">{escape(title)}</text>']
    rates = [q for _, curves in panels for points in curves.values()
             for r, q in points if r >= TICKS[0]]
    low, high = math.log10(min(rates)) - 0.05, math.log10(max(rates)) + 0.05

    def up(rate):
        return HEIGHT - (math.log10(rate) - low) / (high - low) * HEIGHT

    for number, (heading, curves) in enumerate(panels):
        out.append(f'<g transform="translate({GAP + number * (WIDTH + GAP)},{TOP})">')
        out.append(f'<text x="{WIDTH / 2:.0f}" y="-12" text-anchor="middle" font-size="14">'
                   f'{escape(heading)}</text>')
        for tick in TICKS:
            x, label = across(tick), f"{tick}+" if tick == TICKS[-1] else tick
            out.append(f'<path d="M{x:.1f} 0V{HEIGHT}" stroke="#e4e4e4"/><text x="{x:.1f}" '
                       f'y="{HEIGHT + 18}" text-anchor="middle">{label}</text>')
        for power in range(math.floor(low), math.ceil(high) + 1):
            for digit in (1, 2, 5):
                rate = digit * 10.0 ** power
                if low <= math.log10(rate) <= high:
                    y = up(rate)
                    out.append(f'<path d="M0 {y:.1f}H{WIDTH}" stroke="#e4e4e4"/><text x="-8" '
                               f'y="{y + 4:.1f}" text-anchor="end">{rate:,.0f}</text>')
        out.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#888"/>'
                   f'<text x="{WIDTH / 2}" y="{HEIGHT + 42}" text-anchor="middle">recall@10</text>')
        if number == 0:
            out.append(f'<text transform="translate(-58,{HEIGHT / 2}) rotate(-90)" '
                       'text-anchor="middle">queries per second of processor time</text>')
        for name, points in sorted(curves.items(), key=lambda item: item[0].startswith("Basis")):
            ours = name.startswith("Basis")
            seen = [(across(r), up(q)) for r, q in points if r >= TICKS[0]]
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in seen)
            out.append(f'<polyline points="{line}" fill="none" stroke="{color[name]}" '
                       f'stroke-width="{3 if ours else 1.5}"/>')
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{4 if ours else 2.5}" '
                    f'fill="{color[name]}"/>' for x, y in seen]
        out.append("</g>")
    for row, name in enumerate(names):
        x, y = GAP + len(panels) * (WIDTH + GAP) - GAP + 18, TOP + 14 + row * 22
        ours = name.startswith("Basis")
        out.append(f'<path d="M{x} {y}h26" stroke="{color[name]}" '
                   f'stroke-width="{3 if ours else 1.5}"/><circle cx="{x + 13}" cy="{y}" '
                   f'r="{4 if ours else 2.5}" fill="{color[name]}"/><text x="{x + 34}" y="{y + 4}"'
                   f'{" font-weight=" + chr(34) + "bold" + chr(34) if ours else ""}>'
                   f'{escape(name)}</text>')
    out.append("</svg>")
    path.write_text("\n".join(out) + "\n")
