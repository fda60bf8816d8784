import BasisCore
import BasisFormats
import BasisText
import Foundation
import Testing
import _BasisTestSupport

/// Seeded texts about a few topics, some words shared by all.
func topicTexts(_ count: Int, topicCount: Int = 5, seed: UInt64 = 0) -> [String] {
  var generator = RandomGenerator(seed: seed)
  return (0..<count).map { index in
    let words = (0..<(5 + generator.nextInt(below: 20))).map { _ in
      generator.nextInt(below: 4) == 0
        ? "shared\(generator.nextInt(below: 6))"
        : "topic\(index % topicCount)word\(generator.nextInt(below: 15))"
    }
    return words.joined(separator: " ")
  }
}

private func dot(_ a: [Float], _ b: [Float]) -> Double {
  zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

@Suite struct CorpusEncoderTests {
  let run = RunContext(seed: 1)
  let plain = Analyzer(stopWords: .none, stemming: .none)

  struct Fixture: Decodable {
    var tolerance: Double
    var dimension: Int
    var texts: [String]
    var queries: [String]
    var singularValues: [Double]
    var similarities: [[Double]]
    var documentSimilarities: [[Double]]
  }

  @Test func `similarities are those of an exact decomposition`() throws {
    let fixture = try fixture("corpus-encoder", as: Fixture.self)
    let encoder = CorpusEncoder(
      dimension: fixture.dimension, analyzer: plain,
      globalWeight: .smoothInverseDocumentFrequency, powerIterations: 8)
    let model = try encoder.fit(fixture.texts, in: run)
    for (value, expected) in zip(model.singularValues, fixture.singularValues) {
      #expect(abs(Double(value) - expected) < 1e-4)
    }
    let documents = try model.encode(fixture.texts, as: .document, in: run)
    let queries = try model.encode(fixture.queries, as: .query, in: run)
    for (query, row) in fixture.similarities.enumerated() {
      for (document, expected) in row.enumerated() {
        let similarity = dot(queries.row(query), documents.row(document))
        #expect(abs(similarity - expected) < fixture.tolerance, "\(query), \(document)")
      }
    }
    for (first, row) in fixture.documentSimilarities.enumerated() {
      for (second, expected) in row.enumerated() {
        let similarity = dot(documents.row(first), documents.row(second))
        #expect(abs(similarity - expected) < fixture.tolerance, "\(first), \(second)")
      }
    }
  }

  @Test(arguments: [CorpusEncoder.GlobalWeight.none, .inverseDocumentFrequency, .entropy])
  func `folded in, a text that was learnt from is its row of U S`(
    weight: CorpusEncoder.GlobalWeight
  ) throws {
    // All directions are kept, so inner products of rows of U S are those of the weighted texts.
    let texts = topicTexts(30)
    let encoder = CorpusEncoder(
      analyzer: plain, isSublinear: false, globalWeight: weight, powerIterations: 4)
    let model = try encoder.fit(texts, in: run)
    #expect(model.space.dimension <= 30)
    let rows = try model.encode(texts, as: .document, in: run)
    let vectors = naiveVectors(texts, weight)
    for first in 0..<30 {
      for second in 0..<30 {
        let similarity = dot(rows.row(first), rows.row(second))
        let expected = cosine(vectors[first], vectors[second])
        #expect(abs(similarity - expected) < 1e-4, "\(first), \(second)")
      }
    }
  }

  /// Weighted counts by the formulas of the documentation, in `Double`.
  private func naiveVectors(_ texts: [String], _ weight: CorpusEncoder.GlobalWeight)
    -> [[String: Double]]
  {
    let counts = texts.map { text in
      Dictionary(text.split(separator: " ").map { (String($0), 1.0) }, uniquingKeysWith: +)
    }
    let n = Double(texts.count)
    var weights: [String: Double] = [:]
    for term in Set(counts.flatMap(\.keys)) {
      let having = counts.compactMap { $0[term] }
      let df = Double(having.count)
      switch weight {
      case .none: weights[term] = 1
      case .inverseDocumentFrequency: weights[term] = log(1 + (n - df + 0.5) / (df + 0.5))
      case .smoothInverseDocumentFrequency: weights[term] = log((1 + n) / (1 + df)) + 1
      case .entropy:
        let total = having.reduce(0, +)
        weights[term] = 1 + having.reduce(0) { $0 + $1 / total * log($1 / total) } / log(n)
      }
    }
    return counts.map { $0.reduce(into: [:]) { $0[$1.key] = $1.value * (weights[$1.key] ?? 0) } }
  }

  private func cosine(_ a: [String: Double], _ b: [String: Double]) -> Double {
    func product(_ x: [String: Double], _ y: [String: Double]) -> Double {
      x.reduce(0) { $0 + $1.value * (y[$1.key] ?? 0) }
    }
    return product(a, b) / (product(a, a) * product(b, b)).squareRoot()
  }

  @Test func `it keeps the promises of an encoder`() throws {
    let texts = topicTexts(40)
    let model = try CorpusEncoder(dimension: 8, analyzer: plain).fit(texts, in: run)
    try checkEncoder(model, texts + ["", "nothing known", "shared0 shared0"])
    #expect(model.space.id.description == "corpus@1")
    #expect(model.space.metric == .cosine)
    #expect(model.space.dimension == 8)
  }

  @Test func `rows have unit length, texts without known terms are zero`() throws {
    let texts = topicTexts(40)
    let model = try CorpusEncoder(dimension: 8, analyzer: plain).fit(texts, in: run)
    let rows = try model.encode(texts + ["", "unknown words"], as: .document, in: run)
    for row in 0..<40 { #expect(abs(dot(rows.row(row), rows.row(row)) - 1) < 1e-6) }
    for row in 40..<42 { #expect(rows.row(row).allSatisfy { $0 == 0 }) }
  }

  @Test func `texts of a topic are closer to each other than to the rest`() throws {
    let texts = topicTexts(100)
    let model = try CorpusEncoder(dimension: 5, analyzer: plain).fit(texts, in: run)
    let rows = try model.encode(texts, as: .document, in: run)
    for first in 0..<20 {
      for second in 20..<60 {
        let similarity = dot(rows.row(first), rows.row(second))
        #expect(first % 5 == second % 5 ? similarity > 0.7 : similarity < 0.5)
      }
    }
  }

  @Test(arguments: 0..<3) func `threads and the order of texts change nothing`(seed: UInt64) throws
  {
    let texts = topicTexts(300, seed: seed)
    let encoder = CorpusEncoder(dimension: 6, analyzer: plain, powerIterations: 6)
    let model = try encoder.fit(texts, in: RunContext(seed: seed, threadLimit: 1))
    let rows = try model.encode(texts, as: .document, in: run)
    let again = try encoder.fit(texts, in: RunContext(seed: seed, threadLimit: 3))
    #expect(try again.encode(texts, as: .document, in: run) == rows)

    let reversed = try encoder.fit(texts.reversed(), in: RunContext(seed: seed))
    let other = try reversed.encode(texts, as: .document, in: run)
    for row in 0..<50 {
      let difference = dot(rows.row(row), rows.row(0)) - dot(other.row(row), other.row(0))
      #expect(abs(difference) < 0.02, "row \(row)")
    }
  }

  @Test func `the dimension is at most what the texts have`() throws {
    let encoder = CorpusEncoder(analyzer: plain)
    #expect(try encoder.fit(["one two"], in: run).space.dimension == 1)
    #expect(try encoder.fit(["a b", "a b", "a b"], in: run).space.dimension == 1)
    #expect(try encoder.fit(["a b", "b c", "a b c"], in: run).space.dimension == 3)
    #expect(try encoder.fit(["", "a", ""], in: run).space.dimension == 1)
    #expect(try encoder.fit(topicTexts(20), in: run).space.dimension <= 20)
  }

  @Test func `limits choose the terms of the most texts`() throws {
    let texts = ["a b", "a b c", "a d", "e a"]
    let encoder = CorpusEncoder(analyzer: plain, maximumTermCount: 2)
    let model = try encoder.fit(texts, in: run)
    #expect(model.termCount == 2)
    #expect(try model.encode(["c d e"], as: .query, in: run).row(0).allSatisfy { $0 == 0 })
    let frequent = try CorpusEncoder(analyzer: plain, minimumDocumentFrequency: 2)
      .fit(texts, in: run)
    #expect(frequent.termCount == 2)
    let sampled = try CorpusEncoder(analyzer: plain, maximumDocumentCount: 2).fit(texts, in: run)
    #expect(sampled.space.dimension <= 2)
  }

  @Test func `a written model encodes as the one in memory`() throws {
    let texts = topicTexts(50)
    let model = try CorpusEncoder(dimension: 7, analyzer: plain, singularValuePower: -0.5)
      .fit(texts, version: 3, in: run)
    let path = temporaryPath("model")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let writer = try ContainerWriter(path: path, kind: "model", version: 1)
    try model.write(to: writer)
    try writer.finish()
    let opened = try CorpusEncoderModel(
      from: Container(path: path, kind: "model", maximumVersion: 1))
    #expect(opened.space == model.space)
    #expect(opened.space.id.description == "corpus@3")
    #expect(opened.settings == model.settings)
    #expect(opened.singularValues == model.singularValues)
    #expect(
      try opened.encode(texts, as: .document, in: run)
        == model.encode(texts, as: .document, in: run))
  }

  @Test func `a damaged model is an error`() throws {
    func open(_ write: (ContainerWriter) throws -> Void) throws {
      let path = temporaryPath("model")
      defer { try? FileManager.default.removeItem(atPath: path) }
      let writer = try ContainerWriter(path: path, kind: "model", version: 1)
      try write(writer)
      try writer.finish()
      _ = try CorpusEncoderModel(from: Container(path: path, kind: "model", maximumVersion: 1))
    }
    struct Header: Encodable {
      var layout = 1
      var settings = CorpusEncoder()
      var version = 1
      var dimension = 2
    }
    expectError(.corruptFile) { try open { _ in } }
    expectError(.newerFormat, "layout 2") {
      try open { try $0.write("corpus-encoder", json: Header(layout: 2)) }
    }
    for ends in [[1, 9], [2, 1], [1, 1, 2]] as [[UInt64]] {
      expectError(.corruptFile, "fit it again") {
        try open {
          try $0.write("corpus-encoder", json: Header())
          try $0.write("term-bytes", Array("ab".utf8))
          try $0.write("term-ends", ends)
          try $0.write("singular-values", [1, 0.5] as [Float])
          try $0.write("projection", [Float](repeating: 1, count: 4))
        }
      }
    }
  }

  @Test func `what cannot be learnt from is an error`() throws {
    for texts in [[], [""], ["the of and"]] {
      expectError(.badData, "none of \(texts.count) texts") {
        try CorpusEncoder().fit(texts, in: run)
      }
    }
    expectError(.badData, "at least 3") {
      try CorpusEncoder(minimumDocumentFrequency: 3).fit(["one text"], in: run)
    }
    expectError(.invalidArgument, "dimension", "got 0") {
      try CorpusEncoder(dimension: 0).fit(["one text"], in: run)
    }
    expectError(.invalidArgument, "singularValuePower") {
      try CorpusEncoder(singularValuePower: .nan).fit(["one text"], in: run)
    }
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try CorpusEncoder().fit(["one text"], in: cancelled) }
  }

  @Test func `settings from an older file get the defaults`() throws {
    let decoder = JSONDecoder()
    #expect(
      try decoder.decode(CorpusEncoder.self, from: Data(#"{"dimension":9}"#.utf8))
        == CorpusEncoder(dimension: 9))
    let other = CorpusEncoder(
      dimension: 3, analyzer: plain, maximumTermCount: 4, minimumDocumentFrequency: 5,
      maximumDocumentCount: 6, isSublinear: false, globalWeight: .entropy,
      singularValuePower: -1, powerIterations: 7)
    #expect(try decoder.decode(CorpusEncoder.self, from: JSONEncoder().encode(other)) == other)
  }
}
