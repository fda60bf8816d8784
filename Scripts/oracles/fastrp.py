"""FastRP of small graphs with scikit-learn's very sparse projection, and their spectral vectors.

pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 networkx==3.6.1, then:
python Scripts/oracles/fastrp.py

Also measures time against scipy's product of a sparse matrix with a dense one, single-threaded, the
two in turns:
python Scripts/oracles/fastrp.py path/to/basis edges.txt …
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
# Beside this file, which has a module of the name.
sys.path = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).parent.resolve()]

import statistics

import networkx as nx
import numpy as np
import scipy
import scipy.sparse as sp
import sklearn
from sklearn.preprocessing import normalize, scale
from sklearn.random_projection import SparseRandomProjection

assert np.__version__ == "2.4.6", np.__version__
assert scipy.__version__ == "1.17.1", scipy.__version__
assert sklearn.__version__ == "1.9.1", sklearn.__version__
assert nx.__version__ == "3.6.1", nx.__version__
SEED = 174


def hops(a, r, beta, count):
    """P^k diag(d^beta) R, from powers that are formed."""
    d = a.sum(axis=1)
    inverse = np.divide(1, d, out=np.zeros_like(d), where=d > 0)
    scales = np.power(d, beta, out=np.zeros_like(d), where=d > 0)
    p = inverse[:, None] * a
    return [np.linalg.matrix_power(p, k + 1) @ (scales[:, None] * r) for k in range(count)]


def embed(a, r, beta, weights, normalized, standardized):
    total = sum(
        w * (normalize(u) if normalized else u) for w, u in zip(weights, hops(a, r, beta, len(weights))))
    linked = a.sum(axis=1) > 0
    if standardized:
        total[linked] = scale(total[linked])
    return total


def case(name, a, dimension, beta, weights, normalized, standardized):
    r = SparseRandomProjection(dimension, random_state=SEED).fit(a).components_.T
    i, j = np.nonzero(np.triu(a))
    return {
        "name": name, "count": len(a), "sources": i.tolist(), "targets": j.tolist(),
        "weights": a[i, j].tolist(), "dimension": dimension, "exponent": beta,
        "hopWeights": weights, "normalizes": normalized, "standardizes": standardized,
        "projection": r.toarray().ravel().tolist(),
        "vectors": np.round(embed(a, r.toarray(), beta, weights, normalized, standardized), 7)
        .ravel().tolist()}


def main():
    rng = np.random.default_rng(SEED)
    karate = nx.to_numpy_array(nx.karate_club_graph(), weight=None)
    random = np.triu(rng.random((18, 18)) * (rng.random((18, 18)) < 0.2), 1).astype(np.float32)
    random = np.round((random + random.T).astype(float), 3)
    random[5] = random[:, 5] = 0
    cases = [
        case("karate", karate, 16, -0.628, [1, 1, 7.81, 45.28], True, True),
        case("karate plain", karate, 8, 0.0, [0.5, 0, -2], False, False),
        case("weighted", random, 12, -1.0, [0, 3, 1], True, False),
        case("weighted scaled", random, 9, 0.5, [1, 1], True, True)]
    roots = 1 / np.sqrt(karate.sum(axis=1))
    u, s, _ = np.linalg.svd(roots[:, None] * karate * roots)
    fixture = {
        "source": "scikit-learn, numpy", "version": "1.9.1, 2.4.6", "seed": SEED,
        "tolerance": 1e-5, "cases": cases, "singularValues": s.tolist(),
        "spectralGram": np.round(u * s @ u.T, 6).ravel().tolist()}
    path = Path(__file__).parents[2] / "Tests/BasisGraphsTests/Fixtures/fastrp.json"
    path.write_text(json.dumps(fixture) + "\n")
    print(path.stat().st_size, "bytes")


def scipy_seconds(a, dimension, count):
    """CPU time of the loop of products alone, and with all that FastRP does beside."""
    n = a.shape[0]
    d = np.asarray(a.sum(axis=1)).ravel()
    p = sp.diags_array(1 / np.maximum(d, 1)).tocsr().astype(np.float32) @ a
    r = SparseRandomProjection(dimension, random_state=1).fit(a).components_.T
    start = resource.getrusage(resource.RUSAGE_SELF)
    u = (sp.diags_array(d**-0.628).tocsr().astype(np.float32) @ r).toarray()
    for _ in range(count):
        u = p @ u
    end = resource.getrusage(resource.RUSAGE_SELF)
    assert u.dtype == np.float32 and u.shape == (n, dimension)
    return end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime


def compare(program, paths):
    for path in paths:
        pairs = np.loadtxt(path, dtype=int)
        n = pairs.max() + 1
        a = sp.coo_array((np.ones(len(pairs), np.float32), pairs.T), shape=(n, n)).tocsr()
        a = (a + a.T).tocsr()
        ours, theirs = [], []
        for _ in range(5):
            theirs.append(scipy_seconds(a, 128, 4))
            with tempfile.TemporaryDirectory() as folder:
                out = subprocess.run(
                    [program, "graph", "embed", path, "--dimension", "128", "--threads", "1",
                     "-o", f"{folder}/z.npy", "--json"], check=True, capture_output=True, text=True)
            ours.append(json.loads(out.stdout)["cpu_seconds"])
        ours, theirs = statistics.median(ours), statistics.median(theirs)
        print(f"{path}: {n} nodes, {len(pairs)} links: basis {ours:.3f} s, scipy {theirs:.3f} s, "
              f"ratio {ours / theirs:.3f}")


if len(sys.argv) > 1:
    compare(sys.argv[1], sys.argv[2:])
else:
    main()
