"""Linear and quadratic discriminant analysis by scikit-learn.

pip install scikit-learn==1.9.1 numpy==2.4.6, then: python Scripts/oracles/discriminant.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.covariance import LedoitWolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

assert sklearn.__version__ == "1.9.1", sklearn.__version__
assert np.__version__ == "2.4.6", np.__version__
SEED = 36


def rows(rng, n, d, k):
    y = np.r_[np.arange(k).repeat(d + 3), rng.integers(0, k, size=n - k * (d + 3))]
    mix = rng.normal(size=(k, d, d)) * 0.4 + np.eye(d)
    x = np.einsum("nd,nde->ne", rng.normal(size=(n, d)), mix[y]) + rng.normal(size=(k, d))[y]
    # A column far from zero: sums must not cancel.
    x[:, 0] += 50
    return np.round(x * 16) / 16, y


def case(rng, n, d, k, share=None, asked=20):
    x, y = rows(rng, n, d, k)
    test = np.round(rng.normal(size=(asked, d)) * 32) / 16
    test[:, 0] += 50
    linear = [LinearDiscriminantAnalysis(solver=s, shrinkage=share).fit(x, y)
              for s in ("lsqr", "eigen")]
    p = [m.predict_proba(test) for m in linear]
    assert np.allclose(p[0], p[1], atol=1e-10)
    own = QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=share).fit(x, y)
    shrunk = QuadraticDiscriminantAnalysis(
        solver="eigen", covariance_estimator=LedoitWolf()).fit(x, y)
    # There LDA shrinks class by class; here the pooled covariance is.
    means = np.array([x[y == c].mean(0) for c in range(k)])
    pooled = LedoitWolf(assume_centered=True).fit(x - means[y])
    w = means @ pooled.precision_
    z = test @ w.T - 0.5 * (w * means).sum(1) + np.log(np.bincount(y) / n)
    z = np.exp(z - z.max(1, keepdims=True))
    return {
        "rowCount": n, "columnCount": d, "share": share,
        "sixteenths": (x * 16).astype(int).ravel().tolist(), "labels": y.tolist(),
        "asked": (test * 16).astype(int).ravel().tolist(), "linear": p[0].ravel().tolist(),
        "quadratic": own.predict_proba(test).ravel().tolist(),
        "linearShrunk": (z / z.sum(1, keepdims=True)).ravel().tolist(),
        "quadraticShrunk": shrunk.predict_proba(test).ravel().tolist()}


def main():
    rng = np.random.default_rng(SEED)
    fixture = {
        "source": "scikit-learn", "version": "1.9.1", "seed": SEED, "tolerance": 1e-8,
        "cases": [case(rng, 90, 4, 3), case(rng, 60, 7, 2), case(rng, 70, 5, 4, share=0.3)]}
    path = Path(__file__).parents[2] / "Tests/BasisClassificationTests/Fixtures/discriminant.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


main()
