"""Dissimilarities, geo-topological transforms and geodesics, from scipy, numpy and networkx.

pip install numpy==2.4.6 scipy==1.17.1 networkx==3.6.1, then from the repository's root:
python Scripts/oracles/rsa.py
"""

import json
from pathlib import Path

import networkx as nx
import numpy as np
import scipy
from scipy.spatial.distance import pdist
from scipy.stats import rankdata

assert np.__version__ == "2.4.6", np.__version__
assert scipy.__version__ == "1.17.1", scipy.__version__
assert nx.__version__ == "3.6.1", nx.__version__
SEED = 154


def ranked(v):
    r = rankdata(v)
    return (r - r.min()) / (r.max() - r.min())


def transformed(v, l, u):
    r = ranked(v)
    a, b = np.quantile(r, l), np.quantile(r, u)
    if a == b:
        return (r > a).astype(float)
    return np.clip((r - a) / (b - a), 0, 1)


def geodesic(v, n, edges):
    """Lengths along the edges; beyond the longest by 1 where there is no way."""
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    for i, j, w in edges:
        graph.add_edge(i, j, weight=w)
    lengths = dict(nx.all_pairs_dijkstra_path_length(graph))
    out = np.array([lengths[i].get(j, np.inf) for i in range(n) for j in range(i + 1, n)])
    missing = ~np.isfinite(out)
    out[missing] = out[~missing].max() + 1
    return out, int(missing.sum())


def case(x, share, k):
    n = len(x)
    v = pdist(x, "sqeuclidean")
    r = ranked(v)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    cut = np.quantile(r, share)
    near, lost = geodesic(v, n, [(i, j, w) for (i, j), w in zip(pairs, r) if w <= cut])
    full = np.zeros((n, n))
    for (i, j), w in zip(pairs, r):
        full[i, j] = full[j, i] = w
    edges = []
    for i in range(n):
        others = sorted((full[i, j], j) for j in range(n) if j != i)
        edges += [(i, j, w) for w, j in others[:k]]
    nearest, lost_nearest = geodesic(v, n, edges)
    return {
        "rows": x.tolist(), "squared": v.tolist(), "correlation": pdist(x, "correlation").tolist(),
        "ranked": r.tolist(), "wide": transformed(v, 0.2, 0.8).tolist(),
        "narrow": transformed(v, 0.4, 0.6).tolist(), "hard": transformed(v, 0.5, 0.5).tolist(),
        "sigmoid": (1 / (1 + np.exp(-10 * (r - 0.5)))).tolist(),
        "share": share, "geodesic": near.tolist(), "unreachable": lost,
        "k": k, "nearest": nearest.tolist(), "unreachableNearest": lost_nearest}


def main():
    rng = np.random.default_rng(SEED)
    plain = rng.normal(size=(14, 3)).astype(np.float32).astype(float)
    # Ties, and two equal things.
    tied = rng.integers(0, 3, size=(12, 4)).astype(float)
    tied[:, 0] += np.arange(12) % 2
    tied[5] = tied[2]
    tied[tied.std(1) == 0, 1] += 1
    a, b = plain[:10], (plain[:10] + 0.5 * rng.normal(size=(10, 3))).astype(np.float32).astype(float)
    repeats = [a, b, (a - 0.3 * b).astype(np.float32).astype(float)]
    crossed = np.zeros(45)
    for p in range(3):
        for q in range(3):
            if p != q:
                d = [(repeats[p][i] - repeats[p][j]) @ (repeats[q][i] - repeats[q][j])
                     for i in range(10) for j in range(i + 1, 10)]
                crossed += np.array(d) / (6 * 3)
    fixture = {
        "source": "scipy, numpy, networkx", "version": "1.17.1, 2.4.6, 3.6.1", "seed": SEED,
        "tolerance": 1e-12, "cases": [case(plain, 0.3, 3), case(tied, 0.15, 2)],
        "repeats": [r.tolist() for r in repeats], "crossed": crossed.tolist(),
        "similarity": float(np.corrcoef(
            transformed(pdist(a, "sqeuclidean"), 0.2, 0.8),
            transformed(pdist(b, "sqeuclidean"), 0.2, 0.8))[0, 1])}
    path = Path(__file__).parents[2] / "Tests/BasisMeasuresTests/Fixtures/rsa.json"
    path.write_text(json.dumps(fixture) + "\n")
    print(path.stat().st_size, "bytes")


main()
