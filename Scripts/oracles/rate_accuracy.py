"""Monotone cubics from scipy, Bjontegaard delta rates from bjontegaard.

pip install scipy==1.17.1 numpy==2.4.6 bjontegaard==1.3.0, then: python Scripts/oracles/rate_accuracy.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import bjontegaard
import numpy as np
import scipy
from scipy.interpolate import PchipInterpolator

assert scipy.__version__ == "1.17.1", scipy.__version__
assert np.__version__ == "2.4.6", np.__version__
assert version("bjontegaard") == "1.3.0", version("bjontegaard")
SEED = 3


def main():
    rng = np.random.default_rng(SEED)
    curves = []
    for count in [2, 3, 4, 7, 20]:
        x = np.cumsum(rng.random(count) + 0.05)
        y = np.round(rng.normal(size=count), 1)
        if count == 7:
            y = np.sort(y)
        curve = PchipInterpolator(x, y)
        at = np.linspace(x[0], x[-1], 9)
        curves.append({
            "x": x.tolist(), "y": y.tolist(), "at": at.tolist(), "values": curve(at).tolist(),
            "integral": float(curve.integrate(at[2], at[7])),
        })
    rates = []
    for count in [4, 5, 6]:
        case = {}
        for name in ["anchor", "test"]:
            case[name + "Rates"] = np.cumsum(rng.random(count) + 0.1).tolist()
            case[name + "Accuracies"] = (50 + np.cumsum(3 * rng.random(count) + 1)).tolist()
        case["difference"] = bjontegaard.bd_rate(
            case["anchorRates"], case["anchorAccuracies"], case["testRates"],
            case["testAccuracies"], method="pchip", min_overlap=0) / 100
        rates.append(case)
    fixture = {
        "source": "scipy.interpolate.PchipInterpolator, bjontegaard.bd_rate (pchip)",
        "version": "scipy 1.17.1, bjontegaard 1.3.0", "seed": SEED, "curves": curves,
        "rates": rates,
    }
    path = Path(__file__).parents[2] / "Tests/BasisEvaluationTests/Fixtures/rate_accuracy.json"
    path.write_text(json.dumps(fixture, indent=1) + "\n")


main()
