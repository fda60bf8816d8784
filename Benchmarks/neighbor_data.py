"""Rows and queries for the approximate indexes, with the true neighbours."""

import gzip
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import DATA, K, ROOT

import faiss
import numpy as np


def unit(rows):
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.ascontiguousarray(rows / np.maximum(norms, 1e-30), "f4")


class Data:
    def __init__(self, name, what, base, queries):
        self.name, self.what = name, what
        self.title = f"{what}, {len(base):,} × {base.shape[1]}"
        self.base = np.ascontiguousarray(base, "f4")
        self.queries = np.ascontiguousarray(queries, "f4")
        self.unit_base, self.unit_queries = unit(base), unit(queries)
        digest = hashlib.sha256(self.unit_base.tobytes())
        self.fingerprint = f"{name}-{digest.hexdigest()[:16]}"
        index = faiss.IndexFlatIP(base.shape[1])
        index.add(self.unit_base)
        # The score of the last row that belongs, less what summing floats may lose.
        self.least = index.search(self.unit_queries, K)[0][:, -1] - 1e-6

    def recall(self, ids):
        hits = 0
        for query, least, row in zip(self.unit_queries, self.least, ids):
            found = np.unique(row[(row >= 0) & (row < len(self.base))].astype("i8"))
            hits += min(K, int((self.unit_base[found] @ query >= least).sum()))
        return hits / (K * len(self.queries))

    def sample(self, count):
        rows = np.random.default_rng(11).permutation(len(self.base))[:count]
        return Data(self.name, self.what, self.base[rows], self.queries)


def remove(folder):
    shutil.rmtree(folder)


def glove():
    with gzip.open(DATA / "vec-glove-6b-50d/vectors-f16.npy.gz") as file:
        rows = np.load(file).astype("f4")
    order = np.random.default_rng(0).permutation(len(rows))
    return Data("glove", "GloVe", rows[np.sort(order[1000:])], rows[order[:1000]])


def descriptions():
    """What Debian's packages say of themselves, each text once."""
    listing = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True).stdout
    texts = {}
    for block in listing.split("\n\n"):
        name = re.search(r"^Package: (.*)$", block, re.M)
        text = re.search(r"^Description(?:-en)?: (.*(?:\n .*)*)", block, re.M)
        if name and text:
            texts.setdefault(text[1].replace("\n", " ")[:600], name[1])
    found = sorted((name, text) for text, name in texts.items())
    random.Random(1).shuffle(found)
    return found[:14_528]


def minilm():
    """Vectors of texts by MiniLM, as the program makes them; None, and why, where it cannot."""
    named = [os.environ.get(f"BENCHMARK_MINILM_{what}") for what in ["BASE", "QUERIES"]]
    if all(named):
        return Data("minilm", "MiniLM", *(np.load(path) for path in named))
    program = Path(os.environ.get("BASIS", ROOT / ".build-release/release/basis"))
    if not program.exists():
        return print("MiniLM: skipped, `make release` has not been run")
    try:
        texts = descriptions()
    except FileNotFoundError:
        texts = []
    if len(texts) < 5000:
        return print(f"MiniLM: skipped, apt-cache knows {len(texts)} packages (apt-get update?)")
    with tempfile.TemporaryDirectory() as folder:
        def basis(*words):
            return subprocess.run([program, *words], capture_output=True, text=True,
                                  env={**os.environ, "BASIS_HOME": folder})

        records = Path(folder) / "texts.jsonl"
        records.write_text("".join(
            json.dumps({"id": name, "text": text}) + "\n" for name, text in texts))
        vectors = Path(folder) / "vectors.npy"
        for words in [["ingest", "texts", str(records), "--encoder", "minilm"],
                      ["export", "texts", "-o", str(Path(folder) / "out.jsonl"),
                       "--vectors", str(vectors)]]:
            done = basis(*words)
            if done.returncode:
                return print("MiniLM: skipped:", done.stderr.strip().splitlines()[-1])
        rows = np.load(vectors).astype("f4")
    order = np.random.default_rng(0).permutation(len(rows))
    return Data("minilm", "MiniLM", rows[order[1000:]], rows[order[:1000]])


def synthetic(like):
    """200,000 rows around real ones, with their spectrum, so that there are near ones."""
    rng = np.random.default_rng(0)
    centred = like - like.mean(axis=0)
    values, directions = np.linalg.eigh(np.cov(centred.T))
    spread = 0.7 * np.sqrt(np.maximum(values, 0)).astype("f4")[:, None] * directions.T.astype("f4")
    noise = rng.standard_normal((201_000, like.shape[1]), dtype="f4") @ spread
    rows = unit(like[rng.integers(0, len(like), 201_000)] + noise)
    return Data("synthetic", "like MiniLM", rows[:200_000], rows[200_000:])


def sets(chosen, with_synthetic):
    found = []
    if {"glove", "growth"} & set(chosen):
        found.append(glove())
    texts = minilm() if "minilm" in chosen or with_synthetic else None
    if texts:
        found.append(texts)
        if with_synthetic:
            found.append(synthetic(np.concatenate([texts.base, texts.queries])))
    return found
