public import BasisCore

/// Columns made of several: a value for each combination of values.
///
/// A table of *d* columns has C(*d*, *m*) combinations of order *m*. Of more than the limit, each batch takes
/// the next ones in an order that is fixed and looks random, so that none comes a second time before all
/// have come once.
public struct FeatureCombiner: Settings {
  /// Columns in a combination, 2 … 4.
  public var order: Int
  /// Combinations a batch, at least 1.
  public var limit: Int

  public init(order: Int = 2, limit: Int = 1 << 15) {
    self.order = order
    self.limit = limit
  }

  /// How many combinations `columnCount` columns have; `Int.max` where there are more.
  public func count(of columnCount: Int) -> Int { Self.binomial(columnCount, order) }

  /// The combinations of a batch, each as rising numbers of columns; in rising order.
  ///
  /// - Throws: `.invalidArgument` for settings out of range.
  /// - Complexity: O(limit · order · columns).
  public func combinations(of columnCount: Int, batch: Int = 0) throws(BasisError) -> [[Int]] {
    guard (2...4).contains(order), limit >= 1 else {
      throw BasisError(
        .invalidArgument,
        "the order of combinations is 2, 3 or 4 and their limit at least 1; got \(order) and \(limit)"
      )
    }
    let count = count(of: columnCount)
    guard count > limit else { return (0..<count).map { unrank($0, of: columnCount) } }
    // A step of the golden ratio that no divisor is shared with visits all, far ones in turn.
    var step = max(1, Int(Double(count) * 0.618_033_988_749_895))
    while Self.greatestDivisor(step, count) != 1 { step += 1 }
    var place = Self.product(Self.product(batch % count, limit, modulo: count), step, modulo: count)
    var ranks: [Int] = []
    for _ in 0..<limit {
      ranks.append(place)
      let next = UInt(place) + UInt(step)
      place = Int(next % UInt(count))
    }
    return ranks.sorted().map { unrank($0, of: columnCount) }
  }

  /// A column of the values of several, taken together; a value's name is a keyed hash of theirs, so that
  /// it is the same in another batch and another file.
  ///
  /// - Parameters:
  ///   - columns: of equal length.
  ///   - hash: names the values.
  /// - Throws: `.invalidArgument` for fewer than two columns; `.dimensionMismatch` for lengths that differ.
  public static func column(
    joining columns: [CategoricalColumn], hash: KeyedHash = KeyedHash()
  ) throws(BasisError) -> CategoricalColumn {
    guard columns.count >= 2 else {
      throw BasisError(.invalidArgument, "a combination has two columns at least")
    }
    _ = try CategoricalTable(columns)
    let joint = joined(columns.map { CountedColumn($0) })
    var names: [UInt32: String] = [:]
    return CategoricalColumn(
      name(of: columns.map(\.name)),
      cells: joint.codes.indices.lazy.map { row -> String? in
        let code = joint.codes[row]
        if let known = names[code] { return known }
        // A missing value is a field of its own, and not the empty text.
        let fields = columns.flatMap { column -> [String] in
          let value = column.dictionary.value(of: column.codes[row])
          return [value == nil ? "0" : "1", value ?? ""]
        }
        let text = String(hash.hash(fields), radix: 16)
        names[code] = text
        return text
      })
  }

  static func name(of columns: [String]) -> String { columns.joined(separator: " × ") }

  static func joined(_ columns: [CountedColumn]) -> CountedColumn {
    columns.dropFirst().reduce(columns[0]) { $0.joined(with: $1) }
  }

  /// The combination of a rank, by the combinatorial number system.
  private func unrank(_ rank: Int, of columnCount: Int) -> [Int] {
    var rest = rank
    var top = columnCount
    var result: [Int] = []
    for size in stride(from: order, through: 1, by: -1) {
      var column = top - 1
      while Self.binomial(column, size) > rest { column -= 1 }
      result.append(column)
      rest -= Self.binomial(column, size)
      top = column
    }
    return result.reversed()
  }

  static func binomial(_ n: Int, _ k: Int) -> Int {
    guard k <= n, k >= 0 else { return 0 }
    var result = 1
    for step in 0..<k {
      let (product, overflow) = result.multipliedReportingOverflow(by: n - step)
      if overflow { return .max }
      result = product / (step + 1)
    }
    return result
  }

  /// Of factors below the modulus.
  private static func product(_ a: Int, _ b: Int, modulo count: Int) -> Int {
    let product = UInt(a).multipliedFullWidth(by: UInt(b))
    return Int(UInt(count).dividingFullWidth(product).remainder)
  }

  private static func greatestDivisor(_ a: Int, _ b: Int) -> Int {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
  }
}
