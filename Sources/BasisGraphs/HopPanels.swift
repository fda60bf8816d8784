import BasisCore

/// A tall matrix in panels of a few columns, each contiguous: what a step of a walk reads at random
/// places then fits the processor's cache.
struct HopPanels: Sendable {
  let rowCount: Int
  let columnCount: Int
  /// Columns of a panel; the last may have fewer.
  let width: Int
  private var panels: [Matrix]
  /// Where the next panel is made, before it takes its predecessor's place.
  private var spare: Matrix

  /// What a panel may have, in bytes: half of a core's second cache.
  private static let panelBytes = 1 << 20

  init(rowCount: Int, columnCount: Int, width: Int? = nil) {
    self.rowCount = rowCount
    self.columnCount = columnCount
    let fitting = Self.panelBytes / (4 * max(1, rowCount)) / 16 * 16
    let width = width ?? min(128, max(32, fitting))
    self.width = min(width, max(1, columnCount))
    panels = stride(from: 0, to: columnCount, by: self.width).map {
      [columnCount, step = self.width] in
      Matrix(rowCount: rowCount, columnCount: min(step, columnCount - $0))
    }
    spare = Matrix(rowCount: rowCount, columnCount: self.width)
  }

  /// Writes each row.
  ///
  /// - Returns: the sum of each row's squares.
  @discardableResult
  mutating func fill(
    in run: RunContext, _ body: @Sendable (Int, UnsafeMutablePointer<Float>) -> Void
  ) throws(BasisError) -> [Float] {
    let (rowCount, columnCount) = (rowCount, columnCount)
    var squares = [Float](repeating: 0, count: rowCount)
    try squares.withUnsafeMutableBufferPointer { (squares) throws(BasisError) in
      guard let first = squares.baseAddress else { return }
      let sums = SharedPointer(first)
      try withPanels { (panels) throws(BasisError) in
        try parallelFor(rowCount, grain: 256, in: run) { (_, rows) in
          let scratch = UnsafeMutablePointer<Float>.allocate(capacity: columnCount)
          defer { scratch.deallocate() }
          for row in rows {
            scratch.update(repeating: 0, count: columnCount)
            body(row, scratch)
            sums.base[row] = Kernels.dot(scratch, scratch, count: columnCount)
            for panel in panels {
              (panel.base.base + row * panel.width)
                .update(from: scratch + panel.first, count: panel.width)
            }
          }
        }
      }
    }
    return squares
  }

  private struct Panel: Sendable {
    var base: SharedPointer<Float>
    var first: Int
    var width: Int
  }

  private mutating func withPanels(_ body: ([Panel]) throws(BasisError) -> Void)
    throws(BasisError)
  {
    var pointers: [Panel] = []
    for place in panels.indices {
      let columns = panels[place].columnCount
      // The panel is this value's own and outlives the body; it is not changed otherwise meanwhile.
      panels[place].withUnsafeMutableFloats { floats in
        guard let base = floats.baseAddress else { return }
        pointers.append(Panel(base: SharedPointer(base), first: place * width, width: columns))
      }
    }
    try body(pointers)
  }

  /// Becomes `transitions · self`.
  ///
  /// - Returns: the sum of each row's squares.
  mutating func advance(by transitions: SparseMatrix, in run: RunContext) throws(BasisError)
    -> [Float]
  {
    var squares = [Float](repeating: 0, count: rowCount)
    for place in panels.indices {
      let count = panels[place].columnCount
      if spare.columnCount != count { spare = Matrix(rowCount: rowCount, columnCount: count) }
      let source = panels[place]
      try spare.withUnsafeMutableFloats { (out) throws(BasisError) in
        try squares.withUnsafeMutableBufferPointer { (squares) throws(BasisError) in
          guard let start = out.baseAddress, let first = squares.baseAddress else { return }
          try Self.multiply(
            transitions, source, into: SharedPointer(start), SharedPointer(first), in: run)
        }
      }
      panels[place] = spare
      spare = source
    }
    return squares
  }

  private static func multiply(
    _ transitions: SparseMatrix, _ source: Matrix, into out: SharedPointer<Float>,
    _ squares: SharedPointer<Float>, in run: RunContext
  ) throws(BasisError) {
    let width = source.columnCount
    try parallelFor(transitions.rowCount, grain: 256, in: run) { (_, rows) in
      source.withUnsafeFloats { source in
        transitions.columns.withUnsafeBufferPointer { columns in
          transitions.values.withUnsafeBufferPointer { values in
            transitions.offsets.withUnsafeBufferPointer { offsets in
              guard let dense = source.baseAddress else { return }
              for row in rows {
                let (first, end) = (offsets[row], offsets[row + 1])
                let target = out.base + row * width
                guard first < end, let weights = values.baseAddress,
                  let neighbors = columns.baseAddress
                else {
                  target.update(repeating: 0, count: width)
                  continue
                }
                Kernels.weightedRows(
                  weights + first, neighbors + first, count: end - first, dense: dense,
                  stride: width, columnCount: width, into: target)
                squares.base[row] += Kernels.dot(target, target, count: width)
              }
            }
          }
        }
      }
    }
  }

  /// Adds each row times its factor to a row of `sum`.
  func add(to sum: inout Matrix, times factors: [Float], in run: RunContext) throws(BasisError) {
    let (stride, width) = (columnCount, width)
    try sum.withUnsafeMutableFloats { (floats) throws(BasisError) in
      guard let start = floats.baseAddress else { return }
      let target = SharedPointer(start)
      try parallelFor(rowCount, grain: 1024, in: run) { (_, rows) in
        for (place, panel) in panels.enumerated() {
          let count = panel.columnCount
          panel.withUnsafeFloats { values in
            guard let source = values.baseAddress else { return }
            for row in rows {
              let out = target.base + row * stride + place * width
              let own = source + row * count
              let factor = factors[row]
              for column in 0..<count { out[column] += factor * own[column] }
            }
          }
        }
      }
    }
  }

  /// The panels side by side.
  func joined(in run: RunContext) throws(BasisError) -> Matrix {
    var result = Matrix(rowCount: rowCount, columnCount: columnCount)
    try add(to: &result, times: [Float](repeating: 1, count: rowCount), in: run)
    return result
  }
}
