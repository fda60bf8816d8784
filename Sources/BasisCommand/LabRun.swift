import ArgumentParser
import BasisCore
import BasisFormats
import BasisLab
import Foundation

struct LabRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Measure claims and decide.",
    discussion: """
      EXAMPLES
        basis lab run 186
        basis lab run 122 --data vectors.npy
        basis lab run 186 --broken
        basis lab run --all --ledger claims.json

      A number keeps its rule where the whole 95 % interval of its mean over the seeds does, and breaks
      it where the whole interval does; else the claim is inconclusive, and more --seeds may decide. A
      claim that fails is an answer: the exit code is 0. --broken runs the variant that must fail.
      """)

  @Argument(help: "The numbers of the claims.")
  var ids: [Int] = []

  @Flag(help: "All claims.")
  var all = false

  @Flag(help: "With --all: those that take under half a minute.")
  var quick = false

  @Option(help: "Repetitions (default: the claim's own number).")
  var seeds: Int?

  @Option(help: ArgumentHelp("Measure these rows, not the claim's own.", valueName: "file"))
  var data: String?

  @Option(help: ArgumentHelp("A class per row of --data.", valueName: "file"))
  var labels: String?

  @Flag(help: "Turn the knob that makes a claim fail.")
  var broken = false

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("A knob that differs from its default.", valueName: "name=value"))
  var settings: [String] = []

  @Option(
    help: ArgumentHelp("Write verdicts and numbers into this ledger.", valueName: "file.json"))
  var ledger: String?

  @Option(help: "The commit that the ledger names.")
  var commit = ""

  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if ids.isEmpty != all {
      throw ValidationError("give the numbers of claims, or --all; basis lab list has them")
    }
    if quick && !all { throw ValidationError("--quick goes with --all") }
    if let seeds, seeds < 1 { throw ValidationError("--seeds must be at least 1, not \(seeds)") }
    if labels != nil && data == nil { throw ValidationError("--labels goes with --data") }
    for setting in settings where !setting.dropFirst().contains("=") {
      throw ValidationError("--set takes name=value, not '\(setting)'")
    }
    if ledger != nil, broken || data != nil || !settings.isEmpty || seeds != nil {
      throw ValidationError(
        "a ledger holds claims as they are: leave --broken, --data, --set and --seeds out")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let own = try data.map { path throws(BasisError) in
      try ClaimData(
        Matrix(contentsOf: path),
        labels: try labels.map { path throws(BasisError) in
          try MatrixSource(path: path).integers()
        }, name: path)
    }
    var written = try ledger.flatMap { path throws(BasisError) -> ClaimLedger? in
      FileManager.default.fileExists(atPath: path) ? try ClaimLedger(contentsOf: path) : nil
    }
    var results: [ClaimResult] = []
    for claim in try chosen() {
      let result = try Self.measure(
        claim, broken: broken, settings: settingsObject(settings), own, seeds, in: context)
      line?.clear()
      results.append(result)
      if let ledger {
        // After each claim, so that an interrupt loses one at most.
        written = written ?? ClaimLedger()
        written?.record(result, commit: commit)
        let file = try OutputFile(ledger, force: true)
        try file.write((written ?? ClaimLedger()).json.serialized(pretty: true) + "\n")
        try file.finish()
      }
      if !output.json { try writeToStandardOutput(Self.text(result, of: claim)) }
    }
    if output.json {
      let objects = results.map(Self.json)
      try output.print(json: objects.count == 1 ? objects[0] : .array(objects))
    }
  }

  private func chosen() throws(BasisError) -> [any Claim] {
    guard all else {
      return try ids.map { id throws(BasisError) in try ClaimCatalogue.claim(id) }
    }
    return ClaimCatalogue.claims.filter { !quick || type(of: $0).statement.cost == .quick }
  }

  private static func measure<C: Claim>(
    _ claim: C, broken: Bool, settings: String, _ data: ClaimData?, _ seeds: Int?,
    in run: RunContext
  ) throws(BasisError) -> ClaimResult {
    let changed = try claim.changed(by: settings, in: "claim \(C.statement.id)")
    return try (broken ? changed.broken : changed).run(in: run, data: data, seedCount: seeds)
  }

  // MARK: Output

  private static func text(_ result: ClaimResult, of claim: any Claim) -> String {
    let statement = type(of: claim).statement
    var text = "\(result.id)  \(result.verdict.rawValue)  "
    text += wrapped(statement.title, at: max(40, terminalWidth() - 20)).joined(separator: "\n     ")
    text += "\n     \(result.data), seeds \(result.seeds[0]) to \(result.seeds.last ?? 0), "
    text += "\(duration(result.seconds))\(result.isBroken ? ", broken on purpose" : "")\n"
    let width = result.numbers.map(\.name.count).max() ?? 0
    for number in result.numbers {
      let interval = number.interval.map {
        "\(ClaimNumber.text($0.lowerBound)) … \(ClaimNumber.text($0.upperBound))"
      }
      var line = "     \(padded(number.name, to: width))  "
      line += padded(ClaimNumber.text(number.mean), to: 11)
      line += padded(interval ?? "", to: 22)
      line += padded(number.reported.map { "reported \(ClaimNumber.text($0))" } ?? "", to: 17)
      line += number.rule.map { "wanted \($0.text): \(number.verdict?.rawValue ?? "")" } ?? ""
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }

  private static func json(_ result: ClaimResult) -> JSONValue {
    .object([
      "id": .integer(Int64(result.id)), "verdict": .string(result.verdict.rawValue),
      "numbers": .array(result.numbers.map(json)),
      "seeds": .array(result.seeds.map { .integer(Int64(clamping: $0)) }),
      "seconds": .number(result.seconds), "configuration": .string(result.configuration),
      "broken": .bool(result.isBroken), "data": .string(result.data),
    ])
  }

  private static func json(_ number: ClaimNumber) -> JSONValue {
    .object([
      "name": .string(number.name), "meaning": .string(number.meaning),
      "value": .number(number.mean), "values": .array(number.values.map { .number($0) }),
      "interval": number.interval.map {
        .array([.number($0.lowerBound), .number($0.upperBound)])
      } ?? .null,
      "reported": number.reported.map { .number($0) } ?? .null,
      "rule": number.rule.map { .string($0.text) } ?? .null,
      "verdict": number.verdict.map { .string($0.rawValue) } ?? .null,
    ])
  }
}
