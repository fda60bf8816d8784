"""Files as NumPy writes them: every type, both byte orders, both orders of axes, every version.

pip install numpy==2.4.6, then: python Scripts/oracles/npy.py
With `python Scripts/oracles/npy.py FOLDER` it reads back what the tests wrote there instead.
"""

import base64
import io
import json
import sys
import zlib
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

assert np.__version__ == "2.4.6", np.__version__
TYPES = ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]


def text(data):
    return base64.b64encode(data).decode()


def saved(array, version=None):
    buffer = io.BytesIO()
    npy.write_array(buffer, array, version=version)
    return buffer.getvalue()


def archive(save, **arrays):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


def main():
    cases = []
    base = np.arange(12).reshape(3, 4) % 7
    for name in TYPES:
        for order in "<>":
            if order == ">" and name.endswith("1"):
                continue
            for axes in "CF":
                values = base.astype(order + name)
                if name[0] in "if":
                    values = values - values.dtype.type(3)
                if name[0] == "f":
                    values = (values * 0.5).astype(order + name)
                values = np.asarray(values, dtype=order + name, order=axes)
                data = saved(values)
                cases.append({"type": name, "order": order, "axes": axes, "version": 1,
                              "shape": [3, 4], "file": text(data),
                              "values": [float(x) for x in values.ravel()]})
    for version in [(1, 0), (2, 0), (3, 0)]:
        for shape in [(12,), (1, 12), (12, 1), (0, 4), (4, 3), (0,)]:
            count = int(np.prod(shape))
            values = (np.arange(count, dtype="<f4") / 4).reshape(shape)
            cases.append({"type": "f4", "order": "<", "axes": "C", "version": version[0],
                          "shape": list(shape), "file": text(saved(values, version)),
                          "values": [float(x) for x in values.ravel()]})
    matrix = (np.arange(40, dtype="f4") / 8 - 2).reshape(8, 5)
    labels = np.arange(9, dtype="i8") * 3 - 4
    fixture = {
        "source": "numpy.lib.format.write_array, numpy.savez, numpy.savez_compressed",
        "version": "numpy 2.4.6",
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "tolerance": 0,
        "cases": cases,
        "stored": text(archive(np.savez, x=matrix, y=labels)),
        "deflated": text(archive(np.savez_compressed, x=matrix, y=labels)),
        "unsupported": {
            "complex": text(saved(np.ones(2, dtype="c8"))),
            "texts": text(saved(np.array(["a", "bc"]))),
            "records": text(saved(np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))),
            "objects": text(saved_objects()),
        },
    }
    root = Path(__file__).resolve().parents[2]
    path = root / "Tests/BasisFormatsTests/Fixtures/npy.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture) + "\n")


def saved_objects():
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}, 1], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def read_back(folder):
    matrix = (np.arange(40, dtype="f4") / 8 - 2).reshape(8, 5)
    labels = np.arange(9) * 3 - 4
    for name in ["stored.npz", "deflated.npz"]:
        with np.load(folder / name) as found:
            assert found["x"].dtype == np.float32 and (found["x"] == matrix).all(), name
            assert found["y"].dtype == np.int64 and (found["y"] == labels).all(), name
    for name in ["f2", "f4", "f8"]:
        found = np.load(folder / f"{name}.npy")
        assert found.dtype == name and (found == matrix).all(), name
    vectors = np.fromfile(folder / "x.fvecs", dtype="<f4").reshape(8, 6)
    assert (vectors[:, 1:] == matrix).all() and (vectors[:, 0].view("<i4") == 5).all()
    print("all as written")


if len(sys.argv) > 1:
    read_back(Path(sys.argv[1]))
else:
    main()
