public import BasisCore

/// A condition on payload fields, as in `section = "utils" and size < 100`.
///
/// Comparisons `=`, `!=`, `<`, `<=`, `>`, `>=`; `field in (1, 2)`; `field starts with "x"`;
/// `field contains "x"` for lists; `field is null`, `field is not null`; `and`, `or`, `not`,
/// parentheses. Values are numbers, quoted texts, `true` and `false`; ISO dates compare as texts.
/// A field may be a path, `author.name`, and in backquotes if it has other characters; `key` in
/// backquotes is the payload's field, bare `key` the record's key.
///
/// A comparison holds only where the field is there and of the value's type: numbers compare with
/// numbers, texts with texts. So `size > 3` and `not size <= 3` differ on records without a size.
public struct Filter: Sendable, Hashable {
  public let source: String
  let condition: Condition

  /// - Throws: `.invalidArgument` naming the position and what was expected there.
  public init(_ source: String) throws(BasisError) {
    var parser = FilterParser(source)
    self.source = source
    condition = try parser.parse()
  }

  /// What a filter asks of one record.
  indirect enum Condition: Sendable, Hashable {
    case and(Condition, Condition)
    case or(Condition, Condition)
    case not(Condition)
    case compare(Field, Comparison, Literal)
    case isNull(Field)
    case isNotNull(Field)
    case isIn(Field, [Literal])
    /// Holds only where the field is there and not null.
    case isNotIn(Field, [Literal])
    case startsWith(Field, String)
    case contains(Field, Literal)
  }

  enum Field: Sendable, Hashable {
    /// The record's key.
    case key
    /// Names from the payload inwards.
    case payload([String])
  }

  enum Comparison: String, Sendable, Hashable {
    case equal = "="
    case unequal = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
  }

  enum Literal: Sendable, Hashable {
    case integer(Int64)
    case number(Double)
    case text(String)
    case bool(Bool)
  }
}
