import BasisCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension Filter.Condition {
  /// The records of a segment that the condition holds for; nil where columns cannot tell.
  ///
  /// - Parameter column: of a field, or nil if the segment has none of it.
  /// - Complexity: O(records + different values) for each comparison.
  func records(_ column: (Filter.Field) throws(BasisError) -> FilterColumn?) throws(BasisError)
    -> Bitmap?
  {
    func leaf(_ field: Filter.Field, _ isAsked: (FilterColumn.Value) -> Bool) throws(BasisError)
      -> Bitmap?
    {
      try column(field)?.records(where: isAsked)
    }
    func both(
      _ a: Filter.Condition, _ b: Filter.Condition, _ join: (inout Bitmap, Bitmap) -> Void
    ) throws(BasisError) -> Bitmap? {
      guard var left = try a.records(column), let right = try b.records(column) else { return nil }
      join(&left, right)
      return left
    }
    guard literals.allSatisfy(\.isPlain) else { return nil }
    switch self {
    case .and(let a, let b): return try both(a, b) { $0.formIntersection($1) }
    case .or(let a, let b): return try both(a, b) { $0.formUnion($1) }
    case .not(let a):
      var found = try a.records(column)
      found?.invert()
      return found
    case .compare(let field, let comparison, let literal):
      return try leaf(field) { $0.holds(comparison, literal) }
    case .isNull(let field): return try leaf(field) { $0.isNullOrMissing }
    case .isNotNull(let field): return try leaf(field) { !$0.isNullOrMissing }
    case .isIn(let field, let choices):
      return try leaf(field) { value in choices.contains { value.holds(.equal, $0) } }
    case .isNotIn(let field, let choices):
      return try leaf(field) { value in
        !value.isNullOrMissing && !choices.contains { value.holds(.equal, $0) }
      }
    case .startsWith(let field, let prefix):
      var prefix = prefix
      prefix.makeContiguousUTF8()
      return try leaf(field) { [utf8 = prefix.utf8] value in
        guard case .text(let text) = value else { return false }
        return text.starts(with: utf8)
      }
    case .contains(let field, let literal):
      // The elements of a list are not in the column; a value on its own is its own element.
      guard let column = try column(field), !column.hasNested else { return nil }
      return column.records { $0.holds(.equal, literal) }
    }
  }

  private var literals: [Filter.Literal] {
    switch self {
    case .compare(_, _, let literal), .contains(_, let literal): [literal]
    case .isIn(_, let choices), .isNotIn(_, let choices): choices
    case .startsWith(_, let prefix): [.text(prefix)]
    default: []
    }
  }
}

extension Filter.Literal {
  /// False for a text with a zero in it, at which SQLite stops reading arguments.
  fileprivate var isPlain: Bool {
    if case .text(let text) = self { !text.utf8.contains(0) } else { true }
  }
}

extension FilterColumn.Value {
  fileprivate var isNullOrMissing: Bool {
    switch self {
    case .missing, .null: true
    default: false
    }
  }

  /// A comparison holds only among values of one type, of which all numbers are one.
  fileprivate func holds(_ comparison: Filter.Comparison, _ literal: Filter.Literal) -> Bool {
    switch (self, literal) {
    case (.bool(let a), .bool(let b)):
      return comparison.holds((a ? 1 : 0) - (b ? 1 : 0))
    case (.integer(let a), .integer(let b)):
      return comparison.holds(a < b ? -1 : a > b ? 1 : 0)
    case (.integer(let a), .number(let b)): return comparison.holds(order(a, b))
    case (.real(let a), .integer(let b)): return comparison.holds(-order(b, a))
    case (.real(let a), .number(let b)): return comparison.holds(a < b ? -1 : a > b ? 1 : 0)
    case (.text(let a), .text(var b)):
      return b.withUTF8 { comparison.holds(compareBytes(a, $0)) }
    default: return false
    }
  }
}

extension Filter.Comparison {
  /// - Parameter order: below 0, 0 or above 0 as the left side is less, equal or greater.
  fileprivate func holds(_ order: Int) -> Bool {
    switch self {
    case .equal: order == 0
    case .unequal: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }
}

/// The order of an integer and a double, without rounding either.
private func order(_ a: Int64, _ b: Double) -> Int {
  if b < -0x1p63 { return 1 }
  if b >= 0x1p63 { return -1 }
  let whole = Int64(b)
  if a != whole { return a < whole ? -1 : 1 }
  let fraction = b - Double(whole)
  return fraction > 0 ? -1 : fraction < 0 ? 1 : 0
}

/// By bytes, then by length, as SQLite compares texts.
private func compareBytes(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Int {
  let common = min(a.count, b.count)
  if common > 0, let a = a.baseAddress, let b = b.baseAddress {
    let order = memcmp(a, b, common)
    if order != 0 { return Int(order) }
  }
  return a.count - b.count
}
