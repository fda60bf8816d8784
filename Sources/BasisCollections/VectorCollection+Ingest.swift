public import BasisCore
public import BasisFormats
public import BasisSearch
public import BasisStorage
public import BasisText
import Dispatch
import Foundation

/// How files become records. What is nil is guessed from the first record.
public struct IngestOptions: Sendable {
  public var format: SourceFormat?
  public var keyField: String?
  public var textFields: [String]?
  public var encoder: String?
  public var dimension: Int?
  /// The field that holds each record's vector, a list of numbers; nil to have vectors made. It is
  /// stored as a vector only, not in the payload.
  public var vectorField: String?
  /// Cut texts longer than this into parts that are searched one by one; nil to leave them whole.
  public var chunker: TextChunker?
  /// A file of vectors, in any format of `MatrixSource`: row `i` belongs to the `i`-th record of
  /// all files together.
  public var vectorFile: String?
  /// How ready-made vectors are compared.
  public var metric: Metric?
  /// The index of a new collection's segments; nil to choose by their size.
  public var index: IndexKind?
  /// The recall that most searches of a new collection will ask for; nil for the default.
  public var targetRecall: Double?
  /// Records a transaction.
  public var batchCount = 1000

  public init() {}
}

/// What an ingest did.
public struct IngestReport: Sendable {
  public var summary = WriteSummary()
  public var sealedCount = 0
  public var pendingCount = 0
  public var keyField = ""
  public var textFields: [String] = []
  public var space: Space?
  /// Texts that were longer than the encoder reads, and by how many of its tokens.
  public var truncation = Truncation()
  public var seconds = 0.0
}

extension VectorCollection {
  /// Reads files into a collection, which is made if it is not there.
  ///
  /// Each batch is one transaction: when `acknowledge` is called with a count, that many records
  /// are on disk for good. Full segments are sealed on the way and the rest at the end.
  ///
  /// - Parameters:
  ///   - files: paths; `-` is standard input.
  ///   - acknowledge: called after each transaction with the number of records read so far.
  ///   - folder: where the collection is, or will be.
  ///   - options: how records are read from the files.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.badData` naming file and row for a record that cannot be used; `.notFound`;
  ///   `.dimensionMismatch` with both counts if a file of vectors has more or fewer rows than there
  ///   are records, before anything is written unless records come from a pipe;
  ///   `.invalidArgument` for both a field and a file of vectors; what the store throws. What was
  ///   acknowledged stays.
  /// - Complexity: memory of one batch and one segment, whatever the size of the files.
  public static func ingest(
    files: [String], into folder: CollectionFolder, options: IngestOptions, in run: RunContext,
    acknowledge: (Int) throws(BasisError) -> Void = { _ in }
  ) throws(BasisError) -> IngestReport {
    let start = DispatchTime.now().uptimeNanoseconds
    // All files are opened before anything is made, so that a wrong name costs nothing.
    var sources: [(path: String, source: RecordSource)] = []
    for path in files {
      sources.append((path, try RecordSource(path: path, format: options.format)))
    }

    let vectors = try readVectors(options, for: sources)

    var report = IngestReport()
    var readCount = 0
    var collection: VectorCollection?
    var fields: RecordFields?
    var batch: [Record] = []
    var waiting = (count: 0, byteCount: 0)

    func write(_ collection: VectorCollection) throws(BasisError) {
      guard !batch.isEmpty else { return }
      report.summary += try collection.store.upsert(batch)
      batch.removeAll(keepingCapacity: true)
      try acknowledge(report.summary.total)
    }

    for (path, source) in sources {
      var reader = try source.makeReader()
      while let record = try reader.next() {
        let place = "\(path == "-" ? "standard input" : path):\(record.row)"
        if collection == nil {
          (collection, fields) = try open(
            folder, options: options, like: record.fields, at: place)
        }
        guard let collection, let fields else { continue }
        var row = try fields.record(from: record, at: place)
        if let vectors {
          if readCount < vectors.rowCount { row.vector = vectors.row(readCount) }
          readCount += 1
          // Counted to the end, for the message.
          if readCount > vectors.rowCount { continue }
        }
        if let vector = row.vector, try collection.store.spaces().isEmpty {
          try collection.store.addSpace(
            Space(
              id: .init(name: "vectors"), dimension: vector.count,
              metric: options.metric ?? .cosine))
        }
        waiting.count += 1
        waiting.byteCount += row.payload.utf8.count
        batch.append(row)
        guard batch.count >= options.batchCount else { continue }
        try run.checkCancelled()
        try write(collection)
        run.report("reading \(path)", report.summary.total, unit: "records")
        let limits = collection.store.settings
        if waiting.count >= limits.segmentRowLimit || waiting.byteCount >= limits.segmentByteLimit {
          report.sealedCount += try collection.seal(all: false, in: run)
          waiting = try collection.store.pending()
        }
      }
    }
    guard let collection, let fields else {
      throw BasisError(
        .badData, "\(files.joined(separator: ", ")): there is no record to read")
    }
    if let vectors { try requireRows(of: vectors, options, recordCount: readCount) }
    try write(collection)
    report.sealedCount += try collection.seal(all: true, in: run)
    try collection.maintain(in: run)
    report.pendingCount = try collection.store.pending().count
    report.keyField = fields.key
    report.textFields = fields.text
    report.space = try collection.store.spaces().last?.space
    report.truncation = collection.encoders.truncation
    report.seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    return report
  }

  /// The file of vectors, nil where none is named. Where the records can be counted without being
  /// lost, a count that does not fit is found before anything is written.
  private static func readVectors(
    _ options: IngestOptions, for sources: [(path: String, source: RecordSource)]
  ) throws(BasisError) -> Matrix? {
    guard let path = options.vectorFile else { return nil }
    guard options.vectorField == nil else {
      throw BasisError(
        .invalidArgument, "vectors come from a field or from a file; name one of them")
    }
    let vectors = try MatrixSource(path: path).matrix()
    guard vectors.columnCount > 0 || vectors.rowCount == 0 else {
      throw BasisError(.badData, "\(path): \(vectors.rowCount) vectors without a value")
    }
    guard sources.allSatisfy({ $0.path != "-" && isFileOrFolder($0.path) }) else { return vectors }
    var count = 0
    for (_, source) in sources {
      var reader = try source.makeReader()
      while try reader.next() != nil { count += 1 }
    }
    try requireRows(of: vectors, options, recordCount: count)
    return vectors
  }

  private static func requireRows(
    of vectors: Matrix, _ options: IngestOptions, recordCount: Int
  ) throws(BasisError) {
    guard vectors.rowCount != recordCount else { return }
    throw BasisError(
      .dimensionMismatch,
      "\(options.vectorFile ?? "the file") has \(vectors.rowCount) vectors for \(recordCount) "
        + "records; give one row for each record, in the same order")
  }

  private static func isFileOrFolder(_ path: String) -> Bool {
    let resolved = (path as NSString).resolvingSymlinksInPath
    let type = try? FileManager.default.attributesOfItem(atPath: resolved)[.type]
    return type as? FileAttributeType == .typeRegular
      || type as? FileAttributeType == .typeDirectory
  }

  /// The collection to write into, and which fields of a record it takes.
  private static func open(
    _ folder: CollectionFolder, options: IngestOptions, like first: JSONValue, at place: String
  ) throws(BasisError) -> (VectorCollection, RecordFields) {
    guard folder.exists else {
      var fields = try RecordFields.guess(
        from: first, key: options.keyField, text: options.textFields, at: place)
      fields.vector = options.vectorField
      fields.chunker = options.chunker
      var settings = CollectionSettings(textFields: fields.text)
      if let encoder = options.encoder { settings.encoder = encoder }
      settings.chunker = options.chunker
      settings.index.kind = options.index
      if let recall = options.targetRecall { settings.index.targetRecall = recall }
      if options.vectorField != nil || options.vectorFile != nil {
        settings.encoder = CollectionSettings.readyMade
      }
      if let dimension = options.dimension { settings.dimension = dimension }
      let collection = try VectorCollection.create(folder, settings: settings)
      fields.wordLength = try collection.wordLength()
      return (collection, fields)
    }
    let collection = try VectorCollection(folder, for: .write)
    let settings = collection.store.settings
    // Before records are acknowledged that could not be sealed.
    try EncoderCatalog.require(settings.encoder)
    if let encoder = options.encoder, encoder != settings.encoder {
      throw BasisError(
        .invalidArgument,
        "collection '\(folder.name)' has the encoder '\(settings.encoder)', not '\(encoder)'; "
          + "leave --encoder out or make another collection")
    }
    if let dimension = options.dimension, dimension != settings.dimension {
      throw BasisError(
        .invalidArgument,
        "collection '\(folder.name)' was made with \(settings.dimension) dimensions, "
          + "not \(dimension); leave --dimension out or make another collection")
    }
    if let chunker = options.chunker, chunker != settings.chunker {
      let made = settings.chunker.map { "parts of \($0.limit), overlapping by \($0.overlap)" }
      throw BasisError(
        .invalidArgument,
        "collection '\(folder.name)' was made with \(made ?? "texts left whole"); leave --chunk out "
          + "or make another collection")
    }
    // The collection's own fields fit unless this file is of another kind.
    var text = options.textFields
    if text == nil, settings.textFields.contains(where: { first.value(at: $0) != nil }) {
      text = settings.textFields
    }
    var fields = try RecordFields.guess(from: first, key: options.keyField, text: text, at: place)
    fields.vector = options.vectorField
    fields.chunker = settings.chunker
    fields.wordLength = try collection.wordLength()
    fields.keepsOwnText = fields.text != settings.textFields
    return (collection, fields)
  }

  /// How the parts of long texts are measured: in the tokens of an encoder that counts them, else
  /// in words.
  private func wordLength() throws(BasisError) -> (@Sendable (Substring) -> Int)? {
    guard store.settings.chunker != nil else { return nil }
    try EncoderCatalog.addModelSpace(to: store)
    guard EncoderCatalog.isModel(store.settings.encoder), let stored = try store.spaces().last,
      let encoder = try encoders.encoder(of: stored) as? any TruncatingEncoder
    else { return nil }
    return { encoder.tokenCount(of: $0) }
  }
}

/// Which fields of an input record are its key and its text.
struct RecordFields {
  var key: String
  var text: [String]
  /// The field of a ready-made vector.
  var vector: String?
  var chunker: TextChunker?
  /// Of a word, for the chunker; nil to count words.
  var wordLength: (@Sendable (Substring) -> Int)?
  /// The text is stored beside the payload, because the collection would join other fields.
  var keepsOwnText = false

  /// Names that data sets use, most telling first.
  private static let keyNames = ["id", "_id", "key", "package", "uuid", "doc_id", "docid", "name"]
  private static let titleNames = ["title", "headline", "subject", "package"]
  private static let bodyNames = [
    "text", "body", "content", "description", "abstract", "sentence", "question", "summary",
    "contents", "message",
  ]

  /// - Throws: `.badData` with the fields that the record has.
  static func guess(from record: JSONValue, key: String?, text: [String]?, at place: String)
    throws(BasisError) -> RecordFields
  {
    guard case .object(let object) = record else {
      throw BasisError(.badData, "\(place): not a JSON object")
    }
    let names = object.keys.sorted().prefix(20).joined(separator: ", ")
    func present(_ candidates: [String]) -> String? {
      candidates.first { object[$0] != nil }
        ?? candidates.compactMap { name in object.keys.first { $0.lowercased() == name } }.first
    }
    guard let key = key ?? present(keyNames) else {
      throw BasisError(
        .badData, "\(place): no field looks like a key; name one with --key (there are: \(names))")
    }
    if let text {
      guard !text.isEmpty else {
        throw BasisError(.invalidArgument, "--text names no field (there are: \(names))")
      }
      return RecordFields(key: key, text: text)
    }
    guard let body = present(bodyNames) else {
      throw BasisError(
        .badData,
        "\(place): no field looks like text; name one or more with --text (there are: \(names))")
    }
    var fields = [body]
    if let title = present(titleNames), title != body { fields.insert(title, at: 0) }
    if let long = present(["long-description"]), long != body { fields.append(long) }
    return RecordFields(key: key, text: fields)
  }

  /// - Throws: `.badData` naming the place and the field that is missing.
  func record(from source: SourceRecord, at place: String) throws(BasisError) -> Record {
    guard let value = source.fields.value(at: key), let name = value.stringValue, !name.isEmpty
    else {
      throw BasisError(
        .badData,
        "\(place): no field '\(key)' to identify the record (there are: \(names(of: source))); "
          + "name another with --key")
    }
    guard text.contains(where: { source.fields.value(at: $0) != nil }) else {
      throw BasisError(
        .badData,
        "\(place): no field '\(text.joined(separator: "' or '"))' (there are: "
          + "\(names(of: source))); name another with --text")
    }
    let own = keepsOwnText ? source.fields.text(of: text) : nil
    guard let vector else {
      let parts = chunker?.chunks(of: own ?? source.fields.text(of: text), length: wordLength) ?? []
      guard parts.count > 1 else { return Record(key: name, payload: source.json, text: own) }
      return Record(
        key: name, payload: source.json, text: parts[0], furtherParts: Array(parts.dropFirst()))
    }
    guard case .object(var object) = source.fields else {
      throw BasisError(.badData, "\(place): not a JSON object")
    }
    guard case .array(let items)? = object.removeValue(forKey: vector), !items.isEmpty else {
      throw BasisError(
        .badData,
        "\(place): no list of numbers in the field '\(vector)' (there are: \(names(of: source)))")
    }
    var values: [Float] = []
    for (position, item) in items.enumerated() {
      guard let value = item.doubleValue, Float(value).isFinite else {
        throw BasisError(
          .badData,
          "\(place): the vector in '\(vector)' has \(item.text) at position \(position), "
            + "which is no finite number")
      }
      values.append(Float(value))
    }
    return Record(key: name, payload: JSONValue.object(object).text, text: own, vector: values)
  }

  private func names(of source: SourceRecord) -> String {
    guard case .object(let object) = source.fields else { return "none" }
    return object.keys.sorted().prefix(20).joined(separator: ", ")
  }
}
