import GRDB

extension Filter {
  /// A condition over the table of records, with `?` for each argument.
  var sql: String {
    var arguments: [Literal] = []
    return condition.sql(&arguments)
  }

  var databaseArguments: StatementArguments {
    var arguments: [Literal] = []
    _ = condition.sql(&arguments)
    return StatementArguments(
      arguments.map { value -> any DatabaseValueConvertible in
        switch value {
        case .integer(let value): value
        case .number(let value): value
        case .text(let value): value
        case .bool(let value): value ? 1 : 0
        }
      })
  }
}

extension Filter.Condition {
  /// Every leaf is 0 or 1, never null, so that `not` means what a reader expects.
  fileprivate func sql(_ arguments: inout [Filter.Literal]) -> String {
    switch self {
    case .and(let a, let b): return "(\(a.sql(&arguments)) AND \(b.sql(&arguments)))"
    case .or(let a, let b): return "(\(a.sql(&arguments)) OR \(b.sql(&arguments)))"
    case .not(let a): return "(NOT \(a.sql(&arguments)))"
    case .compare(let field, let comparison, let literal):
      arguments.append(literal)
      return field.compare(comparison, literal)
    case .isNull(let field): return "coalesce(\(field.type) = 'null', 1)"
    case .isNotNull(let field): return field.isNotNull
    case .isIn(let field, let choices):
      arguments += choices
      return field.equalsOne(of: choices)
    case .isNotIn(let field, let choices):
      arguments += choices
      return "(\(field.isNotNull) AND NOT \(field.equalsOne(of: choices)))"
    case .startsWith(let field, let prefix):
      arguments += [.text(prefix), .text(prefix)]
      return
        "coalesce(\(field.type) IN ('text') AND substr(\(field.value), 1, length(?)) = ?, 0)"
    case .contains(let field, let literal):
      arguments.append(literal)
      return """
        EXISTS (SELECT 1 FROM json_each(payload, \(field.path)) \
        WHERE type IN (\(literal.types)) AND atom = ?)
        """
    }
  }
}

extension Filter.Field {
  var value: String {
    switch self {
    case .key: "key"
    case .payload: "json_extract(payload, \(path))"
    }
  }

  var type: String {
    switch self {
    case .key: "'text'"
    case .payload: "json_type(payload, \(path))"
    }
  }

  /// As SQLite's JSON functions want it, quoted.
  var path: String {
    guard case .payload(let names) = self else { return "'$'" }
    let quoted = names.map { "\"" + $0.replacing("\"", with: "\\\"") + "\"" }
    return "'$." + quoted.joined(separator: ".").replacing("'", with: "''") + "'"
  }

  fileprivate var isNotNull: String { "coalesce(\(type) <> 'null', 0)" }

  fileprivate func compare(_ comparison: Filter.Comparison, _ literal: Filter.Literal) -> String {
    "coalesce(\(type) IN (\(literal.types)) AND \(value) \(comparison.rawValue) ?, 0)"
  }

  fileprivate func equalsOne(of choices: [Filter.Literal]) -> String {
    "(" + choices.map { compare(.equal, $0) }.joined(separator: " OR ") + ")"
  }
}

extension Filter.Literal {
  /// The JSON types that a field may have to be compared with it.
  fileprivate var types: String {
    switch self {
    case .text: "'text'"
    case .integer, .number: "'integer', 'real'"
    case .bool: "'true', 'false'"
    }
  }
}
