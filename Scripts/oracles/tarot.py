"""Whitened distances, layers and budgets of TAROT by their formulas.

pip install numpy==2.4.6 scipy==1.17.1, then: python Scripts/oracles/tarot.py

The released package needs a model and PyTorch, and whitens by a factor that is not transposed; so the
oracle is the paper's formulas in double precision.
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.special import logsumexp

assert np.__version__ == "2.4.6", np.__version__
assert scipy.__version__ == "1.17.1", scipy.__version__
SEED = 100


def whitened(candidates, targets, ridge=1e-5):
    both = np.vstack([candidates, targets])
    centred = both - both.mean(0)
    covariance = centred.T @ centred / len(both) + ridge * np.eye(both.shape[1])
    factor = np.linalg.cholesky(covariance)
    y = np.linalg.solve(factor, centred.T).T
    assert np.allclose(y.T @ y / len(y), np.eye(y.shape[1]), atol=1e-2)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    return y[: len(candidates)], y[len(candidates):]


def transport(x, y, blur=0.01, scaling=0.5, power=2):
    cost = np.sqrt(np.abs(2 - 2 * x @ y.T))
    eps, start = blur**power, cost.max()
    steps = [start] + list(
        np.exp(np.arange(np.log(start), np.log(eps), power * np.log(scaling)))) + [eps]
    n, m = cost.shape

    def soft(c, potentials, e):
        return -e * logsumexp((potentials - c) / e - np.log(c.shape[1]), axis=1)

    f, g = soft(cost, np.zeros(m), steps[0]), soft(cost.T, np.zeros(n), steps[0])
    for e in steps:
        f, g = (f + soft(cost, g, e)) / 2, (g + soft(cost.T, f, e)) / 2
    f, g = soft(cost, g, eps), soft(cost.T, f, eps)
    return f, f.mean() + g.mean()


def case(rng, n, m, p, budget):
    # Margins that single precision cannot turn over.
    while True:
        mix = rng.normal(size=(p, p))
        c = (rng.normal(size=(n, p)) @ mix).astype(np.float32)
        t = (rng.normal(size=(m, p)) @ mix * 0.8 + 0.5).astype(np.float32)
        x, y = whitened(c.astype(float), t.astype(float))
        similarity = y @ x.T
        ordered = -np.sort(-similarity, axis=1)
        if np.diff(ordered, axis=1).max() > -2e-5:
            continue
        near = np.argsort(-similarity, axis=1)
        kept, cut = [], None
        for rank in range(n):
            layer = sorted(set(near[:, rank]) - set(kept))
            if len(kept) + len(layer) > budget:
                potentials, _ = transport(x[layer], y)
                order = np.argsort(-potentials, kind="stable")
                wanted = budget - len(kept)
                gaps = -np.diff(potentials[order])
                cut = gaps[wanted - 1] if 0 < wanted <= len(gaps) else 1
                kept += [layer[i] for i in order[:wanted]]
                break
            kept += layer
        mean = np.sort(similarity.mean(0))[::-1]
        if (cut is not None and cut < 1e-4) or mean[budget - 1] - mean[budget] < 1e-5:
            continue
        best = np.argsort(-similarity.mean(0), kind="stable")[:budget]
        return {
            "n": n, "m": m, "p": p, "budget": budget, "candidates": c.ravel().tolist(),
            "targets": t.ravel().tolist(), "kept": sorted(int(i) for i in kept),
            "mean": sorted(int(i) for i in best), "distance": transport(x[sorted(kept)], y)[1],
            "all": transport(x, y)[1]}


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def main():
    rng = np.random.default_rng(SEED)
    result = {
        "source": f"numpy {np.__version__}", "seed": SEED,
        "cases": [case(rng, 40, 6, 4, 8), case(rng, 50, 7, 5, 19), case(rng, 30, 9, 3, 12)]}
    out = Path(__file__).parents[2] / "Tests/BasisSelectionTests/Fixtures/tarot.json"
    out.write_text(json.dumps(rounded(result), separators=(",", ":")) + "\n")
    print(out, out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
