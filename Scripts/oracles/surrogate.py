"""Surrogate models and leading rows: what OutRank's code makes of one column and a target.

scikit-learn's logistic regression on one-hot values, 1 + the median of negative logarithmic losses of two folds;
and the kernel of the reference with a share of the rows, on columns whose values fill that share evenly, as it
leaves the rest of its row numbers unset.

pip install outrank==0.97.5 scikit-learn==1.9.1 numpy==2.4.6, then: python Scripts/oracles/surrogate.py
"""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
# A neighbour of this script has the name of the package that it asks.
sys.path.pop(0)

import numpy as np
from outrank.algorithms.feature_ranking.ranking_mi_numba import mutual_info_estimator_numba
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import OneHotEncoder

assert version("outrank") == "0.97.5", version("outrank")
assert version("scikit-learn") == "1.9.1", version("scikit-learn")
assert np.__version__ == "2.4.6", np.__version__
SEED = 17


def by_appearance(x):
    _, first, codes = np.unique(x, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[codes]


def surrogate(rng, n, values, classes, link):
    x = rng.integers(0, values, n)
    y = np.where(rng.random(n) < link, x % classes, rng.integers(0, classes, n))
    model = LogisticRegression(max_iter=100_000, tol=1e-10)
    features = OneHotEncoder().fit_transform(x.reshape(-1, 1))
    scores = cross_val_score(model, features, y, scoring="neg_log_loss", cv=2)
    return {"x": x.tolist(), "y": y.tolist(), "score": float(1 + np.median(scores))}


def leading(rng, values, each, classes, share):
    x = by_appearance(rng.permutation(np.repeat(np.arange(values), each)))
    y = by_appearance(np.where(rng.random(len(x)) < 0.4, x % classes, rng.integers(0, classes, len(x))))
    x, y = x.astype(np.int32), y.astype(np.int32)
    rows = int(np.float32(share) * len(x))
    assert rows % values == 0 and rows // values <= each, (rows, values)
    return {
        "x": x.tolist(), "y": y.tolist(), "share": share,
        "plain": float(mutual_info_estimator_numba(y, x, np.float32(share), False)),
        "shift": float(mutual_info_estimator_numba(y, x, np.float32(share), True))}


def main():
    rng = np.random.default_rng(SEED)
    shapes = [(80, 2, 2, 0.5), (80, 9, 2, 0.4), (90, 30, 2, 0.6), (61, 5, 2, 0), (90, 4, 3, 0.7),
              (101, 12, 4, 0.4), (120, 40, 3, 0.3), (70, 70, 2, 0.3)]
    fixture = {
        "source": "scikit-learn's logistic regression, outrank's kernel",
        "version": "outrank 0.97.5, scikit-learn 1.9.1, numpy 2.4.6", "seed": SEED, "tolerance": 1e-5,
        "surrogates": [surrogate(rng, *shape) for shape in shapes],
        "leading": [leading(rng, *shape) for shape in [
            (4, 20, 2, 0.75), (6, 20, 3, 0.25), (10, 12, 2, 0.75), (3, 32, 4, 0.75), (8, 16, 2, 0.625), (5, 20, 5, 0.3)]]}
    path = Path(__file__).parents[2] / "Tests/BasisFeaturesTests/Fixtures/surrogate.json"
    path.write_text(json.dumps(fixture) + "\n")


main()
