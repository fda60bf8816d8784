"""The 1,797 images of handwritten digits of the UCI repository, as scikit-learn ships them.

Writes Tests/BasisCodecsTests/Fixtures/digits.npy.gz: 1,797 × 64 bytes, values 0 to 16, and
Sources/BasisLab/Digits+Images.swift: the same with the class as a 65th column, as text that the program
carries. Run from the repository's root:
    python3 Scripts/oracles/digits.py
Needs scikit-learn 1.9.1 and numpy 2.4.6.

Alpaydin & Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998),
doi:10.24432/C50P49, CC BY 4.0.
"""

import base64
import gzip
import io
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_digits

assert sklearn.__version__ == "1.9.1", sklearn.__version__
assert np.__version__ == "2.4.6", np.__version__

digits = load_digits()
pixels = digits.data
assert pixels.shape == (1797, 64) and pixels.min() == 0 and pixels.max() == 16
plain = io.BytesIO()
np.save(plain, pixels.astype(np.uint8))
path = Path("Tests/BasisCodecsTests/Fixtures/digits.npy.gz")
path.parent.mkdir(parents=True, exist_ok=True)
path.write_bytes(gzip.compress(plain.getvalue(), 9, mtime=0))
print(path, path.stat().st_size, "bytes")

labelled = io.BytesIO()
np.save(labelled, np.column_stack([pixels, digits.target]).astype(np.uint8))
text = base64.b64encode(gzip.compress(labelled.getvalue(), 9, mtime=0)).decode()
lines = [text[start : start + 98] for start in range(0, len(text), 98)]
path = Path("Sources/BasisLab/Digits+Images.swift")
path.write_text(
    """extension Digits {
  /// 1,797 × 65 bytes as npy, gzip and base64: made by `Scripts/oracles/digits.py`.
  ///
  /// Alpaydin & Kaynak, *Optical recognition of handwritten digits*, UCI Machine Learning Repository
  /// (1998), doi:10.24432/C50P49, CC BY 4.0.
  static let archive = #\"\"\"
"""
    + "".join(f"    {line}\n" for line in lines)
    + """    \"\"\"#
}
"""
)
print(path, path.stat().st_size, "bytes")
