import BasisCore
import BasisFormats
import BasisSearch
import BasisText
import Foundation
import Testing
import _BasisTestSupport

private let plain = Analyzer(stopWords: .none, stemming: .none)

/// Texts of words that are the rarer the higher their number.
private func randomTexts(_ count: Int, vocabulary: Int = 30, seed: UInt64) -> [String] {
  var generator = RandomGenerator(seed: seed)
  return (0..<count).map { _ in
    (0..<generator.nextInt(below: 40)).map { _ in
      let x = generator.nextDouble()
      return "w\(Int(Double(vocabulary) * x * x))"
    }.joined(separator: " ")
  }
}

private func makeIndex(_ texts: some Sequence<String>, _ scoring: BM25 = BM25()) -> LexicalIndex {
  var builder = LexicalIndexBuilder(analyzer: plain)
  for text in texts { builder.add(text) }
  var index = builder.makeIndex()
  index.scoring = scoring
  return index
}

/// The formula of ``BM25``, written down once more, in `Double`; 0 for documents without a term.
private func naiveScores(_ texts: [String], _ query: String, _ scoring: BM25) -> [Double] {
  let documents = texts.map { $0.split(separator: " ").map(String.init) }
  let average = Double(documents.reduce(0) { $0 + $1.count }) / Double(documents.count)
  return documents.map { document in
    query.split(separator: " ").reduce(0) { sum, term in
      let tf = Double(document.count { $0 == term })
      let df = Double(documents.count { $0.contains(String(term)) })
      let idf = log(1 + (Double(documents.count) - df + 0.5) / (df + 0.5))
      let length = 1 - scoring.b + scoring.b * Double(document.count) / average
      return tf == 0 ? sum : sum + idf * tf / (tf + scoring.k1 * length)
    }
  }
}

@Suite struct LexicalIndexTests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      var k1: Double
      var b: Double
      var scores: [[Double]]
    }
    var tolerance: Double
    var documents: [String]
    var queries: [String]
    var cases: [Case]
  }

  @Test func `scores are those of another implementation`() throws {
    let fixture = try fixture("bm25", as: Fixture.self)
    for expected in fixture.cases {
      let index = makeIndex(fixture.documents, BM25(k1: expected.k1, b: expected.b))
      for (query, scores) in zip(fixture.queries, expected.scores) {
        let found = try index.search(index.makeQuery(query), k: 1000)
        #expect(found.count == scores.count { $0 > 0 })
        for neighbor in found {
          let score = scores[neighbor.id]
          #expect(abs(Double(-neighbor.distance) - score) < fixture.tolerance * max(1, score))
        }
      }
    }
  }

  @Test(arguments: 0..<20) func `scores are those of the formula`(seed: UInt64) throws {
    let texts = randomTexts(60, seed: seed)
    let scoring = BM25(k1: Double(seed % 4) * 0.6, b: Double(seed % 5) / 4)
    let index = makeIndex(texts, scoring)
    for query in ["w0", "w3 w7 w3", "w29 w28 w1 w2", "unknown w5", "unknown", ""] {
      let scores = naiveScores(texts, query, scoring)
      let found = try index.search(index.makeQuery(query), k: 100)
      #expect(Set(found.map(\.id)) == Set(scores.indices.filter { scores[$0] > 0 }))
      for neighbor in found {
        #expect(abs(Double(-neighbor.distance) - scores[neighbor.id]) < 1e-5)
      }
      for neighbor in found.prefix(5) {
        let parts = try index.explain(neighbor.id, for: index.makeQuery(query))
        #expect(parts.reduce(0) { $0 + $1.score } == -neighbor.distance)
        for part in parts {
          let words = texts[neighbor.id].split(separator: " ")
          #expect(part.frequency == words.count { $0 == part.term })
        }
      }
    }
  }

  @Test(arguments: 0..<10) func `segments with summed statistics are one index`(seed: UInt64) throws
  {
    let texts = randomTexts(90, seed: seed)
    let whole = makeIndex(texts)
    let bounds = [0, 17, 17, 50, 90]
    let segments = zip(bounds, bounds.dropFirst()).map { makeIndex(texts[$0..<$1]) }
    for query in ["w0 w1", "w12 w29 w12", "w4"] {
      let query = whole.makeQuery(query)
      let statistics = try segments.map { try $0.statistics(for: query) }
      let sum = statistics.dropFirst().reduce(statistics[0], +)
      #expect(try sum == whole.statistics(for: query))
      var best = TopK(k: 20)
      for (start, segment) in zip(bounds, segments) {
        for hit in try segment.search(query, k: 20, statistics: sum) {
          best.offer(Neighbor(id: start + hit.id, distance: hit.distance))
          let parts = try segment.explain(hit.id, for: query, statistics: sum)
          #expect(parts.reduce(0) { $0 + $1.score } == -hit.distance)
        }
      }
      #expect(try best.sorted() == whole.search(query, k: 20))
    }
  }

  @Test func `it keeps the promises of a search index`() throws {
    let texts = randomTexts(50, seed: 3)
    let queries = ["w0 w1", "w3", "w20 w2", "unknown"].map { LexicalQuery($0, analyzer: plain) }
    try checkSearchIndex(rowCount: 50, queryCount: 4) { order in
      let index = makeIndex(order.map { texts[$0] })
      return { try index.search($0.map { queries[$0] }, k: $1, allowing: $2, in: $3) }
    }
  }

  @Test func `a written index answers as the one in memory`() throws {
    let texts = randomTexts(70, seed: 5) + ["", "Ünïcode ünïcode straße", ""]
    var builder = LexicalIndexBuilder(analyzer: plain)
    for text in texts { builder.add(text) }
    let path = temporaryPath("lexical")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let writer = try ContainerWriter(path: path, kind: "test", version: 1)
    try builder.write(to: writer, prefix: "a/")
    try LexicalIndexBuilder(analyzer: Analyzer()).write(to: writer, prefix: "b/")
    try writer.finish()

    let container = try Container(path: path, kind: "test", maximumVersion: 1)
    let memory = builder.makeIndex()
    let opened = try LexicalIndex(from: container, prefix: "a/")
    #expect(opened.analyzer == plain)
    #expect(opened.count == 73)
    #expect(opened.termCount == memory.termCount)
    #expect(opened.totalLength == memory.totalLength)
    for text in ["w1 w2", "ünïcode", "w29 straße", "nothing"] {
      let query = memory.makeQuery(text)
      #expect(try opened.search(query, k: 9) == memory.search(query, k: 9))
      #expect(try opened.statistics(for: query) == memory.statistics(for: query))
    }
    let empty = try LexicalIndex(from: container, prefix: "b/")
    #expect(empty.count == 0 && empty.analyzer == Analyzer())
    #expect(try empty.search(LexicalQuery("w1", analyzer: plain), k: 3) == [])
  }

  @Test func `long gaps and many repetitions survive`() throws {
    var texts = Array(repeating: "filler", count: 40_000)
    texts[0] = "rare"
    texts[20_000] = Array(repeating: "rare", count: 300).joined(separator: " ")
    texts[39_999] = "rare rare"
    let index = makeIndex(texts)
    let query = index.makeQuery("rare")
    #expect(try Set(index.search(query, k: 9).map(\.id)) == [0, 20_000, 39_999])
    #expect(try index.explain(20_000, for: query).map(\.frequency) == [300])
    #expect(try index.explain(1, for: query).isEmpty)
  }

  @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, 1 << 32, .max] as [UInt64])
  func `numbers have the length that was counted`(value: UInt64) {
    var position = 0
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 10) {
      VariableLength.write(value, to: $0, at: &position)
    }
    #expect(position == VariableLength.byteCount(value))
  }

  @Test(arguments: 0..<300) func `damaged postings are an error or other answers, never a trap`(
    seed: UInt64
  ) throws {
    let sound = makeIndex(randomTexts(40, vocabulary: 6, seed: 1))
    guard case .owned(var postings) = sound.postings, case .owned(var ends) = sound.termEnds,
      case .owned(var postingEnds) = sound.postingEnds, case .owned(let bytes) = sound.termBytes,
      case .owned(let frequencies) = sound.frequencies, case .owned(let lengths) = sound.lengths
    else { return }
    var generator = RandomGenerator(seed: seed)
    let at = generator.nextInt(below: postings.count)
    switch seed % 3 {
    case 0: postings[at] = UInt8(truncatingIfNeeded: generator.next())
    case 1: ends[at % ends.count] = UInt32(truncatingIfNeeded: generator.next())
    default: postingEnds[at % ends.count] = generator.next() >> UInt64(generator.nextInt(below: 60))
    }
    let damaged = LexicalIndex(
      analyzer: plain, totalLength: sound.totalLength, termBytes: bytes, termEnds: ends,
      frequencies: frequencies, postingEnds: postingEnds, postings: postings, lengths: lengths)
    do throws(BasisError) {
      let hits = try damaged.search(damaged.makeQuery("w0 w1 w2 w3 w4 w5"), k: 50)
      #expect(hits.allSatisfy { $0.id < 40 })
    } catch {
      #expect(error.code == .corruptFile)
    }
  }

  @Test func `edges`() throws {
    let empty = makeIndex([])
    #expect(try empty.search(empty.makeQuery("a"), k: 5) == [])
    let blank = makeIndex(["", ""])
    #expect(blank.totalLength == 0)
    #expect(try blank.search(blank.makeQuery("a"), k: 5) == [])
    let one = makeIndex(["a"])
    #expect(try one.search(one.makeQuery("a"), k: 5).map(\.id) == [0])
    // A term that all documents have still counts.
    let all = makeIndex(["a b", "a", "a"])
    #expect(try all.search(all.makeQuery("a"), k: 5).map(\.id) == [1, 2, 0])
    let weightless = LexicalQuery(terms: [.init(text: "a", weight: 0)])
    #expect(try all.search(weightless, k: 5) == [])
  }

  @Test func `what does not fit is an error`() throws {
    let index = makeIndex(["a b", "c"])
    let query = index.makeQuery("a")
    let other = LexicalStatistics(documentCount: 1, totalLength: 1, documentFrequencies: [1, 1])
    expectError(.dimensionMismatch, "2 terms", "the query has 1") {
      try index.search(query, k: 1, statistics: other)
    }
    for weight in [-1, .nan, .infinity] as [Float] {
      expectError(.invalidArgument, "'a'", "\(weight)") {
        try index.search(LexicalQuery(terms: [.init(text: "a", weight: weight)]), k: 1)
      }
    }
    expectError(.dimensionMismatch, "3 rows", "has 2") {
      try index.search(query, k: 1, allowing: Bitmap(count: 3))
    }
    expectError(.invalidArgument, "document 2 of an index of 2") {
      try index.explain(2, for: query)
    }
  }

  @Test func `settings from an older file get the defaults`() throws {
    let decoder = JSONDecoder()
    #expect(
      try decoder.decode(BM25.self, from: Data(#"{"b":0.5}"#.utf8)) == BM25(b: 0.5))
    #expect(throws: DecodingError.self) {
      try decoder.decode(BM25.self, from: Data(#"{"b":2}"#.utf8))
    }
  }
}
