"""New rows of SMOTE and SMOTE-NC, with the pairs and gaps that imbalanced-learn drew.

pip install imbalanced-learn==0.14.2 numpy==2.4.6, then: python Scripts/oracles/smote.py

Also compares what the program makes with what imbalanced-learn makes, as distributions:
python Scripts/oracles/smote.py path/to/basis
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import imblearn
import numpy as np
from imblearn.over_sampling import ADASYN, SMOTE, SMOTENC, BorderlineSMOTE
from scipy import stats
from sklearn.base import clone

assert imblearn.__version__ == "0.14.2", imblearn.__version__
assert np.__version__ == "2.4.6", np.__version__
SEED = 71


def floats(x):
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def plain(rng, n, small, d, k, seed):
    x = floats(rng.normal(size=(n, d)) * rng.uniform(0.2, 3, size=d))
    y = np.zeros(n, dtype=int)
    y[rng.choice(n, small, replace=False)] = 1
    sampler = SMOTE(k_neighbors=k, random_state=seed)
    made = sampler.fit_resample(x, y)[0][n:]
    members = np.flatnonzero(y == 1)
    near = sampler.nn_k_.kneighbors(x[members], return_distance=False)[:, 1:]
    # The draws of _make_samples, once more.
    draws = np.random.RandomState(seed)
    pairs = draws.randint(low=0, high=near.size, size=len(made))
    gaps = draws.uniform(size=len(made))
    first = members[pairs // k]
    second = members[near[pairs // k, pairs % k]]
    assert np.allclose(made, x[first] + gaps[:, None] * (x[second] - x[first]))
    return {
        "rowCount": n, "columnCount": d, "k": k, "rows": x.ravel().tolist(),
        "labels": y.tolist(), "neighbors": members[near].tolist(),
        "first": first.tolist(), "second": second.tolist(), "gaps": gaps.tolist(),
        "made": made.ravel().tolist()}


def nominal(rng, n, small, k, seed):
    x = np.column_stack([
        floats(rng.normal(size=n) * 2), rng.integers(0, 4, size=n), floats(rng.normal(size=n)),
        rng.integers(0, 3, size=n), floats(rng.normal(size=n) * 0.5)])
    columns = [1, 3]
    y = np.zeros(n, dtype=int)
    y[rng.choice(n, small, replace=False)] = 1
    sampler = SMOTENC(categorical_features=columns, k_neighbors=k, random_state=seed)
    made = sampler.fit_resample(x, y)[0][n:].astype(float)
    members = np.flatnonzero(y == 1)
    median = sampler.median_std_[1]
    # Distances of the definition: a differing name adds the median squared.
    own = x[members]
    numbers = [c for c in range(x.shape[1]) if c not in columns]
    squared = ((own[:, None, numbers] - own[None][:, :, numbers]) ** 2).sum(-1)
    for c in columns:
        squared += (own[:, None, c] != own[None, :, c]) * median**2
    np.fill_diagonal(squared, -1)
    near = np.argsort(squared, axis=1, kind="stable")[:, 1:k + 1]
    assert np.isclose(median, np.median(own[:, numbers].std(axis=0)))
    draws = np.random.RandomState(seed)
    pairs = draws.randint(low=0, high=near.size, size=len(made))
    gaps = draws.uniform(size=len(made))
    first, second = pairs // k, near[pairs // k, pairs % k]
    wanted = own[first][:, numbers] + gaps[:, None] * (own[second] - own[first])[:, numbers]
    assert np.allclose(wanted, made[:, numbers], atol=1e-6), "the neighbours are the same"
    return {
        "rowCount": n, "columnCount": x.shape[1], "k": k, "nominal": columns,
        "rows": x.ravel().tolist(), "labels": y.tolist(), "median": float(median),
        "neighbors": members[near].tolist(), "first": members[first].tolist(),
        "second": members[second].tolist(), "gaps": gaps.tolist(), "made": made.ravel().tolist()}


def borders(rng, n, small, d, k, m):
    x = floats(rng.normal(size=(n, d)))
    y = np.zeros(n, dtype=int)
    y[rng.choice(n, small, replace=False)] = 1
    x[y == 1] += np.float32(1)
    sampler = BorderlineSMOTE(k_neighbors=k, m_neighbors=m, random_state=1)
    sampler.fit_resample(x, y)
    members = np.flatnonzero(y == 1)
    danger = sampler._in_danger_noise(sampler.nn_m_, x[members], 1, y, kind="danger")
    noise = sampler._in_danger_noise(sampler.nn_m_, x[members], 1, y, kind="noise")
    adasyn = ADASYN(n_neighbors=m, random_state=1)
    adasyn.fit_resample(x, y)
    # The sampler leaves its neighbours fitted to the class; it asked them of all rows before.
    near = clone(adasyn.nn_).fit(x).kneighbors(x[members], return_distance=False)[:, 1:]
    shares = (y[near] != 1).sum(axis=1) / m
    return {
        "rowCount": n, "columnCount": d, "k": k, "m": m, "rows": x.ravel().tolist(),
        "labels": y.tolist(), "danger": members[danger].tolist(),
        "noise": int(noise.sum()), "shares": (shares / shares.sum()).tolist(),
        "members": members.tolist()}


def compare(program):
    """Kolmogorov-Smirnov of each column, and how often each row is a parent."""
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(20_200, 5)).astype(np.float32)
    y = np.zeros(20_200, dtype=int)
    y[:200] = 1
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/x.npy", x)
        np.save(f"{folder}/y.npy", y)
        out = subprocess.run(
            [program, "select", f"{folder}/x.npy", "--labels", f"{folder}/y.npy", "--method",
             "smote", "--set", 'ratio={"1": 20200}', "--rows", f"{folder}/all.npy", "--json"],
            check=True, capture_output=True)
        answer = json.loads(out.stdout)
        ours = np.load(f"{folder}/all.npy")[20_200:]
    theirs = SMOTE(sampling_strategy={1: 20_200}, random_state=1).fit_resample(
        np.r_[x, x[:100]], np.r_[y, np.zeros(100, int)])[0][20_300:]
    assert len(ours) == len(theirs) == 20_000
    for column in range(5):
        p = stats.ks_2samp(ours[:, column], theirs[:, column]).pvalue
        print(f"column {column}: KS p = {p:.3f}")
        assert p > 0.01
    parents = np.bincount([a for a, _ in answer["synthetic"]["parents"]], minlength=200)[:200]
    p = stats.chisquare(parents).pvalue
    print(f"parents: chi-squared p = {p:.3f}")
    assert p > 0.01


def main():
    if len(sys.argv) > 1:
        return compare(sys.argv[1])
    rng = np.random.default_rng(SEED)
    fixture = {
        "source": "imbalanced-learn", "version": "0.14.2", "seed": SEED, "tolerance": 1e-7,
        "plain": [plain(rng, 40, 12, 3, 5, 1), plain(rng, 30, 9, 7, 3, 2)],
        "nominal": [nominal(rng, 50, 15, 5, 3), nominal(rng, 44, 14, 3, 4)],
        "borders": [borders(rng, 80, 20, 2, 5, 10), borders(rng, 60, 18, 3, 3, 6)]}
    path = Path(__file__).parents[2] / "Tests/BasisSelectionTests/Fixtures/smote.json"
    path.write_text(json.dumps(fixture) + "\n")


main()
