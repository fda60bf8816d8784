"""Trees and boosted trees of scikit-learn, where no two splits are equally good.

pip install scikit-learn==1.9.1 numpy==2.4.6, then: python Scripts/oracles/forest.py

Also compares the program's forests and boosted trees with scikit-learn's, as means of ten seeds:
python Scripts/oracles/forest.py path/to/basis
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import (
    GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier,
    RandomForestRegressor)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

assert sklearn.__version__ == "1.9.1", sklearn.__version__
assert np.__version__ == "2.4.6", np.__version__
SEED = 84


def mars(rng, n, d=5, noise=1.0):
    """MARSadd of the published code."""
    x = rng.uniform(size=(n, d))
    x = np.round(x * 1024) / 1024
    y = .1 * np.exp(4 * x[:, 0]) + 4 / (1 + np.exp(-20 * (x[:, 1] - .5)))
    y += 3 * x[:, 2] + 2 * x[:, 3] + x[:, 4]
    return x, y + noise * rng.normal(size=n)


def short(values):
    return [float(f"{v:.12g}") for v in np.asarray(values, dtype=float).ravel()]


def main():
    if len(sys.argv) > 1:
        return compare(sys.argv[1])
    rng = np.random.default_rng(SEED)
    x, y = mars(rng, 200)
    y = np.round(y, 6)
    asked, _ = mars(rng, 60)
    classes = np.digitize(y, np.quantile(y, [.4, .8]))
    binary = (y > np.median(y)).astype(int)

    def known(model, target):
        model.fit(x, target)
        found = model.predict_proba(asked) if hasattr(model, "predict_proba") else model.predict(asked)
        return short(found)

    limits = {"min_samples_leaf": 8}
    boosted = {"n_estimators": 20, "max_depth": 3, "criterion": "squared_error", **limits}
    fixture = {
        "source": "scikit-learn", "version": "1.9.1", "seed": SEED, "tolerance": 1e-6,
        "rows": (x * 1024).astype(int).ravel().tolist(),
        "asked": (asked * 1024).astype(int).ravel().tolist(),
        "targets": y.tolist(), "classes": classes.tolist(), "binary": binary.tolist(),
        "deep": known(DecisionTreeRegressor(max_depth=4, **limits), y),
        "best": known(DecisionTreeRegressor(max_leaf_nodes=9, **limits), y),
        "gini": known(DecisionTreeClassifier(max_depth=4, **limits), classes),
        "boosted": known(GradientBoostingRegressor(**boosted), y),
        "boostedThree": known(GradientBoostingClassifier(**boosted), classes),
        "boostedTwo": known(GradientBoostingClassifier(**boosted), binary)}
    path = Path(__file__).parents[2] / "Tests/BasisClassificationTests/Fixtures/forest.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


def program(path, folder, *words):
    out = subprocess.run(
        [path, "classify", *words], check=True, capture_output=True, cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"})
    return json.loads(out.stdout)


def compare(path):
    """Ten seeds: errors of numbers within 3 %, shares of labels within a point; then the time."""
    with tempfile.TemporaryDirectory() as folder:
        def ours(x, y, asked, method, regression, seed, *settings):
            np.save(f"{folder}/x.npy", x.astype(np.float32))
            np.save(f"{folder}/y.npy", y.astype(np.float32) if regression else y)
            np.save(f"{folder}/a.npy", asked.astype(np.float32))
            words = ["--regression"] if regression else []
            for setting in settings:
                words += ["--set", setting]
            fit = program(
                path, folder, "fit", "x.npy", "y.npy", "--method", method, "-o", "m", "--force",
                "--seed", str(seed), "--threads", "1", "--json", *words)
            out = program(path, folder, "apply", "m", "a.npy", "--json")
            return np.array(out["values" if regression else "labels"]), fit["seconds"]

        rng = np.random.default_rng(SEED)
        for method, peer in [
                ("forest", lambda s: RandomForestRegressor(100, max_features=1 / 3, random_state=s)),
                ("boosting", lambda s: GradientBoostingRegressor(random_state=s))]:
            errors = []
            for seed in range(10):
                x, y = mars(rng, 1000)
                own, _ = ours(x[:500], y[:500], x[500:], method, True, seed)
                theirs = peer(seed).fit(x[:500], y[:500]).predict(x[500:])
                errors.append([np.mean((own - y[500:])**2), np.mean((theirs - y[500:])**2)])
            a, b = np.mean(errors, axis=0)
            print(f"MARSadd, {method}: {a:.4f}, scikit-learn {b:.4f}, by {a / b:.3f}")
            assert abs(a / b - 1) < .03
        for name, load in [
                ("digits", load_digits), ("wine", load_wine), ("breast cancer", load_breast_cancer)]:
            x, y = load(return_X_y=True)
            for method, peer in [
                    ("forest", lambda s: RandomForestClassifier(100, random_state=s)),
                    ("boosting", lambda s: GradientBoostingClassifier(random_state=s))]:
                if name == "digits" and method == "boosting":
                    continue
                right = []
                for seed in range(10):
                    order = np.random.default_rng(seed).permutation(len(y))
                    a, b = order[:len(y) * 2 // 3], order[len(y) * 2 // 3:]
                    own, _ = ours(x[a], y[a], x[b], method, False, seed)
                    theirs = peer(seed).fit(x[a].astype(np.float32), y[a]).predict(
                        x[b].astype(np.float32))
                    right.append([np.mean(own == y[b]), np.mean(theirs == y[b])])
                a, b = np.mean(right, axis=0)
                print(f"{name}, {method}: {a:.4f}, scikit-learn {b:.4f}")
                assert abs(a - b) < .01
        times = []
        for n in (2000, 6000, 20000):
            x = rng.normal(size=(n, 50)).astype(np.float32)
            y = x[:, 0] + np.abs(x[:, 1]) + rng.normal(size=n)
            pair = []
            for _ in range(3):
                _, own = ours(x, y, x[:10], "forest", True, 1, "treeCount=10")
                began = time.process_time()
                RandomForestRegressor(10, max_features=1 / 3, n_jobs=1, random_state=1).fit(x, y)
                pair.append((own, time.process_time() - began))
            own, theirs = np.median(pair, axis=0)
            times.append((n, own))
            print(f"{n} x 50, 10 trees: {own:.2f} s, scikit-learn {theirs:.2f} s")
        (a, s), (b, t) = times[0], times[-1]
        print(f"seconds grow with the power {np.log(t / s) / np.log(b / a):.2f} of the rows")


main()
