"""Moments and quantiles by numpy; normal distribution and bootstrap intervals by scipy.

Writes Tests/BasisNumericsTests/Fixtures/statistics.json. Run from the repository's root:
    python3 Scripts/oracles/statistics.py
Needs numpy 2.4.6 and scipy 1.17.1.

scipy computes the intervals, from resamples that are drawn here as Basis draws them: generators of
the stream "bootstrap", one for each resample.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import scipy
from scipy import special, stats
from scipy.stats._resampling import BootstrapResult

from random_generator_streams import stream

assert np.__version__ == "2.4.6", np.__version__
assert scipy.__version__ == "1.17.1", scipy.__version__

SEED = 20240903
generator = np.random.default_rng(SEED)
PROBABILITIES = [0.0, 0.025, 0.1, 0.25, 0.5, 0.77, 0.975, 1.0]

samples = {
    "one": [2.5],
    "two": [-1.0, 4.0],
    "normal": list(generator.standard_normal(30)),
    "skewed": list(generator.exponential(3.0, 41)),
    "offset": list(1e9 + generator.standard_normal(50)),
    "ties": [float(x) for x in generator.integers(0, 4, 25)],
}

moments = []
for name, values in samples.items():
    x = np.array(values)
    moments.append(
        {
            "name": name,
            "values": values,
            "mean": float(np.mean(x)),
            "populationVariance": float(np.var(x)),
            "variance": float(np.var(x, ddof=1)) if len(x) > 1 else None,
            "probabilities": PROBABILITIES,
            "quantiles": [float(q) for q in np.quantile(x, PROBABILITIES)],
        }
    )

Z = [-37.0, -20.0, -8.0, -3.5, -1.0, -0.25, 0.0, 1e-9, 0.5, 1.96, 4.0, 9.0]
P = [1e-300, 1e-100, 1e-16, 1e-5, 0.025, 0.1, 0.3, 0.4999, 0.5, 0.61, 0.9, 0.999, 1 - 1e-12]
normal = {
    "z": Z,
    "cumulative": [float(v) for v in special.ndtr(Z)],
    "p": P,
    "quantile": [float(v) for v in special.ndtri(P)],
}

STATISTICS = {
    "mean": lambda x, axis=-1: np.mean(x, axis=axis),
    "median": lambda x, axis=-1: np.median(x, axis=axis),
    "variance": lambda x, axis=-1: np.var(x, axis=axis, ddof=1),
}
intervals = []
for sample, statistic, seed, count, confidence in [
    ("normal", "mean", 0, 400, 0.95),
    ("skewed", "mean", 1, 400, 0.9),
    ("skewed", "variance", 2, 300, 0.95),
    ("normal", "median", 3, 200, 0.8),
    ("ties", "mean", 4, 250, 0.99),
]:
    x = np.array(samples[sample])
    function = STATISTICS[statistic]
    resamples = []
    for resample in range(count):
        draws = stream(seed, "bootstrap", resample)
        resamples.append(float(function(x[[draws.below(len(x)) for _ in x]])))
    resamples = np.array(resamples)
    previous = BootstrapResult(None, resamples, resamples.std(ddof=1))
    row = {
        "sample": sample,
        "statistic": statistic,
        "seed": seed,
        "resampleCount": count,
        "confidence": confidence,
        "estimate": float(function(x)),
        "standardError": float(resamples.std(ddof=1)),
        "firstResamples": [float(v) for v in resamples[:3]],
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method, key in [("percentile", "percentile"), ("BCa", "biasCorrected")]:
            interval = stats.bootstrap(
                (x,),
                function,
                n_resamples=0,
                bootstrap_result=previous,
                method=method,
                confidence_level=confidence,
            ).confidence_interval
            row[key] = [float(interval.low), float(interval.high)]
    intervals.append(row)

fixture = {
    "source": f"numpy {np.__version__}, scipy {scipy.__version__}",
    "seed": SEED,
    "tolerance": "rounding of n terms, in the test",
    "moments": moments,
    "normal": normal,
    "intervals": intervals,
}
path = Path("Tests/BasisNumericsTests/Fixtures/statistics.json")
path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, "bytes")
