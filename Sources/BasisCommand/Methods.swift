import ArgumentParser
import BasisCore
import BasisFormats
import BasisLab

struct Methods: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the methods, by room.",
    discussion: """
      EXAMPLES
        basis methods
        basis methods measures
        basis methods --json
      """)

  @Argument(help: "Only those of a room, such as codecs or measures.")
  var room: String?

  @Flag(help: "Print the page METHODS.md.")
  var markdown = false

  @OptionGroup var output: OutputOptions

  func run() throws {
    if markdown { return try writeToStandardOutput(MethodCatalogue.markdown) }
    let methods = try MethodCatalogue.methods(in: room)
    if output.json {
      try output.print(json: .object(["methods": .array(methods.map(Self.json))]))
      return
    }
    var text = ""
    var last = ""
    for method in methods {
      if method.room != last { text += "\(last.isEmpty ? "" : "\n")\(method.room)\n" }
      last = method.room
      let name = padded(method.name, to: 20)
      let id = method.id.map { "\($0)" } ?? ""
      text += "  \(String(repeating: " ", count: 3 - id.count))\(id)  \(name) \(method.summary)\n"
    }
    try writeToStandardOutput(text)
  }

  private static func json(_ method: MethodDescriptor) -> JSONValue {
    .object([
      "id": method.id.map { .integer(Int64($0)) } ?? .null, "name": .string(method.name),
      "room": .string(method.room), "kind": .string(method.kind.rawValue),
      "verb": method.verb.isEmpty ? .null : .string(method.verb), "type": .string(method.type),
      "summary": .string(method.summary), "oracle": .string(method.oracle),
      "limits": .string(method.limits),
      "claim": method.id.flatMap(ClaimCatalogue.find).map {
        .string(type(of: $0).statement.title)
      } ?? .null,
      "paper": .object([
        "title": .string(method.paper.title), "authors": .string(method.paper.authors),
        "year": .integer(Int64(method.paper.year)), "identifier": .string(method.paper.identifier),
      ]),
    ])
  }
}
