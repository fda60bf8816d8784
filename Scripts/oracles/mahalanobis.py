"""Gaussians of classes, scores of detectors and how well they tell two kinds apart, by scikit-learn.

Covariances are EmpiricalCovariance and LedoitWolf on rows less their class means, classes those of
LinearDiscriminantAnalysis, weights those of LogisticRegression, areas roc_auc_score and
average_precision_score; TNR at TPR 95 and accuracy a plain loop over thresholds.

pip install scikit-learn==1.9.1 numpy==2.4.6 scipy, then: python Scripts/oracles/mahalanobis.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from scipy.special import logsumexp, softmax
from sklearn.covariance import EmpiricalCovariance, LedoitWolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

assert np.__version__ == "2.4.6", np.__version__
assert sklearn.__version__ == "1.9.1", sklearn.__version__
SEED = 203


def short(x):
    """Numbers that a float holds, in few digits."""
    return np.round(x, 3).astype(np.float32).astype(np.float64)


def centered(x, y):
    means = np.array([x[y == c].mean(0) for c in np.unique(y)])
    return means, x - means[np.searchsorted(np.unique(y), y)]


def distances(x, means, precision):
    return np.array([[(r - m) @ precision @ (r - m) for m in means] for r in x])


def gaussians(rng, n, d, classes, shrunk=False, singular=False):
    y = rng.permutation(np.concatenate([np.arange(classes).repeat(2),
                                        rng.integers(0, classes, n - 2 * classes)]))
    mix = rng.normal(size=(d, d)) + np.eye(d)
    x = rng.normal(size=(n, d)) @ mix + 2 * rng.normal(size=(classes, d))[y]
    if singular:
        # A column that does not vary inside classes, and one that is twice another.
        x[:, 0] = y
        x = short(x)
        x[:, 1] = 2 * x[:, 2]
    x = short(x)
    means, rest = centered(x, y)
    kind = LedoitWolf if shrunk else EmpiricalCovariance
    fit = kind(assume_centered=True).fit(rest)
    test = short(rng.normal(size=(6, d)) @ mix * 1.5)
    if singular:
        test[:, 1] = 2 * test[:, 2]
    out = {
        "rows": x.tolist(), "labels": (10 * y - 7).tolist(), "means": means.tolist(),
        "shrinkage": getattr(fit, "shrinkage_", 0.0), "covariance": fit.covariance_.tolist(),
        "precision": fit.precision_.tolist(), "test": test.tolist(),
        "distances": distances(test, means, fit.precision_).tolist()}
    if not shrunk and not singular:
        for name, priors in [("weighed", None), ("equal", [1 / classes] * classes)]:
            lda = LinearDiscriminantAnalysis(solver="lsqr", priors=priors).fit(x, 10 * y - 7)
            out[name] = lda.predict(np.vstack([x, test])).tolist()
    return out


def metrics(rng, n, m, digits):
    a = np.round(rng.normal(size=n) + 1, digits)
    b = np.round(rng.normal(size=m) * 1.5, digits)
    truth, scores = np.r_[np.ones(n), np.zeros(m)], np.r_[a, b]
    best, nearest = 0.5, None
    for t in sorted(set(scores), reverse=True):
        tpr, tnr = np.mean(a >= t), np.mean(b < t)
        best = max(best, (tpr + tnr) / 2)
        miss = round(abs(tpr - 0.95) * n * 20)
        if nearest is None or miss < nearest[0] or (miss == nearest[0] and tpr > nearest[1]):
            nearest = (miss, tpr, tnr, t)
    return {
        "inside": a.tolist(), "outside": b.tolist(), "auroc": roc_auc_score(truth, scores),
        "tnr": nearest[2], "threshold": nearest[3], "accuracy": best,
        "in": average_precision_score(truth, scores),
        "out": average_precision_score(1 - truth, -scores)}


def combiner(rng):
    a, b = short(rng.normal(size=(60, 3))), short(rng.normal(size=(25, 3)) - [2, 0.5, 0])
    fit = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(
        np.r_[a, b], np.r_[np.ones(60), np.zeros(25)])
    return {"inside": a.tolist(), "outside": b.tolist(), "weights": fit.coef_[0].tolist()}


def peers(rng):
    rows, test = short(rng.normal(size=(30, 4))), short(rng.normal(size=(5, 4)))
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (rows, test)]
    far = np.sort(np.linalg.norm(unit[1][:, None] - unit[0], axis=-1), axis=1)[:, 6]
    own = np.sort(np.linalg.norm(unit[0][:, None] - unit[0], axis=-1), axis=1)[:, 7]
    return {
        "rows": rows.tolist(), "test": test.tolist(), "k": 7, "neighbours": (-far).tolist(),
        "threshold": np.quantile(-own, 0.05), "softmax": softmax(test, axis=1).max(1).tolist(),
        "temperature": 2.5, "energy": (2.5 * logsumexp(test / 2.5, axis=1)).tolist()}


def main():
    rng = np.random.default_rng(SEED)
    fixture = {
        "source": "scikit-learn", "version": "scikit-learn 1.9.1, numpy 2.4.6", "seed": SEED,
        "tolerance": 1e-6,
        "plain": [gaussians(rng, 30, 3, 3), gaussians(rng, 40, 6, 2)],
        "shrunk": [gaussians(rng, 12, 8, 2, shrunk=True), gaussians(rng, 40, 3, 3, shrunk=True)],
        "singular": [gaussians(rng, 30, 4, 2, singular=True)],
        "metrics": [metrics(rng, 40, 30, 1), metrics(rng, 100, 7, 0), metrics(rng, 3, 50, 2),
                    metrics(rng, 20, 20, 5)],
        "combiner": combiner(rng), "peers": peers(rng)}
    path = Path(__file__).parents[2] / "Tests/BasisDetectionTests/Fixtures/mahalanobis.json"
    path.write_text(json.dumps(fixture) + "\n")


main()
