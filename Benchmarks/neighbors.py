"""The approximate indexes beside other libraries': recall against queries per second.

make bench, or: python Benchmarks/neighbors.py PATH_TO_Benchmark [--synthetic] [--fresh]
(packages: Benchmarks/requirements.txt). One thread a side, the sides taking turns, medians of
processor time. Writes a chart and a section of Benchmarks/RESULTS.md per data set.

--synthetic adds 200,000 × 384 rows, for which some peers build for minutes. Peers' indexes are
kept in a temporary folder, or in BENCHMARK_CACHE, and built anew with --fresh. BENCHMARK_ROUNDS is
the number of rounds (5); BENCHMARK_SETS names the data sets, such as glove,growth. With
BENCHMARK_SIDES, such as "Basis graph;faiss PQ4fs, refined", only these sides are
compared, and nothing is written.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from harness import K, ROOT, Basis, circumstances, read_ids, write_section

import numpy as np

import chart
import neighbor_data
from libraries import peers

ROUNDS = int(os.environ.get("BENCHMARK_ROUNDS", 5))
SIDES = [side for side in os.environ.get("BENCHMARK_SIDES", "").split(";") if side]
TARGETS = [0.9, 0.95, 0.99]
# A peer's side answers this many queries one at a time, as Benchmark does.
SINGLES = 200
EXPLAINED = (
    "Queries per second at a recall, on the best points of each curve (between two of them, along "
    "their logarithms). A row is found if it is no farther than the tenth nearest. In parentheses "
    "the ratio to the fastest peer: above 1 Basis is faster. Building is one run's processor time; "
    "bytes are of an index's file with the vectors themselves.")
INDEXES = {"graph": "Basis graph", "lists": "Basis lists", "quantized": "Basis 4-bit flat",
           "int8": "Basis int8 flat", "bits": "Basis 1-bit flat", "flat": "Basis flat"}
# What would take longest, and decides nothing, with the large rows.
SKIPPED = {"synthetic": ["Basis 1-bit flat", "Basis flat", "usearch f32", "usearch i8",
                         "faiss IVF-PQ4fs, refined", "faiss binary, refined", "faiss flat"]}
SHORTLISTS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 320, 640, 1280]


class Ours:
    """One of our indexes in its process."""

    def __init__(self, kind, data, folder):
        self.name = INDEXES[kind]
        self.count, self.ids = len(data.queries), folder / f"{kind}.ivecs"
        np.save(folder / "base.npy", data.base)
        np.save(folder / "queries.npy", data.queries)
        self.side = Basis(
            sys.argv[1], "neighbors", folder / "base.npy", folder / "queries.npy", kind, K,
            self.ids)
        _, seconds, size = self.side.said[0].split()
        self.build_seconds, self.bytes_per_vector = float(seconds), float(size)
        steps = {"graph": [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640],
                 "lists": [1, 2, 4, 8, 16, 32, 64, 128], "flat": []}.get(kind, SHORTLISTS)
        recalls = [1] if kind == "flat" else [0.8, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995]
        self.knobs = [[f"candidates {c}" for c in steps], [f"recall {r}" for r in recalls]]

    def batch(self, knob):
        seconds = self.side.round(f"batch {knob}")
        return read_ids(self.ids, self.count), seconds

    def single(self, knob):
        return self.side.round(f"single {knob}")

    def close(self):
        self.side.close()


class Theirs:
    """A peer's index in this process, built once and kept."""

    def __init__(self, peer, data, cache):
        self.peer, self.name, self.queries = peer, peer.name, data.unit_queries
        self.knobs = peer.knobs if isinstance(peer.knobs[0], list) else [peer.knobs]
        folder = cache / data.fingerprint / peer.name.replace(" ", "-").replace(",", "")
        path, note = folder / "index", folder / "build-seconds"
        if not note.exists() or "--fresh" in sys.argv:
            if folder.exists():
                neighbor_data.remove(folder)
            folder.mkdir(parents=True)
            start = time.process_time()
            peer.build(data.unit_base)
            taken = time.process_time() - start
            peer.save(path)
            note.write_text(str(taken))
        peer.load(path, data.unit_base)
        self.build_seconds = float(note.read_text())
        files = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
        self.bytes_per_vector = sum(f.stat().st_size for f in files) / len(data.base)

    def batch(self, knob):
        self.peer.tune(knob)
        start = time.process_time()
        found = self.peer.ask(self.queries)
        return np.asarray(found), time.process_time() - start

    def single(self, knob):
        self.peer.tune(knob)
        start = time.process_time()
        for query in self.queries[:SINGLES]:
            self.peer.ask_one(query)
        return time.process_time() - start

    def close(self):
        self.peer.index = None


def measure(data, sides, rounds=ROUNDS, singles=True):
    """{side: {knob: (recall, queries/s at once, queries/s one at a time)}}, medians of rounds."""
    recalls, times = {}, {}
    for turn in range(rounds + 1):
        for group in range(max(len(side.knobs) for side in sides)):
            for step in range(max(len(knobs) for side in sides for knobs in side.knobs)):
                for side in sides:
                    if group >= len(side.knobs) or step >= len(side.knobs[group]):
                        continue
                    knob = side.knobs[group][step]
                    key = (side.name, knob)
                    if turn == 0:
                        # Nothing more to see beyond; and the first round is for warming up.
                        before = (side.name, side.knobs[group][step - 1]) if step else None
                        if before and recalls.get(before, 2) > 0.997:
                            continue
                        recalls[key] = data.recall(side.batch(knob)[0])
                        times[key] = ([], [])
                    elif key in times:
                        times[key][0].append(side.batch(knob)[1])
                        if singles:
                            times[key][1].append(side.single(knob))
        print(f"{data.title}: round {turn} of {rounds}", flush=True)
    count, single = len(data.queries), min(SINGLES, len(data.queries))
    return {side.name: {
        knob: (recalls[name, knob], count / statistics.median(batch),
               single / statistics.median(one) if one else 0)
        for (name, knob), (batch, one) in times.items() if name == side.name} for side in sides}


def best(points):
    """Those points that no other beats in both recall and speed, by rising recall."""
    kept = []
    for recall, rate in sorted(points, reverse=True):
        if not kept or rate > kept[-1][1]:
            kept.append((recall, rate))
    return kept[::-1]


def is_wanted(side, data):
    """Whether a side takes part."""
    return side in SIDES if SIDES else side not in SKIPPED.get(data.name, [])


def rate_at(points, target):
    """Queries per second at a recall: between the best points around it, or the first above."""
    points = best(points)
    for (r0, q0), (r1, q1) in zip([(None, None)] + points, points):
        if r1 >= target:
            if r0 is None:
                return q1
            share = (target - r0) / (r1 - r0)
            return float(np.exp((1 - share) * np.log(q0) + share * np.log(q1)))
    return None


def report(data, sides, found):
    """The table of a data set, what loses in it, and its chart."""
    curves = [(way, {name: [(p[0], p[column]) for p in points.values()]
                     for name, points in found.items()})
              for column, way in enumerate([f"{len(data.queries):,} at once", "one at a time"], 1)]
    picture = f"neighbors-{data.name}.svg"
    if not SIDES:
        chart.write(ROOT / "Benchmarks" / picture, data.title,
                    [(way, {name: best(points) for name, points in curve.items()})
                     for way, curve in curves])
    rates = {(side.name, way, target): rate_at(curve[side.name], target)
             for way, curve in curves for side in sides for target in TARGETS}
    losses = []

    def cell(side, way, target):
        rate = rates[side.name, way, target]
        if rate is None:
            return "–"
        others = [(rates[s.name, way, target], s.name) for s in sides
                  if not s.name.startswith("Basis") and rates[s.name, way, target]]
        if not side.name.startswith("Basis") or not others:
            return f"{rate:,.0f}"
        ratio = rate / max(others)[0]
        if ratio < 1:
            losses.append(f"{side.name} at {target:.2f}, {way}: {ratio:.2f} of {max(others)[1]}")
        return f"{rate:,.0f} ({ratio:.2f})"

    lines = ["", f"![queries per second over recall]({picture})", "",
             "| index | " + " | ".join(f"{t:.2f} at once" for t in TARGETS) + " | "
             + " | ".join(f"{t:.2f} single" for t in TARGETS) + " | build s | bytes/vector |",
             "|---" * 9 + "|"]
    for side in sides:
        cells = [cell(side, way, target) for way, _ in curves for target in TARGETS]
        lines.append(f"| {side.name} | {' | '.join(cells)} | {side.build_seconds:,.1f} "
                     f"| {side.bytes_per_vector:,.0f} |")
    lines += ["", "Recall that was asked for, and got: " + "; ".join(
        f"{side.name[6:]} " + ", ".join(
            f"{t:.2f} → {found[side.name][knob][0]:.3f}" for t in TARGETS
            if (knob := f"recall {t:g}") in found[side.name])
        for side in sides if side.name.startswith("Basis")) + "."]
    fastest = max((s for s in sides if s.name.startswith("Basis")),
                  key=lambda s: rates[s.name, curves[0][0], 0.95] or 0)
    quickest = min((s for s in sides if not s.name.startswith("Basis")),
                   key=lambda s: s.build_seconds)
    slower = [s.name for s in sides if s.name.startswith("Basis")
              and s.build_seconds > quickest.build_seconds]
    lines += ["", "Where a peer is faster: " + ("; ".join(losses) or "nowhere in this table") + "."]
    if slower:
        lines[-1] += f" {quickest.name} builds faster than {', '.join(slower)}."
    lines[-1] += f" At 0.95 and at once {fastest.name} is the fastest of Basis."
    return lines + [""]


def growth(data, folder):
    """What a query and a row of building cost as rows grow, at recall 0.95."""
    counts = [n for n in [10_000, 50_000, 200_000] if n < len(data.base)] + [len(data.base)]
    lines = [f"{data.title}, rows drawn at random; microseconds of processor time at recall 0.95, "
             "queries at once. The exponent is that of the power of the row count that fits best. "
             "Building includes learning from a sample and measuring recall, which few rows "
             "share: hence exponents below 0.",
             "", "| index | " + " | ".join(f"{n:,} rows" for n in counts) + " | exponent |",
             "|---" * (len(counts) + 2) + "|"]
    costs = {}
    for count in counts:
        part = data.sample(count)
        sides = [Ours(kind, part, folder) for kind in ["graph", "lists"]]
        found = measure(part, sides, singles=False)
        for side in sides:
            points = [(recall, rate) for recall, rate, _ in found[side.name].values()]
            costs.setdefault(f"{side.name}, a query", []).append(1e6 / rate_at(points, 0.95))
            costs.setdefault(f"{side.name}, building a row", []).append(
                1e6 * side.build_seconds / count)
            side.close()
    for name, values in sorted(costs.items()):
        slope = np.polyfit(np.log(counts), np.log(values), 1)[0]
        lines.append(f"| {name} | {' | '.join(f'{v:,.1f}' for v in values)} | {slope:.2f} |")
    return lines + [""]


def main():
    cache = Path(os.environ.get("BENCHMARK_CACHE", Path(tempfile.gettempdir()) / "basis-peers"))
    chosen = os.environ.get("BENCHMARK_SETS", "glove,minilm,growth").split(",")
    sets = neighbor_data.sets(chosen, "--synthetic" in sys.argv)
    measured = circumstances(["numpy", "faiss-cpu", "hnswlib", "usearch", "scann"]) + (
        f". One thread a side, the sides taking turns, medians of processor time over {ROUNDS} "
        f"round{'s' * (ROUNDS > 1)}; k = {K}, the cosine. Made by `make bench`.")
    with tempfile.TemporaryDirectory() as name:
        for data in sets:
            if data.name not in chosen and data.name != "synthetic":
                continue
            sides = []
            for kind, side in INDEXES.items():
                if not is_wanted(side, data):
                    continue
                sides.append(Ours(kind, data, Path(name)))
                print(data.title, sides[-1].name, sides[-1].build_seconds, flush=True)
            for peer in peers():
                if not is_wanted(peer.name, data):
                    continue
                sides.append(Theirs(peer, data, cache))
                print(data.title, peer.name, sides[-1].build_seconds, flush=True)
            lines = report(data, sides, measure(data, sides))
            for side in sides:
                side.close()
            if not SIDES:
                write_section(f"Nearest neighbours: {data.title}", [measured, "", EXPLAINED, *lines])
            print("\n".join(lines), flush=True)
        if "growth" in chosen:
            lines = growth(next(data for data in sets if data.name == "glove"), Path(name))
            write_section("Nearest neighbours: as rows grow", [measured, "", *lines])
            print("\n".join(lines))


main()
