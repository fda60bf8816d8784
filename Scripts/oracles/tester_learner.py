"""What beside a plane is measured: masses and second moments of layers, by numpy and scipy.

pip install numpy==2.4.6 scipy==1.17.1, then: python Scripts/oracles/tester_learner.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.stats import norm

assert np.__version__ == "2.4.6", np.__version__
assert scipy.__version__ == "1.17.1", scipy.__version__
SEED = 165


def layer(x, w, low, high):
    along = x @ w
    inside = (np.abs(along) >= low) & (np.abs(along) < high)
    flat = x[inside] - along[inside, None] * w
    moments = flat.T @ flat / inside.sum() + np.outer(w, w)
    values = np.linalg.eigvalsh(moments)
    furthest = values[np.argmax(np.abs(values - 1))]
    return [inside.mean() / (2 * (norm.cdf(high) - norm.cdf(low))), furthest]


def main():
    rng = np.random.default_rng(SEED)
    x = np.round(rng.standard_t(5, size=(600, 3)) * np.sqrt(3 / 5) * 64) / 64
    # No row lies on a border, where rounding would choose the layer.
    w = np.array([2.0, -1.3, 1.9])
    w /= np.linalg.norm(w)
    layers = [layer(x, w, 0, .1)] + [layer(x, w, .25 * k, .25 * (k + 1)) for k in range(4)]
    fourths = [np.mean(x[:, i]**2 * x[:, j]**2) / (3 if i == j else 1)
               for i in range(3) for j in range(i, 3)]
    fixture = {
        "source": "numpy and scipy", "version": "2.4.6 and 1.17.1", "seed": SEED,
        "tolerance": 1e-5, "sixtyFourths": (x * 64).astype(int).ravel().tolist(),
        "direction": w.tolist(), "layers": [v for pair in layers for v in pair],
        "fourth": float(fourths[int(np.argmax(np.abs(np.array(fourths) - 1)))])}
    path = Path(__file__).parents[2] / "Tests/BasisClassificationTests/Fixtures/tester_learner.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


main()
