import ArgumentParser
import BasisCollections
import BasisCore
import BasisFormats
import BasisSearch
import BasisStorage

struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what a collection holds.",
    discussion: """
      EXAMPLES
        basis info packages
        basis info packages --sample 5 --json
      """)

  @Argument(help: "The collection.")
  var name: String

  @Option(help: "Show this many records, chosen at random by --seed.")
  var sample = 0

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if sample < 0 { throw ValidationError("--sample must be at least 0, not \(sample)") }
  }

  func run() throws {
    let collection = try VectorCollection(data.folder(name), for: .read)
    let info = try collection.info()
    let records =
      sample == 0 ? [] : try collection.store.snapshot().sample(sample, in: work.context())
    if output.json {
      var object = info.jsonObject
      if sample > 0 {
        object["sample"] = .array(
          try records.map { record throws(BasisError) in
            .object([
              "key": .string(record.key), "text": .string(record.text),
              "payload": try JSONValue(parsing: record.payload),
            ])
          })
      }
      try output.print(json: .object(object))
      return
    }
    var text = """
      collection  \(info.name)
      records     \(grouped(info.recordCount)) (\(grouped(info.pendingCount)) pending)
      text        \(info.settings.textFields.joined(separator: ", "))
      segments    \(info.segmentCount)
      disk        \(bytes(info.byteCount))

      """
    for space in info.spaces {
      text +=
        "space       \(space.id), \(space.dimension) dimensions, \(space.metric.rawValue), "
        + "\(space.encoder ?? "ready-made vectors")\n"
    }
    for (rowCount, plan) in info.indexes {
      text += "index       \(grouped(rowCount)) vectors: \(plan.kind.rawValue), \(plan.reason)\n"
    }
    if let perVector = info.bytesPerVector {
      text +=
        "vectors     \(bytes(info.vectorByteCount)) with their indexes, \(decimal(perVector, 1)) bytes each\n"
    }
    if info.spaces.isEmpty {
      text +=
        "space       provisional: fitted at each search until \(grouped(VectorCollection.minimumSealCount)) records are there\n"
    }
    for record in records {
      let room = max(20, terminalWidth() - record.key.count - 4)
      text += "  \(record.key)  \(excerpt(record.text, of: room, without: record.key))\n"
    }
    try writeToStandardOutput(text)
  }
}

extension CollectionInfo {
  var json: JSONValue { .object(jsonObject) }

  var jsonObject: [String: JSONValue] {
    [
      "name": .string(name),
      "records": .integer(Int64(recordCount)),
      "pending": .integer(Int64(pendingCount)),
      "segments": .integer(Int64(segmentCount)),
      "bytes": .integer(Int64(byteCount)),
      "vector_bytes": .integer(Int64(vectorByteCount)),
      "bytes_per_vector": bytesPerVector.map { .number($0) } ?? .null,
      "text": .array(settings.textFields.map { .string($0) }),
      "space": spaces.last.map { .string($0.id.description) } ?? .null,
      "spaces": .array(
        spaces.map { space in
          .object([
            "id": .string(space.id.description), "dimension": .integer(Int64(space.dimension)),
            "metric": .string(space.metric.rawValue),
            "encoder": space.encoder.map { .string($0) } ?? .null,
          ])
        }),
      "indexes": .array(
        indexes.map { rowCount, plan in
          .object([
            "vectors": .integer(Int64(rowCount)), "kind": .string(plan.kind.rawValue),
            "reason": .string(plan.reason),
          ])
        }),
    ]
  }
}

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the collections.",
    discussion: """
      EXAMPLES
        basis list
        basis list --data ./collections --json
      """)

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    var infos: [CollectionInfo] = []
    for name in CollectionFolder.names(in: data.home) {
      infos.append(try VectorCollection(data.folder(name), for: .read).info())
    }
    if output.json {
      try output.print(json: .object(["collections": .array(infos.map(\.json))]))
      return
    }
    let width = infos.map(\.name.count).max() ?? 0
    for info in infos {
      let padding = String(repeating: " ", count: width - info.name.count)
      try writeToStandardOutput(
        "\(info.name)\(padding)  \(grouped(info.recordCount)) records  \(bytes(info.byteCount))\n")
    }
    if infos.isEmpty {
      output.remark("no collection in \(data.home); make one with 'basis ingest NAME FILE'")
    }
  }
}
