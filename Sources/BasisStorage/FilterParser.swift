import BasisCore

/// Recursive descent over a filter's words.
struct FilterParser {
  private typealias Condition = Filter.Condition
  private typealias Field = Filter.Field
  private typealias Literal = Filter.Literal

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

  init(_ source: String) { self.source = source }

  mutating func parse() throws(BasisError) -> Filter.Condition {
    try scan()
    let condition = try disjunction()
    guard peek == .end else { throw unexpected("'and', 'or' or the end") }
    return condition
  }

  // MARK: Grammar

  private mutating func disjunction() throws(BasisError) -> Condition {
    var condition = try conjunction()
    while take(word: "or") { condition = .or(condition, try conjunction()) }
    return condition
  }

  private mutating func conjunction() throws(BasisError) -> Condition {
    var condition = try negation()
    while take(word: "and") { condition = .and(condition, try negation()) }
    return condition
  }

  private mutating func negation() throws(BasisError) -> Condition {
    depth += 1
    defer { depth -= 1 }
    guard depth < 100 else {
      throw BasisError(.invalidArgument, "the filter is nested more than 100 deep")
    }
    if take(word: "not") { return .not(try negation()) }
    if take(symbol: "(") {
      let condition = try disjunction()
      guard take(symbol: ")") else { throw unexpected("')'") }
      return condition
    }
    return try comparison()
  }

  private mutating func comparison() throws(BasisError) -> Condition {
    let field = try self.field()
    if take(word: "is") {
      let negated = take(word: "not")
      guard take(word: "null") else { throw unexpected("'null' or 'not null'") }
      return negated ? .isNotNull(field) : .isNull(field)
    }
    if take(word: "starts") {
      guard take(word: "with") else { throw unexpected("'with'") }
      guard case .text(let prefix) = peek else { throw unexpected("a quoted text") }
      next += 1
      return .startsWith(field, prefix)
    }
    if take(word: "contains") {
      return .contains(field, try literal())
    }
    let negated = take(word: "not")
    if take(word: "in") {
      let choices = try list()
      return negated ? .isNotIn(field, choices) : .isIn(field, choices)
    }
    guard !negated else { throw unexpected("'in'") }
    guard case .symbol(let symbol) = peek, let comparison = Filter.Comparison(rawValue: symbol)
    else {
      throw unexpected("a comparison such as = or <, 'in', 'is', 'starts with' or 'contains'")
    }
    next += 1
    return .compare(field, comparison, try literal())
  }

  private mutating func list() throws(BasisError) -> [Literal] {
    guard take(symbol: "(") else { throw unexpected("'('") }
    var values = [try literal()]
    while take(symbol: ",") { values.append(try literal()) }
    guard take(symbol: ")") else { throw unexpected("',' or ')'") }
    return values
  }

  private mutating func literal() throws(BasisError) -> Literal {
    let token = peek
    next += 1
    switch token {
    case .text(let text): return .text(text)
    case .integer(let value): return .integer(value)
    case .number(let value): return .number(value)
    case .word(let word) where word.lowercased() == "true" || word.lowercased() == "false":
      return .bool(word.lowercased() == "true")
    default:
      next -= 1
      throw unexpected("a number, a quoted text, true or false")
    }
  }

  private mutating func field() throws(BasisError) -> Field {
    let field: Field
    switch peek {
    case .word("key"): field = .key
    case .word(let word): field = .payload(word.split(separator: ".").map(String.init))
    case .field(let name): field = .payload([name])
    default: throw unexpected("a field")
    }
    next += 1
    return field
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
