public import BasisCore
import BasisFormats
import BasisSearch
import Foundation
import GRDB

extension CollectionStore {
  /// A record that is durable but in no segment yet.
  public struct PendingRecord: Sendable {
    public let sequence: Int64
    public let text: String
    /// In a collection of ready-made vectors.
    public let vector: [Float]?
  }

  /// How many records wait to be sealed, and roughly how many bytes they have.
  public func pending() throws(BasisError) -> (count: Int, byteCount: Int) {
    try reading("count the pending records") { db in
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT count(*), coalesce(sum(length(payload) + coalesce(length(text), 0)), 0)
          FROM records WHERE sequence > ?
          """, arguments: [try Catalog.sealedThrough(db)])
      return (row?[0] ?? 0, row?[1] ?? 0)
    }
  }

  /// The texts of pending records, all while they are few, else a seeded sample: what a
  /// corpus-trained encoder is fitted on.
  ///
  /// - Parameters:
  ///   - byteLimit: of all sampled texts together, roughly.
  ///   - run: seed, threads and cancellation.
  public func samplePendingTexts(byteLimit: Int, in run: RunContext) throws(BasisError)
    -> [String]
  {
    let waiting = try pending()
    let limit =
      waiting.byteCount <= byteLimit
      ? waiting.count
      : Int(Double(waiting.count) * Double(byteLimit) / Double(waiting.byteCount))
    let sequences = try reading("list the pending records") { db in
      try Int64.fetchAll(
        db, sql: "SELECT sequence FROM records WHERE sequence > ? ORDER BY sequence",
        arguments: [try Catalog.sealedThrough(db)])
    }
    var generator = run.generator("encoder-sample")
    let chosen = generator.sample(min(limit, sequences.count), of: sequences.count)
    return try reading("read the sample") { db in
      let find = try db.cachedStatement(sql: "SELECT payload, text FROM records WHERE sequence = ?")
      return try chosen.compactMap { index in
        try Row.fetchOne(find, arguments: [sequences[index]]).map { try self.text($0[0], $0[1]) }
      }
    }
  }

  /// Moves pending records into one new segment: as many as the collection's limits allow, oldest
  /// first.
  ///
  /// - Parameters:
  ///   - spaces: the dense spaces that get vectors.
  ///   - run: seed, threads and cancellation.
  ///   - encode: vectors of these records in this space, one row each.
  /// - Returns: how many records were sealed; 0 if none waited.
  /// - Complexity: memory of one segment: its vectors and its lexical index.
  public func seal(
    spaces: [Space], in run: RunContext,
    encode: (_ space: Space, _ records: [PendingRecord]) throws(BasisError) -> Matrix
  ) throws(BasisError) -> Int {
    let total = min(try pending().count, settings.segmentRowLimit)
    guard total > 0 else { return 0 }
    run.report("sealing", 0, of: total, unit: "records")

    var sequences: [Int64] = []
    var byteCount = 0
    var lexical = LexicalIndexBuilder(analyzer: settings.analyzer)
    var vectors: [[Matrix]] = Array(repeating: [], count: spaces.count)
    var watermark = try reading("read the watermark") { try Catalog.sealedThrough($0) }
    while sequences.count < settings.segmentRowLimit, byteCount < settings.segmentByteLimit {
      try run.checkCancelled()
      let limit = min(4096, settings.segmentRowLimit - sequences.count)
      let chunk = try pendingRecords(after: watermark, limit: limit)
      guard let last = chunk.last else { break }
      watermark = last.sequence
      for record in chunk {
        lexical.add(record.text)
        byteCount += record.text.utf8.count
      }
      sequences += chunk.map(\.sequence)
      for (index, space) in spaces.enumerated() { vectors[index].append(try encode(space, chunk)) }
      run.report("sealing", sequences.count, of: max(total, sequences.count), unit: "records")
    }
    guard !sequences.isEmpty else { return 0 }

    let file = try writeSegment(sequences: sequences, spaces: spaces, lexical: lexical, in: run) {
      (index, append) throws(BasisError) in
      for part in vectors[index] {
        guard part.columnCount == spaces[index].dimension else {
          throw BasisError(
            .dimensionMismatch,
            "the encoder of \(spaces[index].id) made \(part.columnCount) dimensions, "
              + "not \(spaces[index].dimension)")
        }
        try part.requireFinite("a vector of \(spaces[index].id)")
        try part.withUnsafeFloats { floats throws(BasisError) in try append(floats) }
      }
      // They are in the file, and perhaps in the matrix that is to be indexed.
      vectors[index] = []
    }
    try commitSegment(file, sequences: sequences, watermark: watermark)
    return sequences.count
  }

  /// Writes a segment's file.
  ///
  /// - Parameters:
  ///   - sequences: of its records, rising.
  ///   - spaces: the dense spaces that it has vectors of.
  ///   - lexical: the records' words.
  ///   - run: seed, threads and cancellation.
  ///   - vectors: appends the vectors of the space with this index, row after row.
  /// - Returns: the file's name.
  func writeSegment(
    sequences: [Int64], spaces: [Space], lexical: LexicalIndexBuilder, in run: RunContext,
    vectors: (
      _ space: Int, _ append: (UnsafeBufferPointer<Float>) throws(BasisError) -> Void
    ) throws(BasisError) -> Void
  ) throws(BasisError) -> String {
    let file = try makeSegmentName()
    let writer = try ContainerWriter(
      path: folder.segmentsPath + "/" + file, kind: Segment.kind, version: Segment.formatVersion)
    try writer.write(
      "manifest", json: Segment.Manifest(rowCount: sequences.count, spaces: spaces))
    try writer.write("sequences", sequences)
    try writeColumns(of: sequences, to: writer, in: run)
    for (index, space) in spaces.enumerated() {
      let plan = settings.index.plan(rowCount: sequences.count, dimension: space.dimension)
      let isIndexed = plan.kind != .flat
      var norms: [Float] = []
      try writer.begin(Segment.block(space.id))
      let rows = try Matrix(
        rowCount: isIndexed ? sequences.count : 0, columnCount: space.dimension
      ) { target throws(BasisError) in
        var filled = 0
        try vectors(index) { floats throws(BasisError) in
          try writer.append(UnsafeRawBufferPointer(floats))
          guard isIndexed else {
            norms += FlatIndex.norms(of: floats, dimension: max(1, space.dimension))
            return
          }
          _ = UnsafeMutableBufferPointer(rebasing: target[filled...]).update(from: floats)
          filled += floats.count
        }
      }
      try writer.end()
      guard isIndexed else {
        try FlatIndex.write(norms: norms, to: writer, prefix: Segment.indexPrefix(space.id))
        continue
      }
      run.report("indexing \(sequences.count) vectors", 0, unit: "records")
      try DenseIndex(rows, metric: space.metric, plan: plan, in: run.silent)
        .write(to: writer, prefix: Segment.indexPrefix(space.id))
    }
    try lexical.write(to: writer, prefix: Segment.lexicalPrefix)
    try writer.finish()
    return file
  }

  /// Names a written segment in the catalogue, in place of those whose live records it took over.
  ///
  /// - Parameters:
  ///   - file: nil where nothing was left to write.
  ///   - watermark: the last sequence of a seal; nil for a rewrite.
  func commitSegment(
    _ file: String?, sequences: [Int64], watermark: Int64? = nil,
    replacing old: [(id: Int64, file: String, sequences: [Int64])] = []
  ) throws(BasisError) {
    try writing("name the segment \(file ?? "anew")") { db in
      for segment in old {
        try db.execute(sql: "DELETE FROM segments WHERE id = ?", arguments: [segment.id])
        let forget = try db.cachedStatement(sql: "DELETE FROM tombstones WHERE sequence = ?")
        for sequence in segment.sequences { try forget.execute(arguments: [sequence]) }
      }
      if let file, let first = sequences.first, let last = sequences.last {
        let attributes = try? FileManager.default.attributesOfItem(
          atPath: self.folder.segmentsPath + "/" + file)
        try db.execute(
          sql: "INSERT INTO segments (file, row_count, byte_count) VALUES (?, ?, ?)",
          arguments: [file, sequences.count, attributes?[.size] as? Int ?? 0])
        // Records that were replaced or deleted while the segment was being built.
        let alive = try Set(
          Int64.fetchAll(
            db, sql: "SELECT sequence FROM records WHERE sequence BETWEEN ? AND ?",
            arguments: [first, last]))
        let bury = try db.cachedStatement(sql: "INSERT OR IGNORE INTO tombstones VALUES (?)")
        for sequence in sequences where !alive.contains(sequence) {
          try bury.execute(arguments: [sequence])
        }
      }
      if let watermark {
        try db.execute(
          sql: "DELETE FROM pending_vectors WHERE sequence <= ?", arguments: [watermark])
        try Catalog.setMeta(db, "sealed_through", String(watermark))
      }
    }
    remove(segments: old.map { ($0.id, $0.file) })
  }

  private func makeSegmentName() throws(BasisError) -> String {
    let next = try reading("number the segment") { db in
      try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'segments'") ?? 0
    }
    let digits = String(next + 1)
    return String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".seg"
  }

  func pendingRecords(after sequence: Int64, limit: Int) throws(BasisError) -> [PendingRecord] {
    try reading("read pending records") { db in
      try self.pendingRecords(db, after: sequence, limit: limit)
    }
  }

  func pendingRecords(_ db: Database, after sequence: Int64, limit: Int) throws -> [PendingRecord] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT sequence, payload, text, vector FROM records LEFT JOIN pending_vectors
        USING (sequence) WHERE sequence > ? ORDER BY sequence LIMIT ?
        """)
    return try Row.fetchAll(statement, arguments: [sequence, limit]).map { row in
      PendingRecord(
        sequence: row[0], text: try text(row[1], row[2]),
        vector: (row[3] as Data?).map { data in
          data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        })
    }
  }

  /// A record's searched text: its own, or the collection's fields of its payload.
  func text(_ payload: String, _ own: String?) throws -> String {
    if let own { return own }
    return try JSONValue(parsing: payload).text(of: settings.textFields)
  }
}
