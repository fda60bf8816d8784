import BasisCore
import BasisFormats
import BasisSearch
import BasisText
import Foundation
import Testing

/// A judged collection of the retrieval literature, read where it lies.
private struct JudgedCollection {
  var texts: [String] = []
  var queries: [String] = []
  /// By query: the gain of each relevant document, by its number.
  var gains: [[Int: Double]] = []

  static var folder: String {
    if let given = ProcessInfo.processInfo.environment["BASIS_DATA"] { return given }
    // Tests/BasisSearchTests/this file, then up to the package and beside it.
    var root = URL(filePath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    return root.appending(path: "shared/data").path()
  }

  static func path(_ name: String) -> String { folder + "/" + name }

  static func isThere(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: path(name))
  }

  /// SciFact in BEIR's layout; the document is title and text.
  static func scifact(_ split: String) throws -> JudgedCollection {
    var result = JudgedCollection()
    var rows: [String: Int] = [:]
    var reader = try RecordSource(path: path("retrieval-scifact/corpus.jsonl.gz")).makeReader()
    while let record = try reader.next() {
      rows[record.fields["_id"]?.stringValue ?? ""] = result.texts.count
      let title = record.fields["title"]?.stringValue ?? ""
      result.texts.append(title + " " + (record.fields["text"]?.stringValue ?? ""))
    }
    var gains: [String: [Int: Double]] = [:]
    let judgements = try String(
      contentsOfFile: path("retrieval-scifact/qrels-\(split).tsv"), encoding: .utf8)
    for line in judgements.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: "\t").map(String.init)
      if let row = rows[fields[1]] { gains[fields[0], default: [:]][row] = Double(fields[2]) }
    }
    reader = try RecordSource(path: path("retrieval-scifact/queries.jsonl.gz")).makeReader()
    while let record = try reader.next() {
      guard let judged = gains[record.fields["_id"]?.stringValue ?? ""] else { continue }
      result.queries.append(record.fields["text"]?.stringValue ?? "")
      result.gains.append(judged)
    }
    return result
  }

  /// Cranfield in the SMART layout: grades 1 … 4, 1 is best; queries numbered by their order.
  static func cranfield() throws -> JudgedCollection {
    var result = JudgedCollection()
    result.texts = try smart("cran.all.1400.gz")
    result.queries = try smart("cran.qry")
    result.gains = Array(repeating: [:], count: result.queries.count)
    let judgements = try String(
      contentsOfFile: path("retrieval-cranfield/cranqrel"), encoding: .utf8)
    for line in judgements.split(separator: "\n") {
      let fields = line.split(separator: " ").compactMap { Int($0) }
      if (1...4).contains(fields[2]) {
        result.gains[fields[0] - 1][fields[1] - 1] = Double(5 - fields[2])
      }
    }
    return result
  }

  private static func smart(_ name: String) throws -> [String] {
    var texts: [String] = []
    var field = ""
    var reader = try RecordSource(path: path("retrieval-cranfield/" + name), format: .text)
      .makeReader()
    while let record = try reader.next() {
      for line in (record.fields["text"]?.stringValue ?? "").split(separator: "\n") {
        if line.hasPrefix(".I ") {
          texts.append("")
          field = ""
        } else if line.hasPrefix("."), line.count == 2 {
          field = String(line)
        } else if field == ".T" || field == ".W" {
          texts[texts.count - 1] += line + " "
        }
      }
    }
    return texts
  }

  /// The mean nDCG@10, with linear gains, over queries that have a relevant document.
  func ndcg(_ rankings: [[Int]]) -> Double {
    var sum = 0.0
    var count = 0.0
    for (ranking, gains) in zip(rankings, gains) where gains.contains(where: { $0.value > 0 }) {
      func discounted(_ values: some Sequence<Double>) -> Double {
        values.enumerated().reduce(0) { $0 + $1.element / log2(Double($1.offset) + 2) }
      }
      let ideal = discounted(gains.values.sorted(by: >).prefix(10))
      sum += discounted(ranking.prefix(10).map { gains[$0] ?? 0 }) / ideal
      count += 1
    }
    return sum / count
  }
}

/// Whether loops run at their proper speed.
private let isOptimized: Bool = {
  #if DEBUG
    false
  #else
    true
  #endif
}()

@Suite(
  .serialized,
  .enabled(
    if: JudgedCollection.isThere("retrieval-scifact"),
    "no data in \(JudgedCollection.folder); BASIS_DATA names the folder"),
  .enabled(
    if: isOptimized || ProcessInfo.processInfo.environment["BASIS_SLOW_TESTS"] == "1",
    "slow in a debug build: swift test -c release, or set BASIS_SLOW_TESTS=1"))
struct RetrievalQualityTests {
  private struct Scores {
    var lexical: Double
    var dense: Double
    var hybrid: Double
    var reciprocalRanks: Double
  }

  private func measure(_ name: String, _ collection: JudgedCollection) throws -> Scores {
    let clock = ContinuousClock()
    let run = RunContext()
    var index: LexicalIndex?
    let indexing = clock.measure {
      var builder = LexicalIndexBuilder()
      for text in collection.texts { builder.add(text) }
      index = builder.makeIndex()
    }
    let lexicalIndex = try #require(index)
    var lexical: [[Neighbor]] = []
    let lexicalSearch = try clock.measure {
      lexical = try collection.queries.map {
        try lexicalIndex.search(lexicalIndex.makeQuery($0), k: 100)
      }
    }
    var model: CorpusEncoderModel?
    let fitting = try clock.measure {
      model = try CorpusEncoder().fit(collection.texts, in: run)
    }
    let encoder = try #require(model)
    var rows = Matrix(rowCount: 0, columnCount: 0)
    let encoding = try clock.measure {
      rows = try encoder.encode(collection.texts, as: .document, in: run)
    }
    let flat = try FlatIndex(rows, metric: .cosine)
    let queries = try encoder.encode(collection.queries, as: .query, in: run)
    var dense: [[Neighbor]] = []
    let denseSearch = try clock.measure { dense = try flat.search(queries, k: 100) }
    let hybrid = try zip(lexical, dense).map {
      try HybridFusion().fuse(lexical: $0, dense: $1, metric: .cosine, k: 10).map(\.id)
    }
    let reciprocal = try zip(lexical, dense).map { try Fusion().fuse([$0, $1], k: 10).map(\.id) }
    let scores = Scores(
      lexical: collection.ndcg(lexical.map { $0.map(\.id) }),
      dense: collection.ndcg(dense.map { $0.map(\.id) }), hybrid: collection.ndcg(hybrid),
      reciprocalRanks: collection.ndcg(reciprocal))
    func rate(_ count: Int, _ time: Duration) -> Int { Int(Double(count) / (time / .seconds(1))) }
    print(
      """
      \(name): nDCG@10 lexical \(scores.lexical), dense (\(encoder.space.dimension)) \
      \(scores.dense), hybrid \(scores.hybrid), by ranks \(scores.reciprocalRanks)
      \(name): \(rate(collection.texts.count, indexing)) documents/s indexed in \
      \(lexicalIndex.byteCount) bytes, fitted in \(fitting), \
      \(rate(collection.texts.count, encoding)) documents/s encoded, \
      \(rate(collection.queries.count, lexicalSearch)) lexical queries/s, \
      \(rate(collection.queries.count, denseSearch)) dense queries/s in one batch
      """)
    return scores
  }

  @Test func `SciFact: lexical, dense and hybrid find what was judged relevant`() throws {
    let scores = try measure("SciFact", .scifact("test"))
    #expect(scores.lexical >= 0.67)
    #expect(scores.dense >= 0.52)
    #expect(scores.hybrid >= 0.68)
  }

  @Test func `Cranfield: lexical, dense and hybrid find what was judged relevant`() throws {
    let scores = try measure("Cranfield", .cranfield())
    #expect(scores.lexical >= 0.36)
    #expect(scores.dense >= 0.39)
    #expect(scores.hybrid >= 0.38)
  }
}
