"""k-medoids beside the authors' own package, k-means beside faiss.

make bench, or: python Benchmarks/clustering.py PATH_TO_Benchmark (packages: requirements.txt)
One thread a side, the sides taking turns, medians of processor time. Losses are compared before a
time is told. Writes sections of Benchmarks/RESULTS.md. BENCHMARK_ROUNDS is the number of rounds (5).
"""

import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from harness import DATA, ROOT, Basis, circumstances, write_section

import faiss
import kmedoids
import numpy as np

import chart
import neighbor_data

ROUNDS = int(os.environ.get("BENCHMARK_ROUNDS", 5))
SIZES = [1250, 2500, 5000, 10_000]
ROWS = [50_000, 100_000, 199_000]
faiss.omp_set_num_threads(1)


def euclidean(rows):
    """Symmetric to the bit, zero on the diagonal."""
    squares = (rows.astype("f8") ** 2).sum(axis=1)
    d = squares[:, None] + squares - 2 * rows.astype("f8") @ rows.astype("f8").T
    d = np.sqrt(np.maximum(d, 0)).astype("f4")
    d = np.minimum(d, d.T)
    np.fill_diagonal(d, 0)
    return d


class Ours:
    def __init__(self, kind, matrix, start, folder):
        np.save(folder / "matrix.npy", matrix)
        np.save(folder / "start.npy", start.astype(np.int64))
        self.side = Basis(
            sys.argv[1], "clusters", kind, folder / "matrix.npy", folder / "start.npy")

    def round(self):
        self.side.process.stdin.write("round\n")
        self.side.process.stdin.flush()
        self.found = self.side.line().split()[1:]
        return float(self.side.line())

    def close(self):
        self.side.close()


def timed(body):
    start = time.process_time()
    result = body()
    return time.process_time() - start, result


def turns(ours, theirs):
    """Median seconds of both, and the peer's last result."""
    times, peer = [], []
    for _ in range(ROUNDS + 1):
        times.append(ours.round())
        seconds, result = timed(theirs)
        peer.append(seconds)
    ours.close()
    return statistics.median(times[1:]), statistics.median(peer[1:]), result


def exponent(sizes, seconds):
    return np.polyfit(np.log(sizes), np.log(seconds), 1)[0]


def medoids(folder):
    rng = np.random.default_rng(0)
    lines, ours_all, peer_all = [], [], []
    for n in SIZES:
        d = euclidean(rng.normal(size=(n, 32)))
        start = rng.choice(n, 100, replace=False).astype(np.uint64)
        ours = Ours("fasterpam", d, start, folder)
        a, b, found = turns(ours, lambda: kmedoids.fasterpam(d, start.copy(), n_cpu=1))
        loss, iterations, swaps = ours.found
        assert math.isclose(float(loss), found.loss, rel_tol=1e-9), (loss, found.loss)
        assert (int(iterations), int(swaps)) == (found.n_iter, found.n_swap)
        ours_all.append(a)
        peer_all.append(b)
        lines.append(f"| fasterpam, n = {n:,}, k = 100 | {a:.3f} | {b:.3f} | {b / a:.1f} | "
                     f"{found.loss:,.1f}, {found.n_swap} swaps on both sides |")
    lines.append(f"| exponent of n | {exponent(SIZES, ours_all):.2f} | "
                 f"{exponent(SIZES, peer_all):.2f} | | |")
    chart.growth(
        ROOT / "Benchmarks/clustering.svg", "FasterPAM, k = 100, from the same start", "n",
        "seconds of processor time",
        {"Basis": list(zip(SIZES, ours_all)), "kmedoids": list(zip(SIZES, peer_all))})
    return lines


def swaps(folder):
    """PAM's swaps against the same by faster ways, from the start that BUILD finds."""
    from sklearn.datasets import load_digits
    d = euclidean(load_digits().data)
    lines = []
    for k in [2, 10, 100, 200]:
        start = kmedoids.pam_build(d, k).medoids
        seconds = {}
        for kind in ["pam", "fastpam1", "fasterpam"]:
            ours = Ours(kind, d, start, folder)
            rounds = 1 if kind == "pam" else ROUNDS
            seconds[kind] = statistics.median(ours.round() for _ in range(rounds))
            ours.close()
            if kind == "fastpam1":
                peer, found = timed(lambda: kmedoids.fastpam1(d, start.copy()))
                assert math.isclose(float(ours.found[0]), found.loss, rel_tol=1e-9)
        pam, one, eager = seconds.values()
        lines.append(f"| {k} | {pam:.3f} | {one:.4f} | {eager:.4f} | {pam / one:.0f} | "
                     f"{pam / eager:.0f} | {peer:.3f} ({peer / one:.1f}) |")
    return lines


def means(folder, rows):
    lines, ours_all, peer_all = [], [], []
    for n in ROWS:
        some = np.ascontiguousarray(rows[:n])
        ours = Ours("kmeans", some, np.arange(1000), folder)
        losses = []

        def theirs():
            trained = faiss.Kmeans(
                some.shape[1], 1000, niter=10, seed=len(losses), max_points_per_centroid=1 << 30)
            trained.train(some)
            # Basis tells the assignment of every row too.
            losses.append(float(trained.index.search(some, 1)[0].sum()))

        a, b, _ = turns(ours, theirs)
        ours_all.append(a)
        peer_all.append(b)
        lines.append(f"| k-means, {n:,} × {some.shape[1]}, k = 1,000 | {a:.2f} | {b:.2f} | "
                     f"{b / a:.2f} | {float(ours.found[0]):,.0f} / "
                     f"{statistics.median(losses):,.0f} |")
    lines.append(f"| exponent of n | {exponent(ROWS, ours_all):.2f} | "
                 f"{exponent(ROWS, peer_all):.2f} | | |")
    return lines


def main():
    path = DATA / "vec-glove-6b-50d/vectors-f16.npy.gz"
    glove = neighbor_data.glove() if path.exists() else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = [
            circumstances(["numpy", "kmedoids", "faiss-cpu"]) + ". One thread a side, the sides "
            f"taking turns, medians of processor time over {ROUNDS} rounds. Made by `make bench`.",
            "", "Seconds. The k-medoids start from the same medoids and end with the same; k-means "
            "makes 10 iterations from random rows and assigns every row, for the loss in the last "
            "column.", "", "| | Basis | kmedoids / faiss | ratio | loss |", "|---|---|---|---|---|",
            *medoids(folder)]
        text[4:4] = ["![seconds over the number of things](clustering.svg)", ""]
        if glove is not None:
            text += means(folder, glove.base)
        text += [
            "", "The swaps of PAM on the digits (1,797 × 64), each way from what BUILD finds: PAM "
            "looks at every medoid with every candidate, FastPAM1 makes the same swaps, FasterPAM "
            "swaps eagerly.", "",
            "| k | PAM s | FastPAM1 s | FasterPAM s | PAM / FastPAM1 | PAM / FasterPAM | FastPAM1 "
            "of kmedoids (ratio) |", "|---|---|---|---|---|---|---|", *swaps(folder)]
        write_section("Clustering", text)


main()
