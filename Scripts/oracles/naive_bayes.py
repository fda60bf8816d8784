"""Naive Bayes and logistic regression by numpy and scikit-learn.

pip install scikit-learn==1.9.1 numpy==2.4.6, then: python Scripts/oracles/naive_bayes.py

Also compares the program's fits with scikit-learn's on other data:
python Scripts/oracles/naive_bayes.py path/to/basis
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

assert sklearn.__version__ == "1.9.1", sklearn.__version__
assert np.__version__ == "2.4.6", np.__version__
SEED = 75


def rows(rng, n, d, k):
    y = np.r_[np.arange(k), rng.integers(0, k, size=n - k)]
    x = rng.normal(size=(n, d)) * rng.uniform(0.3, 3, size=d) + rng.normal(size=(k, d))[y]
    # Columns far from zero: sums must not cancel.
    x[:, 0] += 50
    # Sixteenths: exact in a float, and short in the file.
    return np.round(x * 16) / 16, y


def sixteenths(x):
    return (x * 16).astype(int).ravel().tolist()


def short(values):
    return [float(f"{v:.15g}") for v in np.asarray(values, dtype=float).ravel()]


def shared(x, y):
    """The published code's two lines: class means, and one variance a column."""
    p = np.bincount(y) / len(y)
    mu = np.array([x[y == c].mean(0) for c in range(len(p))])
    v = sum(p[c] * x[y == c].var(0) for c in range(len(p))) + 1e-9
    return np.log(p) - 0.5 * ((x[:, None] - mu[None]) ** 2 / v).sum(-1), v


def bayes(rng, n, d, k, asked):
    x, y = rows(rng, n, d, k)
    scores, v = shared(x, y)
    own = GaussianNB(var_smoothing=0).fit(x, y)
    own.var_ += 1e-9
    log = own.predict_log_proba(x)
    return {
        "rowCount": n, "columnCount": d, "sixteenths": sixteenths(x),
        "labels": y.tolist(), "variances": short(v), "asked": asked,
        "scores": short((scores - scores.max(1, keepdims=True))[:asked]),
        "predicted": scores.argmax(1).tolist(), "ownVariances": short(own.var_),
        "ownLogs": short(np.maximum(log, -700)[:asked]),
        "ownPredicted": log.argmax(1).tolist()}


def logistic(rng, n, d, k, c):
    x, y = rows(rng, n, d, k)
    # L-BFGS there stops short where a column lies far from zero; Newton's steps do not.
    model = LogisticRegression(C=c, tol=1e-10, max_iter=1000, solver="newton-cholesky").fit(x, y)
    p = model.predict_proba(x)
    penalty = (model.coef_**2).sum() / (2 * c)
    loss = (-np.log(p[np.arange(n), y]).sum() + penalty) / n
    return {
        "rowCount": n, "columnCount": d, "c": c, "sixteenths": sixteenths(x),
        "labels": y.tolist(), "loss": float(loss), "weights": short(model.coef_),
        "intercepts": short(model.intercept_), "predicted": p.argmax(1).tolist()}


def compare(program):
    rng = np.random.default_rng(SEED + 1)
    for n, d, k in [(400, 10, 2), (3000, 40, 5)]:
        x, y = rows(rng, n, d, k)
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/x.npy", x.astype(np.float32))
            np.save(f"{folder}/y.npy", y)
            for method, peer in [
                    ("logistic", LogisticRegression(tol=1e-8, max_iter=5000)),
                    ("naive-bayes", None)]:
                subprocess.run(
                    [program, "classify", "fit", f"{folder}/x.npy", f"{folder}/y.npy", "--method",
                     method, "-o", f"{folder}/{method}"], check=True, capture_output=True)
                out = subprocess.run(
                    [program, "classify", "apply", f"{folder}/{method}", f"{folder}/x.npy",
                     "--json"], check=True, capture_output=True)
                ours = np.array(json.loads(out.stdout)["labels"])
                theirs = peer.fit(x, y).predict(x) if peer else shared(x, y)[0].argmax(1)
                same = (ours == theirs).mean()
                print(f"{n} × {d}, {k} classes, {method}: {same:.4f} of the labels are the same")
                assert same > 0.999


def main():
    if len(sys.argv) > 1:
        return compare(sys.argv[1])
    rng = np.random.default_rng(SEED)
    fixture = {
        "source": "numpy and scikit-learn", "version": "2.4.6 and 1.9.1", "seed": SEED,
        "tolerance": 1e-10,
        "bayes": [bayes(rng, 500, 20, 4, 40), bayes(rng, 60, 3, 2, 60)],
        "logistic": [
            logistic(rng, 120, 5, 2, 1.0), logistic(rng, 150, 6, 4, 1.0),
            logistic(rng, 90, 12, 3, 0.05), logistic(rng, 80, 4, 2, 100.0)]}
    path = Path(__file__).parents[2] / "Tests/BasisClassificationTests/Fixtures/naive_bayes.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


main()
