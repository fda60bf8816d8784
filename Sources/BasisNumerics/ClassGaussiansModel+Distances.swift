public import BasisCore

extension ClassGaussiansModel {
  private static var grain: Int { 256 }

  /// The class nearest to each row.
  ///
  /// A row's answer does not depend on the rows beside it, nor on the threads. In `Float`: distances are
  /// good to about 10⁻⁶ times the condition of the covariance's root.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite.
  ///   - run: threads and cancellation.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  /// - Complexity: O(*n* (*d*² + classes · *d*)), parallel over rows; classes times the first where
  ///   each has its own covariance.
  public func nearest(to rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> Nearest
  {
    try check(rows)
    let parts = try parallelMap(rows.rowCount, grain: Self.grain, in: run) {
      (_, range) throws(BasisError) -> ([Int], [Double]) in
      guard let nearestCenter else {
        let all = distances(range, of: rows)
        var (classes, least): ([Int], [Double]) = ([], [])
        for place in 0..<range.count {
          let own = all[place * self.classes.count..<(place + 1) * self.classes.count]
          let best = own.indices.reduce(own.startIndex) { own[$1] < own[$0] ? $1 : $0 }
          classes.append(best - own.startIndex)
          least.append(Double(own[best]))
        }
        return (classes, least)
      }
      return nearest(range, of: rows, nearestCenter)
    }
    return Nearest(
      classes: parts.flatMap(\.0), squaredDistances: parts.flatMap(\.1))
  }

  private func nearest(_ range: Range<Int>, of rows: Matrix, _ centroid: NearestCentroid)
    -> ([Int], [Double])
  {
    let rank = maps[0].rank
    var ids = [UInt32](repeating: 0, count: range.count)
    var least = [Double](repeating: 0, count: range.count)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count * rank) { whitened in
      guard let base = whitened.baseAddress else { return }
      maps[0].apply(range, of: rows, into: base)
      ids.withUnsafeMutableBufferPointer { ids in
        if let start = ids.baseAddress { centroid.assign(base, count: range.count, into: start) }
      }
      centers.withUnsafeFloats { centers in
        guard let center = centers.baseAddress else { return }
        for place in ids.indices {
          // Straight from the difference, which the products above have lost.
          least[place] = Double(
            Kernels.squaredDistance(
              base + place * rank, center + Int(ids[place]) * rank, count: rank))
        }
      }
    }
    return (ids.map { Int($0) }, least)
  }

  /// The squared distance of each row from each class: `n × classes`.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite.
  ///   - run: threads and cancellation.
  /// - Throws: as ``nearest(to:in:)``.
  /// - Complexity: as ``nearest(to:in:)``.
  public func squaredDistances(of rows: Matrix, in run: RunContext = RunContext())
    throws(BasisError) -> Matrix
  {
    try check(rows)
    let count = classes.count
    return try Matrix(rowCount: rows.rowCount, columnCount: count) { (out) throws(BasisError) in
      guard let start = out.baseAddress else { return }
      let shared = SharedPointer(start)
      try parallelFor(rows.rowCount, grain: Self.grain, in: run) { (_, range) throws(BasisError) in
        let own = distances(range, of: rows)
        own.withUnsafeBufferPointer { own in
          guard let source = own.baseAddress else { return }
          (shared.base + range.lowerBound * count).update(from: source, count: own.count)
        }
      }
    }
  }

  private func distances(_ range: Range<Int>, of rows: Matrix) -> [Float] {
    let count = classes.count
    var out = [Float](repeating: 0, count: range.count * count)
    let width = maps.map(\.rank).max() ?? 0
    withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count * width) { whitened in
      guard let base = whitened.baseAddress else { return }
      if maps.count == 1, settings.covariance == .pooled {
        maps[0].apply(range, of: rows, into: base)
        centers.withUnsafeFloats { centers in
          guard let center = centers.baseAddress else { return }
          for place in 0..<range.count {
            for index in 0..<count {
              out[place * count + index] = Kernels.squaredDistance(
                base + place * width, center + index * width, count: width)
            }
          }
        }
        return
      }
      for (index, map) in maps.enumerated() {
        map.apply(range, of: rows, into: base)
        for place in 0..<range.count {
          let row = base + place * map.rank
          out[place * count + index] = Kernels.dot(row, row, count: map.rank)
        }
      }
    }
    return out
  }

  /// The class of each row by Gaussian discriminant analysis: the nearest one, or, weighing classes by
  /// their rows, that of the least squared distance − 2 log *n*.
  ///
  /// With a pooled covariance the latter is linear discriminant analysis. With a covariance a class its
  /// determinant is not counted.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite.
  ///   - weighingCounts: whether large classes are likelier.
  ///   - run: threads and cancellation.
  /// - Returns: labels of ``classes``.
  /// - Throws: as ``nearest(to:in:)``.
  /// - Complexity: as ``nearest(to:in:)``.
  public func labels(
    of rows: Matrix, weighingCounts: Bool = false, in run: RunContext = RunContext()
  ) throws(BasisError) -> [Int] {
    guard weighingCounts else { return try nearest(to: rows, in: run).classes.map { classes[$0] } }
    let distances = try squaredDistances(of: rows, in: run)
    let offsets = counts.map { 2 * logarithm(Double($0)) }
    return (0..<rows.rowCount).map { row in
      distances.withRow(row) { values in
        classes[
          values.indices.reduce(0) {
            Double(values[$1]) - offsets[$1] < Double(values[$0]) - offsets[$0] ? $1 : $0
          }]
      }
    }
  }

  /// Where the squared distance of each row from some class grows fastest: 2 S⁻¹ (x − m), `n × d`.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite.
  ///   - places: a place in ``classes`` a row, such as ``Nearest/classes``.
  ///   - run: threads and cancellation.
  /// - Throws: as ``nearest(to:in:)``, and `.dimensionMismatch` for another number of places.
  /// - Precondition: places are those of classes.
  /// - Complexity: O(*n* *d*²), parallel over rows.
  public func distanceSlopes(
    at rows: Matrix, from places: [Int], in run: RunContext = RunContext()
  ) throws(BasisError) -> Matrix {
    try check(rows)
    guard places.count == rows.rowCount else {
      throw BasisError(
        .dimensionMismatch, "there are \(places.count) classes for \(rows.rowCount) rows")
    }
    precondition(places.allSatisfy { classes.indices.contains($0) }, "a class that there is not")
    let d = dimension
    return try Matrix(rowCount: rows.rowCount, columnCount: d) { (out) throws(BasisError) in
      guard let start = out.baseAddress else { return }
      let shared = SharedPointer(start)
      try parallelFor(rows.rowCount, grain: Self.grain, in: run) { (_, range) throws(BasisError) in
        for row in range {
          let map = maps[maps.count == 1 ? 0 : places[row]]
          var whitened = [Float](repeating: 0, count: map.rank)
          whitened.withUnsafeMutableBufferPointer { whitened in
            if let base = whitened.baseAddress { map.apply(row..<row + 1, of: rows, into: base) }
          }
          if centers.rowCount > 0 {
            centers.withRow(places[row]) { center in
              for index in whitened.indices { whitened[index] -= center[index] }
            }
          }
          let slopes = shared.base + row * d
          map.rows.withUnsafeFloats { floats in
            for (index, value) in whitened.enumerated() {
              for column in 0..<d { slopes[column] += 2 * value * floats[index * d + column] }
            }
          }
        }
      }
    }
  }
}
