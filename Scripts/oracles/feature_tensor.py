"""Clipping, quantising and packing of feature tensors, transcribed to NumPy in single precision.

Writes Tests/BasisCodecsTests/Fixtures/feature_tensor.json. Run from the repository's root:
    python3 Scripts/oracles/feature_tensor.py
Needs numpy 2.4.6.
"""

import json
from pathlib import Path

import numpy as np

assert np.__version__ == "2.4.6", np.__version__
SEED = 20261121
generator = np.random.default_rng(SEED)


def quantised(x, lower, upper, bits):
    lower, upper, steps = np.float32(lower), np.float32(upper), np.float32((1 << bits) - 1)
    return np.floor((np.clip(x, lower, upper) - lower) * steps / (upper - lower)).astype(int)


def restored(q, lower, upper, bits):
    lower, upper, steps = np.float32(lower), np.float32(upper), np.float32((1 << bits) - 1)
    return q.astype(np.float32) / (steps / (upper - lower)) + lower


cases = []
for lower, upper, bits in [(-5, 5, 10), (-20, 20, 8), (-1, 1, 1), (-6.2, 4.7, 16), (0, 3, 5)]:
    x = (generator.standard_normal(40) * (upper - lower) / 3).astype(np.float32)
    x[:3] = [lower, upper, np.float32(0)]
    q = quantised(x, lower, upper, bits)
    cases.append(
        {
            "lower": float(np.float32(lower)),
            "upper": float(np.float32(upper)),
            "bits": bits,
            "x": x.astype(float).tolist(),
            "quantised": q.tolist(),
            "restored": restored(q, lower, upper, bits).astype(float).tolist(),
        }
    )

layouts = []
for layout, shape in [("tokens", (1, 1, 3, 5)), ("sideBySide", (2, 3, 2, 4)), ("tiles", (2, 4, 3, 2))]:
    x = np.arange(np.prod(shape)).reshape(shape)
    n, c, h, w = shape
    side = int(round(c**0.5))
    plane = {
        "tokens": lambda: x[0, 0],
        "sideBySide": lambda: x.transpose(0, 2, 1, 3).reshape(n * h, c * w),
        "tiles": lambda: x.reshape(n, side, side, h, w)
        .transpose(0, 1, 3, 2, 4)
        .reshape(n * side * h, side * w),
    }[layout]()
    layouts.append({"layout": layout, "shape": list(shape), "plane": plane.tolist()})

fixture = {
    "source": f"numpy {np.__version__}, float32",
    "seed": SEED,
    "tolerance": "none: the same bits",
    "cases": cases,
    "layouts": layouts,
}
path = Path("Tests/BasisCodecsTests/Fixtures/feature_tensor.json")
path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, "bytes")
