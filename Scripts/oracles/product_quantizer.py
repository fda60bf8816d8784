"""Codes and asymmetric distances of product quantisers, from faiss.

pip install faiss-cpu==1.15.1 numpy, then: python Scripts/oracles/product_quantizer.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import faiss
import numpy as np

assert version("faiss-cpu") == "1.15.1", version("faiss-cpu")
SEED = 3


def main():
    cases = []
    for dimension, parts, bits in [(12, 3, 8), (12, 6, 4), (10, 5, 4)]:
        rng = np.random.default_rng(SEED)
        size = 1 << bits
        words = rng.standard_normal((parts * size, dimension // parts)).astype(np.float32)
        words = np.round(words, 4).astype(np.float32)
        rows = np.round(rng.standard_normal((20, dimension)), 4).astype(np.float32)
        query = np.round(rng.standard_normal((1, dimension)), 4).astype(np.float32)
        pq = faiss.ProductQuantizer(dimension, parts, bits)
        faiss.copy_array_to_vector(words.ravel(), pq.centroids)
        codes = pq.compute_codes(rows)
        index = faiss.IndexPQ(dimension, parts, bits)
        index.pq = pq
        index.is_trained = True
        index.add(rows)
        distances, ids = index.search(query, 20)
        table = np.zeros(20, np.float32)
        table[ids[0]] = distances[0]
        cases.append({
            "dimension": dimension, "parts": parts, "bits": bits,
            "words": [round(float(x), 4) for x in words.ravel()],
            "rows": [round(float(x), 4) for x in rows.ravel()],
            "query": [round(float(x), 4) for x in query[0]],
            "codes": codes.astype(int).ravel().tolist(),
            "distances": [round(float(x), 6) for x in table],
        })
    fixture = {
        "source": "faiss.ProductQuantizer.compute_codes, faiss.IndexPQ.search (L2)",
        "version": "faiss-cpu 1.15.1", "seed": SEED, "tolerance": 1e-4, "cases": cases,
    }
    root = Path(__file__).resolve().parents[2]
    path = root / "Tests/BasisCodecsTests/Fixtures/product_quantizer.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture) + "\n")


main()
