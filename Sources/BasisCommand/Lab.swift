import ArgumentParser
import BasisCore
import BasisFormats
import BasisLab

struct Lab: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure what the papers claim.",
    discussion: """
      EXAMPLES
        basis lab list
        basis lab run 186
        basis lab run --all --quick --ledger claims.json
        basis lab report claims.json -o claims

      A claim is a statement of a paper with the rule that decides it: pass, fail or inconclusive, as
      measured over several seeds.
      """, subcommands: [LabList.self, LabRun.self, LabReport.self])
}

struct LabList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the claims.",
    discussion: """
      EXAMPLES
        basis lab list
        basis lab list --json
      """)

  @OptionGroup var output: OutputOptions

  func run() throws {
    let statements = ClaimCatalogue.claims.map { type(of: $0).statement }
    if output.json {
      try output.print(json: .object(["claims": .array(statements.map(Self.json))]))
      return
    }
    let width = max(40, terminalWidth() - 14)
    var text = ""
    for statement in statements {
      let id = "\(statement.id)"
      text += String(repeating: " ", count: max(0, 4 - id.count)) + id
      text += "  \(padded(statement.cost.rawValue, to: 6))"
      let lines = wrapped(statement.title, at: width)
      text += lines.joined(separator: "\n" + String(repeating: " ", count: 12)) + "\n"
    }
    try writeToStandardOutput(text)
  }

  private static func json(_ statement: ClaimStatement) -> JSONValue {
    .object([
      "id": .integer(Int64(statement.id)), "title": .string(statement.title),
      "paper": .string(statement.paper), "baseline": .string(statement.baseline),
      "data": .string(statement.data),
      "accepts": statement.accepts.map { .string($0.rawValue) } ?? .null,
      "cost": .string(statement.cost.rawValue), "seeds": .integer(Int64(statement.seedCount)),
      "broken": .string(statement.breaking),
    ])
  }
}

/// A text in lines of at most so many characters, broken between words.
func wrapped(_ text: String, at width: Int) -> [String] {
  var lines: [String] = [""]
  for word in text.split(separator: " ") {
    if let last = lines.last, !last.isEmpty, last.count + 1 + word.count > width {
      lines.append(String(word))
    } else {
      lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    }
  }
  return lines
}
