extension Matrix {
  /// So many rows chosen at random, in their order; the matrix itself where it has no more, for which
  /// nothing is drawn.
  package func sample(atMost count: Int, by generator: inout RandomGenerator) -> Matrix {
    rowCount <= count ? self : selecting(rows: generator.sample(count, of: rowCount))
  }
}
