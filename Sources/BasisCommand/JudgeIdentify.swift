import ArgumentParser
import BasisCore
import BasisFormats
import BasisMeasures
import BasisNumerics
import Dispatch
import Foundation

struct JudgeIdentify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "identify",
    abstract: "Tell which layer, version or region representations come from, by who is near whom.",
    discussion: """
      EXAMPLES
        basis judge identify --group layer *.npy
        basis judge identify --group layer net0-layer1.npy net0-layer2.npy net1-layer1.npy net1-layer2.npy
        basis judge identify --group version a/version1.npy a/version2.npy b/version1.npy b/version2.npy \\
            --grid --plot surface.svg

      A matrix for each subject and group, with the same things in the same order. Of a name such as
      net0-layer1.npy the part that begins with the group is what has to be told, and the rest is the
      subject. Each is told from the means of the other subjects.

      Thresholds are quantiles of the ranked dissimilarities: 0 and 1 keep all ranks, close ones only who is
      near whom. With --grid all on a step of a tenth are tried; the best of them is too good, and what
      choosing is worth is the nested accuracy.
      """)

  @Argument(help: "Matrices or collections, one for each subject and group.")
  var inputs: [String]

  @Option(help: ArgumentHelp("How the part of a name begins that is told.", valueName: "word"))
  var group = "layer"

  @Option(help: ArgumentHelp("Quantile below which dissimilarities are 0.", valueName: "l"))
  var lower = 0.2

  @Option(help: ArgumentHelp("Quantile above which dissimilarities are 1.", valueName: "u"))
  var upper = 0.8

  @Option(help: "How rows are compared: sql2 or correlation.")
  var dissimilarity = RDM.Dissimilarity.squaredEuclidean

  @Flag(help: "Try all pairs of thresholds on a step of a tenth.")
  var grid = false

  @Option(help: "Draws of subjects and things for the interval; 0 for none.")
  var resamples = 200

  @Option(
    help: ArgumentHelp("Compare so many things at most, chosen at random.", valueName: "number"))
  var things = 1_000

  @Option(
    help: ArgumentHelp(
      "Draw the accuracy over the grid, or where each group goes.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite the picture if it is there.")
  var force = false

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    guard things >= 4 else { throw ValidationError("--things is at least 4, not \(things)") }
    guard resamples == 0 || resamples >= 2 else {
      throw ValidationError("--resamples is 0, or at least 2")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let table = try SubjectTable(inputs, group: group)
    let began = DispatchTime.now().uptimeNanoseconds
    let summaries = try summaries(table, in: context)
    let regions = try RepresentationIdentification(summaries, in: context)
    let transform = GeoTopological(lower: lower, upper: upper)
    var report = IdentifyReport(
      subjects: table.subjects, regions: table.groups, things: summaries[0][0].count,
      lower: lower, upper: upper, told: try regions.regions(transform, in: context))
    report.ranks = try regions.accuracy(GeoTopological(lower: 0, upper: 1), in: context)
    report.distances = try RepresentationIdentification.accuracy(of: summaries, in: context)
    if grid { report.surface = try regions.surface(in: context) }
    if resamples > 0 {
      report.interval = try regions.interval(transform, resampleCount: resamples, in: context)
    }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
    line?.clear()
    try report.tell(of: inputs[0], seconds: seconds, picture: picture, output)
    if table.subjects.count < 4 {
      output.remark("of \(table.subjects.count) subjects little is known: take more")
    }
  }

  /// A summary for each subject and group, of the same things.
  private func summaries(_ table: SubjectTable, in run: RunContext) throws(BasisError) -> [[RDM]] {
    var result: [[RDM]] = []
    var chosen: [Int]?
    var first: (name: String, rows: Int)?
    for (number, names) in table.names.enumerated() {
      run.report("subjects", number, of: table.names.count)
      var own: [RDM] = []
      for name in names {
        let rows = try data.rows(name, in: run)
        if let first, first.rows != rows.rowCount {
          throw BasisError(
            .dimensionMismatch,
            "\(name) has \(rows.rowCount) rows, \(first.name) has \(first.rows); give the same things "
              + "in the same order")
        }
        if first == nil {
          first = (name, rows.rowCount)
          if rows.rowCount > things {
            var generator = run.generator("things compared")
            chosen = generator.sample(things, of: rows.rowCount).sorted()
          }
        }
        let some = chosen.map { rows.selecting(rows: $0) } ?? rows
        do throws(BasisError) {
          own.append(try RDM(some, dissimilarity, in: run.silent))
        } catch {
          throw error.at(name)
        }
      }
      result.append(own)
    }
    return result
  }
}

extension RDM.Dissimilarity: ExpressibleByArgument {}

/// Which file is of which subject and group, as their names say.
struct SubjectTable {
  private(set) var subjects: [String] = []
  private(set) var groups: [String] = []
  /// *[subject][group]*
  private(set) var names: [[String]] = []

  /// - Throws: `.invalidArgument` for a name without the group, two names of one subject and group, or a
  ///   subject without one of the groups.
  init(_ paths: [String], group: String) throws(BasisError) {
    var table: [String: [String: String]] = [:]
    for path in paths {
      let (subject, own) = try Self.parts(of: path, group)
      if let other = table[subject]?[own] {
        throw BasisError(
          .invalidArgument,
          "\(path) and \(other) are both '\(own)' of '\(subject)'; give one of them")
      }
      table[subject, default: [:]][own] = path
    }
    subjects = table.keys.sorted(by: Self.isBefore)
    groups = Set(table.values.flatMap(\.keys)).sorted(by: Self.isBefore)
    for subject in subjects {
      var own: [String] = []
      for group in groups {
        guard let name = table[subject]?[group] else {
          throw BasisError(
            .invalidArgument, "subject '\(subject)' has no '\(group)', which others have; add it")
        }
        own.append(name)
      }
      names.append(own)
    }
  }

  /// Numbers within names count as numbers: layer2 stands before layer10.
  private static func isBefore(_ a: String, _ b: String) -> Bool {
    a.compare(b, options: [.numeric]) == .orderedAscending
  }

  /// The part of a path that begins with the group, with the next part where it is the group alone; and
  /// all else.
  private static func parts(of path: String, _ group: String) throws(BasisError) -> (
    subject: String, group: String
  ) {
    var name = path
    let endings = [".gz", ".npy", ".npz", ".safetensors", ".csv", ".fvecs", ".jsonl", ".json"]
    for ending in endings where name.hasSuffix(ending) { name.removeLast(ending.count) }
    var parts = name.split { "/-_.".contains($0) }.map(String.init)
    guard let place = parts.lastIndex(where: { $0.hasPrefix(group) }) else {
      throw BasisError(
        .invalidArgument,
        "\(path): no part of the name begins with '\(group)'; say with --group what is told, as in "
          + "net0-\(group)1.npy")
    }
    var own = parts.remove(at: place)
    if own == group, place < parts.count { own += parts.remove(at: place) }
    return (parts.isEmpty ? "1" : parts.joined(separator: "-"), own)
  }
}

/// What is told of where representations come from.
private struct IdentifyReport: MethodReport {
  let subjects: [String]
  let regions: [String]
  let things: Int
  let lower: Double
  let upper: Double
  /// *[subject][region]*
  let told: [[Int]]
  var ranks = 0.0
  var distances = 0.0
  var surface: RepresentationIdentification.Surface?
  var interval: ClosedRange<Double>?

  /// The mean over subjects of the share that goes where it belongs.
  private var accuracy: Double {
    Statistics.mean(
      told.map { own in
        Double(own.indices.count { own[$0] == $0 }) / Double(regions.count)
      })
  }

  private var chance: Double { 1 / Double(regions.count) }

  /// How many subjects' region goes to which.
  private var confusion: [[Int]] {
    var counts = regions.map { _ in regions.map { _ in 0 } }
    for own in told {
      for (region, found) in own.enumerated() { counts[region][found] += 1 }
    }
    return counts
  }

  private static func json(_ cell: RepresentationIdentification.Surface.Cell) -> JSONValue {
    .object([
      "lower": .number(cell.lower), "upper": .number(cell.upper),
      "accuracy": .number(cell.accuracy),
    ])
  }

  func json(seconds: Double) -> JSONValue {
    .object([
      "subjects": .array(subjects.map { .string($0) }),
      "groups": .array(regions.map { .string($0) }), "things": .integer(Int64(things)),
      "chance": .number(chance), "lower": .number(lower), "upper": .number(upper),
      "accuracy": .number(accuracy),
      "interval": interval.map { .array([.number($0.lowerBound), .number($0.upperBound)]) }
        ?? .null,
      "ranks": .number(ranks), "distances": .number(distances),
      "confusion": .array(confusion.map { .array($0.map { .integer(Int64($0)) }) }),
      "grid": surface.map { .array($0.cells.map(Self.json)) } ?? .null,
      "best": surface?.best.map(Self.json) ?? .null,
      "nested_accuracy": surface.map { .number($0.nestedAccuracy) } ?? .null,
      "seconds": .number(seconds),
    ])
  }

  func text(_ input: String, seconds: Double) -> String {
    var text = "\(subjects.count) subjects, \(regions.count) groups, \(grouped(things)) things   "
    text += "\(decimal(seconds, 2)) s\n"
    text += "accuracy \(decimal(accuracy, 3))"
    if let interval {
      text += "   \(decimal(interval.lowerBound, 3)) … \(decimal(interval.upperBound, 3))"
    }
    text += "   thresholds \(decimal(lower, 2)) and \(decimal(upper, 2)); by chance "
    text += "\(decimal(chance, 3))\n"
    text += "  ranks      \(decimal(ranks, 3))\n  distances  \(decimal(distances, 3))\n"
    if let surface, let best = surface.best {
      text += "  best       \(decimal(best.accuracy, 3)) at \(decimal(best.lower, 1)) and "
      text += "\(decimal(best.upper, 1)), of \(surface.cells.count): too good\n"
      text +=
        "  nested     \(decimal(surface.nestedAccuracy, 3)), what choosing thresholds is worth\n"
    }
    let width = max(6, regions.map(\.count).max() ?? 0) + 2
    text += "\n\(padded("told as", to: width))"
    text += regions.map { aligned($0, in: width) }.joined() + "\n"
    for (region, counts) in zip(regions, confusion) {
      text += padded(region, to: width)
      text += counts.map { aligned("\($0)", in: width) }.joined() + "\n"
    }
    return text
  }

  func chart(_ input: String) -> Chart {
    guard let surface else {
      let cells = confusion.enumerated().flatMap { row, counts in
        counts.enumerated().map { column, count in
          Chart.Point(
            Double(column), Double(row),
            title: "\(regions[row]) told as \(regions[column]): \(count)", value: Double(count))
        }
      }
      return Chart(
        "where \(subjects.count) subjects' groups go", x: .init("told as", names: regions),
        y: .init("is", names: regions), series: [.init("subjects", cells, style: .cells)])
    }
    let cells = surface.cells.map { cell in
      Chart.Point(
        cell.upper, cell.lower,
        title:
          "\(decimal(cell.lower, 1)) and \(decimal(cell.upper, 1)): \(decimal(cell.accuracy, 3))",
        label: cell == surface.best ? "best" : "", value: cell.accuracy)
    }
    return Chart(
      "\(regions.count) groups of \(subjects.count) subjects: nested accuracy "
        + "\(decimal(surface.nestedAccuracy, 3)), by chance \(decimal(chance, 3))",
      x: .init("upper threshold"), y: .init("lower threshold"),
      series: [.init("accuracy", cells, style: .cells)])
  }
}
