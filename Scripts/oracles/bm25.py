"""BM25 scores with Lucene's idf, from bm25s.

pip install bm25s==0.3.16 numpy==2.4.6, then: python Scripts/oracles/bm25.py
"""

import json
import random
from importlib.metadata import version
from pathlib import Path

import bm25s

assert version("bm25s") == "0.3.16", version("bm25s")
SEED = 11


def main():
    rng = random.Random(SEED)
    vocabulary = [f"w{i}" for i in range(40)]
    # Word i about as often as 1 / (i + 1), so that there are common and rare ones.
    weights = [1 / (i + 1) for i in range(40)]
    documents = [rng.choices(vocabulary, weights, k=rng.randrange(1, 30)) for _ in range(50)]
    queries = [rng.choices(vocabulary, k=rng.randrange(1, 6)) for _ in range(12)]
    queries.append(["w0", "w0", "w3"])
    cases = []
    for k1, b in [(1.5, 0.55), (0.9, 0.4), (1.2, 0.75), (2.0, 1.0), (1.2, 0.0)]:
        model = bm25s.BM25(method="lucene", k1=k1, b=b)
        model.index(documents, show_progress=False)
        known = model.vocab_dict
        scores = []
        for query in queries:
            # The library counts a repeated term of the query once, so it is asked term by term.
            total = [0.0] * len(documents)
            for term in query:
                if term in known:
                    part = model.get_scores([term])
                    total = [x + float(y) for x, y in zip(total, part)]
            scores.append([round(x, 7) for x in total])
        cases.append({"k1": k1, "b": b, "scores": scores})
    fixture = {
        "source": "bm25s.BM25, method lucene",
        "version": "bm25s 0.3.16",
        "seed": SEED,
        "tolerance": 2e-6,
        "documents": [" ".join(d) for d in documents],
        "queries": [" ".join(q) for q in queries],
        "cases": cases,
    }
    root = Path(__file__).resolve().parents[2]
    path = root / "Tests/BasisSearchTests/Fixtures/bm25.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture) + "\n")


main()
