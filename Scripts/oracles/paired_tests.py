"""Paired t tests and exact randomisation tests, from scipy.

pip install scipy==1.17.1 numpy==2.4.6, then: python Scripts/oracles/paired_tests.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

assert scipy.__version__ == "1.17.1", scipy.__version__
assert np.__version__ == "2.4.6", np.__version__
SEED = 5


def main():
    rng = np.random.default_rng(SEED)
    cases = []
    for count, shift in [(2, 0.1), (5, 0.0), (8, 0.2), (12, 0.05), (13, 0.3), (60, 0.1), (300, 0.02)]:
        # Few values, so that sums tie.
        a = np.round(rng.random(count) * 0.8 + shift, 1)
        b = np.round(rng.random(count) * 0.8, 1)
        test = stats.ttest_rel(a, b)
        case = {
            "values": a.tolist(), "baseline": b.tolist(),
            "t": float(test.statistic), "tTestP": float(test.pvalue),
        }
        if count <= 13:
            # Sums of tenths as whole numbers: an equal sum is equal.
            d = np.round((a - b) * 10).astype(int)
            exact = stats.permutation_test(
                (d,), lambda x, axis: np.abs(x.sum(axis=axis)), permutation_type="samples",
                n_resamples=np.inf, alternative="greater")
            case["randomizationP"] = float(exact.pvalue)
        cases.append(case)
    fixture = {
        "source": "scipy.stats.ttest_rel, permutation_test",
        "version": "scipy 1.17.1, numpy 2.4.6",
        "seed": SEED,
        "tolerance": 1e-9,
        "cases": cases,
    }
    root = Path(__file__).resolve().parents[2]
    path = root / "Tests/BasisEvaluationTests/Fixtures/paired_tests.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


main()
