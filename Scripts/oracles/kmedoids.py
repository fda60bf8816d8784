"""k-medoids of small matrices and of the digits, from the authors' own package.

pip install kmedoids==0.5.5 numpy==2.4.6 scikit-learn==1.9.1, then from the repository's root:
python Scripts/oracles/kmedoids.py
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

# Beside this file, which has the package's name.
sys.path = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).parent.resolve()]

import kmedoids
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import euclidean_distances

assert version("kmedoids") == "0.5.5", version("kmedoids")
assert np.__version__ == "2.4.6", np.__version__
SEED = 6


def result(found):
    return {
        "loss": float(found.loss), "medoids": [int(m) for m in found.medoids],
        "labels": [int(l) for l in found.labels], "iterations": int(found.n_iter or 0),
        "swaps": int(found.n_swap or 0)}


def case(name, triangle, n, start):
    d = np.zeros((n, n), np.float32)
    d[np.tril_indices(n, -1)] = triangle
    d += d.T
    k, start = len(start), np.array(start, np.uint64)
    methods = {
        "fasterpam": kmedoids.fasterpam(d, start.copy(), n_cpu=1),
        "fastpam1": kmedoids.fastpam1(d, start.copy()),
        "pam": kmedoids.pam(d, start.copy()),
        "alternating": kmedoids.alternating(d, start.copy()),
        "build": kmedoids.pam_build(d, k)}
    labels = methods["fasterpam"].labels
    return {
        "name": name, "count": n, "triangle": [float(v) for v in triangle],
        "start": [int(s) for s in start],
        "adjustedRand": float(adjusted_rand_score(methods["alternating"].labels, labels)),
        "silhouette": float(kmedoids.silhouette(d, labels)[0]),
        "medoidSilhouette": float(
            kmedoids.medoid_silhouette(d, methods["fasterpam"].medoids)[0]),
        "results": {name: result(found) for name, found in methods.items()}}


def main():
    rng = np.random.default_rng(SEED)
    cases = [case("tiny", np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 1], np.float32), 5, [0, 1])]
    for n, k, kind in [(40, 3, "plane"), (48, 7, "plane"), (30, 4, "noise"), (36, 12, "cubes")]:
        if kind == "noise":
            # No metric: the triangle inequality does not hold.
            triangle = rng.integers(1, 10_000, n * (n - 1) // 2) / 8
        else:
            points = rng.normal(size=(n, 2 if kind == "plane" else 3)) * 10
            if kind == "cubes":
                # Duplicates and ties.
                points = np.round(points / 8)
            d = euclidean_distances(points)
            triangle = np.round(d[np.tril_indices(n, -1)], 3)
        start = rng.choice(n, k, replace=False)
        cases.append(case(kind, triangle.astype(np.float32), n, start))
    d = euclidean_distances(load_digits().data).astype(np.float32)
    np.fill_diagonal(d, 0)
    digits = []
    for k in [10, 100, 200]:
        build = kmedoids.pam_build(d, k)
        one = kmedoids.fastpam1(d, build.medoids)
        eager = kmedoids.fasterpam(d, build.medoids, n_cpu=1)
        digits.append({
            "k": k, "build": float(build.loss), "fastpam1": float(one.loss),
            "fastpam1Swaps": int(one.n_swap), "fasterpam": float(eager.loss),
            "fasterpamSwaps": int(eager.n_swap), "fasterpamIterations": int(eager.n_iter)})
    fixture = {
        "source": "kmedoids, scikit-learn", "version": "0.5.5, 1.9.1", "seed": SEED, "tolerance": 1e-5,
        "cases": cases, "digits": digits}
    path = Path(__file__).parents[2] / "Tests/BasisClusteringTests/Fixtures/kmedoids.json"
    path.write_text(json.dumps(fixture) + "\n")
    print(path.stat().st_size, "bytes")


main()
