import BasisCodecs
public import BasisCore

/// The room's methods, as the catalogue of the package lists them.
public enum SearchCatalogue {
  public static let methods: [MethodDescriptor] = [
    MethodDescriptor(
      id: 122, name: "funnel", summary: "few dimensions of all rows, more of the best",
      paper: .init(
        "Matryoshka representation learning", by: "Kusupati et al.", 2022, "arXiv:2205.13147"),
      type: FunnelIndex.self, verb: "", oracle: "exact search, where every stage keeps all"),
    MethodDescriptor(
      id: 177, name: "bi-granular", summary: "codes in memory choose, vectors in a file decide",
      paper: .init(
        "Progressively optimized bi-granular document representation for scalable embedding based "
          + "retrieval", by: "Xiao et al.", 2022, "arXiv:2201.05409"),
      type: BiGranularIndex<FittedProductQuantizer>.self, verb: "",
      oracle: "exact search, where every row is fetched",
      limits: "the codes are not trained on pairs yet"),
    MethodDescriptor(
      id: nil, name: "quantized", summary: "every row by its code, the best measured exactly",
      paper: .init(
        "Accelerating large-scale inference with anisotropic vector quantization",
        by: "Guo et al.", 2020, "arXiv:1908.10396"),
      type: QuantizedFlatIndex<FittedProductQuantizer>.self, verb: "evaluate recall",
      oracle: "exact search"),
    MethodDescriptor(
      id: nil, name: "graph", summary: "a graph of near neighbours, walked by codes of few bits",
      paper: .init(
        "Efficient and robust approximate nearest neighbor search using hierarchical navigable "
          + "small world graphs", by: "Malkov & Yashunin", 2018, "arXiv:1603.09320"),
      type: GraphIndex.self, verb: "ingest", oracle: "exact search"),
    MethodDescriptor(
      id: nil, name: "lists", summary: "inverted lists of 4-bit codes, measured exactly",
      paper: .init(
        "Product quantization for nearest neighbor search", by: "Jégou, Douze & Schmid", 2011,
        "doi:10.1109/TPAMI.2010.57"),
      type: InvertedListsIndex.self, verb: "ingest", oracle: "exact search"),
    MethodDescriptor(
      id: nil, name: "flat", summary: "every row, exactly",
      paper: .init(
        "Billion-scale similarity search with GPUs", by: "Johnson, Douze & Jégou", 2019,
        "arXiv:1702.08734"),
      type: FlatIndex.self, verb: "ingest", oracle: "a plain loop"),
    MethodDescriptor(
      id: nil, name: "bm25", summary: "by shared words, rare ones first",
      paper: .init(
        "The probabilistic relevance framework: BM25 and beyond", by: "Robertson & Zaragoza",
        2009, "doi:10.1561/1500000019"),
      type: BM25.self, verb: "search", oracle: "Scripts/oracles/bm25.py",
      limits: "blind to synonyms"),
    MethodDescriptor(
      id: nil, name: "hybrid", summary: "words and vectors, their scores on one scale",
      paper: .init(
        "An analysis of fusion functions for hybrid retrieval", by: "Bruch, Gai & Ingber", 2023,
        "doi:10.1145/3596512"),
      type: HybridFusion.self, verb: "search", oracle: "the formula, score by score",
      limits: "the weight of the two is the corpus's, not the query's"),
  ]
}
