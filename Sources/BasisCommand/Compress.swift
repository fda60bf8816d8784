import ArgumentParser
import BasisCodecs
import BasisCore
import BasisFormats
import Foundation

struct Compress: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what vectors cost in fewer bytes, and write them so.",
    discussion: """
      EXAMPLES
        basis compress vectors.npy --budgets 24,48,96
        basis compress vectors.npy --method recurrent --ratio 0.07 --apply vectors.codes
        basis compress vectors.codes --decode vectors-again.npy

      Fits every codec at each budget, in bytes a vector, and prints how many of the ten true
      neighbours of held-out rows are still found when only codes are compared. The tables that all
      codes share (rotations, codebooks) are counted apart and spread over the rows in 'total'. The
      one marked with > is the smallest within --budgets that keeps 95 % (--target), or else what
      keeps most there. --apply writes the codes of that one; a file of codes holds its codec, so that --decode needs
      nothing else.

      CODECS
      \(CodecRegistry.entries.map { "  \(padded($0.name, to: 14))\($0.summary)" }.joined(separator: "\n"))
      """)

  @Argument(
    help: "The matrix: npy, safetensors, fvecs, csv, jsonl; or with --decode, a file of codes.")
  var input: String

  @Option(
    help: ArgumentHelp(
      "Bytes a vector, separated by commas (default: 1/32, 1/16 and 1/8 of the vector's own).",
      valueName: "bytes"))
  var budgets: String?

  @Option(help: "Try this codec only.")
  var method: String?

  @Option(help: "Instead of --budgets: all bytes, tables included, as a share of the matrix's.")
  var ratio: Double?

  @Option(help: "How vectors are compared: cosine, ip or l2.")
  var metric: Metric = .cosine

  @Option(help: ArgumentHelp("Ask these queries instead of held-out rows.", valueName: "file"))
  var queries: String?

  @Option(help: "Compare on at most so many rows, chosen at random.")
  var sample = 20_000

  @Option(help: "The recall that the recommended codec must reach.")
  var target = 0.95

  @Option(help: ArgumentHelp("Draw bytes against recall.", valueName: "file.svg"))
  var picture: String?

  @Option(help: ArgumentHelp("Encode all rows by the recommended codec.", valueName: "file"))
  var apply: String?

  @Option(help: ArgumentHelp("Write the vectors that codes stand for.", valueName: "file.npy"))
  var decode: String?

  @Flag(help: "Overwrite files that are there.")
  var force = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  /// Queries that are held out, at most a tenth of the rows.
  private static let heldOutCount = 300
  /// Rows that the codec which is applied is fitted to, at most.
  private static let fittedCount = 100_000

  func validate() throws {
    if sample < 20 { throw ValidationError("--sample must be at least 20, not \(sample)") }
    if let ratio, !(ratio > 0 && ratio < 4) {
      throw ValidationError("--ratio must be above 0 and below 4, not \(ratio)")
    }
    if !(target >= 0 && target <= 1) {
      throw ValidationError("--target must be in 0 ... 1, not \(target)")
    }
    if ratio != nil, budgets != nil {
      throw ValidationError("--ratio and --budgets say the same in two ways; give one")
    }
    if decode != nil, apply != nil { throw ValidationError("give --apply or --decode, not both") }
    _ = try budgets.map(Self.parse)
  }

  private static func parse(_ text: String) throws -> [Int] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let bytes = Int(part.trimmingCharacters(in: .whitespaces)), bytes >= 1, bytes < 1 << 20
      else {
        throw ValidationError(
          "--budgets takes bytes a vector such as 24,48,96; '\(part)' is no such number")
      }
      return bytes
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    for path in [picture, apply, decode].compactMap({ $0 }) { try requireWritable(path) }
    if let decode { return try write(decode, line: line, in: context) }

    let matrix = try Matrix(contentsOf: input)
    guard matrix.rowCount >= 20, matrix.columnCount >= 1 else {
      throw BasisError(
        .badData,
        "\(input): has \(matrix.rowCount) × \(matrix.columnCount) values; a comparison needs at "
          + "least 20 rows")
    }
    let (rows, asked) = try split(matrix, in: context)
    let comparison = try CodecComparison(
      rows, queries: asked, metric: metric, storedCount: matrix.rowCount, in: context)
    let plans = try plans(matrix)
    var (measured, skipped): ([CodecComparison.Row], [String]) = ([], [])
    for (number, plan) in plans.enumerated() {
      line?.show(.init(phase: "codecs", completed: number, total: plans.count))
      do throws(BasisError) {
        measured.append(try comparison.measure(plan, in: context))
      } catch {
        guard error.code == .unsupported || error.code == .invalidArgument || error.code == .badData
        else { throw error }
        skipped.append("\(plan.label): \(error.message)")
      }
    }
    line?.clear()
    measured.sort { ($0.bytesPerVector, $1.recall) < ($1.bytesPerVector, $0.recall) }
    // What is larger than was asked for is there to compare with.
    let largest = try budgets.map(Self.parse)?.max() ?? Int.max
    let within = measured.indices.filter { measured[$0].bytesPerVector <= largest }
    guard
      let choice = CodecComparison.recommended(within.map { measured[$0] }, target: target)
    else {
      throw BasisError(
        .invalidArgument,
        skipped.first ?? "no codec has codes of so few bytes; give larger --budgets")
    }
    let best = within[choice]
    for remark in skipped { output.remark("skipped \(remark)") }
    let table = CompressTable(
      rows: measured, recommended: best, comparison: comparison, input: input)
    if let picture {
      let file = try OutputFile(picture, force: force)
      try file.write(table.chart.svg)
      try file.finish()
    }
    if let apply { try encode(matrix, measured[best].plan, to: apply, in: context) }
    line?.clear()
    if output.json {
      try output.print(json: table.json)
    } else {
      try writeToStandardOutput(table.text)
    }
  }

  /// The rows that are compared, and the queries: given, or held out.
  private func split(_ matrix: Matrix, in context: RunContext) throws(BasisError)
    -> (rows: Matrix, queries: Matrix)
  {
    var generator = context.generator("compress-sample")
    if let queries {
      let asked = try Matrix(contentsOf: queries)
      guard asked.columnCount == matrix.columnCount else {
        throw BasisError(
          .dimensionMismatch,
          "\(queries): has \(asked.columnCount) columns, \(input) has \(matrix.columnCount)")
      }
      return (
        matrix.sample(atMost: sample, by: &generator), asked.sample(atMost: 1000, by: &generator)
      )
    }
    let count = min(matrix.rowCount, sample)
    var order = generator.sample(count, of: matrix.rowCount)
    generator.shuffle(&order)
    let held = min(Self.heldOutCount, count / 10)
    return (
      matrix.selecting(rows: order.dropFirst(held)), matrix.selecting(rows: order.prefix(held))
    )
  }

  private func plans(_ matrix: Matrix) throws -> [CodecPlan] {
    let dimension = matrix.columnCount
    if let method { _ = try CodecRegistry.entry(method) }
    var plans: [CodecPlan] = []
    if let ratio {
      for name in method.map({ [$0] }) ?? CodecRegistry.entries.map(\.name) {
        do throws(BasisError) {
          plans += try CodecRegistry.plans(
            ratio: ratio, rowCount: matrix.rowCount, dimension: dimension, method: name)
        } catch {
          if method != nil { throw error }
        }
      }
    } else {
      let bytes =
        try budgets.map(Self.parse)
        ?? [dimension / 8, dimension / 4, dimension / 2].map { max(1, $0) }
      for bytes in bytes {
        plans += try CodecRegistry.plans(bytes: bytes, dimension: dimension, method: method)
      }
      // Larger than any of these budgets, to compare with.
      if method == nil {
        for kind in [ScalarQuantizer.Kind.int4, .int8] {
          plans += try CodecRegistry.plans(
            bytes: kind.bytesPerVector(dimension: dimension), dimension: dimension, method: "scalar"
          )
        }
      }
    }
    var seen: Set<String> = []
    return plans.filter { seen.insert($0.label).inserted }
  }

  private func encode(
    _ matrix: Matrix, _ plan: CodecPlan, to path: String, in context: RunContext
  ) throws(BasisError) {
    var generator = context.generator("compress-fit")
    let sample = matrix.sample(atMost: Self.fittedCount, by: &generator)
    let codec: any FittedCodec = try plan.settings.fit(sample, in: context)
    let codes = try codec.encode(matrix, in: context)
    try CompressedVectors(codec: codec, codes: codes, metric: metric).write(to: path)
    output.remark(
      "\(path): \(grouped(codes.count)) vectors by \(plan.label), "
        + bytes(codes.count * codes.bytesPerVector + codec.sharedBytes))
  }

  private func write(_ path: String, line: ProgressLine?, in context: RunContext) throws(BasisError)
  {
    let file = try CompressedVectors(contentsOf: input)
    let decoded = try file.codec.decode(file.codes, in: context)
    try NumPyArray(decoded).write(to: path)
    line?.clear()
    if output.json {
      try output.print(
        json: .object([
          "vectors": .integer(Int64(decoded.rowCount)),
          "dimension": .integer(Int64(decoded.columnCount)),
        ]))
    } else {
      output.remark("\(path): \(grouped(decoded.rowCount)) × \(decoded.columnCount)")
    }
  }

  private func requireWritable(_ path: String) throws(BasisError) {
    if !force, FileManager.default.fileExists(atPath: path) {
      throw BasisError(
        .alreadyExists, "\(path): is there already; give --force to replace it, or another name")
    }
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard FileManager.default.fileExists(atPath: parent) else {
      throw BasisError(.notFound, "\(path): its folder does not exist; make it first")
    }
  }
}
