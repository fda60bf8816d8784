"""Plackett-Luce strengths from choix, over the fully dense path of ONEBench's reference code.

pip install choix==0.4.1 numpy==2.4.6 scipy==1.17.1, then: python Scripts/oracles/onebench.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import choix
import numpy as np

assert version("choix") == "0.4.1", version("choix")
assert np.__version__ == "2.4.6", np.__version__
SEED = 68


def matrix(rng, count):
    """Wins of random duels, connected both ways."""
    strength = rng.normal(size=count)
    wins = np.zeros((count, count))
    for i in range(count):
        for j in range(count):
            if i != j and rng.random() < 0.7:
                games = rng.integers(1, 12)
                wins[i, j] = rng.binomial(games, 1 / (1 + np.exp(strength[j] - strength[i])))
    for i in range(count):
        wins[i, (i + 1) % count] += 1
    return wins


def pool(rng):
    """Binary and graded samples with gaps, their win matrices, ties left out or a win for each."""
    models, samples = 6, 60
    values = np.where(rng.random((samples, models)) < 0.5, 1.0, 0.0)
    values[40:] = rng.integers(0, 4, (20, models))
    present = rng.random((samples, models)) < 0.6
    lists = {"ignored": [], "both": []}
    for row, seen in zip(values, present):
        for i in range(models):
            for j in range(models):
                if i == j or not seen[i] or not seen[j]:
                    continue
                if row[i] > row[j]:
                    lists["ignored"].append((i, j))
                    lists["both"].append((i, j))
                elif row[i] == row[j]:
                    lists["both"].append((i, j))
    theta = {
        name: choix.ilsr_pairwise(models, data, max_iter=1000, tol=1e-12) for name, data in lists.items()}
    return {
        "values": [[float(v) if s else None for v, s in zip(row, seen)] for row, seen in zip(values, present)],
        "theta": {name: (t - t.mean()).tolist() for name, t in theta.items()},
    }


def main():
    rng = np.random.default_rng(SEED)
    cases = []
    for count in [2, 3, 4, 5, 6, 8, 10, 12, 15, 20]:
        wins = matrix(rng, count)
        theta = choix.ilsr_pairwise_dense(wins, max_iter=1000, tol=1e-12)
        cases.append({"wins": wins.astype(int).tolist(), "theta": (theta - theta.mean()).tolist()})
    fixture = {
        "source": "choix.ilsr_pairwise_dense, choix.ilsr_pairwise",
        "version": "choix 0.4.1, numpy 2.4.6",
        "seed": SEED,
        "tolerance": 1e-6,
        "cases": cases,
        "pool": pool(rng),
    }
    root = Path(__file__).resolve().parents[2]
    path = root / "Tests/BasisEvaluationTests/Fixtures/onebench.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


main()
