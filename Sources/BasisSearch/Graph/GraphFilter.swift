import BasisCore

/// The rows that may be answered.
struct GraphFilter: Sendable {
  let allowed: Bitmap
  let population: Int
  private let lists: Lists

  /// What a search goes through.
  enum Way {
    /// All allowed rows.
    case rows
    /// The allowed rows of groups.
    case groups(GraphGroups)
    /// Signs, in the order of these groups, or of the rows.
    case signs(GraphGroups?)
  }

  private enum Lists: Sendable {
    /// All of the allowed rows, rising.
    case rows([UInt32])
    /// The allowed rows of each group, and where groups start.
    case groups([UInt32], starts: [UInt32])
    /// A bit for each place in the order of the groups.
    case places([UInt64])
    case none
  }

  /// - Parameters:
  ///   - isOften: whether enough queries follow to go through all groups once before.
  init(_ allowed: Bitmap, for way: Way, isOften: Bool) {
    self.allowed = allowed
    population = allowed.population
    switch way {
    case .signs(let groups?) where isOften: lists = .places(Self.places(allowed, groups))
    case .groups(let groups) where isOften: lists = Self.list(allowed, groups, population)
    case .signs, .groups: lists = .none
    case .rows:
      var rows: [UInt32] = []
      rows.reserveCapacity(population)
      allowed.forEach { rows.append(UInt32(truncatingIfNeeded: $0)) }
      lists = .rows(rows)
    }
  }

  private static func list(_ allowed: Bitmap, _ groups: GraphGroups, _ population: Int) -> Lists {
    var rows: [UInt32] = []
    rows.reserveCapacity(population)
    var starts: [UInt32] = [0]
    starts.reserveCapacity(groups.count + 1)
    allowed.words.withUnsafeBufferPointer { words in
      for group in 0..<groups.count {
        for place in groups.members(of: group) {
          let row = groups.members[place]
          if words[Int(row >> 6)] >> UInt64(row & 63) & 1 == 1 { rows.append(row) }
        }
        starts.append(UInt32(truncatingIfNeeded: rows.count))
      }
    }
    return .groups(rows, starts: starts)
  }

  private static func places(_ allowed: Bitmap, _ groups: GraphGroups) -> [UInt64] {
    var words = [UInt64](repeating: 0, count: (allowed.count + 63) / 64)
    words.withUnsafeMutableBufferPointer { words in
      guard let base = words.baseAddress else { return }
      for block in 0..<(allowed.count + GraphSigns.blockRows - 1) / GraphSigns.blockRows {
        mark(block, allowed, groups, into: base)
      }
    }
    return words
  }

  /// Sets the bits of a block's places.
  private static func mark(
    _ block: Int, _ allowed: Bitmap, _ groups: GraphGroups,
    into places: UnsafeMutablePointer<UInt64>
  ) {
    let first = block * GraphSigns.blockRows
    let end = min(first + GraphSigns.blockRows, allowed.count)
    allowed.words.withUnsafeBufferPointer { words in
      groups.members.withUnsafeBufferPointer { members in
        var bits: UInt64 = 0
        for place in first..<end {
          let row = members[place]
          bits |= (words[Int(row >> 6)] >> UInt64(row & 63) & 1) << UInt64(place - first)
        }
        places[first >> 6] |= bits << UInt64(first & 63)
      }
    }
  }

  /// Bits of places, as far as `mark` was called with blocks.
  func withPlaces(
    of groups: GraphGroups?,
    _ body: (_ words: UnsafePointer<UInt64>, _ mark: (_ block: Int) -> Void) -> Void
  ) {
    func marked(_ words: [UInt64]) {
      words.withUnsafeBufferPointer { words in
        if let base = words.baseAddress { body(base) { _ in } }
      }
    }
    guard let groups else { return marked(allowed.words) }
    if case .places(let words) = lists { return marked(words) }
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: allowed.words.count) { words in
      words.initialize(repeating: 0)
      guard let base = words.baseAddress else { return }
      body(base) { Self.mark($0, allowed, groups, into: base) }
    }
  }

  /// Calls `body` with all rows, some at a time.
  func forEachBlock(_ body: (UnsafeBufferPointer<UInt32>) -> Void) {
    switch lists {
    case .rows(let rows), .groups(let rows, _):
      rows.withUnsafeBufferPointer { rows in
        for start in stride(from: 0, to: rows.count, by: Self.block) {
          body(UnsafeBufferPointer(rebasing: rows[start..<min(start + Self.block, rows.count)]))
        }
      }
    case .places, .none:
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.block) { buffer in
        var count = 0
        allowed.forEach { row in
          buffer[count] = UInt32(truncatingIfNeeded: row)
          count += 1
          if count == Self.block {
            body(UnsafeBufferPointer(buffer))
            count = 0
          }
        }
        body(UnsafeBufferPointer(rebasing: buffer[..<count]))
      }
    }
  }

  /// Puts the allowed rows of a group into a block that has room for the whole group.
  func gather(
    _ group: Int, of groups: GraphGroups, into block: UnsafeMutablePointer<UInt32>
  ) -> Int {
    if case .groups(let rows, let starts) = lists {
      let (first, end) = (Int(starts[group]), Int(starts[group + 1]))
      rows.withUnsafeBufferPointer { rows in
        for place in first..<end { block[place - first] = rows[place] }
      }
      return end - first
    }
    return allowed.words.withUnsafeBufferPointer { words in
      groups.members.withUnsafeBufferPointer { members in
        var count = 0
        for place in groups.members(of: group) {
          let row = members[place]
          block[count] = row
          count += Int(words[Int(row >> 6)] >> UInt64(row & 63) & 1)
        }
        return count
      }
    }
  }

  static let block = 512
}
