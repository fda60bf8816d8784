"""Budgets of coverage-centric coreset selection, and scores of a training log, by their formulas in numpy.

The budgets follow the authors' routine (haizhongzheng/Coverage-centric-coreset-selection,
core/data/Coreset.py), its widened range included where that is one.

pip install numpy==2.4.6, then: python Scripts/oracles/ccs.py
"""

import json
from pathlib import Path

import numpy as np

assert np.__version__ == "2.4.6", np.__version__
SEED = 202


def budgets(counts, total):
    order = np.argsort(counts, kind="stable")
    out = np.zeros(len(counts), dtype=int)
    for seen, bin in enumerate(order):
        out[bin] = min(counts[bin], (total - out.sum()) // (len(counts) - seen))
    return out


def strata(scores, count):
    low, high = scores.min(), scores.max() * 1.0001
    edges = low + (high - low) / count * np.arange(count + 1)
    return np.array([((scores >= a) & (scores < b)).sum() for a, b in zip(edges, edges[1:])])


def selection(rng, n, cut, keep, kind):
    scores = {
        "normal": rng.normal(size=n) + 6, "skewed": rng.gamma(0.7, size=n),
        "counts": rng.poisson(1.2, size=n).astype(float),
    }[kind].astype(np.float32).astype(np.float64)
    order = np.lexsort((np.arange(n), scores))
    rest = scores[np.sort(order[int(cut * n + 1e-9):])]
    counts = strata(rest, 50)
    assert counts.sum() == len(rest)
    wanted = round(keep * n)
    return {
        "scores": scores.tolist(), "cut": cut, "keep": keep,
        "counts": counts[counts > 0].tolist(),
        "budgets": budgets(counts, wanted)[counts > 0].tolist()}


def dynamics(rng, epochs, n, classes):
    logits = rng.normal(size=(epochs, n, classes)) * 2
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    p = p.astype(np.float32).astype(np.float64)
    y = rng.integers(0, classes, size=n)
    own = p[:, np.arange(n), y]
    other = np.where(np.arange(classes) == y[:, None], -1, p).max(-1)
    right = own > other
    error = p - np.eye(classes)[y]
    return {
        "epochs": epochs, "classes": classes, "labels": y.tolist(),
        "probabilities": p.ravel().tolist(), "aum": (own - other).sum(0).tolist(),
        "forgetting": (right[:-1] & ~right[1:]).sum(0).tolist(),
        "el2n": np.linalg.norm(error, axis=-1)[:10].sum(0).tolist(),
        "entropy": (-p[-1] * np.log(p[-1])).sum(-1).tolist(), "loss": (-np.log(own[-1])).tolist()}


def main():
    rng = np.random.default_rng(SEED)
    shares = []
    for size in [1, 3, 10, 50]:
        counts = rng.integers(0, 60, size=size)
        for total in {0, 1, int(counts.sum()) // 3, int(counts.sum()), int(counts.sum()) + 9}:
            shares.append({
                "counts": counts.tolist(), "total": total,
                "budgets": budgets(counts, total).tolist()})
    fixture = {
        "source": "formulas of arXiv:2210.15809", "version": "numpy 2.4.6", "seed": SEED,
        "tolerance": 1e-5, "budgets": shares,
        "selections": [
            selection(rng, 300, 0.1, 0.2, "normal"), selection(rng, 250, 0, 0.5, "skewed"),
            selection(rng, 200, 0.3, 0.1, "counts")],
        "dynamics": [dynamics(rng, 12, 15, 3), dynamics(rng, 3, 8, 5)]}
    path = Path(__file__).parents[2] / "Tests/BasisSelectionTests/Fixtures/ccs.json"
    path.write_text(json.dumps(fixture) + "\n")


main()
