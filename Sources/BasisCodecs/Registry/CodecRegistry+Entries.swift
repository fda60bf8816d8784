extension CodecRegistry {
  /// All codecs. The first that holds a fitted codec names it in files.
  public static let entries: [Entry] = [
    Entry("scalar", "each value in 4 to 16 bits", FittedScalarQuantizer.self, plans: scalarPlans),
    Entry("pca", "principal directions, in 4 or 8 bits", FittedPrefixCodec.self, plans: pcaPlans),
    Entry(
      "matryoshka", "the first values, of nested vectors", FittedPrefixCodec.self,
      plans: matryoshkaPlans),
    Entry("svd", "projections as floats", FittedPrefixCodec.self, plans: svdPlans),
    Entry("binary", "one sign per dimension", FittedBinaryQuantizer.self, plans: binaryPlans),
    Entry(
      "residual-bit", "1 to 4 bits per dimension, with a bound of the error",
      FittedResidualBitQuantizer.self, plans: residualBitPlans),
    Entry(
      "recurrent", "1 to 4 bits per dimension, directions only", FittedRecurrentBinaryCodec.self,
      plans: recurrentPlans),
    Entry(
      "product", "words of 4 or 8 bits for parts of a vector", FittedProductQuantizer.self,
      plans: productPlans),
  ]

  @Sendable private static func scalarPlans(_ bytes: Int, _ dimension: Int) -> [CodecPlan] {
    // Among those that fit, the largest that there is a use for.
    let kinds: [ScalarQuantizer.Kind] = [.float16, .int8, .int4]
    guard let kind = kinds.first(where: { $0.bytesPerVector(dimension: dimension) <= bytes }) else {
      return []
    }
    return [
      CodecPlan(
        ScalarQuantizer(kind), detail: kind.rawValue,
        bytesPerVector: kind.bytesPerVector(dimension: dimension), sharedBytes: 0)
    ]
  }

  @Sendable private static func pcaPlans(_ bytes: Int, _ dimension: Int) -> [CodecPlan] {
    [(ScalarQuantizer.Kind.int4, 2 * (bytes - 4)), (.int8, bytes - 4)].compactMap { kind, count in
      let count = min(dimension, count)
      guard count >= 1 else { return nil }
      return CodecPlan(
        PCARotationCodec(dimensions: count, kind: kind), detail: "\(kind.rawValue)x\(count)",
        bytesPerVector: kind.bytesPerVector(dimension: count), sharedBytes: 4 * count * dimension)
    }
  }

  @Sendable private static func matryoshkaPlans(_ bytes: Int, _ dimension: Int) -> [CodecPlan] {
    let count = min(dimension, bytes - 4)
    guard count >= 1 else { return [] }
    return [
      CodecPlan(
        MatryoshkaCodec(dimensions: count, kind: .int8), detail: "int8x\(count)",
        bytesPerVector: count + 4, sharedBytes: 0)
    ]
  }

  @Sendable private static func svdPlans(_ bytes: Int, _ dimension: Int) -> [CodecPlan] {
    let rank = min(dimension, bytes / 4)
    guard rank >= 1 else { return [] }
    return [
      CodecPlan(
        SVDCodec(rank: rank), detail: "\(rank)", bytesPerVector: 4 * rank,
        sharedBytes: 4 * rank * dimension)
    ]
  }

  @Sendable private static func binaryPlans(_ bytes: Int, _ dimension: Int) -> [CodecPlan] {
    let bits = min(dimension, bytes / 8 * 64)
    guard bits >= 1 else { return [] }
    return [
      CodecPlan(
        BinaryQuantizer(bits: bits), detail: "\(bits)", bytesPerVector: (bits + 63) / 64 * 8,
        sharedBytes: 4 * (bits * dimension + dimension + bits))
    ]
  }

  /// Bits and dimensions that fill `bytes`: every number of bits at which fewer would leave room.
  private static func bitsAndDimensions(_ bytes: Int, _ dimension: Int) -> [(bits: Int, count: Int)]
  {
    guard bytes >= 1 else { return [] }
    return [1, 2, 3, 4].compactMap { bits in
      let count = min(dimension, 8 * bytes / bits)
      // With all dimensions and room for another bit each, the next is the better one.
      let wastes = count == dimension && bits < 4 && (dimension * (bits + 1) + 7) / 8 <= bytes
      // Three bits are of use only where four do not fit.
      let isOdd = bits == 3 && count < dimension
      return count >= 1 && !wastes && !isOdd ? (bits, count) : nil
    }
  }

  @Sendable private static func residualBitPlans(_ bytes: Int, _ dimension: Int) -> [CodecPlan] {
    bitsAndDimensions(bytes - 8, dimension).map { bits, count in
      let settings = ResidualBitQuantizer(bits: bits, dimensions: count)
      return CodecPlan(
        settings, detail: "\(bits)x\(count)",
        bytesPerVector: settings.bytesPerVector(dimension: dimension),
        sharedBytes: 4 * (count * dimension + dimension))
    }
  }

  @Sendable private static func recurrentPlans(_ bytes: Int, _ dimension: Int) -> [CodecPlan] {
    bitsAndDimensions(bytes, dimension).map { bits, count in
      // A table scan takes an even number.
      let count = count > 1 ? count / 2 * 2 : count
      return CodecPlan(
        RecurrentBinaryCodec(bits: bits, dimensions: count), detail: "\(bits)x\(count)",
        bytesPerVector: (bits * count + 7) / 8, sharedBytes: 4 * count * dimension)
    }
  }

  @Sendable private static func productPlans(_ bytes: Int, _ dimension: Int) -> [CodecPlan] {
    [8, 4].compactMap { bits in
      // As many parts as there are bytes for and as divide the vector.
      let most = min(dimension, 8 * bytes / bits)
      guard most >= 1, let parts = (1...most).last(where: { dimension.isMultiple(of: $0) }) else {
        return nil
      }
      return CodecPlan(
        ProductQuantizer(parts: parts, bits: bits), detail: "\(parts)x\(bits)",
        bytesPerVector: (parts * bits + 7) / 8, sharedBytes: 4 * (1 << bits) * dimension)
    }
  }
}
