import BasisCore

/// The sum of the rows of each cluster, carried from one assignment to the next: later iterations move
/// few rows, and only those are read again.
struct ClusterSums {
  let dimension: Int
  /// `k × d`. In `Double`, where what was added and taken off again leaves nothing behind that a
  /// `Float` would show.
  private(set) var values: [Double]
  private(set) var sizes: [Int]

  init(clusterCount: Int, dimension: Int) {
    self.dimension = dimension
    values = Array(repeating: 0, count: clusterCount * dimension)
    sizes = Array(repeating: 0, count: clusterCount)
  }

  /// - Parameters:
  ///   - rows: `n × d`.
  ///   - old: what the sums are of; empty for none.
  ///   - new: what they will be of.
  ///   - run: threads and cancellation; the sums do not depend on the threads.
  mutating func update(
    of rows: Matrix, from old: [UInt32], to new: [UInt32], in run: RunContext
  ) throws(BasisError) {
    let all = Array(new.indices)
    let moved = old.isEmpty ? all : all.filter { old[$0] != new[$0] }
    if old.isEmpty || 3 * moved.count > new.count {
      for index in values.indices { values[index] = 0 }
      for index in sizes.indices { sizes[index] = 0 }
      try add(rows, all, new, sign: 1, in: run)
    } else {
      try add(rows, moved, moved.map { old[$0] }, sign: -1, in: run)
      try add(rows, moved, moved.map { new[$0] }, sign: 1, in: run)
    }
  }

  /// Adds rows to clusters, cluster by cluster, each in the order of its rows.
  private mutating func add(
    _ rows: Matrix, _ numbers: [Int], _ clusters: [UInt32], sign: Double, in run: RunContext
  ) throws(BasisError) {
    let d = dimension
    let members = Members(of: clusters, clusterCount: sizes.count)
    for cluster in sizes.indices { sizes[cluster] += Int(sign) * members.rows(of: cluster).count }
    try values.withUnsafeMutableBufferPointer { (values) throws(BasisError) in
      guard let base = values.baseAddress else { return }
      let sums = SharedPointer(base)
      try parallelFor(sizes.count, grain: 16, in: run) { (_, range) in
        rows.withUnsafeFloats { floats in
          guard let start = floats.baseAddress else { return }
          for cluster in range {
            let sum = sums.base + cluster * d
            for member in members.rows(of: cluster) {
              let row = start + numbers[Int(member)] * d
              for column in 0..<d { sum[column] += sign * Double(row[column]) }
            }
          }
        }
      }
    }
  }
}

/// Which rows each cluster has, rising.
package struct Members: Sendable {
  package let ends: [Int]
  private let order: [UInt32]

  package init(of assignments: [UInt32], clusterCount: Int) {
    var places = [Int](repeating: 0, count: clusterCount)
    for cluster in assignments { places[Int(cluster)] += 1 }
    var sum = 0
    for cluster in places.indices {
      sum += places[cluster]
      places[cluster] = sum
    }
    ends = places
    var starts = [0] + places.dropLast()
    var order = [UInt32](repeating: 0, count: assignments.count)
    for (row, cluster) in assignments.enumerated() {
      order[starts[Int(cluster)]] = UInt32(truncatingIfNeeded: row)
      starts[Int(cluster)] += 1
    }
    self.order = order
  }

  package var sizes: [Int] { ends.indices.map { rows(of: $0).count } }

  package func rows(of cluster: Int) -> ArraySlice<UInt32> {
    order[(cluster == 0 ? 0 : ends[cluster - 1])..<ends[cluster]]
  }
}
