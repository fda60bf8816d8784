"""Decompositions and products of small matrices by numpy and scipy, in double precision.

Writes Tests/BasisNumericsTests/Fixtures/linear_algebra.json. Run from the repository's root:
    python3 Scripts/oracles/linear_algebra.py
Needs numpy 2.4.6 and scipy 1.17.1.

Inputs are integers over 8, so that Float holds them exactly. Signs are made unique as Basis
promises: no negative diagonal in R; the largest entry of each right vector positive.
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy import linalg

assert np.__version__ == "2.4.6", np.__version__
assert scipy.__version__ == "1.17.1", scipy.__version__

SEED = 20240901
generator = np.random.default_rng(SEED)


def matrix(rows, columns):
    return generator.integers(-32, 33, size=(rows, columns)) / 8


def listed(x):
    return [[float(f"{value:.12g}") for value in row] for row in np.atleast_2d(x)]


def signs(v):
    largest = v[np.argmax(np.abs(v), axis=0), np.arange(v.shape[1])]
    return np.where(largest < 0, -1.0, 1.0)


cases = []
for rows, columns in [(1, 1), (6, 4), (4, 6), (5, 5), (12, 3)]:
    a = matrix(rows, columns)
    b = matrix(columns, 3)
    u, s, vt = linalg.svd(a, full_matrices=False)
    flip = signs(vt.T)
    q, r = linalg.qr(a, mode="economic")
    diagonal = np.where(np.diag(r) < 0, -1.0, 1.0)
    gram = a.T @ a + np.eye(columns)
    values, vectors = linalg.eigh(gram)
    values, vectors = values[::-1], vectors[:, ::-1]
    cases.append(
        {
            "a": listed(a),
            "b": listed(b),
            "product": listed(a @ b),
            "q": listed(q * diagonal),
            "r": listed(diagonal[:, None] * r),
            "u": listed(u * flip),
            "singularValues": listed(s)[0],
            "v": listed(vt.T * flip),
            "gram": listed(gram),
            "eigenvalues": listed(values)[0],
            "eigenvectors": listed(vectors * signs(vectors)),
            "cholesky": listed(linalg.cholesky(gram, lower=True)),
        }
    )

# A spectrum that halves at every step: what a randomised decomposition should find.
left = linalg.qr(generator.standard_normal((40, 12)), mode="economic")[0]
right = linalg.qr(generator.standard_normal((25, 12)), mode="economic")[0]
decaying = np.asarray((left * 2.0 ** -np.arange(12)) @ right.T, dtype=np.float32)

fixture = {
    "source": f"numpy {np.__version__}, scipy {scipy.__version__}, float64",
    "seed": SEED,
    "tolerance": "64 · eps(Float) · Frobenius norm of the input",
    "cases": cases,
    "decaying": {
        "a": [[float(value) for value in row] for row in decaying],
        "singularValues": listed(linalg.svdvals(decaying.astype(np.float64))[:8])[0],
    },
}
path = Path("Tests/BasisNumericsTests/Fixtures/linear_algebra.json")
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, "bytes")
