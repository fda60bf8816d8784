"""Basis beside the libraries that people would use instead, on one thread, taking turns.

make bench, or: python Benchmarks/peers.py PATH_TO_Benchmark (packages: requirements.txt)
Every result is compared with the peer's before a time is taken. Writes a section of
Benchmarks/RESULTS.md.
"""

import gzip
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from harness import DATA, K, Basis, circumstances, read_ids, write_section

import bm25s
import faiss
import numpy as np

ROUNDS = int(os.environ.get("BENCHMARK_ROUNDS", 9))


def timed(body):
    start = time.perf_counter()
    body()
    return time.perf_counter() - start


def medians(sides):
    """Median seconds of each side; the sides take turns, and each has warmed up."""
    times = {name: [] for name in sides}
    for turn in range(ROUNDS + 1):
        for name, side in sides.items():
            seconds = side()
            if turn > 0:
                times[name].append(seconds)
    return {name: statistics.median(values) for name, values in times.items()}


def numpy_search(base, queries):
    # In blocks, as somebody would who has this much memory.
    found = []
    for start in range(0, len(queries), 100):
        scores = queries[start:start + 100] @ base.T
        best = np.argpartition(scores, -K, axis=1)[:, -K:]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
        found.append(np.take_along_axis(best, order, axis=1))
    return np.concatenate(found)


def check_ids(ours, theirs, base, queries):
    """Equal, except where two scores differ by no more than their rounding."""
    exact = base.astype("f8")
    for row, query in enumerate(queries.astype("f8")):
        different = ours[row] != theirs[row]
        if different.any():
            gap = exact[ours[row][different]] @ query - exact[theirs[row][different]] @ query
            scale = np.linalg.norm(query) * np.linalg.norm(exact[ours[row]], axis=1).max()
            assert (abs(gap) <= len(query) * 2.0**-22 * scale).all(), (row, gap)
    return int((ours != theirs).sum())


def flat(folder, title, base, queries):
    np.save(folder / "base.npy", base)
    np.save(folder / "queries.npy", queries)
    basis = Basis(
        sys.argv[1], "flat", folder / "base.npy", folder / "queries.npy", K, folder / "ids.ivecs")
    ours = read_ids(folder / "ids.ivecs", len(queries))
    index = faiss.IndexFlatIP(base.shape[1])
    index.add(base)
    swaps = check_ids(ours, index.search(queries, K)[1], base, queries)
    check_ids(ours[:100], numpy_search(base, queries[:100]), base, queries[:100])
    singles = [queries[i:i + 1] for i in range(50)]
    rows = []
    for name, sides in [
        ("one at a time", {
            "basis": lambda: basis.round("single"),
            "faiss": lambda: timed(lambda: [index.search(q, K) for q in singles]),
            "numpy": lambda: timed(lambda: [numpy_search(base, q) for q in singles])}),
        (f"{len(queries)} at once", {
            "basis": lambda: basis.round("batch"),
            "faiss": lambda: timed(lambda: index.search(queries, K)),
            "numpy": lambda: timed(lambda: numpy_search(base, queries))}),
    ]:
        times = medians(sides)
        asked = len(singles) if name == "one at a time" else len(queries)
        rows.append((f"flat, {title}, {name}", times, asked, "queries/s"))
        print(rows[-1], f"ids that differ within rounding: {swaps}", flush=True)
    basis.close()
    return rows


def spectrum(rng, count, dimension):
    """Unit rows whose spectrum decays as those of text encoders do."""
    rotation = np.linalg.qr(rng.normal(size=(dimension, dimension)))[0]
    scale = (1 + np.arange(dimension)) ** -0.5

    def draw(count):
        rows = (rng.normal(size=(count, dimension)) * scale) @ rotation
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("f4")

    return draw(count), draw(1000)


def texts():
    words = set()
    folder = DATA / "text-agnews-test"
    for path in sorted(folder.iterdir()):
        if path.name.startswith("README"):
            continue
        data = (gzip.open(path) if path.suffix == ".gz" else open(path, "rb")).read()
        for line in data.decode("utf-8", "ignore").splitlines():
            # Plain words, so that no difference of tokenizers is measured.
            plain = "".join(c if c.isascii() and c.isalpha() else " " for c in line.lower())
            text = " ".join(plain.split())
            if len(text) > 40 and text not in words:
                words.add(text)
    return sorted(words)


def lexical(folder):
    documents = texts()
    rng = np.random.default_rng(3)
    queries = [" ".join(rng.choice(documents[i].split(), 4))
               for i in rng.choice(len(documents), 200, replace=False)]
    (folder / "texts.txt").write_text("\n".join(documents) + "\n")
    (folder / "asked.txt").write_text("\n".join(queries) + "\n")
    basis = Basis(
        sys.argv[1], "lexical", folder / "texts.txt", folder / "asked.txt", K,
        folder / "found.ivecs")
    ours = read_ids(folder / "found.ivecs", len(queries))

    def build():
        model = bm25s.BM25(method="lucene", k1=1.5, b=0.55)
        tokens = bm25s.tokenize(documents, stopwords=None, stemmer=None, show_progress=False,
                                token_pattern=r"\S+")
        model.index(tokens, show_progress=False)
        return model

    model = build()
    unique = [list(dict.fromkeys(q.split())) for q in queries]

    def search():
        for query in unique:
            model.retrieve([query], k=K, show_progress=False)

    agreeing = 0
    for row, query in enumerate(queries):
        scores = sum(model.get_scores([term]).astype("f8") for term in query.split())
        found = [i for i in ours[row] if i >= 0]
        # By score, so that ties are no misses.
        best = np.sort(scores)[::-1][:len(found)]
        assert np.allclose(scores[found], best, rtol=1e-5), row
        agreeing += 1
    assert agreeing == len(queries)
    rows = []
    for name, sides, count, unit in [
        (f"lexical, {len(documents)} texts, build",
         {"basis": lambda: basis.round("build"), "bm25s": lambda: timed(build)},
         len(documents), "texts/s"),
        (f"lexical, {len(documents)} texts, one query at a time",
         {"basis": lambda: basis.round("search"), "bm25s": lambda: timed(search)},
         len(queries), "queries/s"),
    ]:
        rows.append((name, medians(sides), count, unit))
        print(rows[-1], flush=True)
    basis.close()
    (folder / "records.jsonl").write_text(
        "".join(json.dumps({"id": str(i), "text": t}) + "\n" for i, t in enumerate(documents)))
    basis = Basis(sys.argv[1], "ingest", folder / "records.jsonl", folder)
    rows.append((f"ingest, {len(documents)} texts, encoder and indexes included",
                 medians({"basis": lambda: basis.round("ingest")}), len(documents), "records/s"))
    print(rows[-1], flush=True)
    basis.close()
    return rows


def main():
    rng = np.random.default_rng(5)
    with gzip.open(DATA / "vec-glove-6b-50d/vectors-f16.npy.gz") as file:
        glove = np.load(file).astype("f4")
    noise = rng.normal(0, 0.05, (1000, 50)).astype("f4")
    near = glove[rng.choice(len(glove), 1000, replace=False)] + noise
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = flat(folder, "13,500 × 384", *spectrum(rng, 13_500, 384))
        rows += flat(folder, "200,000 × 50", glove, near)
        if "--flat" not in sys.argv:
            rows += lexical(folder)
    lines = [
        circumstances(["numpy", "faiss-cpu", "bm25s"])
        + f". One thread a side (ingest: all), the sides taking turns, medians of {ROUNDS} rounds; "
        f"k = {K}. Made by `make bench`.", "",
        "Results are compared first: ids equal to the peers' but for scores closer than their "
        "rounding. The ratio is the best peer's time over ours: above 1 Basis is faster.", "",
        "| what | Basis | peers | ratio |", "|---|---|---|---|",
    ]
    for what, times, count, unit in rows:
        others = {n: s for n, s in times.items() if n != "basis"}
        listed = ", ".join(f"{n} {count / s:,.0f}" for n, s in others.items()) or "–"
        ratio = f"{min(others.values()) / times['basis']:.2f}" if others else "–"
        lines.append(f"| {what} | {count / times['basis']:,.0f} {unit} | {listed} | {ratio} |")
    write_section("Exact search, words and ingest", lines)
    print("\n".join(lines))


main()
