"""Lengths under gzip, distances and alignments of texts, by Python's gzip.

Needs Python 3.11 or later: python Scripts/oracles/zip_fit.py
"""

import gzip
import json
import random
from pathlib import Path

SEED = 161
WORDS = "the a of index vector row column search near far sum mean over under keeps finds".split()
NAMES = "value total count left right row item node key result".split()


def code(rng):
    name, a, b = rng.choice(NAMES), rng.choice(NAMES), rng.choice(NAMES)
    return (f"def {name}_{a}(self, {a}, {b}={rng.randint(0, 99)}):\n"
            f"    for {b} in range(len({a})):\n        if {a}[{b}] > {rng.randint(0, 9)}:\n"
            f"            return {name}({a}[{b}])\n    return None\n") * rng.randint(1, 2)


def prose(rng):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(3, 50))).capitalize() + "."


def table(rng):
    return json.dumps([{rng.choice(NAMES): rng.random(), "é": rng.randint(0, 999)}
                       for _ in range(rng.randint(1, 6))], ensure_ascii=False)


def size(text):
    return len(gzip.compress(text.encode(), compresslevel=9))


def main():
    rng = random.Random(SEED)
    texts = ["", "x"] + [kind(rng) for kind in (code, prose, table) for _ in range(10)]
    alone = [size(text) for text in texts]
    both = [[size(a + b) for b in texts] for a in texts]
    ncd = [[(both[i][j] - min(x, y)) / max(x, y) for j, y in enumerate(alone)]
           for i, x in enumerate(alone)]
    targets = [2, 3, 4]
    fit = [1 - sum(row[t] for t in targets) / len(targets) for row in ncd]
    fixture = {
        "source": "gzip.compress of Python", "seed": SEED, "texts": texts, "alone": alone,
        "both": both, "targets": targets, "alignments": fit}
    path = Path(__file__).parents[2] / "Tests/BasisSelectionTests/Fixtures/zip_fit.json"
    path.write_text(json.dumps(fixture, ensure_ascii=False) + "\n")


main()
