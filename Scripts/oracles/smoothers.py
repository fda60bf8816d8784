"""Ridge regression by scikit-learn and a normal kernel's means by numpy, as weights of the targets.

pip install scikit-learn==1.9.1 numpy==2.4.6, then: python Scripts/oracles/smoothers.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import Ridge

assert sklearn.__version__ == "1.9.1", sklearn.__version__
assert np.__version__ == "2.4.6", np.__version__
SEED = 84


def main():
    rng = np.random.default_rng(SEED)
    x = np.round(rng.normal(size=(40, 4)) * 16) / 16
    # A column far from zero, and one that repeats another.
    x[:, 0] += 30
    x[:, 3] = x[:, 2]
    y = np.round(rng.normal(size=40) * 16) / 16
    asked = np.round(rng.normal(size=(10, 4)) * 32) / 16
    asked[:, 0] += 30
    # A row that is far from all.
    asked[9] = 100
    ridge = [Ridge(alpha=a, solver="cholesky").fit(x, y) for a in (0.5, 30)]
    # Each unit vector of targets answers with a column of the weights.
    weights = np.stack([Ridge(alpha=30, solver="cholesky").fit(x, e).predict(asked)
                        for e in np.eye(40)], 1)
    near = RBF(length_scale=0.7)(asked[:9], x)
    near /= near.sum(1, keepdims=True)
    fixture = {
        "source": "scikit-learn and numpy", "version": "1.9.1 and 2.4.6", "seed": SEED,
        "tolerance": 1e-9, "rows": (x * 16).astype(int).ravel().tolist(), "targets": y.tolist(),
        "asked": (asked * 16).astype(int).ravel().tolist(), "penalties": [0.5, 30],
        "ridge": [m.predict(asked).tolist() for m in ridge],
        "ridgeParameters": (40 * (weights**2).sum(1)).tolist(), "bandwidth": 0.7,
        "kernel": (near @ y).tolist(), "kernelParameters": (40 * (near**2).sum(1)).tolist()}
    path = Path(__file__).parents[2] / "Tests/BasisClassificationTests/Fixtures/smoothers.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


main()
