import BasisCollections
import BasisCore
import BasisFormats
import BasisStorage
import Testing
import _BasisTestSupport

/// Records that bring their vectors.
@Suite struct ReadyMadeVectorTests {
  let folder: TemporaryFolder
  let place: CollectionFolder

  init() throws {
    folder = try TemporaryFolder()
    place = try CollectionFolder(name: "demo", in: folder.path)
  }

  func ingest(_ text: String, metric: Metric? = nil) throws -> IngestReport {
    var options = IngestOptions()
    options.vectorField = "v"
    options.metric = metric
    return try VectorCollection.ingest(
      files: [folder.write("docs.jsonl", text)], into: place, options: options, in: RunContext())
  }

  func line(_ row: Int, _ vector: [Float]) -> String {
    let list = vector.map { "\($0)" }.joined(separator: ",")
    return #"{"id":"k\#(row)","text":"row\#(letters(row))q","v":[\#(list)]}"#
  }

  @Test(arguments: [40, 1500], [Metric.cosine, .squaredEuclidean, .innerProduct])
  func `are searched exactly, sealed or pending`(count: Int, metric: Metric) throws {
    let vectors = gaussianMatrix(rowCount: count, columnCount: 12, seed: 5)
    let report = try ingest(
      (0..<count).map { line($0, vectors.row($0)) }.joined(separator: "\n"), metric: metric)
    #expect(report.space?.dimension == 12 && report.space?.metric == metric)
    let collection = try VectorCollection(place, for: .read)
    for seed in 0..<5 {
      let query = gaussianMatrix(rowCount: 1, columnCount: 12, seed: UInt64(100 + seed)).row(0)
      var request = SearchRequest(.vector(query))
      request.mode = .dense
      let expected = (0..<count).map { row in
        Neighbor(id: row, distance: metric.distance(query, vectors.row(row)))
      }.sorted().prefix(10).map { "k\($0.id)" }
      #expect(try collection.search(request, in: RunContext()).hits.map(\.key) == expected)
    }
    // Like a record: by its own vector, and never itself.
    var request = SearchRequest(.key("k3"))
    request.mode = .dense
    let expected = (0..<count).filter { $0 != 3 }.map { row in
      Neighbor(id: row, distance: metric.distance(vectors.row(3), vectors.row(row)))
    }.sorted().prefix(10).map { "k\($0.id)" }
    #expect(try collection.search(request, in: RunContext()).hits.map(\.key) == expected)
    // The list is kept as a vector, not as text.
    let payload = try #require(try collection.store.snapshot().record(key: "k3")?.payload)
    #expect(try JSONValue(parsing: payload)["v"] == nil)
  }

  @Test func `words still find records, and a text has no vector`() throws {
    _ = try ingest((0..<20).map { line($0, [Float($0), 1]) }.joined(separator: "\n"))
    let collection = try VectorCollection(place, for: .read)
    #expect(
      try collection.search(SearchRequest(.text("rowcq")), in: RunContext()).hits.map(\.key) == [
        "k2"
      ])
    var request = SearchRequest(.text("rowcq"))
    request.mode = .dense
    let error = #expect(throws: BasisError.self) {
      try collection.search(request, in: RunContext())
    }
    #expect(
      error?.message
        == "the vectors of vectors@1 came ready-made, so a text cannot be compared with "
        + "them; give --vector FILE or --key, or search with --mode lexical")
    var wrong = SearchRequest(.vector([1, 2, 3]))
    wrong.mode = .dense
    let mismatch = #expect(throws: BasisError.self) {
      try collection.search(wrong, in: RunContext())
    }
    #expect(mismatch?.code == .dimensionMismatch)
    #expect(mismatch?.message == "the query has 3 dimensions, the space vectors@1 has 2")
  }

  @Test func `a changed vector is a changed record`() throws {
    _ = try ingest(line(0, [1, 0]) + "\n" + line(1, [0, 1]))
    let report = try ingest(line(0, [0, 1]) + "\n" + line(1, [0, 1]))
    #expect(report.summary.replaced == 1 && report.summary.unchanged == 1)
    var request = SearchRequest(.vector([0, 1]))
    request.mode = .dense
    let hits = try VectorCollection(place, for: .read).search(request, in: RunContext()).hits
    #expect(hits.map(\.score) == [1, 1])
  }

  @Test(arguments: [
    (
      #"{"id":"b","text":"x","v":[1,2,3]}"#, BasisError.Code.dimensionMismatch,
      "record 'b' has a vector of 3 dimensions, the space vectors@1 has 2"
    ),
    (
      #"{"id":"b","text":"x","v":[1,null]}"#, .badData,
      "docs.jsonl:2: the vector in 'v' has null at position 1, which is no finite number"
    ),
    (
      #"{"id":"b","text":"x","v":[1,1e300]}"#, .badData,
      "docs.jsonl:2: the vector in 'v' has 1e+300 at position 1, which is no finite number"
    ),
    (#"{"id":"b","text":"x"}"#, .badData, "docs.jsonl:2: no list of numbers in the field 'v'"),
    (
      #"{"id":"b","text":"x","v":[]}"#, .badData,
      "docs.jsonl:2: no list of numbers in the field 'v'"
    ),
  ])
  func `bad vectors are named, and nothing is written`(
    second: String, code: BasisError.Code, message: String
  ) throws {
    let error = #expect(throws: BasisError.self) { try ingest(line(0, [1, 2]) + "\n" + second) }
    #expect(error?.code == code)
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    #expect(try VectorCollection(place, for: .read).info().recordCount == 0)
  }

  // MARK: From a file

  private func ingest(rows: Int, vectors: Matrix, from name: String = "v.npy") throws
    -> IngestReport
  {
    let file = folder.path + "/" + name
    try NumPyArray(vectors).write(to: file)
    var options = IngestOptions()
    options.vectorFile = file
    options.batchCount = 7
    // Two files: rows are counted on.
    let lines = (0..<rows).map { #"{"id":"k\#($0)","text":"row\#($0)"}"# }
    return try VectorCollection.ingest(
      files: [
        folder.write("a.jsonl", lines.prefix(3).joined(separator: "\n")),
        folder.write("b.jsonl", lines.dropFirst(3).joined(separator: "\n")),
      ], into: place, options: options, in: RunContext())
  }

  @Test(arguments: [40, 1500]) func `row i of a file belongs to record i, and comes back`(
    count: Int
  ) throws {
    let vectors = gaussianMatrix(rowCount: count, columnCount: 6, seed: 8)
    let report = try ingest(rows: count, vectors: vectors)
    #expect(report.summary.inserted == count && report.space?.dimension == 6)
    let collection = try VectorCollection(place, for: .read)
    var request = SearchRequest(.vector(vectors.row(20)))
    request.mode = .dense
    #expect(try collection.search(request, in: RunContext()).hits.first?.key == "k20")
    let reader = try collection.vectorReader(in: RunContext())
    var seen = 0
    try reader.snapshot.forEachChunk { records throws(BasisError) in
      let rows = try reader.vectors(of: records.map(\.sequence))
      for (position, record) in records.enumerated() {
        #expect(record.key == "k\(seen)" && rows.row(position) == vectors.row(seen))
        seen += 1
      }
    }
    #expect(seen == count)
    expectError(.notFound, "record 999999") { try reader.vectors(of: [999_999]) }
  }

  @Test(arguments: [9, 11]) func `a count that does not fit is said before anything is written`(
    rows: Int
  ) throws {
    expectError(.dimensionMismatch, "v.npy has 10 vectors for \(rows) records") {
      try ingest(rows: rows, vectors: gaussianMatrix(rowCount: 10, columnCount: 2, seed: 1))
    }
    #expect(!place.exists)
  }

  @Test func `a value that is no number is named`() throws {
    var vectors = gaussianMatrix(rowCount: 10, columnCount: 2, seed: 1)
    vectors[4, 1] = .nan
    expectError(.badData, "v.npy has nan at row 4, column 1") {
      try ingest(rows: 10, vectors: vectors)
    }
    #expect(!place.exists)
    var options = IngestOptions()
    options.vectorFile = folder.path + "/v.npy"
    options.vectorField = "v"
    expectError(.invalidArgument, "a field or from a file") {
      try VectorCollection.ingest(
        files: [folder.path + "/a.jsonl"], into: place, options: options, in: RunContext())
    }
  }
}
