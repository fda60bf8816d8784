"""Maps of one space onto another: relative representations, Procrustes, ridge, inverse projection.

Relative representations are the formula of latentis 0.0.8 (cosine_proj) in numpy, as latentis itself wants
torch; the rest is scipy's and scikit-learn's.

pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1, then from the repository's root:
python Scripts/oracles/relative.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.linalg import orthogonal_procrustes
from sklearn.linear_model import Ridge

assert np.__version__ == "2.4.6", np.__version__
assert scipy.__version__ == "1.17.1", scipy.__version__
assert sklearn.__version__ == "1.9.1", sklearn.__version__
SEED = 126
RIDGE = 0.05


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def listed(x):
    return [[round(float(v), 9) for v in row] for row in x]


def case(rng, m, d1, d2, n):
    a = rng.normal(size=(m, d1)).astype(np.float32).astype(float) + 0.5
    mix = rng.normal(size=(d1, d2))
    b = (a @ mix + 0.3 * rng.normal(size=(m, d2)) - 1).astype(np.float32).astype(float)
    a = a.astype(np.float32).astype(float)
    x = (rng.normal(size=(n, d1)) + 0.5).astype(np.float32).astype(float)
    ma, mb = a.mean(0), b.mean(0)
    alpha = RIDGE * np.sum((a - ma) ** 2) / d1
    ridge = Ridge(alpha=alpha).fit(a, b)
    expected = {
        "relative": unit(x) @ unit(a).T,
        "relativeCentered": unit(x - ma) @ unit(a - ma).T,
        "relativeSecond": unit(b[:n]) @ unit(b).T,
        "innerProduct": x @ a.T / np.sqrt(d1),
        "affine": ridge.predict(x),
        "inverse": unit(x) @ unit(a).T @ np.linalg.pinv(unit(b).T),
    }
    u, s, vt = np.linalg.svd(a.T @ b, full_matrices=False)
    expected["procrustes"] = x @ (u @ vt)
    expected["procrustesScaled"] = x @ (u @ vt) * s.sum() / np.sum(a * a)
    if d1 == d2:
        w, scale = orthogonal_procrustes(a, b)
        assert np.allclose(w, u @ vt) and np.isclose(scale, s.sum())
        w, _ = orthogonal_procrustes(a - ma, b - mb)
        expected["procrustesCentered"] = (x - ma) @ w + mb
    return {
        "first": listed(a), "second": listed(b), "rows": listed(x),
        "expected": {name: listed(value) for name, value in expected.items()}}


def report(rng):
    """Ranks, neighbours and cosines across two spaces, one row at a time."""
    n, d, k = 40, 6, 5
    x = rng.normal(size=(n, d)).astype(np.float32).astype(float)
    y = (x + 0.7 * rng.normal(size=(n, d))).astype(np.float32).astype(float)
    s, t = unit(x) @ unit(y).T, unit(y) @ unit(y).T
    ranks = [1 + int(np.sum(s[i] > s[i, i])) for i in range(n)]
    jaccard = []
    for i in range(n):
        p, q = set(np.argsort(-s[i])[:k].tolist()), set(np.argsort(-t[i])[:k].tolist())
        jaccard.append(len(p & q) / len(p | q))
    return {
        "first": listed(x), "second": listed(y), "k": k, "ranks": ranks,
        "jaccard": float(np.mean(jaccard)), "cosine": float(np.mean(np.diag(s))),
        "reciprocal": float(np.mean(1 / np.array(ranks)))}


def main():
    rng = np.random.default_rng(SEED)
    fixture = {
        "source": "numpy, scipy, scikit-learn", "version": "2.4.6, 1.17.1, 1.9.1", "seed": SEED,
        "tolerance": 1e-5, "ridge": RIDGE,
        "cases": [case(rng, 20, 4, 4, 3), case(rng, 24, 5, 3, 3), case(rng, 24, 3, 5, 3)],
        "report": report(rng)}
    path = Path(__file__).parents[2] / "Tests/BasisAlignmentTests/Fixtures/relative.json"
    path.write_text(json.dumps(fixture) + "\n")
    print(path.stat().st_size, "bytes")


main()
