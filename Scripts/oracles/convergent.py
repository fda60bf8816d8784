"""Assignments, the lasso and groups of units, from scipy and scikit-learn.

pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1, then from the repository's root:
python Scripts/oracles/convergent.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.optimize import linear_sum_assignment
from sklearn.linear_model import Lasso

assert np.__version__ == "2.4.6", np.__version__
assert scipy.__version__ == "1.17.1", scipy.__version__
assert sklearn.__version__ == "1.9.1", sklearn.__version__
SEED = 18


class Xoshiro:
    """The package's own generator, so that large matrices need not be kept."""

    def __init__(self, seed):
        self.mixer = seed
        self.s = [self.mix() for _ in range(4)]

    def mix(self):
        mask = 2**64 - 1
        self.mixer = (self.mixer + 0x9E3779B97F4A7C15) & mask
        z = self.mixer
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
        return z ^ z >> 31

    def next(self):
        mask, s = 2**64 - 1, self.s
        r = (s[1] * 5) & mask
        r = (((r << 7) | (r >> 57)) & mask) * 9 & mask
        t = (s[1] << 17) & mask
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = ((s[3] << 45) | (s[3] >> 19)) & mask
        return r

    def below(self, bound):
        """Of a power of two: no draw is rejected."""
        return self.next() * bound >> 64


def assignments():
    """Total costs of matrices that the test makes again: whole numbers, so that sums are exact."""
    cases = []
    for seed in range(200):
        rng = Xoshiro(seed)
        n, m = (100, 100) if seed % 4 == 0 else (40, 70) if seed % 4 == 1 else (60, 30)
        top = 1 << (3 if seed % 3 == 0 else 16)
        if seed % 4 == 3:
            n = m = 50
        c = np.array([[rng.below(top) for _ in range(m)] for _ in range(n)], dtype=np.float64)
        least, most = linear_sum_assignment(c), linear_sum_assignment(c, maximize=True)
        cases.append([n, m, top, int(c[least].sum()), int(c[most].sum())])
    return cases


def lassos(rng):
    cases = []
    for n, d, penalty in [(40, 6, 0.05), (40, 6, 0.5), (30, 12, 0.02), (20, 25, 0.1)]:
        x = rng.normal(size=(n, d))
        x[:, 1] = x[:, 0] + 0.3 * x[:, 1]
        x = x.astype(np.float32).astype(float)
        y = x[:, 0] - 2 * x[:, 2] + 0.5 * rng.normal(size=n)
        model = Lasso(alpha=penalty, fit_intercept=False, tol=1e-12, max_iter=1_000_000).fit(x, y)
        cases.append({
            "x": x.tolist(), "y": y.tolist(), "penalty": penalty,
            "weights": [float(w) for w in model.coef_], "explained": float(
                1 - np.sum((y - model.predict(x)) ** 2) / np.sum(y * y))})
    return cases


def units(rng):
    """Two representations: correlations, one-to-one matches and canonical correlations."""
    n, d = 60, 7
    a = rng.normal(size=(n, d)).astype(np.float32)
    b = (a[:, rng.permutation(d)][:, :6] + 0.8 * rng.normal(size=(n, 6))).astype(np.float32)
    a[:, 3] = 2.5  # dead
    live = [i for i in range(d) if i != 3]
    x, y = a.astype(float)[:, live], b.astype(float)
    c = np.corrcoef(x.T, y.T)[: len(live), len(live):]
    rows, columns = linear_sum_assignment(c, maximize=True)
    qx, _ = np.linalg.qr(x - x.mean(0))
    qy, _ = np.linalg.qr(y - y.mean(0))
    return {
        "first": [[float(v) for v in r] for r in a], "second": [[float(v) for v in r] for r in b],
        "dead": [3], "matches": sorted([live[r], int(k)] for r, k in zip(rows, columns)),
        "mean": float(c[rows, columns].mean()), "semi": [int(k) for k in c.argmax(1)],
        "semiMean": float(c.max(1).mean()),
        "canonical": [float(v) for v in np.linalg.svd(qx.T @ qy, compute_uv=False)]}


def main():
    rng = np.random.default_rng(SEED)
    head = {"source": "scipy, scikit-learn", "version": "1.17.1, 1.9.1", "seed": SEED,
            "tolerance": 1e-4}
    parts = {
        "BasisNumericsTests": {"assignments": assignments(), "lassos": lassos(rng)},
        "BasisMeasuresTests": units(rng)}
    for folder, part in parts.items():
        path = Path(__file__).parents[2] / f"Tests/{folder}/Fixtures/convergent.json"
        path.write_text(json.dumps(head | part) + "\n")
        print(path.stat().st_size, "bytes")


main()
