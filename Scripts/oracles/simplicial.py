"""Closures and scores of small streams of simplices, by brute force, networkx and dense inverses.

pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 networkx==3.6.1, then:
python Scripts/oracles/simplicial.py

With the folder of the data sets it also makes average precisions over random of real streams:
python Scripts/oracles/simplicial.py ../shared/data
"""

import gzip
import itertools
import json
import sys
from collections import Counter
from pathlib import Path

# Beside this file, whose modules have the names of others.
sys.path = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).parent.resolve()]

import networkx as nx
import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

assert np.__version__ == "2.4.6", np.__version__
assert sklearn.__version__ == "1.9.1", sklearn.__version__
assert nx.__version__ == "3.6.1", nx.__version__
SEED = 39


def split(simplices, times, share):
    cut = round(float(np.quantile(times, share)))
    return ([s for s, t in zip(simplices, times) if t <= cut],
            [s for s, t in zip(simplices, times) if t > cut])


def weights(simplices, n):
    b = np.zeros((n, n))
    for s in simplices:
        for i, j in itertools.permutations(s, 2):
            b[i, j] += 1
    return b


def closures(old, new, n, size):
    """Every set of three or four, one after another."""
    b = np.minimum(weights(old, n), 2).astype(int)
    present = {v for s in old for v in s}
    strength = Counter(t for s in old for t in itertools.combinations(sorted(s), 3))
    met = {t for s in old for t in itertools.combinations(sorted(s), size)}
    later = {t for s in new for t in itertools.combinations(sorted(s), size)}
    opened, closed = Counter(), Counter()
    for t in itertools.combinations(sorted(present), size):
        if t in met:
            continue
        if size == 3:
            key = tuple(sorted(b[i, j] for i, j in itertools.combinations(t, 2)))
        else:
            edges = sum(b[i, j] > 0 for i, j in itertools.combinations(t, 2))
            faces = [f for f in itertools.combinations(t, 3)
                     if all(b[i, j] > 0 for i, j in itertools.combinations(f, 2))]
            if not faces:
                continue
            w = sorted(min(strength[f], 2) for f in faces)
            key = tuple([edges - 6] * (4 - len(faces)) + w)
        opened[key] += 1
        closed[key] += t in later
    return [[[int(v) for v in key], opened[key], closed[key]] for key in sorted(opened)]


def open_triangles(old, n):
    b = weights(old, n)
    met = {t for s in old for t in itertools.combinations(sorted(s), 3)}
    graph = nx.from_numpy_array((b > 0).astype(int))
    # networkx lists each clique of three once.
    found = sorted(tuple(sorted(c)) for c in nx.enumerate_all_cliques(graph) if len(c) == 3)
    assert len(found) == sum(nx.triangles(graph).values()) // 3
    return [t for t in found if t not in met], [t for t in found if t in met]


def pairs(s, t):
    i, j, k = t
    return float(s[i, j] + s[j, i] + s[i, k] + s[k, i] + s[j, k] + s[k, j])


def scores(old, n, triangles, closed):
    b = weights(old, n)
    a = (b > 0).astype(float)
    degree, simplex = a.sum(0), np.zeros(n)
    for s in old:
        simplex[s] += 1
    near = [set(np.flatnonzero(a[i])) for i in range(n)]
    out = {name: [] for name in [
        "minimum", "harmonic", "geometric", "arithmetic", "maximum", "common", "jaccard",
        "adamic-adar", "attachment", "simplex-attachment"]}
    for i, j, k in triangles:
        w = np.array([b[i, j], b[i, k], b[j, k]])
        both = near[i] & near[j] & near[k]
        out["minimum"].append(w.min())
        out["harmonic"].append(3 / (1 / w).sum())
        out["geometric"].append(w.prod() ** (1 / 3))
        out["arithmetic"].append(w.mean())
        out["maximum"].append(w.max())
        out["common"].append(len(both))
        out["jaccard"].append(len(both) / len(near[i] | near[j] | near[k]))
        out["adamic-adar"].append(sum(1 / np.log(degree[z]) for z in both))
        out["attachment"].append(degree[i] * degree[j] * degree[k])
        out["simplex-attachment"].append(simplex[i] * simplex[j] * simplex[k])
    eye = np.eye(n)
    for name, w in [("katz", a), ("weighted-katz", b)]:
        beta = min(0.25 / np.linalg.svd(w, compute_uv=False)[0], 0.5)
        s = np.linalg.inv(eye - beta * w) - eye
        out[name] = [pairs(s, t) for t in triangles]
    for name, w in [("pagerank", a), ("weighted-pagerank", b)]:
        d = w.sum(0)
        s = 0.15 * np.linalg.inv(eye - 0.85 * w / np.where(d > 0, d, 1))
        out[name] = [pairs(s, t) for t in triangles]
    edges = [(i, j) for i in range(n) for j in range(i + 1, n) if b[i, j] > 0]
    number = {e: k for k, e in enumerate(edges)}
    grad = np.zeros((len(edges), n))
    for k, (i, j) in enumerate(edges):
        grad[k, i], grad[k, j] = -1, 1
    curl = np.zeros((len(closed), len(edges)))
    for row, (i, j, k) in enumerate(closed):
        curl[row, [number[i, j], number[j, k]]] = 1
        curl[row, number[i, k]] = -1
    assert not (curl @ grad).any()
    nodes = np.abs(grad).sum(0)
    d = np.abs(curl).sum(0) + np.array([nodes[i] + nodes[j] for i, j in edges])
    rest = 1 / 0.85 - 1
    s = rest * np.linalg.inv(rest * np.eye(len(edges)) + (grad @ grad.T + curl.T @ curl) / d)
    parts = {"simplicial": s, "gradient": grad @ np.linalg.pinv(grad) @ s,
             "curl": curl.T @ np.linalg.pinv(curl.T) @ s}
    parts["harmonic-flow"] = s - parts["gradient"] - parts["curl"]
    for name, s in parts.items():
        out[name] = [
            pairs(np.abs(s), (number[i, j], number[i, k], number[j, k])) for i, j, k in triangles]
    return {name: [round(float(v), 9) for v in values] for name, values in out.items()}


def small(rng, n, count, largest):
    simplices = []
    for _ in range(count):
        size = min(n, 1 + rng.poisson(1.4), largest)
        home = rng.integers(0, n)
        near = (home + rng.geometric(0.15, size=4 * size) - 1) % n
        simplices.append(sorted({int(home), *map(int, near[:size - 1])}))
    return simplices, [int(t) for t in rng.integers(0, 50, count)]


def real(folder, name):
    path = folder / f"simplicial-{name.lower()}"

    def numbers(what):
        with gzip.open(path / f"{name}-{what}.txt.gz", "rt") as file:
            return [int(line) for line in file]

    sizes, nodes, times = numbers("nverts"), numbers("simplices"), numbers("times")
    ids = {v: k for k, v in enumerate(sorted(set(nodes)))}
    ends = np.cumsum([0] + sizes)
    return ([sorted({ids[v] for v in nodes[ends[k]:ends[k + 1]]}) for k in range(len(sizes))], times,
            len(ids))


def main():
    rng = np.random.default_rng(SEED)
    streams = []
    for n, count, largest in [(9, 30, 4), (14, 60, 5), (20, 90, 3), (18, 110, 5)]:
        simplices, times = small(rng, n, count, largest)
        old, new = split(simplices, times, 0.8)
        triangles, closed = open_triangles(old, n)
        later = {t for s in new for t in itertools.combinations(s, 3)}
        cut = set(map(tuple, triangles)) & later
        found = scores(old, n, triangles, closed)
        labels = [t in cut for t in triangles]
        streams.append({
            "sizes": [len(s) for s in simplices], "nodes": [v for s in simplices for v in s],
            "times": times, "three": closures(old, new, n, 3), "four": closures(old, new, n, 4),
            "triangles": triangles, "labels": labels, "scores": found,
            "precision": {
                name: float(average_precision_score(labels, values))
                for name, values in found.items()} if any(labels) else {}})
    x = rng.normal(size=(60, 5)) * [1, 2, 0.5, 1, 3]
    y = rng.random(60) < 1 / (1 + np.exp(-(x @ [1, -0.5, 0, 2, 0.3] - 0.5)))
    logistic = []
    for c in [0.1, 1, 30]:
        model = LogisticRegression(C=c, tol=1e-10, max_iter=10_000).fit(x.astype(np.float32).astype(float), y)
        logistic.append({
            "strength": c, "weights": model.coef_[0].tolist(), "intercept": float(model.intercept_[0])})
    fixture = {
        "source": "brute force, numpy, networkx, scikit-learn", "version": "2.4.6, 3.6.1, 1.9.1",
        "seed": SEED, "tolerance": 1e-6, "streams": streams,
        "rows": x.astype(np.float32).astype(float).ravel().tolist(), "labels": y.tolist(),
        "logistic": logistic}
    path = Path(__file__).parents[2] / "Tests/BasisGraphsTests/Fixtures/simplicial.json"
    path.write_text(json.dumps(fixture) + "\n")
    print(path.stat().st_size, "bytes")


def precisions(folder):
    for name in ["email-Enron", "contact-high-school", "NDC-classes"]:
        simplices, times, n = real(folder, name)
        old, new = split(simplices, times, 0.8)
        b = weights(old, n)
        triangles, _ = open_triangles(old, n)
        later = {t for s in new for t in itertools.combinations(s, 3)}
        labels = [t in later for t in triangles]
        w = np.array([[b[i, j], b[i, k], b[j, k]] for i, j, k in triangles])
        for title, values in [("harmonic", 3 / (1 / w).sum(1)), ("geometric", w.prod(1) ** (1 / 3)),
                              ("arithmetic", w.mean(1))]:
            print(name, title, average_precision_score(labels, values) / np.mean(labels))


if len(sys.argv) > 1:
    precisions(Path(sys.argv[1]))
else:
    main()
