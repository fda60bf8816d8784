"""Methods beside other libraries' at three sizes: seconds, ratios, and how both grow.

make bench, or: python Benchmarks/methods.py PATH_TO_Benchmark (packages: requirements.txt)
One thread a side, the sides taking turns, medians of processor time. Results are compared before a
time is told. Writes a section of Benchmarks/RESULTS.md and its pictures. BENCHMARK_ROUNDS is the
number of rounds (5; a peer that takes more than 5 seconds has one); with BENCHMARK_METHODS, such as
"smote,fastrp", only these are measured, and nothing is written.
"""

import gzip
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from harness import DATA, ROOT, Basis, circumstances, write_section

import numpy as np
import scipy.sparse as sp

import chart

ROUNDS = int(os.environ.get("BENCHMARK_ROUNDS", 5))
CHOSEN = [name for name in os.environ.get("BENCHMARK_METHODS", "").split(",") if name]
LONG = 5


class Ours:
    """One of our methods in its process, on files that it reads once."""

    def __init__(self, kind, folder, settings=(), **arrays):
        self.folder = folder
        for name, values in arrays.items():
            np.save(folder / f"{name}.npy", values)
        self.side = Basis(sys.argv[1], "methods", kind, folder, *settings)

    def round(self, threads=1):
        """Seconds; what was found is in `words` then."""
        self.side.process.stdin.write(f"{threads}\n")
        self.side.process.stdin.flush()
        self.words = self.side.line().split()[1:]
        return float(self.side.line())

    def values(self):
        return np.fromfile(self.folder / self.words[0], "<f4").reshape(-1, 2)[:, 1]

    def peak(self):
        """Bytes that its memory grows by in a round, at most; of the first, before any is kept."""
        def known(key):
            text = Path(f"/proc/{self.side.process.pid}/status").read_text()
            return int(text.split(f"{key}:")[1].split()[0]) * 1024

        Path(f"/proc/{self.side.process.pid}/clear_refs").write_text("5")
        before = known("VmRSS")
        self.round()
        return known("VmHWM") - before


def timed(body):
    start = time.process_time()
    result = body()
    return time.process_time() - start, result


def turns(ours, theirs):
    """Median seconds of both sides, and the peer's last result."""
    own, peer = [], []
    for turn in range(ROUNDS + 1):
        own.append(ours.round())
        if turn == 0 or peer[-1] < LONG:
            seconds, result = timed(theirs)
            peer.append(seconds)
    return statistics.median(own[1:]), statistics.median(peer[1:] or peer), result


class Method:
    """What was measured of a method, a size at a time."""

    def __init__(self, title, peer, across):
        self.title, self.peer, self.across = title, peer, across
        self.rows = []

    def add(self, size, label, seconds, peer_seconds, note):
        self.rows.append((size, label, seconds, peer_seconds, note))
        print(self.title, *self.rows[-1], flush=True)

    def lines(self):
        for _, label, own, peer, note in self.rows:
            told = f"{self.peer} {peer:.3g} | {peer / own:.2f}" if peer else "– | –"
            yield f"| {self.title}, {label} | {own:.3g} | {told} | {note} |"
        own, peer = self.exponent(2), self.exponent(3)
        told = f"{peer:.2f}" if peer is not None else "–"
        yield f"| *its exponent* | {own:.2f} | {told} | | of {self.across} |"

    def exponent(self, column):
        points = [(row[0], row[column]) for row in self.rows]
        if not all(seconds for _, seconds in points):
            return None
        return np.polyfit(*np.log(points).T, 1)[0]

    def panel(self):
        sides = {"Basis": [(row[0], row[2]) for row in self.rows]}
        if self.peer:
            sides[self.peer] = [(row[0], row[3]) for row in self.rows]
        return self.title, self.across, sides


def euclidean(x, y):
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return np.sqrt(np.maximum(squares, 0)).astype("f4")


def transport(folder):
    import ot
    rng = np.random.default_rng(1)
    method = Method("exact transport, 16 columns", "POT", "rows a side")
    for n in [500, 1000, 2000]:
        c = euclidean(rng.normal(size=(n, 16)), rng.normal(size=(n, 16)) + 0.5)
        ours = Ours("transport", folder, costs=c)
        wide, mass = c.astype("f8"), np.full(n, 1 / n)
        own, peer, plan = turns(ours, lambda: ot.emd(mass, mass, wide, numItermax=10**8))
        cost = float((plan * wide).sum())
        assert abs(float(ours.words[0]) / cost - 1) < 1e-9, (ours.words, cost)
        ours.side.close()
        method.add(n, f"{n:,} × {n:,}", own, peer, f"cost {cost:.6f} on both sides")
    return [method]


def sinkhorn(folder):
    import ot
    rng = np.random.default_rng(2)
    method = Method("Sinkhorn, blur .02", "POT log", "rows a side")
    for n in [250, 500, 1000]:
        c = euclidean(rng.random((n, 2)), rng.random((n, 2)))
        ours = Ours("sinkhorn", folder, [0.02, 1e-6], costs=c)
        wide, mass = c.astype("f8"), np.full(n, 1 / n)

        def theirs():
            # Its error is the root of squares; so many errors alike have ours.
            return ot.sinkhorn(mass, mass, wide, 0.02, method="sinkhorn_log", log=True,
                               stopThr=1e-6 / n**0.5, numItermax=100_000)

        own, peer, (plan, log) = turns(ours, theirs)
        cost = float((plan * wide).sum())
        assert abs(float(ours.words[0]) / cost - 1) < 1e-4, (ours.words, cost)
        ours.side.close()
        method.add(n, f"{n:,} × {n:,}", own, peer,
                   f"cost {float(ours.words[0]):.6f} / {cost:.6f}; {ours.words[1]} / "
                   f"{log['niter']} iterations")
    return [method]


def smote(folder):
    from imblearn.over_sampling import SMOTE
    rng = np.random.default_rng(3)
    method = Method("SMOTE, 32 columns, a tenth small", "imbalanced-learn", "rows")
    for n in [25_000, 50_000, 100_000]:
        x = rng.normal(size=(n, 32)).astype("f4")
        y = (np.arange(n) % 10 == 0).astype("i8")
        ours = Ours("smote", folder, rows=x, labels=y)
        own, peer, (rows, _) = turns(ours, lambda: SMOTE(random_state=1).fit_resample(x, y))
        assert int(ours.words[0]) == len(rows) - n
        ours.side.close()
        method.add(n, f"{n:,} rows", own, peer, f"{ours.words[0]} rows made on both sides")
    return [method]


def information(folder):
    from outrank.algorithms.feature_ranking.ranking_mi_numba import mutual_info_estimator_numba
    rng = np.random.default_rng(4)
    plain = Method("mutual information, 40 columns", "numpy", "rows")
    shifted = Method("the same, corrected by a shift", "outrank", "rows")
    cardinalities = np.geomspace(10, 5000, 40).astype(int)

    def from_counts(x, y):
        table = np.bincount(x * 2 + y, minlength=2 * (x.max() + 1)).reshape(-1, 2)
        cells, a, b = table[table > 0], table.sum(1), table.sum(0)
        a, n = a[a > 0], len(x)
        sums = [(v * np.log(v)).sum() for v in (cells, a, b)]
        return (sums[0] - sums[1] - sums[2]) / n + np.log(n)

    for n in [25_000, 50_000, 100_000]:
        y = rng.integers(0, 2, n)
        x = [np.unique(rng.integers(0, c, n), return_inverse=True)[1] for c in cardinalities]
        codes = np.column_stack([*x, y]).astype("f4")
        small = [column.astype("i4") for column in [*x, y]]
        for method, score, theirs in [
                (plain, "mi", lambda: [from_counts(c, y) for c in x]),
                (shifted, "mi-shift", lambda: [mutual_info_estimator_numba(
                    small[-1], c, np.float32(1), True) for c in small[:-1]])]:
            ours = Ours("information", folder, [score], codes=codes)
            own, peer, found = turns(ours, theirs)
            worst = np.abs(ours.values() - found).max()
            # The other kernel counts in half precision, and shifts by another row.
            assert worst < (1e-6 if score == "mi" else 0.02), worst
            ours.side.close()
            method.add(n, f"{n:,} rows", own, peer, f"differ by {worst:.1g} at most")
    return [plain, shifted]


def fastrp(folder):
    from sklearn.random_projection import SparseRandomProjection
    method = Method("FastRP, 128 columns, 4 hops", "scipy's products", "links")
    rng = np.random.default_rng(5)
    graphs = []
    for n in [3000, 30_000]:
        weight = (1 - rng.random(n))**-0.5
        links = np.unique(np.sort(rng.choice(n, (32 * n, 2), p=weight / weight.sum()), axis=1), axis=0)
        graphs.append((f"made, {n:,} nodes", links[links[:, 0] < links[:, 1]], n))
    path = DATA / "graph-blogcatalog/edges.tsv.gz"
    if path.exists():
        links = np.loadtxt(gzip.open(path), dtype=np.int64)
        graphs.insert(1, ("BlogCatalog", links, links.max() + 1))
    for name, links, n in graphs:
        ours = Ours("fastrp", folder, [n], sources=links[:, 0], targets=links[:, 1])
        memory = ours.peak() / (4 * 128 * n)
        a = sp.coo_array((np.ones(len(links), "f4"), links.T), shape=(n, n)).tocsr()
        a = (a + a.T).tocsr()
        degrees = np.asarray(a.sum(axis=1)).ravel()
        steps = sp.diags_array(1 / np.maximum(degrees, 1)).tocsr().astype("f4") @ a
        projection = SparseRandomProjection(128, random_state=1).fit(a).components_.T
        scales = sp.diags_array(np.maximum(degrees, 1)**-0.628).tocsr().astype("f4")

        def theirs():
            # The products alone: no unit rows, sums or columns made alike.
            u = (scales @ projection).toarray()
            for _ in range(4):
                u = steps @ u
            return u

        own, peer, u = turns(ours, theirs)
        assert u.dtype == np.float32 and u.shape == (n, 128)
        clocks = {1: [], 2: []}
        for _ in range(ROUNDS):
            for threads, clock in clocks.items():
                start = time.perf_counter()
                ours.round(threads)
                clock.append(time.perf_counter() - start)
        scaled = min(clocks[1]) / min(clocks[2])
        ours.side.close()
        method.add(len(links), f"{name}, {len(links):,} links", own, peer,
                   f"2 threads {scaled:.2f} times as fast by the clock; peak memory "
                   f"{memory:.2f} results")
    return [method]


def detector(folder):
    rng = np.random.default_rng(6)
    classes, d = 100, 512
    method = Method("Mahalanobis scores, 512 columns, 100 classes", "numpy, a class at a time", "rows")
    means = 2 * rng.normal(size=(classes, d))
    labels = np.arange(20 * d) % classes
    rows = (means[labels] + rng.normal(size=(len(labels), d))).astype("f4")
    wide = rows.astype("f8")
    centers = np.array([wide[labels == c].mean(0) for c in range(classes)])
    errors = wide - centers[labels]
    precision = np.linalg.inv(errors.T @ errors / len(rows)).astype("f4")
    centers = centers.astype("f4")
    for n in [6250, 25_000, 100_000]:
        asked = (means[rng.integers(0, classes, n)] + rng.normal(size=(n, d))).astype("f4")
        ours = Ours("detector", folder, rows=rows, labels=labels, asked=asked)

        def theirs():
            best = np.full(n, -np.inf, "f4")
            for center in centers:
                errors = asked - center
                best = np.maximum(best, -((errors @ precision) * errors).sum(1))
            return best

        own, peer, best = turns(ours, theirs)
        alike = np.corrcoef(ours.values(), best)[0, 1]
        assert alike > 0.9999, alike
        ours.side.close()
        method.add(n, f"{n:,} rows", own, peer, f"scores correlate by {alike:.6f}")
    return [method]


def forest(folder):
    from sklearn.ensemble import RandomForestRegressor
    rng = np.random.default_rng(7)
    method = Method("random forest, 50 columns, 10 trees", "scikit-learn", "rows")

    def made(n):
        x = rng.normal(size=(n, 50)).astype("f4")
        truth = x[:, 0] + np.abs(x[:, 1]) + x[:, 2] * x[:, 3]
        return x, truth, truth + rng.normal(size=n)

    asked, truth, _ = made(10_000)
    for n in [2000, 6000, 20_000]:
        x, _, y = made(n)
        ours = Ours("forest", folder, [10], rows=x, targets=y.astype("f4"), asked=asked)
        own, peer, model = turns(ours, lambda: RandomForestRegressor(
            10, max_features=1 / 3, n_jobs=1, random_state=1).fit(x, y))
        errors = [np.mean((v - truth)**2) for v in (ours.values(), model.predict(asked))]
        ours.side.close()
        method.add(n, f"{n:,} rows", own, peer,
                   f"mean squared error {errors[0]:.3f} / {errors[1]:.3f}")
    return [method]


def matching(folder):
    from scipy.optimize import linear_sum_assignment
    rng = np.random.default_rng(8)
    method = Method("units matched, 5,000 rows", "scipy", "units a side")
    for n in [1024, 2048, 4096]:
        hidden = rng.normal(size=(5000, 64))
        a, b = ((hidden @ rng.normal(size=(64, n)) + 4 * rng.normal(size=(5000, n))).astype("f4")
                for _ in range(2))
        ours = Ours("matching", folder, first=a, second=b)

        def theirs():
            x, y = ((m - m.mean(0)) / m.std(0) for m in (a, b))
            correlations = x.T @ y / len(x)
            return correlations[linear_sum_assignment(correlations, maximize=True)].sum()

        own, peer, total = turns(ours, theirs)
        assert abs(float(ours.words[0]) / total - 1) < 1e-5, (ours.words, total)
        ours.side.close()
        method.add(n, f"{n:,} units", own, peer, f"sum of correlations {total:.4f} on both sides")
    return [method]


def heads(folder):
    rng = np.random.default_rng(9)
    method = Method("naive Bayes, 512 columns, 10 classes", "Basis logistic", "rows")
    means = 0.15 * rng.normal(size=(10, 512))
    for n in [12_500, 25_000, 50_000]:
        y = rng.integers(0, 10, n)
        x = (means[y] + rng.normal(size=(n, 512))).astype("f4")
        ours = Ours("bayes", folder, rows=x, labels=y)
        other = Ours("logistic", folder)
        own, peer = [], []
        for _ in range(3):
            own.append(ours.round())
            peer.append(other.round())
        ours.side.close()
        other.side.close()
        method.add(n, f"{n:,} rows", statistics.median(own), statistics.median(peer),
                   f"accuracy there {float(ours.words[0]):.3f} / {float(other.words[0]):.3f}")
    return [method]


def certificate(folder):
    rng = np.random.default_rng(10)
    method = Method("a certified halfspace, 50 columns", "", "rows")
    for n in [12_500, 25_000, 50_000]:
        x = rng.normal(size=(n, 50)).astype("f4")
        y = np.where((x[:, 0] > 0) ^ (rng.random(n) < 0.05), 1, -1)
        ours = Ours("certificate", folder, rows=x, labels=y)
        seconds = statistics.median(ours.round() for _ in range(3))
        ours.side.close()
        method.add(n, f"{n:,} rows", seconds, 0,
                   f"certified: {ours.words[0]}, error {float(ours.words[1]):.4f}")
    return [method]


def closures(_):
    """Not a growth: simplices as they are, sets of three and of four."""
    lines = []
    for name in ["email-enron", "email-eu"]:
        path = DATA / f"simplicial-{name}"
        for size in [3, 4] if path.exists() else []:
            side = Basis(sys.argv[1], "methods", "closures", path, size)
            side.process.stdin.write("1\n")
            side.process.stdin.flush()
            found = side.line().split()[1:]
            seconds = float(side.line())
            side.close()
            lines.append(f"| closures of {size} nodes, {name} | {seconds:.3g} | – | – | "
                         f"{int(found[0]):,} closed triangles, {int(found[1]):,} open |")
            print(lines[-1], flush=True)
    return lines


METHODS = {
    "transport": transport, "sinkhorn": sinkhorn, "smote": smote, "information": information,
    "fastrp": fastrp, "detector": detector, "forest": forest, "matching": matching,
    "heads": heads, "certificate": certificate}


def main():
    found, last = [], []
    with tempfile.TemporaryDirectory() as name:
        for kind, measure in METHODS.items():
            if not CHOSEN or kind in CHOSEN:
                found += measure(Path(name))
        if not CHOSEN or "closures" in CHOSEN:
            last = closures(Path(name))
    lines = ["| | Basis s | peer s | ratio | what both found |", "|---|---|---|---|---|"]
    for method in found:
        lines += method.lines()
    lines += last
    print("\n".join(lines))
    if CHOSEN:
        return
    chart.growths(
        ROOT / "Benchmarks/methods.svg", "How methods grow",
        "seconds of processor time", [method.panel() for method in found])
    peers = ["numpy", "scipy", "scikit-learn", "POT", "imbalanced-learn", "outrank"]
    write_section("Methods", [
        circumstances(peers) + ". One thread a side, the sides taking turns, medians of processor "
        f"time over {ROUNDS} rounds. Made by `make bench`.", "",
        "The ratio is the peer's time over ours: above 1 Basis is faster. Exponents are those of "
        "the power that fits the three sizes best. FastRP is the whole method, its peer the "
        "products alone. Errors of forests are of one seed a side, and vary by 4 % from seed to "
        "seed.", "", "![seconds as things grow](methods.svg)", "", *lines])


main()
