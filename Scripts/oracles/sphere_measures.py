"""Uniformity, tolerance and alignment over all pairs, by numpy and scipy.

pip install scipy==1.17.1 numpy==2.4.6, then: python Scripts/oracles/sphere_measures.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.spatial.distance import pdist

assert scipy.__version__ == "1.17.1", scipy.__version__
assert np.__version__ == "2.4.6", np.__version__
SEED = 12


def main():
    rng = np.random.default_rng(SEED)
    cases = []
    for n, d in [(5, 3), (25, 17), (60, 4)]:
        x = (rng.normal(size=(n, d)) + 0.5).astype(np.float32).astype(np.float64)
        y = (x + 0.3 * rng.normal(size=(n, d))).astype(np.float32).astype(np.float64)
        labels = rng.integers(0, 4, size=n)
        u = x / np.linalg.norm(x, axis=1, keepdims=True)
        v = y / np.linalg.norm(y, axis=1, keepdims=True)
        same = [u[i] @ u[j] for i in range(n) for j in range(n) if i != j and labels[i] == labels[j]]
        cases.append({
            "rowCount": n, "columnCount": d, "first": x.ravel().tolist(),
            "second": y.ravel().tolist(), "labels": labels.tolist(),
            "uniformity": float(np.log(np.exp(-2 * pdist(u, "sqeuclidean")).mean())),
            "tolerance": float(np.mean(same)),
            "alignment": float(((u - v) ** 2).sum(axis=1).mean()),
        })
    fixture = {
        "source": "definitions over all pairs", "version": "numpy 2.4.6, scipy 1.17.1",
        "seed": SEED, "cases": cases}
    path = Path(__file__).parents[2] / "Tests/BasisMeasuresTests/Fixtures/sphere_measures.json"
    path.write_text(json.dumps(fixture) + "\n")


main()
