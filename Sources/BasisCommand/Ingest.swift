import ArgumentParser
import BasisCollections
import BasisCore
import BasisFormats
import BasisSearch
import BasisStorage
import BasisText

struct Ingest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read records from files into a collection and make them searchable.",
    discussion: """
      EXAMPLES
        basis ingest notes notes.jsonl --key id --text title,body
        apt-cache dumpavail | basis ingest packages - --format debian
        basis ingest pictures captions.jsonl --vectors pictures.npy --metric cosine

      Reads JSON lines, CSV, TSV, plain text, folders of text, and Debian package lists, gzipped or
      not. Makes the collection if it is not there. A key that is there already is replaced; a
      record that has not changed costs nothing, so a run that was stopped is resumed by starting
      it again. What has been acknowledged survives the loss of power.
      """)

  @Argument(help: "The collection.")
  var name: String

  @Argument(help: "Files to read, in this order; - is standard input.")
  var files: [String]

  @Option(help: "How the files are written: \(SourceFormat.names). Guessed if not given.")
  var format: SourceFormat?

  @Option(help: "The field that identifies a record. Guessed if not given.")
  var key: String?

  @Option(
    help: ArgumentHelp(
      "The fields that are searched, joined in this order. Guessed if not given.",
      valueName: "field,…"))
  var text: String?

  @Option(
    help: ArgumentHelp(
      "What makes the vectors of a new collection: corpus, learnt from its texts (default), or a "
        + "model of 'basis models list', such as minilm.",
      valueName: "name"))
  var encoder: String?

  @Option(help: "Dimension of a corpus-trained encoder.")
  var dimension: Int?

  @Flag(help: "Cut long texts into overlapping parts that are searched one by one.")
  var chunk = false

  @Option(help: "Length of a part, with --chunk: tokens of a model, else words.")
  var chunkLimit = TextChunker().limit

  @Option(help: "How much a part repeats of the one before, with --chunk.")
  var chunkOverlap = TextChunker().overlap

  @Option(
    help: ArgumentHelp(
      "Vectors of your own instead of an encoder's: the field with each record's list of numbers, "
        + "or a file (.npy, .npz, .fvecs, .bvecs) whose row i belongs to record i.",
      valueName: "field|file"))
  var vectors: String?

  @Option(help: "How vectors of your own are compared: \(Metric.names) (default: cosine).")
  var metric: Metric?

  @Option(
    help:
      "How the vectors of a new collection are indexed: auto, flat, int8, lists, graph (default: auto)."
  )
  var index: IndexChoice?

  @Option(
    help: ArgumentHelp(
      "The recall that most searches of a new collection will ask for: above 0.97 its indexes are "
        + "built with twice the care (default: \(IndexPlanner().targetRecall)).",
      valueName: "share"))
  var targetRecall: Double?

  @Option(help: "Records a transaction: each waits for the disk once.")
  var batch = 1000

  @Flag(help: "Print a JSON line with the count of durable records after each transaction.")
  var acknowledge = false

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    guard !files.isEmpty else { throw ValidationError("name at least one file to read, or -") }
    guard batch >= 1 else { throw ValidationError("--batch must be at least 1, not \(batch)") }
    guard chunkLimit >= 1, (0..<chunkLimit).contains(chunkOverlap) else {
      throw ValidationError(
        "--chunk-limit must be at least 1 and --chunk-overlap less than it, "
          + "not \(chunkLimit) and \(chunkOverlap)")
    }
    if chunk && vectors != nil {
      throw ValidationError("--chunk cuts texts for an encoder; --vectors brings whole vectors")
    }
    if metric != nil && vectors == nil {
      throw ValidationError("--metric goes with --vectors; encoders know theirs")
    }
    if vectors != nil && (encoder != nil || dimension != nil) {
      throw ValidationError("--vectors brings vectors, so --encoder and --dimension say nothing")
    }
    if let targetRecall, !(0...1).contains(targetRecall) {
      throw ValidationError("--target-recall must be in 0 ... 1, not \(targetRecall)")
    }
    if let dimension, dimension < 1 || dimension > 4096 {
      throw ValidationError("--dimension must be in 1 ... 4096, not \(dimension)")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    var options = IngestOptions()
    options.format = format
    options.keyField = key
    options.textFields = text?.split(separator: ",").map {
      String($0.trimmingPrefix(while: \.isWhitespace))
    }
    options.encoder = encoder
    options.dimension = dimension
    options.batchCount = batch
    options.index = index?.kind
    options.targetRecall = targetRecall
    if chunk { options.chunker = TextChunker(limit: chunkLimit, overlap: chunkOverlap) }
    if let vectors {
      if isVectorFile(vectors) {
        options.vectorFile = vectors
      } else {
        options.vectorField = vectors
      }
    }
    options.metric = metric
    let acknowledge = self.acknowledge
    let report = try VectorCollection.ingest(
      files: files, into: try data.folder(name), options: options, in: context
    ) { count throws(BasisError) in
      if acknowledge {
        try writeToStandardOutput(
          JSONValue.object(["acknowledged": .integer(Int64(count))]).text + "\n")
      }
    }
    line?.clear()
    if output.json {
      try output.print(json: report.json)
    } else {
      output.remark(report.sentence(name: name))
    }
  }
}

/// Whether an argument names a file of vectors rather than a field.
private func isVectorFile(_ name: String) -> Bool {
  [".npy", ".npz", ".fvecs", ".bvecs"].contains { name.hasSuffix($0) || name.hasSuffix($0 + ".gz") }
}

extension Metric: ExpressibleByArgument {
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension SourceFormat: ExpressibleByArgument {
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension IngestReport {
  var json: JSONValue {
    .object([
      "records": .integer(Int64(summary.total)),
      "inserted": .integer(Int64(summary.inserted)),
      "replaced": .integer(Int64(summary.replaced)),
      "unchanged": .integer(Int64(summary.unchanged)),
      "sealed": .integer(Int64(sealedCount)),
      "pending": .integer(Int64(pendingCount)),
      "key": .string(keyField),
      "text": .array(textFields.map { .string($0) }),
      "space": space.map { .string($0.id.description) } ?? .null,
      "dimension": space.map { .integer(Int64($0.dimension)) } ?? .null,
      "truncated": .integer(Int64(truncation.textCount)),
      "truncated_tokens": .integer(Int64(truncation.tokenCount)),
      "seconds": .number(seconds),
    ])
  }

  func sentence(name: String) -> String {
    var parts: [String] = []
    if summary.inserted > 0 { parts.append("\(grouped(summary.inserted)) new") }
    if summary.replaced > 0 { parts.append("\(grouped(summary.replaced)) replaced") }
    if summary.unchanged > 0 { parts.append("\(grouped(summary.unchanged)) unchanged") }
    let counts = parts.isEmpty ? "nothing to read" : parts.joined(separator: ", ")
    let rate = seconds > 0 ? "  (\(grouped(Int(Double(summary.total) / seconds)))/s)" : ""
    let cut =
      truncation.textCount == 0
      ? ""
      : "\ncut: \(grouped(truncation.textCount)) of the texts were longer than the encoder reads, by "
        + "\(grouped(truncation.tokenCount)) tokens together; --chunk cuts long texts into parts"
    return """
      \(name): \(counts) in \(duration(seconds))\(rate)
      key: \(keyField)   text: \(textFields.joined(separator: ", "))\(cut)
      """
  }
}
