"""Statistics of singular values, from numpy.

pip install numpy==2.4.6, then: python Scripts/oracles/spectrum.py
"""

import json
from pathlib import Path

import numpy as np

assert np.__version__ == "2.4.6", np.__version__
SEED = 11


def perplexity(weights, epsilon):
    p = weights / weights.sum() + epsilon
    p = p[p > 0]
    return float(np.exp(-(p * np.log(p)).sum()))


def statistics(z):
    s = np.linalg.svd(z, compute_uv=False)
    c = np.linalg.svd(z - z.mean(axis=0), compute_uv=False) ** 2
    kept = c[c > c[0] * 1e-13]
    slope = np.polyfit(np.log(np.arange(1, len(kept) + 1)), np.log(kept), 1)[0]
    return {
        "rankme": perplexity(s, 1e-7), "spectral-entropy": perplexity(s**2, 0),
        "stable-rank": float((s**2).sum() / s[0] ** 2),
        "participation-ratio": float((s**2).sum() ** 2 / (s**4).sum()),
        "hard-rank": float(np.linalg.matrix_rank(z.astype(np.float32))),
        "nesum": float(c.sum() / c[0]), "alpha-req": float(-slope),
    }


def main():
    rng = np.random.default_rng(SEED)
    cases = []
    for n, d, rank in [(30, 7, 7), (12, 5, 2), (6, 9, 6), (40, 8, 8)]:
        z = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d)) + 0.3
        if n == 40:
            z *= np.logspace(0, -2, d)
        z = z.astype(np.float32).astype(np.float64)
        cases.append({
            "rowCount": n, "columnCount": d, "values": z.ravel().tolist(),
            "statistics": statistics(z)})
    fixture = {
        "source": "numpy.linalg.svd", "version": "numpy 2.4.6", "seed": SEED, "cases": cases}
    path = Path(__file__).parents[2] / "Tests/BasisMeasuresTests/Fixtures/spectrum.json"
    path.write_text(json.dumps(fixture) + "\n")


main()
