"""Latent semantic indexing of a tiny corpus, from scikit-learn.

pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6, then:
python Scripts/oracles/corpus_encoder.py
"""

import json
import random
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

assert version("scikit-learn") == "1.9.1", version("scikit-learn")
SEED = 5
DIMENSION = 6


def main():
    rng = random.Random(SEED)
    # Six topics of eight words each and a few words that all share.
    topics = [[f"t{t}w{i}" for i in range(8)] for t in range(6)]
    shared = [f"s{i}" for i in range(5)]
    texts = []
    for document in range(40):
        topic = topics[document % 6]
        words = rng.choices(topic, k=8 + 2 * (document % 6)) + rng.choices(shared, k=4)
        rng.shuffle(words)
        texts.append(" ".join(words))
    queries = ["t0w1 t0w2", "t3w0 s1 t4w4", "t5w7 unknown", "s0 s1 s2"]
    vectorizer = TfidfVectorizer(analyzer=str.split, sublinear_tf=True, smooth_idf=True, norm="l2")
    x = vectorizer.fit_transform(texts)
    svd = TruncatedSVD(DIMENSION, algorithm="arpack", random_state=SEED).fit(x)
    documents = normalize(svd.transform(x))
    asked = normalize(svd.transform(vectorizer.transform(queries)))
    fixture = {
        "source": "TfidfVectorizer and TruncatedSVD (arpack), rows of U S normalised",
        "version": "scikit-learn 1.9.1",
        "seed": SEED,
        "tolerance": 2e-3,
        "dimension": DIMENSION,
        "texts": texts,
        "queries": queries,
        "singularValues": np.round(svd.singular_values_, 7).tolist(),
        "similarities": np.round(asked @ documents.T, 6).tolist(),
        "documentSimilarities": np.round(documents[:8] @ documents.T, 6).tolist(),
    }
    root = Path(__file__).resolve().parents[2]
    path = root / "Tests/BasisTextTests/Fixtures/corpus-encoder.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture) + "\n")


main()
