import ArgumentParser
import BasisCore
import BasisFormats
import BasisLab
import BasisMeasures
import Foundation

struct Judge: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a representation: how much of its space it uses, and how.",
    discussion: """
      EXAMPLES
        basis judge vectors.npy
        basis judge notes --measure rankme,uniformity --plot spectrum.svg
        basis judge vectors.npy --measure tolerance --labels classes.npy
        basis judge views-a.npy views-b.npy --measure alignment
        basis judge forest.model new.npy --measure effective-parameters
        basis judge identify --group layer net0-layer1.npy net0-layer2.npy … --grid

      X is a collection, a file, or - for standard input. Measures of two representations take two;
      those of models take what 'basis classify fit' kept, too. 'basis judge measure --help' has the
      options.

      MEASURES
      \(MethodCatalogue.measures.map { entry in
        "  \(padded(entry.descriptor.name, to: 21))"
          + "\(entry.descriptor.summary) (\(entry.input))"
      }.joined(separator: "\n"))
      """,
    subcommands: [JudgeMeasure.self, JudgeIdentify.self], defaultSubcommand: JudgeMeasure.self)
}

struct JudgeMeasure: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Numbers about a representation, or about two; what 'basis judge X' does.",
    discussion: """
      EXAMPLES
        basis judge vectors.npy --measure rankme --json
        basis judge views-a.npy views-b.npy --measure trsa

      'basis judge --help' has the measures.
      """)

  @Argument(help: "A matrix or a collection; two for measures of two; a model and a matrix.")
  var inputs: [String]

  @Option(help: "Measures, separated by commas.")
  var measure = "rankme"

  @Option(help: ArgumentHelp("Draw what the first number summarises.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite the picture if it is there.")
  var force = false

  @OptionGroup var method: MethodOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let entries = try measure.split(separator: ",").map { name throws(BasisError) in
      try MethodCatalogue.measure(named: name.trimmingCharacters(in: .whitespaces))
    }
    guard !entries.isEmpty else {
      throw BasisError(.invalidArgument, "--measure names at least one measure, such as rankme")
    }
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let models = inputs.filter { ModelFile.isModel($0) }
    var parts = try method.parts(inputs.filter { !models.contains($0) }, in: context)
    parts.models = models
    var found: [(name: String, measurement: MeasuredValue)] = []
    for (number, entry) in entries.enumerated() {
      context.report("measures", number, of: entries.count)
      let measurement = try entry.run(parts, settings: method.json(), in: context)
      found.append((entry.descriptor.name, measurement))
    }
    line?.clear()
    if let picture {
      guard let curve = found.lazy.compactMap(\.measurement.curve).first else {
        throw BasisError(
          .invalidArgument, "'\(measure)' has nothing to draw; leave --plot out, or add rankme")
      }
      try picture.write(Self.chart(curve, parts.names.first ?? inputs[0]).svg)
      try picture.finish()
    }
    if output.json {
      let objects = found.map { Self.json($0.name, $0.measurement) }
      try output.print(json: objects.count == 1 ? objects[0] : .array(objects))
      return
    }
    var text = ""
    for (name, measurement) in found {
      text += "\(padded(name, to: 20)) \(decimal(measurement.value, 4))"
      if let interval = measurement.interval {
        text += "   \(decimal(interval.lowerBound, 4)) … \(decimal(interval.upperBound, 4))"
      }
      text += "   \(measurement.unit)\n"
      for part in measurement.parts {
        text += "  \(padded(part.name, to: 20)) \(decimal(part.value, 4))\n"
      }
    }
    try writeToStandardOutput(text)
    for (name, measurement) in found {
      for warning in measurement.warnings { output.remark("\(name): \(warning)") }
    }
  }

  private static func chart(_ curve: MeasuredValue.Curve, _ input: String) -> Chart {
    let scale: Chart.Scale = curve.isLogarithmic ? .logarithmic : .linear
    return Chart(
      "\((input as NSString).lastPathComponent): \(curve.title)",
      x: .init(curve.x, scale: scale), y: .init(curve.y, scale: scale),
      series: [.init("", curve.points.map { .init($0[0], $0[1]) }, style: .line)])
  }

  static func json(_ name: String, _ found: MeasuredValue) -> JSONValue {
    var parts: [String: JSONValue] = [:]
    for part in found.parts { parts[part.name] = .number(part.value) }
    let interval = found.interval.map {
      JSONValue.array([.number($0.lowerBound), .number($0.upperBound)])
    }
    let warnings = found.warnings.map { JSONValue.string($0) }
    return .object([
      "measure": .string(name), "value": .number(found.value), "unit": .string(found.unit),
      "interval": interval ?? .null, "parts": .object(parts), "warnings": .array(warnings),
    ])
  }
}
