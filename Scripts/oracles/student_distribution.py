"""Tails of Student's t distribution, from scipy.

pip install scipy==1.17.1, then: python Scripts/oracles/student_distribution.py
"""

import json
from pathlib import Path

import scipy
from scipy import special, stats

assert scipy.__version__ == "1.17.1", scipy.__version__


def main():
    degrees = [0.5, 1, 2, 3, 4.5, 10, 29, 100, 299, 1e4, 1e6]
    values = [0, 1e-3, 0.1, 0.7, 1, 1.96, 2.5, 5, 9, 30, 1000]
    fixture = {
        "source": "scipy.stats.t.sf, scipy.special.gammaln",
        "version": "scipy 1.17.1",
        "tolerance": 1e-10,
        "tails": [[d, t, 2 * float(stats.t.sf(t, d))] for d in degrees for t in values],
        "logarithmsOfGamma": [
            [x, float(special.gammaln(x))] for x in [1e-6, 0.25, 0.5, 1.5, 3, 9.99, 10, 77.5, 1e6]
        ],
    }
    root = Path(__file__).resolve().parents[2]
    path = root / "Tests/BasisNumericsTests/Fixtures/student_distribution.json"
    path.write_text(json.dumps(fixture) + "\n")


main()
