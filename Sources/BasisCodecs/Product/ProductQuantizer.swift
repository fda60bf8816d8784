public import BasisCore
import BasisNumerics

/// Vectors cut into equal parts, each kept as the number of the nearest of 16 or 256 words.
///
/// Jégou, Douze & Schmid, *Product quantization for nearest neighbor search*, IEEE TPAMI 33 (2011),
/// doi:10.1109/TPAMI.2010.57; the rotation is the non-parametric one of Ge, He, Ke & Sun,
/// *Optimized product quantization*, IEEE TPAMI 36 (2014), doi:10.1109/TPAMI.2013.240, section 3.1.
public struct ProductQuantizer: VectorCodec {
  /// Parts of a vector; divides the dimension.
  public var parts: Int
  /// Bits of a part: 4 or 8.
  public var bits: Int
  /// Whether a rotation is learnt that spreads what is hard to keep over the parts. Takes
  /// `4 d²` bytes and the program's linear algebra library.
  public var rotates = false
  /// Errors along a vector's direction weigh more, as if only queries at a cosine above this
  /// mattered: 0 to 1 (exclusive); 0 for the plain squared error. For products and cosines.
  public var anisotropy: Float = 0
  /// Iterations of k-means in every part; at least 1.
  public var iterations = 25
  /// Rows used to learn from, drawn at random; at least one per word.
  public var maxRows = 65_536

  public init(parts: Int, bits: Int = 8) {
    self.parts = parts
    self.bits = bits
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(parts: try values.decode(Int.self, forKey: .parts))
    bits = try values.decodeIfPresent(Int.self, forKey: .bits) ?? bits
    rotates = try values.decodeIfPresent(Bool.self, forKey: .rotates) ?? rotates
    anisotropy = try values.decodeIfPresent(Float.self, forKey: .anisotropy) ?? anisotropy
    iterations = try values.decodeIfPresent(Int.self, forKey: .iterations) ?? iterations
    maxRows = try values.decodeIfPresent(Int.self, forKey: .maxRows) ?? maxRows
  }

  /// Learns words, and a rotation if one is wanted.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite, *n* at least the number of words, 2^bits.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range, naming the divisors of *d* where
  ///   `parts` is none, or for too few rows; `.badData` naming the row and column of a value that
  ///   is not finite; `.missingDependency` for a rotation without the library; `.cancelled`.
  /// - Complexity: O(min(*n*, maxRows) *d* 2^bits) per iteration, parallel over rows.
  public func fit(_ rows: Matrix, in run: RunContext) throws(BasisError) -> FittedProductQuantizer {
    try check(dimension: rows.columnCount)
    let size = 1 << bits
    guard rows.rowCount >= size else {
      throw BasisError(
        .invalidArgument,
        "\(size) words need at least as many rows to learn from, got \(rows.rowCount); use fewer "
          + "bits or more rows")
    }
    try rows.requireFinite("the rows to learn from")
    var generator = run.generator("rows to learn words from")
    var sample = rows.sample(atMost: max(size, maxRows), by: &generator)
    let rotation = rotates ? try learnRotation(sample, size: size, in: run) : nil
    if let rotation { sample = try LinearAlgebra.product(sample, rotation, in: run) }
    let excess =
      anisotropy > 0
      ? ProductCodebook.Anisotropy.excess(threshold: anisotropy, dimension: rows.columnCount) : 0
    let book = try ProductCodebook.train(
      sample, parts: parts, width: rows.columnCount / parts, size: size,
      anisotropy: excess > 0 ? .init(directions: directions(of: sample), excess: excess) : nil,
      iterations: iterations, in: run)
    return FittedProductQuantizer(book: book, rotation: rotation, excess: excess)
  }

  private func check(dimension: Int) throws(BasisError) {
    guard bits == 4 || bits == 8, parts >= 1, iterations >= 1, maxRows >= 1, anisotropy >= 0,
      anisotropy < 1
    else {
      throw BasisError(
        .invalidArgument,
        "a product quantiser needs 4 or 8 bits, at least 1 part and iteration and an anisotropy "
          + "of 0 to 1, exclusive; got \(bits) bits, \(parts) parts, \(iterations) iterations, "
          + "\(anisotropy)")
    }
    guard dimension > 0, dimension.isMultiple(of: parts) else {
      let divisors = (1...max(1, dimension)).filter { dimension.isMultiple(of: $0) }
      throw BasisError(
        .invalidArgument,
        "\(dimension) values do not divide into \(parts) equal parts; the divisors are "
          + divisors.map(String.init).joined(separator: ", "))
    }
  }

  /// Principal axes, dealt out so that the parts have equal products of variances: section 3.2 of
  /// Ge et al.
  private func balancedAxes(of rows: Matrix, in run: RunContext) throws(BasisError) -> Matrix {
    let d = rows.columnCount
    let squares = try LinearAlgebra.product(rows, rows, transposingA: true, in: run)
    let axes = try LinearAlgebra.symmetricEigen(squares)
    let floor = max(axes.values.first ?? 0, .leastNormalMagnitude) * 1e-7
    var members = [[Int]](repeating: [], count: parts)
    var products = [Double](repeating: 0, count: parts)
    for (axis, value) in axes.values.enumerated() {
      let open = members.indices.filter { members[$0].count < d / parts }
      guard let part = open.min(by: { products[$0] < products[$1] }) else { break }
      members[part].append(axis)
      // Logarithms, all of them positive.
      products[part] += Double((max(value, floor) / floor).exponent) + 1
    }
    let order = members.flatMap { $0 }
    return Matrix(rowCount: d, columnCount: d) { target in
      for row in 0..<d {
        for column in 0..<d { target[row * d + column] = axes.vectors[row, order[column]] }
      }
    }
  }

  /// Turns the rows towards their codes, again and again.
  private func learnRotation(_ rows: Matrix, size: Int, in run: RunContext) throws(BasisError)
    -> Matrix
  {
    let d = rows.columnCount
    var rotation = try balancedAxes(of: rows, in: run)
    for _ in 0..<8 {
      let turned = try LinearAlgebra.product(rows, rotation, in: run)
      let book = try ProductCodebook.train(
        turned, parts: parts, width: d / parts, size: size, iterations: 4, in: run)
      let codes = try book.encode(turned, in: run)
      let decoded = Matrix(rowCount: rows.rowCount, columnCount: d) { target in
        codes.withUnsafeBufferPointer { codes in
          guard let out = target.baseAddress, let codes = codes.baseAddress else { return }
          for row in 0..<rows.rowCount { book.decode(codes + row * parts, into: out + row * d) }
        }
      }
      // The rotation nearest to taking rows to their codes: Schönemann's solution.
      let cross = try LinearAlgebra.product(rows, decoded, transposingA: true, in: run)
      let svd = try LinearAlgebra.thinSVD(cross, in: run)
      rotation = try LinearAlgebra.product(svd.u, svd.v, transposingB: true, in: run)
    }
    return rotation
  }
}

/// Unit rows; a row of zeros stays one.
func directions(of rows: Matrix) -> Matrix {
  let scales = rows.inverseNorms()
  let d = rows.columnCount
  return Matrix(rowCount: rows.rowCount, columnCount: d) { target in
    rows.withUnsafeFloats { floats in
      for row in 0..<rows.rowCount {
        for column in row * d..<(row + 1) * d { target[column] = floats[column] * scales[row] }
      }
    }
  }
}
