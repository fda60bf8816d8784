import ArgumentParser
import BasisCollections
import BasisCore
import BasisFormats
import BasisStorage

struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what a collection holds.",
    discussion: """
      EXAMPLES
        basis info packages
        basis info packages --json
      """)

  @Argument(help: "The collection.")
  var name: String

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let info = try VectorCollection(data.folder(name), for: .read).info()
    if output.json {
      try output.print(json: info.json)
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
    if info.spaces.isEmpty {
      text += "space       provisional: fitted at each search until 1,024 records are there\n"
    }
    try writeToStandardOutput(text)
  }
}

extension CollectionInfo {
  var json: JSONValue {
    .object([
      "name": .string(name),
      "records": .integer(Int64(recordCount)),
      "pending": .integer(Int64(pendingCount)),
      "segments": .integer(Int64(segmentCount)),
      "bytes": .integer(Int64(byteCount)),
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
    ])
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
