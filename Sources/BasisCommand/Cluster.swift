import ArgumentParser
import BasisClustering
import BasisCore
import BasisFormats
import BasisNumerics
import Dispatch
import Foundation

struct Cluster: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put rows into groups, and show a row that stands for each.",
    discussion: """
      EXAMPLES
        basis cluster vectors.npy -k 10
        basis cluster notes --metric cosine -k auto --plot silhouettes.svg
        basis cluster distances.npy --precomputed -k 20 -o groups.npy
        basis cluster vectors.npy -k 50 --save groups ; basis cluster new.npy --model groups

      X is a collection, a file, or - for standard input. The loss is the sum of the distances from
      the rows to their medoids (of squared distances to their means for kmeans, whose medoids are the
      rows nearest to them). l2 is the distance itself, sql2 its square. -k auto tries 2 to 20, or
      as many as --most says, and takes the best medoid silhouette. With --labels the groups are
      compared with known classes, of which the methods see nothing.

      METHODS
      \(ClusteringCatalogue.entries.map { entry in
        "  \(padded(entry.descriptor.name, to: 15))\(entry.descriptor.summary)"
      }.joined(separator: "\n"))
      """)

  @Argument(help: "A matrix or a collection.")
  var input: String

  @Option(help: "How: one of the methods above.")
  var method = "fasterpam"

  @Option(
    name: [.customShort("k"), .customLong("clusters")],
    help: ArgumentHelp("How many groups, or auto.", valueName: "number"))
  var clusterCount = "8"

  @Option(help: "The largest number that -k auto tries.")
  var most = 20

  @Option(
    help: ArgumentHelp(
      "How rows are compared: l2, sql2 or cosine (default: l2; a collection's own).",
      valueName: "metric"))
  var metric: String?

  @Option(
    help: ArgumentHelp(
      "What k-medoids begin with: \(MedoidStart.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "start"))
  var start: String?

  @Flag(help: "X holds the dissimilarity of every pair.")
  var precomputed = false

  @Flag(
    name: [.customLong("symmetrise"), .customLong("symmetrize")],
    help: "Take the mean of dissimilarities that differ across the diagonal.")
  var symmetrise = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write the group of each row.", valueName: "file.npy"))
  var outputFile: String?

  @Option(help: ArgumentHelp("Keep the groups, for rows to come.", valueName: "file"))
  var save: String?

  @Option(help: ArgumentHelp("Put rows into groups that were kept.", valueName: "file"))
  var model: String?

  @Option(help: ArgumentHelp("Draw the silhouettes.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite files that are there.")
  var force = false

  @OptionGroup var options: MethodOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if clusterCount != "auto", Int(clusterCount) == nil {
      throw ValidationError("-k takes a number or auto, not '\(clusterCount)'")
    }
    if most < 2 { throw ValidationError("--most must be at least 2, not \(most)") }
    if let metric, DissimilarityMetric(rawValue: metric) == nil {
      throw ValidationError("--metric is l2, sql2 or cosine here, not '\(metric)'")
    }
    if let start, MedoidStart(rawValue: start) == nil {
      throw ValidationError(
        "--start is one of \(MedoidStart.allCases.map(\.rawValue).joined(separator: ", ")), not "
          + "'\(start)'")
    }
    if clusterCount == "auto", method != "fasterpam" {
      throw ValidationError("-k auto is a scan by fasterpam; leave --method out")
    }
    if symmetrise, !precomputed {
      throw ValidationError("--symmetrise is for dissimilarities; give --precomputed with it")
    }
    if precomputed, method == "kmeans" {
      throw ValidationError("kmeans takes rows: means of dissimilarities there are none")
    }
    if model != nil, save != nil || plot != nil {
      throw ValidationError("--model only assigns; leave --save and --plot out")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    for path in [outputFile, save].compactMap({ $0 }) {
      try OutputFile.requireAbsent(path, force: force)
    }
    if let model { return try assign(model, line: line, in: context) }
    let entry = try ClusteringCatalogue.entry(named: method)
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let (rows, keys, own) = try options.keyedRows(input, in: context)
    var parts = MethodParts([rows], names: [input == "-" ? "standard input" : input])
    (parts.isPairwise, parts.isSymmetrized) = (precomputed, symmetrise)
    // Groups by the inner product there are none: the angle is nearest to it.
    let usual: DissimilarityMetric = own == nil || own == .squaredEuclidean ? .euclidean : .cosine
    let measure = metric.flatMap { DissimilarityMetric(rawValue: $0) } ?? usual

    let began = DispatchTime.now().uptimeNanoseconds
    var steps: [ClusterCountScan.Step] = []
    let found: any StoredClustering
    if clusterCount == "auto" {
      (found, steps) = try scan(parts, measure, in: context)
    } else {
      found = try entry.run(
        parts, settings: ClusterSettings(self, measure).json, in: context)
    }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
    let labels = try options.labels.map { path throws(BasisError) in
      try MatrixSource(path: path).integers()
    }
    let report = try ClusterReport(
      found, steps, parts, labels: labels, keys: keys, method: method, metric: measure,
      in: context)
    line?.clear()
    if let outputFile { try NumPyArray(found.assignments).write(to: outputFile) }
    if let save { try found.save(to: save) }
    try report.tell(of: input, seconds: seconds, picture: picture, output)
    for warning in report.warnings { output.remark(warning) }
  }

  private func scan(
    _ parts: MethodParts, _ measure: DissimilarityMetric, in context: RunContext
  ) throws(BasisError) -> (any StoredClustering, [ClusterCountScan.Step]) {
    let settings = try KMedoids().changed(
      by: ClusterSettings(self, measure).json, in: "fasterpam")
    let input = try PairwiseInput(parts, for: "fasterpam")
    let found = try ClusterCountScan(maxClusterCount: most, settings: settings)
      .fit(input, in: context)
    return (found.model, found.steps)
  }

  /// Further rows into groups that a file keeps.
  private func assign(_ path: String, line: ProgressLine?, in context: RunContext) throws {
    let kept = try ClusteringCatalogue.open(path)
    let assignments = try kept.assign(options.rows(input, in: context), in: context)
    line?.clear()
    if let outputFile { try NumPyArray(assignments).write(to: outputFile) }
    if output.json {
      try output.print(
        json: .object([
          "assignments": .array(assignments.map { .integer(Int64($0)) }),
          "clusters": .integer(Int64(kept.clusterCount)),
        ]))
    } else if outputFile == nil {
      try writeToStandardOutput(assignments.map { "\($0)\n" }.joined())
    } else {
      output.remark("\(grouped(assignments.count)) rows in \(kept.clusterCount) clusters")
    }
  }
}

/// The settings of a method from what the command line says.
struct ClusterSettings {
  let json: String

  init(_ command: Cluster, _ metric: DissimilarityMetric) {
    var own: [String] = []
    if let count = Int(command.clusterCount) { own.append("clusterCount=\(count)") }
    if command.method == "kmeans" {
      if metric == .cosine { own.append("isSpherical=true") }
    } else {
      own.append("metric=\(metric.rawValue)")
      if let start = command.start { own.append("start=\(start)") }
    }
    json = command.options.json(after: own)
  }
}
