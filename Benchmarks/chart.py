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


def growth(path, title, across_label, up_label, curves):
    """`curves`: {name: [(size, seconds)]}, both axes by factors; a name of ours starts with Basis."""
    growths(path, title, up_label, [("", across_label, curves)])


def growths(path, title, up_label, panels):
    """Panels side by side, three in a row: triples of a heading, what is across, and curves."""
    size = (460, 360) if len(panels) == 1 else (300, 210)
    step = (size[0] + 276, size[1] + 122) if len(panels) == 1 else (size[0] + 110, size[1] + 132)
    columns = min(3, len(panels))
    rows = (len(panels) + columns - 1) // columns
    width, height = columns * step[0], rows * step[1] + (0 if len(panels) == 1 else 40)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}" font-size="12" '
           'font-family="DejaVu Sans, Helvetica, sans-serif">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="86" y="28" font-size="16" font-weight="bold">{escape(title)}</text>']
    for number, (heading, across_label, curves) in enumerate(panels):
        x, y = number % columns * step[0] + 86, number // columns * step[1] + 52
        if heading:
            y += 22
            out.append(f'<text x="{x}" y="{y - 9}" font-size="13">{escape(heading)}</text>')
        out.append(f'<g transform="translate({x},{y})">')
        # The names lie beside a panel that is alone, and below others.
        beside = len(panels) == 1
        out += grown(across_label, up_label if number % columns == 0 else "", curves, *size, beside)
        out.append("</g>")
    out.append("</svg>")
    path.write_text("\n".join(out) + "\n")


def grown(across_label, up_label, curves, width, height, beside):
    xs = [x for points in curves.values() for x, _ in points]
    ys = [y for points in curves.values() for _, y in points]
    edges = [(math.log10(min(v)) - 0.06, math.log10(max(v)) + 0.06) for v in (xs, ys)]

    def place(x, y):
        return ((math.log10(x) - edges[0][0]) / (edges[0][1] - edges[0][0]) * width,
                height - (math.log10(y) - edges[1][0]) / (edges[1][1] - edges[1][0]) * height)

    out = []
    for low, high, values in [(*edges[0], sorted(set(xs))), (*edges[1], None)]:
        digits = (1, 2, 5) if beside or high - low < 2.5 else (1,)
        ticks = values or [digit * 10.0 ** power for digit in digits
                           for power in range(math.floor(low), math.ceil(high) + 1)]
        for tick in ticks:
            if not low <= math.log10(tick) <= high:
                continue
            if values:
                x = place(tick, ys[0])[0]
                out.append(f'<path d="M{x:.1f} 0V{height}" stroke="#e4e4e4"/><text x="{x:.1f}" '
                           f'y="{height + 18}" text-anchor="middle">{tick:,}</text>')
            else:
                y = place(xs[0], tick)[1]
                out.append(f'<path d="M0 {y:.1f}H{width}" stroke="#e4e4e4"/><text x="-8" '
                           f'y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    out.append(f'<rect width="{width}" height="{height}" fill="none" stroke="#888"/>'
               f'<text x="{width / 2:g}" y="{height + (44 if beside else 36)}" '
               f'text-anchor="middle">{escape(across_label)}</text><text '
               f'transform="translate(-62,{height / 2:g}) rotate(-90)" text-anchor="middle">'
               f'{escape(up_label)}</text>')
    counts = {"Basis": 0, "": 0}
    for row, (name, points) in enumerate(curves.items()):
        group = "Basis" if name.startswith("Basis") else ""
        color = COLORS[group][counts[group] % len(COLORS[group])]
        counts[group] += 1
        places = [place(*point) for point in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        out.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}"/>' for x, y in places]
        x, y = (width + 20, 14 + 22 * row) if beside else (5 + 80 * row, height + 56)
        out.append(f'<circle cx="{x}" cy="{y}" r="5" fill="{color}"/>'
                   f'<text x="{x + 12}" y="{y + 4}">{escape(name)}</text>')
    return out
