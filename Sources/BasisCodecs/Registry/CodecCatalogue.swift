public import BasisCore

/// The room's methods, as the catalogue of the package lists them. `basis compress --method NAME` runs
/// those that ``CodecRegistry`` has.
public enum CodecCatalogue {
  public static let methods: [MethodDescriptor] = [
    MethodDescriptor(
      id: 186, name: "recurrent", summary: "1 to 4 bits per dimension, scanned by table look-ups",
      paper: .init(
        "Binary embedding-based retrieval at Tencent", by: "Gan et al.", 2023, "arXiv:2302.08714"),
      type: RecurrentBinaryCodec.self, verb: "compress",
      oracle: "exact products of decoded codes",
      limits: "without training: a rotation stands for the paper's networks"),
    MethodDescriptor(
      id: 122, name: "matryoshka", summary: "the first values of nested vectors",
      paper: .init(
        "Matryoshka representation learning", by: "Kusupati et al.", 2022, "arXiv:2205.13147"),
      type: MatryoshkaCodec.self, verb: "compress", oracle: "products of prefixes",
      limits: "of vectors that were not trained so, loses much: use pca"),
    MethodDescriptor(
      id: 122, name: "pca",
      summary: "principal directions, strongest first: nesting after the fact",
      paper: .init(
        "Matryoshka representation learning", by: "Kusupati et al.", 2022, "arXiv:2205.13147"),
      type: PCARotationCodec.self, verb: "compress", oracle: "Scripts/oracles/linear_algebra.py"),
    compression("scalar", "each value in 4 to 16 bits", ScalarQuantizer.self),
    compression(
      "product", "words of 4 or 8 bits for parts of a vector", ProductQuantizer.self,
      oracle: "Scripts/oracles/product_quantizer.py"),
    compression("svd", "projections on the strongest directions", SVDCodec.self),
    compression("magnitude-svd", "ranks by the rows' lengths", MagnitudeSVDCodec.self),
    compression(
      "magnitude-product", "longer words for the longest rows", MagnitudeProductQuantizer.self),
    compression("prune", "the largest values only", PruneCodec.self),
    compression("tensor-train", "a matrix as a chain of small cores", TensorTrainCodec.self),
    compression("tile-dedup", "tiles that are nearly alike, once", TileDedupCodec.self),
    MethodDescriptor(
      id: 3, name: "feature-tensor", summary: "features of networks in few bits, by a range coder",
      paper: .init(
        "Feature coding in the era of large models: dataset, test conditions, and benchmark",
        by: "Gao et al.", 2024, "arXiv:2412.04307"),
      type: FeatureTensorCodec.self, verb: "evaluate rate",
      oracle: "Scripts/oracles/feature_tensor.py",
      limits: "a coder of our own in the place of the paper's video coder"),
    MethodDescriptor(
      id: nil, name: "binary", summary: "one sign per dimension, after a rotation (ITQ)",
      paper: .init(
        "Iterative quantization: a procrustean approach to learning binary codes",
        by: "Gong & Lazebnik", 2011, "doi:10.1109/CVPR.2011.5995432"),
      type: BinaryQuantizer.self, verb: "compress", oracle: "signs of rotated values"),
    MethodDescriptor(
      id: nil, name: "residual-bit",
      summary: "1 to 4 bits per dimension, with a bound of the error",
      paper: .init(
        "RaBitQ: quantizing high-dimensional vectors with a theoretical error bound",
        by: "Gao & Long", 2024, "arXiv:2405.12497"),
      type: ResidualBitQuantizer.self, verb: "compress", oracle: "exact products within the bound"),
  ]

  private static func compression(
    _ name: String, _ summary: String, _ type: Any.Type,
    oracle: String = "a plain transcription of the definition"
  ) -> MethodDescriptor {
    MethodDescriptor(
      id: 79, name: name, summary: summary,
      paper: .init(
        "Experimental analysis of large-scale learnable vector storage compression",
        by: "Zhang et al.", 2023, "arXiv:2311.15578"),
      type: type, verb: "compress", oracle: oracle)
  }
}
