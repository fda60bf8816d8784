public import BasisCore
import GRDB

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
  /// A condition over the table of records, with `?` for each argument.
  let sql: String
  let arguments: [Value]

  enum Value: Sendable, Hashable {
    case integer(Int64)
    case number(Double)
    case text(String)
  }

  /// - Throws: `.invalidArgument` naming the position and what was expected there.
  public init(_ source: String) throws(BasisError) {
    var parser = FilterParser(source)
    self.source = source
    sql = try parser.parse()
    arguments = parser.arguments
  }

  var databaseArguments: StatementArguments {
    StatementArguments(
      arguments.map { value -> any DatabaseValueConvertible in
        switch value {
        case .integer(let value): value
        case .number(let value): value
        case .text(let value): value
        }
      })
  }
}

/// Recursive descent over the filter's words, straight to SQL. Every leaf is 0 or 1, never null,
/// so that `not` means what a reader expects.
private struct FilterParser {
  private enum Token: Equatable {
    case word(String)
    case field(String)
    case text(String)
    case integer(Int64)
    case number(Double)
    case symbol(String)
    case end
  }

  private let source: String
  private var tokens: [(token: Token, position: Int)] = []
  private var next = 0
  private var depth = 0
  var arguments: [Filter.Value] = []

  init(_ source: String) { self.source = source }

  mutating func parse() throws(BasisError) -> String {
    try scan()
    let sql = try disjunction()
    guard peek == .end else { throw unexpected("'and', 'or' or the end") }
    return sql
  }

  // MARK: Grammar

  private mutating func disjunction() throws(BasisError) -> String {
    var sql = try conjunction()
    while take(word: "or") { sql = "(\(sql) OR \(try conjunction()))" }
    return sql
  }

  private mutating func conjunction() throws(BasisError) -> String {
    var sql = try negation()
    while take(word: "and") { sql = "(\(sql) AND \(try negation()))" }
    return sql
  }

  private mutating func negation() throws(BasisError) -> String {
    depth += 1
    defer { depth -= 1 }
    guard depth < 100 else {
      throw BasisError(.invalidArgument, "the filter is nested more than 100 deep")
    }
    if take(word: "not") { return "(NOT \(try negation()))" }
    if take(symbol: "(") {
      let sql = try disjunction()
      guard take(symbol: ")") else { throw unexpected("')'") }
      return sql
    }
    return try comparison()
  }

  private mutating func comparison() throws(BasisError) -> String {
    let field = try self.field()
    if take(word: "is") {
      let negated = take(word: "not")
      guard take(word: "null") else { throw unexpected("'null' or 'not null'") }
      return field.isNull(negated: negated)
    }
    if take(word: "starts") {
      guard take(word: "with") else { throw unexpected("'with'") }
      guard case .text(let prefix) = peek else { throw unexpected("a quoted text") }
      next += 1
      arguments += [.text(prefix), .text(prefix)]
      let value = field.value
      return field.guarded(
        type: "text", "substr(\(value), 1, length(?)) = ?")
    }
    if take(word: "contains") {
      let value = try literal()
      arguments.append(value.value)
      return """
        EXISTS (SELECT 1 FROM json_each(payload, \(field.path)) \
        WHERE type IN (\(value.types)) AND atom = ?)
        """
    }
    let negated = take(word: "not")
    if take(word: "in") {
      let choices = try list()
      let sql = choices.map { field.compare("=", $0) }.joined(separator: " OR ")
      arguments += choices.map(\.value)
      return negated ? "(\(field.isNull(negated: true)) AND NOT (\(sql)))" : "(\(sql))"
    }
    guard !negated else { throw unexpected("'in'") }
    guard case .symbol(let symbol) = peek, ["=", "!=", "<", "<=", ">", ">="].contains(symbol) else {
      throw unexpected("a comparison such as = or <, 'in', 'is', 'starts with' or 'contains'")
    }
    next += 1
    let value = try literal()
    arguments.append(value.value)
    return field.compare(symbol, value)
  }

  private mutating func list() throws(BasisError) -> [Literal] {
    guard take(symbol: "(") else { throw unexpected("'('") }
    var values = [try literal()]
    while take(symbol: ",") { values.append(try literal()) }
    guard take(symbol: ")") else { throw unexpected("',' or ')'") }
    return values
  }

  private struct Literal {
    let value: Filter.Value
    /// The JSON types that a field may have to be compared with it.
    let types: String
  }

  private mutating func literal() throws(BasisError) -> Literal {
    let token = peek
    next += 1
    switch token {
    case .text(let text): return Literal(value: .text(text), types: "'text'")
    case .integer(let value): return Literal(value: .integer(value), types: "'integer', 'real'")
    case .number(let value): return Literal(value: .number(value), types: "'integer', 'real'")
    case .word(let word) where word.lowercased() == "true" || word.lowercased() == "false":
      return Literal(
        value: .integer(word.lowercased() == "true" ? 1 : 0), types: "'true', 'false'")
    default:
      next -= 1
      throw unexpected("a number, a quoted text, true or false")
    }
  }

  private struct Field {
    let value: String
    let type: String
    let path: String

    func guarded(type types: String, _ condition: String) -> String {
      "coalesce(\(type) IN ('\(types)') AND \(condition), 0)"
    }
    func compare(_ symbol: String, _ literal: Literal) -> String {
      "coalesce(\(type) IN (\(literal.types)) AND \(value) \(symbol) ?, 0)"
    }
    func isNull(negated: Bool) -> String {
      negated ? "coalesce(\(type) <> 'null', 0)" : "coalesce(\(type) = 'null', 1)"
    }
  }

  private mutating func field() throws(BasisError) -> Field {
    let path: [String]
    switch peek {
    case .word("key"):
      next += 1
      return Field(value: "key", type: "'text'", path: "'$'")
    case .word(let word): path = word.split(separator: ".").map(String.init)
    case .field(let name): path = [name]
    default: throw unexpected("a field")
    }
    next += 1
    let quoted = path.map { "\"" + $0.replacing("\"", with: "\\\"") + "\"" }
    let literal = "'$." + quoted.joined(separator: ".").replacing("'", with: "''") + "'"
    return Field(
      value: "json_extract(payload, \(literal))", type: "json_type(payload, \(literal))",
      path: literal)
  }

  // MARK: Words

  private var peek: Token { tokens[next].token }

  private mutating func take(word: String) -> Bool {
    guard case .word(let found) = peek, found.lowercased() == word else { return false }
    next += 1
    return true
  }

  private mutating func take(symbol: String) -> Bool {
    guard peek == .symbol(symbol) else { return false }
    next += 1
    return true
  }

  private func unexpected(_ wanted: String) -> BasisError {
    let (token, position) = tokens[next]
    let found =
      switch token {
      case .word(let text), .field(let text), .symbol(let text): "'\(text)'"
      case .text(let text): "\"\(text)\""
      case .integer(let value): "\(value)"
      case .number(let value): "\(value)"
      case .end: "the end"
      }
    return BasisError(
      .invalidArgument,
      "the filter '\(source)' has \(found) at position \(position + 1) where \(wanted) is expected")
  }

  private mutating func scan() throws(BasisError) {
    let text = Array(source)
    var index = 0
    while index < text.count {
      let start = index
      let character = text[index]
      index += 1
      if character.isWhitespace { continue }
      if character == "\"" || character == "'" || character == "`" {
        var content = ""
        while index < text.count, text[index] != character {
          if text[index] == "\\", index + 1 < text.count { index += 1 }
          content.append(text[index])
          index += 1
        }
        guard index < text.count else {
          throw BasisError(
            .invalidArgument,
            "the filter '\(source)' has a quote at position \(start + 1) that is never closed")
        }
        index += 1
        tokens.append((character == "`" ? .field(content) : .text(content), start))
      } else if character.isLetter || character == "_" {
        while index < text.count,
          text[index].isLetter || text[index].isNumber || "_-.".contains(text[index])
        { index += 1 }
        tokens.append((.word(String(text[start..<index])), start))
      } else if character.isNumber || "+-.".contains(character) {
        while index < text.count, text[index].isNumber || ".eE+-".contains(text[index]) {
          index += 1
        }
        let digits = String(text[start..<index])
        if let value = Int64(digits) {
          tokens.append((.integer(value), start))
        } else if let value = Double(digits), value.isFinite {
          tokens.append((.number(value), start))
        } else {
          throw BasisError(
            .invalidArgument,
            "the filter '\(source)' has '\(digits)' at position \(start + 1), which is no number")
        }
      } else {
        var symbol = String(character)
        if index < text.count, ["<=", ">=", "!=", "<>", "=="].contains(symbol + [text[index]]) {
          symbol.append(text[index])
          index += 1
        }
        let standard = ["<>": "!=", "==": "="][symbol] ?? symbol
        tokens.append((.symbol(standard), start))
      }
    }
    tokens.append((.end, text.count))
  }
}
