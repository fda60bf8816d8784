import ArgumentParser
import BasisAlignment
import BasisCore
import BasisFormats
import Dispatch
import Foundation

struct Align: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring one space onto another, and tell how well things are found across.",
    discussion: """
      EXAMPLES
        basis align old.npy new.npy --method procrustes -o map
        basis align old.npy new.npy --anchors ids.txt --plot found.svg
        basis align --apply map more-of-old.npy -o brought-over.npy
        basis align notes-2024 notes-2025 --method affine -o map

      OLD and NEW are collections or files. Row i of one file is row i of the other; of two collections,
      records of one key are one thing. The map is learned from pairs chosen at random, all but a fifth
      (--holdout), or from those that --anchors names: row numbers, or keys, a line each. It is judged by
      the pairs that it has not seen: each old row, brought over, looks for its own among the new ones.

      relative and inverse-relative take 300 of the pairs unless --set anchorCount=N says otherwise;
      relative brings the new rows over too: --apply MAP NEW --from second.

      METHODS
      \(AlignmentCatalogue.entries.map { entry in
        "  \(padded(entry.descriptor.name, to: 18))\(entry.descriptor.summary)"
      }.joined(separator: "\n"))
      """)

  @Argument(help: "OLD and NEW; with --apply, the rows to bring over.")
  var inputs: [String]

  @Option(help: "How: one of the methods above.")
  var method = "procrustes"

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Keep the map; with --apply, the rows as npy.", valueName: "file"))
  var outputFile: String?

  @Option(
    help: ArgumentHelp("Learn from these pairs: a row number or key a line.", valueName: "file"))
  var anchors: String?

  @Option(help: ArgumentHelp("The share of pairs that the map does not see.", valueName: "share"))
  var holdout = 0.2

  @Option(help: ArgumentHelp("Bring rows over by a map that was kept.", valueName: "map"))
  var apply: String?

  @Option(help: "Whose rows --apply takes: first (old) or second (new).")
  var from = "first"

  @Option(help: ArgumentHelp("Draw how soon things are found.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite files that are there.")
  var force = false

  @OptionGroup var options: MethodOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if let apply {
      guard inputs.count == 1 else {
        throw ValidationError("--apply \(apply) takes one input, the rows to bring over")
      }
      if outputFile == nil { throw ValidationError("--apply writes rows; give -o FILE.npy") }
      if anchors != nil || plot != nil {
        throw ValidationError("--apply only maps; leave --anchors and --plot out")
      }
    } else if inputs.count != 2 {
      throw ValidationError("align takes two inputs, OLD and NEW; got \(inputs.count)")
    }
    if AlignmentSide(rawValue: from) == nil {
      throw ValidationError("--from is first or second, not '\(from)'")
    }
    if !(holdout >= 0 && holdout < 1) {
      throw ValidationError("--holdout is a share from 0 to less than 1, not \(holdout)")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    if let outputFile { try OutputFile.requireAbsent(outputFile, force: force) }
    if let apply { return try bringOver(by: apply, line: line, in: context) }
    let entry = try AlignmentCatalogue.entry(named: method)
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let given = try AlignedInputs(inputs, options, in: context)
    let split = try given.split(anchors: anchors, holdout: holdout, in: context)

    let began = DispatchTime.now().uptimeNanoseconds
    let learned = try given.pairs.selecting(rows: split.anchors)
    let own =
      method.contains("relative") && anchors == nil
      ? ["anchorCount=\(min(300, split.anchors.count))"] : []
    let map = try entry.run(
      MethodParts([learned.first, learned.second], names: inputs),
      settings: options.json(after: own), in: context)
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
    let report = try AlignReport(
      map, given, split, method: method, file: outputFile, in: context)
    line?.clear()
    if let outputFile { try map.save(to: outputFile) }
    try report.tell(
      of: "\(inputs[0]) → \(inputs[1])", seconds: seconds, picture: picture, output)
    for warning in report.warnings { output.remark(warning) }
  }

  private func bringOver(by path: String, line: ProgressLine?, in context: RunContext) throws {
    let map = try AlignmentCatalogue.aligner(contentsOf: path)
    let rows = try options.rows(inputs[0], in: context)
    let side = AlignmentSide(rawValue: from) ?? .first
    let mapped: Matrix
    do throws(BasisError) {
      mapped = try map.map(rows, from: side, in: context)
    } catch {
      throw error.at(inputs[0])
    }
    line?.clear()
    if let outputFile { try NumPyArray(mapped).write(to: outputFile) }
    if output.json {
      try output.print(
        json: .object([
          "rows": .integer(Int64(mapped.rowCount)), "dimension": .integer(Int64(map.dimension)),
          "output": outputFile.map { .string($0) } ?? .null,
        ]))
    } else {
      output.remark("\(grouped(mapped.rowCount)) rows of \(map.dimension) values")
    }
  }
}

/// Two inputs as pairs of rows of one thing.
struct AlignedInputs {
  let pairs: PairedRows
  /// Of collections; empty for files.
  let keys: [String]
  /// Records that only one collection has.
  let lonelyCount: Int
  private let names: [String]

  init(_ names: [String], _ options: MethodOptions, in run: RunContext) throws(BasisError) {
    let first = try options.keyedRows(names[0], in: run)
    let second = try options.keyedRows(names[1], in: run)
    self.names = names
    guard !first.keys.isEmpty, !second.keys.isEmpty else {
      do throws(BasisError) {
        pairs = try PairedRows(first.rows, second.rows)
      } catch {
        throw error.at("\(names[0]) and \(names[1])")
      }
      keys = first.keys.isEmpty ? second.keys : first.keys
      lonelyCount = 0
      return
    }
    var places: [String: Int] = [:]
    for (row, key) in second.keys.enumerated() { places[key] = row }
    let common = first.keys.indices.filter { places[first.keys[$0]] != nil }
    guard !common.isEmpty else {
      throw BasisError(.badData, "\(names[0]) and \(names[1]) have no record of the same key")
    }
    keys = common.map { first.keys[$0] }
    pairs = try PairedRows(
      first.rows.selecting(rows: common),
      second.rows.selecting(rows: keys.compactMap { places[$0] }))
    lonelyCount = first.keys.count + second.keys.count - 2 * common.count
  }

  /// Pairs to learn from, and others to be judged by.
  struct Split {
    var anchors: [Int]
    var heldOut: [Int]
  }

  /// Judging is quadratic in the pairs.
  private static let judgedCount = 2_000

  func split(anchors path: String?, holdout: Double, in run: RunContext) throws(BasisError) -> Split
  {
    let n = pairs.first.rowCount
    var generator = run.generator("pairs held out")
    var split: Split
    if let path {
      let anchors = try listed(in: path)
      let named = Set(anchors)
      split = Split(anchors: anchors, heldOut: (0..<n).filter { !named.contains($0) })
    } else {
      let count = min(max(0, n - 2), Int((holdout * Double(n)).rounded()))
      let heldOut = generator.sample(count, of: n)
      let out = Set(heldOut)
      split = Split(anchors: (0..<n).filter { !out.contains($0) }, heldOut: heldOut)
    }
    if split.heldOut.count > Self.judgedCount {
      let chosen = generator.sample(Self.judgedCount, of: split.heldOut.count)
      split.heldOut = chosen.map { split.heldOut[$0] }
    }
    return split
  }

  /// The pairs that a file names, by their keys where there are any, else by their numbers.
  private func listed(in path: String) throws(BasisError) -> [Int] {
    var text = ""
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      let isThere = FileManager.default.fileExists(atPath: path)
      throw BasisError(
        isThere ? .badData : .notFound,
        "\(path): \(isThere ? "is no text of one anchor a line" : "there is no such file")",
        cause: error)
    }
    let places = Dictionary(keys.enumerated().map { ($1, $0) }) { first, _ in first }
    var rows: [Int] = []
    var seen: Set<Int> = []
    for (number, line) in text.split(whereSeparator: \.isNewline).enumerated() {
      let name = line.trimmingCharacters(in: .whitespaces)
      guard !name.isEmpty else { continue }
      guard let row = keys.isEmpty ? Int(name) : places[name], row >= 0,
        row < pairs.first.rowCount
      else {
        let known =
          keys.isEmpty
          ? "row numbers are 0 to \(pairs.first.rowCount - 1)"
          : "no record that both \(names[0]) and \(names[1]) have is called so"
        throw BasisError(.badData, "\(path): line \(number + 1): '\(name)': \(known)")
      }
      guard seen.insert(row).inserted else {
        throw BasisError(.badData, "\(path): line \(number + 1): '\(name)' is named twice")
      }
      rows.append(row)
    }
    return rows
  }
}
