import ArgumentParser
import BasisCollections
import BasisCore
import BasisFormats
import BasisSearch
import BasisStorage

struct Search: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find the records of a collection that fit a text, a key or a vector best.",
    discussion: """
      EXAMPLES
        basis search packages "how to shrink files" -k 5
        basis search packages "shell" --mode lexical --where 'section = "utils" and size < 100000'

      Lexical search scores shared words (BM25); dense search compares vectors; hybrid, the default,
      joins both by a weighted sum of their scores.
      """)

  @Argument(help: "The collection.")
  var name: String

  @Argument(help: "The text to look for.")
  var query: String?

  @Option(help: "Look for what is like the record with this key.")
  var key: String?

  @Option(
    help: ArgumentHelp(
      "Look for a vector: a JSON list of numbers or a NumPy array; - is standard input.",
      valueName: "file"))
  var vector: String?

  @Option(help: "How to search: \(SearchMode.names).")
  var mode: SearchMode = .hybrid

  @Option(name: .short, help: "How many hits.")
  var k = 10

  @Option(help: "Only records that meet a condition, as in 'size < 100 and section = \"utils\"'.")
  var `where`: String?

  @Option(help: "Say of the lexical side in a hybrid search, 0 to 1 (default: by the encoder).")
  var lexicalWeight: Double?

  @Option(help: "At most one hit for each value of a payload field.")
  var groupBy: String?

  @Option(help: "The share of the nearest vectors to find, 0 to 1 (default: 0.98); 1 compares all.")
  var recall: Double?

  @Flag(help: "Say how the answer was found and what each score is made of.")
  var explain = false

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    guard [query != nil, key != nil, vector != nil].filter({ $0 }).count == 1 else {
      throw ValidationError("give a text to look for, --key or --vector, one of them")
    }
    if let lexicalWeight, !(0...1).contains(lexicalWeight) {
      throw ValidationError("--lexical-weight must be in 0 ... 1, not \(lexicalWeight)")
    }
    if let recall, !(0...1).contains(recall) {
      throw ValidationError("--recall must be in 0 ... 1, not \(recall)")
    }
    if k < 1 { throw ValidationError("-k must be at least 1, not \(k)") }
  }

  func run() throws {
    let collection = try VectorCollection(data.folder(name), for: .read)
    var request = SearchRequest(.text(query ?? ""))
    request.mode = mode
    if let key { request.query = .key(key) }
    if let vector {
      request.query = .vector(try MatrixSource(path: vector).vector())
      request.mode = .dense
    }
    request.k = k
    request.filter = try `where`.map { source throws(BasisError) in try Filter(source) }
    request.groupField = groupBy
    request.lexicalWeight = lexicalWeight
    if let recall { request.effort = recall == 1 ? .exact : .recall(recall) }
    request.explains = explain
    let result = try collection.search(request, in: work.context())
    if output.json {
      try output.print(json: result.json)
      return
    }
    var text = ""
    let width = max(40, terminalWidth())
    for (index, hit) in result.hits.enumerated() {
      let head = "\(aligned("\(index + 1)", in: 3))  \(decimal(Double(hit.score), 4))  \(hit.key)"
      let room = max(20, width - head.count - 2)
      text += "\(head)  \(excerpt(hit.text, of: room, without: hit.key))\n"
      for line in hit.explanation { text += "        \(line)\n" }
    }
    try writeToStandardOutput(text)
    if result.hits.isEmpty { output.remark("nothing found") }
    output.remark(
      "\(result.hits.count) \(result.hits.count == 1 ? "hit" : "hits") in \(duration(result.seconds)), \(result.plan.summary)"
    )
    if explain { for step in result.plan.steps { output.remark("  \(step)") } }
  }
}

extension SearchMode: ExpressibleByArgument {
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension SearchResult {
  var json: JSONValue {
    get throws(BasisError) {
      var list: [JSONValue] = []
      for hit in hits {
        var object: [String: JSONValue] = [
          "key": .string(hit.key), "score": .number(Double(hit.score)),
          "payload": try JSONValue(parsing: hit.payload),
        ]
        if !hit.explanation.isEmpty {
          object["explanation"] = .array(hit.explanation.map { .string($0) })
        }
        list.append(.object(object))
      }
      return .object([
        "hits": .array(list), "seconds": .number(seconds),
        "plan": .object([
          "summary": .string(plan.summary), "steps": .array(plan.steps.map { .string($0) }),
        ]),
      ])
    }
  }
}
