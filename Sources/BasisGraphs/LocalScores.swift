import BasisCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The scores of a triangle that need only its nodes' neighbours.
struct LocalScores: Sendable {
  let complex: SimplicialComplex

  /// The generalised mean of three positive numbers, from the smallest at −∞ over the geometric at 0 to
  /// the largest at ∞.
  static func mean(_ values: SIMD3<Double>, exponent: Double) -> Double {
    // Rising, so that the same three in another order have the same mean to the last bit.
    let (low, high) = (values.min(), values.max())
    let middle = max(min(values.x, values.y), min(max(values.x, values.y), values.z))
    let values = SIMD3(low, middle, high)
    if exponent == -.infinity { return values.min() }
    if exponent == .infinity { return values.max() }
    if exponent == 0 { return cbrt(values.x * values.y * values.z) }
    if exponent == 1 { return values.sum() / 3 }
    if exponent == -1 { return 3 / (1 / values).sum() }
    let powers = pow(values.x, exponent) + pow(values.y, exponent) + pow(values.z, exponent)
    return pow(powers / 3, 1 / exponent)
  }

  func weights(_ triangle: SimplicialComplex.Triangle) -> SIMD3<Double> {
    SIMD3(
      Double(complex.weights[Int(triangle.ab)]), Double(complex.weights[Int(triangle.ac)]),
      Double(complex.weights[Int(triangle.bc)]))
  }

  func degrees(_ triangle: SimplicialComplex.Triangle) -> SIMD3<Double> {
    SIMD3(
      Double(complex.degree(triangle.a)), Double(complex.degree(triangle.b)),
      Double(complex.degree(triangle.c)))
  }

  func simplexDegrees(_ triangle: SimplicialComplex.Triangle) -> SIMD3<Double> {
    SIMD3(
      Double(complex.simplexDegrees[Int(triangle.a)]),
      Double(complex.simplexDegrees[Int(triangle.b)]),
      Double(complex.simplexDegrees[Int(triangle.c)]))
  }

  /// Neighbours that two or three nodes have in common.
  struct Common {
    var ab = 0
    var ac = 0
    var bc = 0
    var all = 0
    /// Σ over those of all three of 1 / log degree.
    var adamicAdar = 0.0
  }

  func common(_ triangle: SimplicialComplex.Triangle) -> Common {
    var result = Common()
    func range(_ rank: Int32) -> (Int, Int) {
      (complex.neighborStarts[Int(rank)], complex.neighborStarts[Int(rank) + 1])
    }
    var (a, aEnd) = range(triangle.a)
    var (b, bEnd) = range(triangle.b)
    var (c, cEnd) = range(triangle.c)
    while true {
      let x = a < aEnd ? complex.neighbors[a] : .max
      let y = b < bEnd ? complex.neighbors[b] : .max
      let z = c < cEnd ? complex.neighbors[c] : .max
      let next = min(x, y, z)
      guard next < .max else { return result }
      if x == y, x == next { result.ab += 1 }
      if x == z, x == next { result.ac += 1 }
      if y == z, y == next { result.bc += 1 }
      if x == y, y == z {
        result.all += 1
        // Whoever met all three has a degree of 3 at least.
        result.adamicAdar += 1 / log(Double(complex.degree(next)))
      }
      if x == next { a += 1 }
      if y == next { b += 1 }
      if z == next { c += 1 }
    }
  }

  /// A score of one triangle; nil for a score that is not of this kind.
  func score(_ triangle: SimplicialComplex.Triangle, _ score: HigherOrderScore) -> Double? {
    switch score {
    case .minimum: return Self.mean(weights(triangle), exponent: -.infinity)
    case .harmonic: return Self.mean(weights(triangle), exponent: -1)
    case .geometric: return Self.mean(weights(triangle), exponent: 0)
    case .arithmetic: return Self.mean(weights(triangle), exponent: 1)
    case .maximum: return Self.mean(weights(triangle), exponent: .infinity)
    case .common: return Double(common(triangle).all)
    case .adamicAdar: return common(triangle).adamicAdar
    case .jaccard:
      let found = common(triangle)
      let union =
        degrees(triangle).sum() - Double(found.ab + found.ac + found.bc) + Double(found.all)
      return Double(found.all) / union
    case .attachment:
      let values = degrees(triangle)
      return values.x * values.y * values.z
    case .simplexAttachment:
      let values = simplexDegrees(triangle)
      return values.x * values.y * values.z
    default: return nil
    }
  }

  /// Three weights, three degrees, three counts of simplices, four counts of common neighbours, the
  /// logarithms of the first nine and of 1 + the last four.
  ///
  /// - Returns: `26` numbers.
  func features(_ triangle: SimplicialComplex.Triangle) -> [Double] {
    let (w, d, s) = (weights(triangle), degrees(triangle), simplexDegrees(triangle))
    // The other two weights are of the pairs that the first node is not in, as the originals have it.
    let first = [w.x, w.z, w.y, d.x, d.y, d.z, s.x, s.y, s.z]
    let found = common(triangle)
    let last = [found.ab, found.ac, found.bc, found.all].map { Double($0) }
    return first + last + first.map { log($0) } + last.map { log(1 + $0) }
  }
}
