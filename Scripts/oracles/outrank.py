"""Columns against a target: mutual information, plain and corrected for chance.

sklearn's counts and its expected mutual information, the kernel of the reference (outrank's shifted labels),
and labels put into random order by numpy.

pip install outrank==0.97.5 scikit-learn==1.9.1 numpy==2.4.6, then: python Scripts/oracles/outrank.py

Also the speed of the same on 100,000 rows and 40 columns, one thread each, and what gradient boosting loses on the
better half of the columns of two tables in BASIS_DATA:
python Scripts/oracles/outrank.py path/to/basis
"""

import csv
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
# This script has the name of the package that it asks.
sys.path.pop(0)

import numpy as np
from outrank.algorithms.feature_ranking.ranking_cov_alignment import max_pair_coverage
from outrank.algorithms.feature_ranking.ranking_mi_numba import mutual_info_estimator_numba
from sklearn.metrics import adjusted_mutual_info_score, mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

assert version("outrank") == "0.97.5", version("outrank")
assert version("scikit-learn") == "1.9.1", version("scikit-learn")
assert np.__version__ == "2.4.6", np.__version__
SEED = 7


def information(x, y, rows, columns):
    table = np.bincount(x * columns + y, minlength=rows * columns).reshape(rows, columns)
    return from_counts(table)


def from_counts(table):
    n = table.sum()
    cells = table[table > 0]
    a, b = table.sum(1), table.sum(0)
    a, b = a[a > 0], b[b > 0]
    return ((cells * np.log(cells)).sum() - (a * np.log(a)).sum() - (b * np.log(b)).sum()) / n + np.log(n)


def table(rng, n, rows, columns, link):
    x = rng.zipf(1.6, size=n) % rows if link == "skewed" else rng.integers(0, rows, n)
    y = rng.integers(0, columns, n)
    if link == "linked":
        y = np.where(rng.random(n) < 0.4, x % columns, y)
    # Numbers without gaps, as the reference wants.
    x = np.unique(x, return_inverse=True)[1].astype(np.int32)
    y = np.unique(y, return_inverse=True)[1].astype(np.int32)
    counts = contingency_matrix(x, y)
    shuffled = [information(x, rng.permutation(y), x.max() + 1, y.max() + 1) for _ in range(10_000)]
    return {
        "x": x.tolist(), "y": y.tolist(), "mi": mutual_info_score(x, y),
        "ami": adjusted_mutual_info_score(x, y),
        "shift": float(mutual_info_estimator_numba(y, x, np.float32(1), True)),
        "expected": expected_mutual_information(counts, n),
        "coverage": float(max_pair_coverage(x, y)),
        "shuffled": float(np.mean(shuffled)), "deviation": float(np.std(shuffled, ddof=1)),
        "pearson": float(abs(np.corrcoef(x, y)[0, 1]))}


def used():
    """Processor seconds of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def speed(program):
    rng = np.random.default_rng(SEED)
    columns = 40
    cardinalities = np.unique(np.geomspace(10, 5000, columns).astype(int), return_index=False)
    cardinalities = np.resize(cardinalities, columns)
    times = {}
    warm = rng.integers(0, 2, 100).astype(np.int32)
    mutual_info_estimator_numba(warm, warm[::-1].copy(), np.float32(1), True)
    for n in [25_000, 50_000, 100_000]:
        y = rng.integers(0, 2, n).astype(np.int32)
        xs = [np.unique(rng.integers(0, c, n), return_inverse=True)[1].astype(np.int32)
              for c in cardinalities]
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/table.csv"
            names = [f"c{i}" for i in range(columns)] + ["label"]
            np.savetxt(path, np.column_stack(xs + [y]), fmt="%d", delimiter=",",
                       header=",".join(names), comments="")
            for repetition in range(5):
                start = time.process_time()
                counted = [information(x.astype(np.int64), y, x.max() + 1, 2) for x in xs]
                times.setdefault((n, "numpy bincount, plain"), []).append(
                    time.process_time() - start)
                if repetition == 0:
                    start = time.process_time()
                    for x in xs:
                        mutual_info_estimator_numba(y, x, np.float32(1), True)
                    times.setdefault((n, "outrank, corrected"), []).append(
                        time.process_time() - start)
                for name, heuristic in [("plain", "mi"), ("shift", "mi-shift"),
                                        ("exact", "mi-exact")]:
                    before = used()
                    out = subprocess.run(
                        [program, "rank-features", path, "--target", "label", "--heuristic",
                         heuristic, "--threads", "1", "--json"], check=True, capture_output=True)
                    answer = json.loads(out.stdout)
                    times.setdefault((n, f"basis, {name}"), []).append(answer["seconds"])
                    times.setdefault((n, f"basis, {name}, reading and all"), []).append(
                        used() - before)
                    if name == "plain":
                        ours = {f["name"]: f["value"] for f in answer["features"]}
                        assert all(abs(ours[f"c{i}"] - v) < 1e-9 for i, v in enumerate(counted))
    for (n, name), values in times.items():
        print(f"{n:7} rows  {name:36} {np.median(values) * 1000:10.1f} ms")


def tables():
    data = Path(os.environ.get("BASIS_DATA", Path(__file__).resolve().parents[2] / "../shared/data"))
    if not data.exists():
        return print("no BASIS_DATA: no tables")
    with gzip.open(data / "ctr-avazu-tiny/tr.rx.csv.gz", "rt") as file:
        rows = list(csv.reader(file))
    yield "ctr-avazu-tiny", rows[0], rows[1:], "click"
    rows = []
    for name in ["adult.data.gz", "adult.test.gz"]:
        with gzip.open(data / "tabular-adult" / name, "rt") as file:
            for line in file:
                cells = [cell.strip().rstrip(".") for cell in line.split(",")]
                if len(cells) == 15:
                    rows.append(["" if cell == "?" else cell for cell in cells])
    yield "tabular-adult", [f"a{i}" for i in range(14)] + ["income"], rows, "income"


def halves(program):
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold
    for name, header, rows, target in tables():
        label = header.index(target)
        others = [i for i in range(len(header)) if i != label]
        numbers = np.column_stack([
            np.unique([row[i] for row in rows], return_inverse=True)[1] for i in range(len(header))])
        differences = {}
        for fold, (train, test) in enumerate(StratifiedKFold(5, shuffle=True, random_state=SEED).split(
                numbers, numbers[:, label])):
            with tempfile.TemporaryDirectory() as folder:
                path = f"{folder}/train.csv"
                with open(path, "w", newline="") as file:
                    csv.writer(file).writerows([header] + [rows[i] for i in train])
                for heuristic in ["mi-exact", "mi-shift", "mi"]:
                    out = subprocess.run(
                        [program, "rank-features", path, "--target", target, "--heuristic", heuristic,
                         "--json"], check=True, capture_output=True)
                    kept = [f["name"] for f in json.loads(out.stdout)["features"]][:len(others) // 2]
                    sets = {"all": others, heuristic: [header.index(c) for c in kept]}
                    for key, columns in sets.items():
                        if key == "all" and heuristic != "mi-exact":
                            continue
                        model = HistGradientBoostingClassifier(random_state=fold)
                        model.fit(numbers[train][:, columns], numbers[train, label])
                        score = model.predict_proba(numbers[test][:, columns])[:, 1]
                        differences.setdefault(key, []).append(
                            roc_auc_score(numbers[test, label], score))
        print(name, {key: round(float(np.mean(v)), 4) for key, v in differences.items()}, "AUC; half:", kept)


def main():
    if len(sys.argv) > 1:
        halves(sys.argv[1])
        return speed(sys.argv[1])
    rng = np.random.default_rng(SEED)
    shapes = [(60, 3, 2), (80, 12, 2), (100, 40, 2), (90, 6, 4), (120, 25, 6), (70, 70, 2), (150, 8, 8)]
    tables = [table(rng, *shape, link) for shape in shapes for link in ["free", "linked", "skewed"]]
    fixture = {
        "source": "outrank's kernel, scikit-learn, numpy's permutations",
        "version": "outrank 0.97.5, scikit-learn 1.9.1, numpy 2.4.6", "seed": SEED, "shuffles": 10_000,
        "tables": tables}
    path = Path(__file__).parents[2] / "Tests/BasisFeaturesTests/Fixtures/outrank.json"
    path.write_text(json.dumps(fixture) + "\n")


main()
