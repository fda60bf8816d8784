"""Files of the `safetensors` package, and the check that it reads ours.

pip install safetensors==0.5.3 numpy==2.4.6, then: python Scripts/oracles/safetensors_files.py
writes the fixture; with the path of a file that the tests have written (BASIS_SAFETENSORS_OUT),
it compares that file with the fixture instead.
"""

import base64
import json
import struct
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors import safe_open, serialize
from safetensors.numpy import load_file

assert version("safetensors") == "0.5.3", version("safetensors")
assert version("numpy") == "2.4.6", version("numpy")
SEED = 5
NAMES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}


def tensors():
    rng = np.random.default_rng(SEED)
    made = {}
    for name, kind in NAMES.items():
        values = rng.integers(0, 2 if kind == "?" else 100, (3, 5)) if "f" not in kind else None
        values = rng.standard_normal((3, 5)) * 10 if values is None else values
        made[name.lower()] = (name, values.astype(kind))
    made["extremes"] = ("F16", np.array(
        [0, -0.0, 65504, -65504, np.inf, -np.inf, np.nan, 2.0**-14, 2.0**-24, 1 / 3], "<f2"))
    floats = rng.standard_normal(6).astype("<f4")
    made["brain"] = ("BF16", (floats.view("<u4") >> 16).astype("<u2"))
    made["scalar"] = ("F32", np.array(2.5, "<f4"))
    made["empty"] = ("F32", np.zeros((0, 4), "<f4"))
    made["größe/名"] = ("I8", np.array([-1], "i1"))
    return made


def values(kind, array):
    if kind == "BF16":
        array = (array.astype("<u4") << 16).view("<f4")
    # Text keeps what JSON has not: infinities, NaN, minus zero.
    return [repr(float(x)) for x in array.astype("f8").reshape(-1)]


def main():
    made = tensors()
    root = Path(__file__).resolve().parents[2]
    path = root / "Tests/BasisFormatsTests/Fixtures/safetensors.json"
    if len(sys.argv) > 1:
        with safe_open(sys.argv[1], framework="numpy") as file:
            assert file.metadata() == {"made by": "Basis", "ünï": "«code»"}, file.metadata()
            # The package's own numpy reader has no brain floats.
            for name in file.keys():
                if made[name][0] == "BF16":
                    continue
                kind, wanted = made[name]
                found = file.get_tensor(name)
                assert found.dtype == wanted.dtype and found.shape == wanted.shape, name
                assert values(kind, found) == values(kind, wanted), name
            assert set(file.keys()) == set(made), set(file.keys()) ^ set(made)
        data = Path(sys.argv[1]).read_bytes()
        size = struct.unpack("<Q", data[:8])[0]
        entry = json.loads(data[8:8 + size])["brain"]
        start, end = (8 + size + x for x in entry["data_offsets"])
        assert data[start:end] == made["brain"][1].tobytes()
        print("the package reads", sys.argv[1])
        return
    data = serialize(
        {
            name: {"dtype": {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16",
                             "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
                             "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8",
                             "BOOL": "bool"}[kind],
                   "shape": list(array.shape), "data": array.tobytes()}
            for name, (kind, array) in made.items()
        },
        {"made by": "Basis", "ünï": "«code»"},
    )
    fixture = {
        "source": "safetensors.serialize",
        "version": "safetensors 0.5.3",
        "seed": SEED,
        "tolerance": 0,
        "file": base64.b64encode(bytes(data)).decode(),
        "tensors": [
            {"name": name, "type": kind, "shape": list(array.shape), "values": values(kind, array)}
            for name, (kind, array) in made.items()
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture, ensure_ascii=True) + "\n")


main()
