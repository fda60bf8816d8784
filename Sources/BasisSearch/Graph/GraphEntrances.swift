import BasisCore
import CBasisKernels

/// Where walks start: some rows, whose codes lie together.
struct GraphEntrances: Sendable {
  let rows: [UInt32]
  private let packed: PackedRows

  /// About √*n* random ones of the present rows, 512 at most, in rising order.
  init(_ codes: GraphCodes, of present: [UInt32], in run: RunContext) {
    var generator = run.generator("graph.entrances")
    let root = Int(Double(present.count).squareRoot())
    let wanted = min(present.count, 512, max(16, root))
    self.init(codes, rows: generator.sample(wanted, of: present.count).map { present[$0] })
  }

  init(_ codes: GraphCodes, rows: [UInt32]) {
    self.rows = rows
    packed = PackedRows(codes, rows, pairs: codes.hasPairs)
  }

  /// The nearest entrances to a query, at most `limit`, for which out has room.
  ///
  /// - Returns: how many there are.
  func nearest(
    to query: basis_graph_query, limit: Int, into out: UnsafeMutablePointer<UInt32>
  ) -> Int {
    guard limit < rows.count else {
      for (position, row) in rows.enumerated() { out[position] = row }
      return rows.count
    }
    var members = packed.rows
    var query = query
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: limit) { entries in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 256) { scratch in
        basis_graph_kernels().pointee.nearest(
          &members, rows.count, &query, limit, scratch.baseAddress, entries.baseAddress)
        var found = 0
        for entry in entries where entry != .max {
          out[found] = rows[Int(UInt32(truncatingIfNeeded: entry) >> 1)]
          found += 1
        }
        return found
      }
    }
  }
}
