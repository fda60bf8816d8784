import ArgumentParser
import BasisCodecs
import BasisCore
import BasisEvaluation
import BasisFormats
import BasisNumerics
import Foundation

struct EvaluateRate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rate",
    abstract: "Measure what a task loses where features are sent in fewer bits.",
    discussion: """
      EXAMPLES
        basis evaluate rate acts.npy --head head.npz --labels y.npy --steps 1,2,4,8
        basis evaluate rate maps.npy --head head.npz --layout tiles --clip=-20,20 --plot rate.svg

      The features are cut to a range, rounded to so many levels, transformed, divided by each step
      and written by a range coder; what comes back goes through the head, which is a matrix 'weight'
      (classes × inputs) and perhaps a vector 'bias'. Without --labels, the classes that the head
      sees in the features as they are count as right.

      Features are an array (1, 1, tokens, channels) or (samples, channels, height, width); a matrix
      is one token a row.
      """)

  @Argument(help: "The features: npy.")
  var features: String

  @Option(help: ArgumentHelp("The linear head: an npz of 'weight' and 'bias'.", valueName: "npz"))
  var head: String

  @Option(help: ArgumentHelp("The class of each sample.", valueName: "npy"))
  var labels: String?

  @Option(help: "Steps to divide by, in levels of the quantiser, separated by commas.")
  var steps = "1,4,8,16,32,64,96,128,192,256"

  @Option(
    help: "The range that features are cut to, two numbers (default: 0.1 % cut on each side).")
  var clip: String?

  @Option(help: "Bits of a level, 1 to 16.")
  var bits = 10

  @Option(help: "How features lie in the plane: tokens, sideBySide or tiles.")
  var layout: FeatureLayout?

  @Option(help: "What is rounded: cosine (blocks of 8 × 8) or none (default: the shorter).")
  var transform: FeatureTensorCodec.Transform?

  @Option(help: "The loss of accuracy that is allowed, in points.")
  var loss = 1.0

  @Option(help: ArgumentHelp("Draw bits against accuracy.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite the picture if it is there.")
  var force = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    _ = try Self.numbers(steps, "--steps", "1,2,4,8")
    if let clip, try Self.numbers(clip, "--clip", "-5,5").count != 2 {
      throw ValidationError("--clip takes two numbers such as -5,5, not '\(clip)'")
    }
    if loss < 0 { throw ValidationError("--loss must be at least 0, not \(loss)") }
  }

  private static func numbers(_ text: String, _ option: String, _ example: String) throws -> [Float]
  {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let number = Float(part.trimmingCharacters(in: .whitespaces)), number.isFinite else {
        throw ValidationError("\(option) takes numbers such as \(example); '\(part)' is none")
      }
      return number
    }
  }

  /// One way to send the features.
  private struct Row {
    var name: String
    var rate: Double
    var accuracy: Double
    var squaredError: Double
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let picture = try plot.map { path throws(BasisError) in
      try OutputFile(path, force: force)
    }
    let tensor = try Self.tensor(NumPyArray(contentsOf: features))
    let head = try LinearHead(contentsOf: head)
    let samples = try tensor.samples(of: head.weight.columnCount)
    let plain = try head.classes(of: samples, in: context)
    let right = try labels.map { path throws(BasisError) in
      let labels = try NumPyArray(contentsOf: path).integers()
      guard labels.count == samples.rowCount else {
        throw BasisError(
          .dimensionMismatch,
          "\(path): has \(labels.count) labels, \(features) has \(samples.rowCount) samples")
      }
      return labels
    }
    let wanted = right ?? plain
    let layout = layout ?? (tensor.shape[0] == 1 && tensor.shape[1] == 1 ? .tokens : .sideBySide)
    let range = try clip.map { try Self.numbers($0, "--clip", "-5,5") } ?? Self.range(of: tensor)

    func row(_ name: String, _ decoded: FeatureTensor, rate: Double) throws(BasisError) -> Row {
      let seen = try head.classes(of: try decoded.samples(of: samples.columnCount), in: context)
      let hits = zip(seen, wanted).count { $0 == $1 }
      let error = zip(decoded.values, tensor.values).reduce(0.0) { sum, pair in
        let difference = Double(pair.0) - Double(pair.1)
        return sum + difference * difference
      }
      return Row(
        name: name, rate: rate, accuracy: 100 * Double(hits) / Double(max(1, wanted.count)),
        squaredError: error / Double(max(1, tensor.values.count)))
    }
    let reference = try row("as they are", tensor, rate: 32)
    var rows: [Row] = []
    for (name, range) in [("8 bits, all values", Self.span(of: tensor)), ("8 bits, cut", range)] {
      let quantizer = FeatureQuantizer(lower: range[0], upper: range[1], bits: 8)
      try quantizer.check()
      var coarse = tensor
      coarse.values = tensor.values.map { quantizer.value(quantizer.quantized($0)) }
      rows.append(try row(name, coarse, rate: 8))
    }
    let fixedCount = rows.count
    let steps = try Self.numbers(steps, "--steps", "1,2,4,8")
    for (number, step) in ([nil] + steps).enumerated() {
      context.report("steps", number, of: steps.count + 1)
      try context.checkCancelled()
      var best: (stream: [UInt8], codec: FeatureTensorCodec)?
      let transforms = step == nil ? [.none] : transform.map { [$0] } ?? [.cosine, .none]
      for transform in transforms {
        let codec = FeatureTensorCodec(
          quantizer: FeatureQuantizer(lower: range[0], upper: range[1], bits: bits),
          layout: layout, transform: transform, step: step)
        let stream = try codec.encode(tensor)
        if best.map({ stream.count < $0.stream.count }) ?? true { best = (stream, codec) }
      }
      guard let best else { continue }
      rows.append(
        try row(
          step.map { "step \(Chart.short(Double($0))), \(best.codec.transform.rawValue)" }
            ?? "\(bits) bits, no further loss",
          best.codec.decode(best.stream, shape: tensor.shape),
          rate: FeatureTensorCodec.bitsPerPoint(best.stream, shape: tensor.shape)))
    }
    line?.clear()
    let curve = try RateAccuracyCurve(
      rows.dropFirst(fixedCount).map { .init($0.name, rate: $0.rate, accuracy: $0.accuracy) })
    let choice = curve.cheapest(losing: loss, of: reference.accuracy)
    if let picture {
      try picture.write(chart(curve, rows.prefix(fixedCount), reference, choice).svg)
      try picture.finish()
    }
    try show([reference] + rows, choice, tensor, range)
  }

  // MARK: Input

  private static func tensor(_ array: NumPyArray) throws(BasisError) -> FeatureTensor {
    let shape = array.shape.count == 2 ? [1, 1] + array.shape : array.shape
    guard shape.count == 4, shape.allSatisfy({ $0 > 0 }) else {
      throw BasisError(
        .badData,
        "features have the shape (1, 1, tokens, channels), (samples, channels, height, width) or "
          + "(tokens, channels), not \(array.shape); reshape them")
    }
    return try FeatureTensor(shape: shape, values: try array.values())
  }

  private static func span(of tensor: FeatureTensor) -> [Float] {
    let low = tensor.values.min() ?? 0
    return [low, max(tensor.values.max() ?? 1, low.nextUp)]
  }

  /// All but a thousandth on each side.
  private static func range(of tensor: FeatureTensor) -> [Float] {
    let sorted = tensor.values.sorted()
    let cut = sorted.count / 1000
    let low = sorted[cut]
    return [low, max(sorted[sorted.count - 1 - cut], low.nextUp)]
  }

  // MARK: Output

  private func chart(
    _ curve: RateAccuracyCurve, _ fixed: ArraySlice<Row>, _ reference: Row,
    _ choice: RateAccuracyCurve.Point?
  ) -> Chart {
    func point(_ name: String, _ rate: Double, _ accuracy: Double, label: String) -> Chart.Point {
      Chart.Point(
        rate, accuracy, title: "\(name): \(decimal(rate, 2)) bits, \(decimal(accuracy, 1)) %",
        label: label)
    }
    return Chart(
      (features as NSString).lastPathComponent,
      x: .init("bits per feature point", scale: .logarithmic),
      y: .init(labels == nil ? "same class, %" : "accuracy, %"),
      series: [
        .init(
          "range coded",
          curve.points.map {
            point($0.name, $0.rate, $0.accuracy, label: $0 == choice ? $0.name : "")
          }),
        .init(
          "8 bits", fixed.map { point($0.name, $0.rate, $0.accuracy, label: "") }, style: .points),
      ], references: [("as they are", reference.accuracy)])
  }

  private func show(
    _ rows: [Row], _ choice: RateAccuracyCurve.Point?, _ tensor: FeatureTensor, _ range: [Float]
  ) throws {
    if output.json {
      try output.print(
        json: .object([
          "rows": .array(
            rows.map {
              .object([
                "name": .string($0.name), "bits_per_point": .number($0.rate),
                "accuracy": .number($0.accuracy), "squared_error": .number($0.squaredError),
              ])
            }),
          "recommended": choice.map { .string($0.name) } ?? .null,
          "values": .integer(Int64(tensor.values.count)),
          "clip": .array(range.map { .number(Double($0)) }),
        ]))
      return
    }
    let width = rows.map(\.name.count).max() ?? 0
    var text =
      "\(features): \(tensor.shape.map { "\($0)" }.joined(separator: " × ")), cut to "
      + "\(decimal(Double(range[0]), 3)) … \(decimal(Double(range[1]), 3))\n"
    func line(_ mark: String, _ cells: [String]) {
      let name = padded(cells[0], to: width)
      let rest = cells.dropFirst().map { aligned($0, in: 12) }
      text += "\(mark) \(name)\(rest.joined())\n"
    }
    line(" ", ["", "bits/point", labels == nil ? "same class" : "accuracy", "error"])
    for row in rows {
      line(
        row.name == choice?.name ? ">" : " ",
        [
          row.name, decimal(row.rate, 3), "\(decimal(row.accuracy, 2)) %",
          Chart.short(row.squaredError),
        ])
    }
    try writeToStandardOutput(text)
    if choice == nil {
      output.remark("no step loses \(loss) points or less; give smaller --steps or a wider --clip")
    }
  }
}

/// The last layer of a network: classes by the largest of weight · x + bias.
struct LinearHead {
  /// `classes × inputs`.
  let weight: Matrix
  let bias: [Float]

  init(contentsOf path: String) throws(BasisError) {
    let file = try NumPyArchive(contentsOf: path)
    weight = try file.array("weight").matrix()
    bias =
      file.names.contains("bias")
      ? try file.array("bias").values() : Array(repeating: 0, count: weight.rowCount)
    guard bias.count == weight.rowCount, weight.rowCount > 0, weight.columnCount > 0 else {
      throw BasisError(
        .badData,
        "\(path): 'weight' is \(weight.rowCount) × \(weight.columnCount) (classes × inputs), 'bias' "
          + "has \(bias.count) values; it has one a class")
    }
    try weight.requireFinite("\(path): 'weight'")
  }

  /// The class of each row, the first one of two.
  func classes(of rows: Matrix, in run: RunContext) throws(BasisError) -> [Int] {
    let products = try LinearAlgebra.product(rows, weight, transposingB: true, in: run)
    return (0..<rows.rowCount).map { row in
      var best = 0
      for other in bias.indices
      where products[row, other] + bias[other] > products[row, best] + bias[best] {
        best = other
      }
      return best
    }
  }
}

extension FeatureLayout: ExpressibleByArgument {}
extension FeatureTensorCodec.Transform: ExpressibleByArgument {}
