import BasisCore
import BasisNumerics

/// Scores of pairs from all walks between them, on the graph of who met whom.
struct WalkScores: Sendable {
  let complex: SimplicialComplex
  /// Of each neighbour, `complex.neighbors` long.
  private let values: [Double]

  init(_ complex: SimplicialComplex, isWeighted: Bool) {
    self.complex = complex
    values = complex.neighborWeights.map { isWeighted ? Double($0) : 1 }
  }

  /// `out = W x`.
  func times(_ x: [Double], into out: inout [Double]) {
    for row in 0..<complex.nodeCount {
      var sum = 0.0
      for index in complex.neighborStarts[row]..<complex.neighborStarts[row + 1] {
        sum += values[index] * x[Int(complex.neighbors[index])]
      }
      out[row] = sum
    }
  }

  /// The largest singular value of W.
  func largestValue() -> Double {
    let n = complex.nodeCount
    var x = [Double](repeating: 1, count: n)
    var product = x
    var value = 0.0
    for _ in 0..<2000 {
      times(x, into: &product)
      let length = ConjugateGradient.dot(product, product).squareRoot()
      guard length > 0 else { return 0 }
      for index in 0..<n { x[index] = product[index] / length }
      // W has no negative entry, so that the lengths settle even where two eigenvalues differ in sign only.
      if abs(length - value) <= 1e-12 * length { return length }
      value = length
    }
    return value
  }

  /// (I − βW)⁻¹ − I between neighbours, both directions added up, a value an edge; β is 0.25 / σ₁, at most
  /// 0.5. Katz, Psychometrika 18 (1953), doi:10.1007/BF02289026.
  ///
  /// - Complexity: O(*n* · links · √condition), the condition 5/3.
  func katz(in run: RunContext) throws(BasisError) -> [Double] {
    let beta = min(0.25 / largestValue(), 0.5)
    let n = complex.nodeCount
    return try columns(in: run) { node in
      var right = [Double](repeating: 0, count: n)
      right[node] = 1
      return ConjugateGradient(tolerance: 1e-10).solve(right) { (x, out) in
        times(x, into: &out)
        for index in 0..<n { out[index] = x[index] - beta * out[index] }
      }
    }
  }

  /// (1 − α)(I − α W D⁻¹)⁻¹ between neighbours, both directions added up, a value an edge. By way of the
  /// symmetric I − α D^−½ W D^−½.
  func pageRank(alpha: Double = 0.85, in run: RunContext) throws(BasisError) -> [Double] {
    let n = complex.nodeCount
    let roots = (0..<n).map { row in
      values[complex.neighborStarts[row]..<complex.neighborStarts[row + 1]].reduce(0, +)
        .squareRoot()
    }
    return try columns(in: run) { node in
      var right = [Double](repeating: 0, count: n)
      right[node] = 1
      var scaled = right
      let found = ConjugateGradient(tolerance: 1e-10).solve(right) { (x, out) in
        for index in 0..<n { scaled[index] = roots[index] > 0 ? x[index] / roots[index] : 0 }
        times(scaled, into: &out)
        for index in 0..<n {
          out[index] = x[index] - (roots[index] > 0 ? alpha * out[index] / roots[index] : 0)
        }
      }
      let own = roots[node] > 0 ? roots[node] : 1
      return (0..<n).map { (1 - alpha) * found[$0] * roots[$0] / own }
    }
  }

  /// One column of a matrix after another, of which the entries at neighbours are kept.
  private func columns(
    in run: RunContext, _ column: @Sendable (Int) -> [Double]
  ) throws(BasisError) -> [Double] {
    let parts = try parallelMap(complex.nodeCount, grain: 8, in: run) {
      (_, range) throws(BasisError) -> [Double] in
      var kept: [Double] = []
      for node in range {
        let own = complex.neighborStarts[node]..<complex.neighborStarts[node + 1]
        guard !own.isEmpty else { continue }
        try run.checkCancelled()
        let found = column(node)
        for index in own { kept.append(found[Int(complex.neighbors[index])]) }
      }
      return kept
    }
    let kept = parts.flatMap { $0 }
    var edges = [Double](repeating: 0, count: complex.edgeCount)
    for a in 0..<complex.nodeCount {
      for index in complex.neighborStarts[a]..<complex.neighborStarts[a + 1] {
        let (low, high) = (
          min(Int32(a), complex.neighbors[index]), max(Int32(a), complex.neighbors[index])
        )
        if let edge = complex.edge(low, high) { edges[edge] += kept[index] }
      }
    }
    return edges
  }
}
