"""Budgets of coverage-centric coreset selection, and scores of a training log, by their formulas in numpy.

The budgets follow the authors' routine (haizhongzheng/Coverage-centric-coreset-selection,
core/data/Coreset.py), its widened range included where that is one.

pip install numpy==2.4.6, then: python Scripts/oracles/ccs.py

Also what a network learns from what the program keeps of scikit-learn's digits, 5 % of whose labels are
wrong (scikit-learn 1.9.1): python Scripts/oracles/ccs.py path/to/basis
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

assert np.__version__ == "2.4.6", np.__version__
SEED = 202


def budgets(counts, total):
    order = np.argsort(counts, kind="stable")
    out = np.zeros(len(counts), dtype=int)
    for seen, bin in enumerate(order):
        out[bin] = min(counts[bin], (total - out.sum()) // (len(counts) - seen))
    return out


def strata(scores, count):
    low, high = scores.min(), scores.max() * 1.0001
    edges = low + (high - low) / count * np.arange(count + 1)
    return np.array([((scores >= a) & (scores < b)).sum() for a, b in zip(edges, edges[1:])])


def selection(rng, n, cut, keep, kind):
    scores = {
        "normal": rng.normal(size=n) + 6, "skewed": rng.gamma(0.7, size=n),
        "counts": rng.poisson(1.2, size=n).astype(float),
    }[kind].astype(np.float32).astype(np.float64)
    order = np.lexsort((np.arange(n), scores))
    rest = scores[np.sort(order[int(cut * n + 1e-9):])]
    counts = strata(rest, 50)
    assert counts.sum() == len(rest)
    wanted = round(keep * n)
    return {
        "scores": scores.tolist(), "cut": cut, "keep": keep,
        "counts": counts[counts > 0].tolist(),
        "budgets": budgets(counts, wanted)[counts > 0].tolist()}


def dynamics(rng, epochs, n, classes):
    logits = rng.normal(size=(epochs, n, classes)) * 2
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    p = p.astype(np.float32).astype(np.float64)
    y = rng.integers(0, classes, size=n)
    own = p[:, np.arange(n), y]
    other = np.where(np.arange(classes) == y[:, None], -1, p).max(-1)
    right = own > other
    error = p - np.eye(classes)[y]
    return {
        "epochs": epochs, "classes": classes, "labels": y.tolist(),
        "probabilities": p.ravel().tolist(), "aum": (own - other).sum(0).tolist(),
        "forgetting": (right[:-1] & ~right[1:]).sum(0).tolist(),
        "el2n": np.linalg.norm(error, axis=-1)[:10].sum(0).tolist(),
        "entropy": (-p[-1] * np.log(p[-1])).sum(-1).tolist(), "loss": (-np.log(own[-1])).tolist()}


def learnt(x, y, test, truth, seed):
    """Accuracy after as many steps whatever the number of rows."""
    from sklearn.neural_network import MLPClassifier
    rounds = max(1, int(40 * 1437 / len(x)))
    net = MLPClassifier((64,), batch_size=min(32, len(x)), learning_rate_init=1e-3,
                        random_state=seed)
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        order = rng.permutation(len(x))
        net.partial_fit(x[order], y[order], classes=np.arange(10))
    return net.score(test, truth)


def log(x, y, seed):
    from sklearn.neural_network import MLPClassifier
    net = MLPClassifier((64,), batch_size=32, learning_rate_init=1e-3, random_state=seed)
    epochs = []
    for _ in range(40):
        net.partial_fit(x, y, classes=np.arange(10))
        epochs.append(net.predict_proba(x))
    return np.array(epochs, dtype=np.float32)


def compare(program, seeds):
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    table = {}
    for seed in range(seeds):
        a, b, truth, goal = train_test_split(x, y, test_size=0.2, random_state=seed, stratify=y)
        rng = np.random.default_rng(seed)
        noisy = truth.copy()
        wrong = rng.choice(len(a), len(a) // 20, replace=False)
        noisy[wrong] = (noisy[wrong] + rng.integers(1, 10, len(wrong))) % 10
        epochs = log(a, noisy, seed)
        error = np.linalg.norm(epochs - np.eye(10)[noisy], axis=-1)[:10].sum(0)
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/x.npy", a)
            np.save(f"{folder}/y.npy", noisy)
            np.save(f"{folder}/log.npy", epochs)
            for keep, cut in [(0.1, 0.1), (0.3, 0.1), (0.7, 0.1)]:
                m = round(keep * len(a))
                chosen = {"random": rng.choice(len(a), m, replace=False),
                          "el2n": np.argsort(-error)[:m]}
                for name, more in [("coverage, log", ["--log", f"{folder}/log.npy"]),
                                   ("coverage, rows", [])]:
                    out = subprocess.run(
                        [program, "select", f"{folder}/x.npy", "--labels", f"{folder}/y.npy",
                         "--fraction", str(keep), "--hard-cut", str(cut), "--seed", str(seed),
                         "--json", *more], check=True, capture_output=True)
                    chosen[name] = json.loads(out.stdout)["indices"]
                for name, rows in chosen.items():
                    score = learnt(a[rows], noisy[rows], b, goal, seed)
                    table.setdefault((keep, name), []).append(score)
    for (keep, name), scores in table.items():
        print(f"keep {keep:.1f}  {name:15} {np.mean(scores):.3f}")


def main():
    if len(sys.argv) > 1:
        return compare(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 8)
    rng = np.random.default_rng(SEED)
    shares = []
    for size in [1, 3, 10, 50]:
        counts = rng.integers(0, 60, size=size)
        for total in {0, 1, int(counts.sum()) // 3, int(counts.sum()), int(counts.sum()) + 9}:
            shares.append({
                "counts": counts.tolist(), "total": total,
                "budgets": budgets(counts, total).tolist()})
    fixture = {
        "source": "formulas of arXiv:2210.15809", "version": "numpy 2.4.6", "seed": SEED,
        "tolerance": 1e-5, "budgets": shares,
        "selections": [
            selection(rng, 300, 0.1, 0.2, "normal"), selection(rng, 250, 0, 0.5, "skewed"),
            selection(rng, 200, 0.3, 0.1, "counts")],
        "dynamics": [dynamics(rng, 12, 15, 3), dynamics(rng, 3, 8, 5)]}
    path = Path(__file__).parents[2] / "Tests/BasisSelectionTests/Fixtures/ccs.json"
    path.write_text(json.dumps(fixture) + "\n")


main()
