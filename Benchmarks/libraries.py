"""Peers of the approximate indexes, each behind the same few calls, on one thread.

A peer is built from unit rows and compares them by the inner product. `tune` sets its knob, `ask`
answers queries with ids, `save` and `load` keep it between runs of the benchmark.
"""

import faiss
import hnswlib
import numpy as np
import usearch.index

from harness import K

try:
    import scann
except ImportError:
    scann = None

faiss.omp_set_num_threads(1)
WIDTHS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896]


class Peer:
    package = ""
    knobs = WIDTHS

    def ask_one(self, query):
        return self.ask(query[None])


class Hnswlib(Peer):
    name, package = "hnswlib M16", "hnswlib"

    def build(self, rows):
        self.index = hnswlib.Index("ip", rows.shape[1])
        self.index.init_index(len(rows), M=16, ef_construction=200, random_seed=1)
        self.index.set_num_threads(1)
        self.index.add_items(rows, num_threads=1)

    def save(self, path):
        self.index.save_index(str(path))

    def load(self, path, rows):
        self.index = hnswlib.Index("ip", rows.shape[1])
        self.index.load_index(str(path))
        self.index.set_num_threads(1)

    def tune(self, width):
        self.index.set_ef(width)

    def ask(self, queries):
        return self.index.knn_query(queries, k=K, num_threads=1)[0]


class Usearch(Peer):
    package = "usearch"

    def __init__(self, kind):
        self.kind, self.name = kind, f"usearch {kind}"

    def empty(self, dimension):
        return usearch.index.Index(
            ndim=dimension, metric="cos" if self.kind == "i8" else "ip", dtype=self.kind,
            connectivity=16, expansion_add=128)

    def build(self, rows):
        self.index = self.empty(rows.shape[1])
        self.index.add(np.arange(len(rows)), rows, threads=1)

    def save(self, path):
        self.index.save(str(path))

    def load(self, path, rows):
        self.index = self.empty(rows.shape[1])
        self.index.load(str(path))

    def tune(self, width):
        self.index.expansion_search = width

    def ask(self, queries):
        return np.asarray(self.index.search(queries, K, threads=1).keys).reshape(len(queries), -1)


class Faiss(Peer):
    package = "faiss-cpu"

    def save(self, path):
        faiss.write_index(self.index, str(path))

    def load(self, path, rows):
        self.index = faiss.read_index(str(path))

    def ask(self, queries):
        return self.index.search(queries, K)[1]


class FaissGraph(Faiss):
    """M = 32, efConstruction = 100; its 8-bit codes are not measured again as floats."""

    def __init__(self, suffix):
        self.suffix, self.name = suffix, "faiss HNSW32" + suffix

    def build(self, rows):
        d, metric = rows.shape[1], faiss.METRIC_INNER_PRODUCT
        if self.suffix:
            kind = faiss.ScalarQuantizer.QT_8bit
            self.index = faiss.IndexHNSWSQ(d, kind, 32, metric)
        else:
            self.index = faiss.IndexHNSWFlat(d, 32, metric)
        self.index.hnsw.efConstruction = 100
        if self.suffix:
            self.index.train(rows[:20_000])
        self.index.add(rows)

    def tune(self, width):
        self.index.hnsw.efSearch = width


class FaissCodes(Faiss):
    """4-bit codes of some dimensions each; the best are measured again as floats."""

    def __init__(self, lists, width=2):
        self.lists, self.width = lists, width
        kind = "PQ4fs" if width == 2 else f"PQ4fs/{width}"
        self.name = f"faiss IVF-{kind}, refined" if lists else f"faiss {kind}, refined"
        if lists:
            # Lists that are probed, and codes that are measured again, in units of K.
            self.knobs = [[(p, k) for p in [1, 2, 4, 8, 16, 32, 64, 128, 256]] for k in [4, 10, 30]]
        else:
            self.knobs = [(0, k) for k in [1, 2, 4, 8, 16, 32, 64, 128]]

    def build(self, rows):
        n, d = rows.shape
        lists = f"IVF{int(4 * n ** 0.5)}," if self.lists else ""
        # Parts must divide the dimension.
        parts = max(p for p in range(1, d // self.width + 1) if d % p == 0)
        self.index = faiss.index_factory(
            d, f"{lists}PQ{parts}x4fs,RFlat", faiss.METRIC_INNER_PRODUCT)
        self.index.train(rows)
        self.index.add(rows)

    def tune(self, knob):
        probes, self.index.k_factor = knob
        if self.lists:
            faiss.extract_index_ivf(faiss.downcast_index(self.index).base_index).nprobe = probes


class FaissBits(Faiss):
    """Signs around the mean, by Hamming distance; the best are measured again as floats."""

    name = "faiss binary, refined"
    knobs = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640]

    def signs(self, rows):
        return np.packbits(rows > self.mean, axis=1)

    def build(self, rows):
        self.load(None, rows)
        self.index = faiss.IndexBinaryFlat(rows.shape[1] // 8 * 8)
        self.index.add(self.signs(rows[:, :rows.shape[1] // 8 * 8]))

    def save(self, path):
        faiss.write_index_binary(self.index, str(path))

    def load(self, path, rows):
        self.rows, self.mean = rows, rows.mean(axis=0)[:rows.shape[1] // 8 * 8]
        if path:
            self.index = faiss.read_index_binary(str(path))

    def tune(self, wanted):
        self.wanted = wanted

    def ask(self, queries):
        near = self.index.search(self.signs(queries[:, :len(self.mean)]), self.wanted)[1]
        found = np.empty((len(queries), K), dtype=np.int64)
        for place, (query, ids) in enumerate(zip(queries, near)):
            scores = self.rows[ids] @ query
            found[place] = ids[np.argsort(-scores)[:K]]
        return found


class FaissFlat(Faiss):
    name, knobs = "faiss flat", [0]

    def build(self, rows):
        self.index = faiss.IndexFlatIP(rows.shape[1])
        self.index.add(rows)

    def tune(self, knob):
        pass


class Scann(Peer):
    name, package = "scann", "scann"
    # Leaves that are searched, and rows that are measured again.
    knobs = [[(leaves, rows) for leaves in [1, 2, 4, 7, 12, 20, 35, 60, 100, 170]]
             for rows in [30, 100, 300]]

    def build(self, rows):
        self.index = scann.scann_ops_pybind.builder(rows, K, "dot_product").tree(
            num_leaves=int(len(rows) ** 0.5), num_leaves_to_search=10,
            training_sample_size=min(len(rows), 100_000)).score_ah(
                2, anisotropic_quantization_threshold=0.2).reorder(100).set_n_training_threads(
                    1).build()

    def save(self, path):
        path.mkdir()
        self.index.serialize(str(path))

    def load(self, path, rows):
        self.index = scann.scann_ops_pybind.load_searcher(str(path))

    def tune(self, knob):
        self.leaves, self.rows = knob

    def ask(self, queries):
        return self.index.search_batched(
            queries, final_num_neighbors=K, pre_reorder_num_neighbors=self.rows,
            leaves_to_search=self.leaves)[0]

    def ask_one(self, query):
        return self.index.search(
            query, final_num_neighbors=K, pre_reorder_num_neighbors=self.rows,
            leaves_to_search=self.leaves)[0]


def peers():
    found = [Hnswlib(), FaissGraph(""), FaissGraph("-SQ8"), Usearch("f32"), Usearch("i8"),
             FaissCodes(True), FaissCodes(False), FaissCodes(False, 4), FaissBits(), FaissFlat()]
    if scann:
        found.append(Scann())
    else:
        print("scann is not installed: left out", flush=True)
    return found
