import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct JudgeTests {
  let program: Program

  init() throws {
    program = try Program()
    let rows = gaussianMatrix(rowCount: 120, columnCount: 12, seed: 1)
    try NumPyArray(rows).write(to: program.folder.path + "/z.npy")
    try NumPyArray((0..<120).map { $0 % 4 }).write(to: program.folder.path + "/y.npy")
    var broken = rows
    broken[7, 3] = .infinity
    try NumPyArray(broken).write(to: program.folder.path + "/broken.npy")
  }

  @Test func `the line of the manual works as written`() throws {
    let outcome = try program.run(
      "judge", "z.npy", "--measure", "rankme", "--labels", "y.npy", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(answer["measure"]?.stringValue == "rankme")
    let value = try #require(answer["value"]?.doubleValue)
    #expect(value > 11 && value <= 12)
    #expect(answer["interval"] != nil && answer["warnings"] != nil)
  }

  @Test func `several measures, a picture, and a setting`() throws {
    let outcome = try program.run(
      "judge", "z.npy", "--measure", "uniformity,tolerance,stable-rank", "--labels", "y.npy",
      "--plot", "z.svg", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    guard case .array(let list) = try outcome.json() else {
      Issue.record("three measures are a list")
      return
    }
    #expect(
      list.compactMap { $0["measure"]?.stringValue } == ["uniformity", "tolerance", "stable-rank"])
    let svg = try String(contentsOfFile: program.folder.path + "/z.svg", encoding: .utf8)
    #expect(svg.contains("singular value"))
    let text = try program.run("judge", "z.npy", "--set", "sampleCount=40")
    #expect(
      text.status == 0 && text.output.contains("rankme") && text.output.contains("stable-rank"))
  }

  @Test func `a collection is judged by its vectors`() throws {
    let texts = (0..<40).map {
      #"{"id":"\#($0)","text":"word\#($0) and word\#($0 % 7) of \#($0 % 3)"}"#
    }
    let made = try program.run("ingest", "notes", "-", input: texts.joined(separator: "\n"))
    #expect(made.status == 0, "\(made.errors)")
    let outcome = try program.run("judge", "notes", "--measure", "participation-ratio", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try outcome.json()["value"]?.doubleValue ?? 0 > 1)
  }

  @Test func `a kept forest says how strange rows are to it`() throws {
    let folder = program.folder.path
    let rows = gaussianMatrix(rowCount: 120, columnCount: 12, seed: 1)
    try NumPyArray(rows.prefix(columns: 1)).write(to: folder + "/t.npy")
    let fit = try program.run(
      "classify", "fit", "z.npy", "t.npy", "--regression", "--set", "treeCount=5", "-o",
      "forest.model")
    #expect(fit.status == 0, "\(fit.errors)")
    let outcome = try program.run(
      "judge", "forest.model", "z.npy", "--measure", "effective-parameters", "--plot", "p.svg",
      "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(answer["measure"]?.stringValue == "effective-parameters")
    #expect(answer["value"]?.doubleValue ?? 0 > 10)
    #expect(answer["parts"]?["training_rows"]?.doubleValue == 120)
    let svg = try String(contentsOfFile: folder + "/p.svg", encoding: .utf8)
    #expect(svg.contains("effective parameters"))
    for (arguments, message) in [
      (["z.npy", "--measure", "effective-parameters"], "a model of trees and a matrix"),
      (["forest.model", "z.npy", "--measure", "rankme"], "no model such as forest.model"),
    ] {
      let outcome = try program.run(["judge"] + arguments)
      #expect(outcome.status == 64 && outcome.errors.contains(message), "\(outcome.errors)")
    }
  }

  @Test func `what cannot be judged is one error`() throws {
    for (arguments, status, message) in [
      (["z.npy", "--measure", "beauty"], 64, "there is no measure 'beauty'"),
      (["z.npy", "--measure", "tolerance"], 64, "give --labels"),
      (["z.npy", "--measure", "alignment"], 64, "two matrices"),
      (["z.npy", "y.npy"], 65, "y.npy"),
      (["broken.npy"], 65, "row 7"),
      (["none.npy"], 66, "none.npy"),
      (["z.npy", "--set", "epsilon=-1"], 64, "epsilon"),
      (["z.npy", "--set", "epsilon"], 64, "name=value"),
      (["z.npy", "--measure", "uniformity", "--plot", "u.svg"], 64, "nothing to draw"),
    ] as [([String], Int32, String)] {
      let outcome = try program.run(["judge"] + arguments)
      #expect(outcome.status == status, "\(arguments) \(outcome.errors)")
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: program.folder.path + "/u.svg"))
  }

  /// Three subjects of two layers, each a noisy copy of its layer's shape.
  private func writeLayers() throws -> [String] {
    var names: [String] = []
    for subject in 0..<3 {
      for layer in 1...2 {
        var rows = gaussianMatrix(rowCount: 12, columnCount: 3, seed: UInt64(layer))
        let noise = gaussianMatrix(
          rowCount: 12, columnCount: 3, seed: UInt64(10 + 2 * subject + layer))
        for row in 0..<12 {
          for column in 0..<3 { rows[row, column] += 0.2 * noise[row, column] }
        }
        names.append("net\(subject)-layer\(layer).npy")
        try NumPyArray(rows).write(to: program.folder.path + "/" + names[names.count - 1])
      }
    }
    return names
  }

  @Test func `layers are told from who is near whom`() throws {
    let names = try writeLayers()
    let outcome = try program.run(
      ["judge", "identify", "--group", "layer"] + names + [
        "--grid", "--resamples", "20", "--plot", "surface.svg", "--json",
      ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(answer["accuracy"]?.doubleValue == 1 && answer["chance"]?.doubleValue == 0.5)
    #expect(answer["nested_accuracy"]?.doubleValue ?? 0 > 0.5)
    guard case .array(let cells)? = answer["grid"], case .array(let groups)? = answer["groups"]
    else {
      Issue.record("there is no grid")
      return
    }
    #expect(cells.count == 55 && groups.compactMap(\.stringValue) == ["layer1", "layer2"])
    let svg = try String(contentsOfFile: program.folder.path + "/surface.svg", encoding: .utf8)
    #expect(svg.contains("upper threshold") && svg.contains("<title>0.2 and 0.8: 1.000"))
    let text = try program.run(["judge", "identify"] + names + ["--things", "8"])
    #expect(text.status == 0 && text.output.contains("told as"), "\(text.errors)")
    #expect(text.errors.contains("of 3 subjects"))
  }

  @Test func `names that do not say what is told are one error`() throws {
    let names = try writeLayers()
    for (arguments, status, message) in [
      (["z.npy"], 64, "begins with 'layer'"),
      (Array(names.dropLast()), 64, "subject 'net2' has no 'layer2'"),
      ([names[0], names[0]], 64, "are both 'layer1' of 'net0'"),
      (Array(names.prefix(2)), 65, "2 subjects"),
      (names + ["--lower", "0.9"], 64, "lower ≤ upper"),
      (names + ["--things", "3"], 64, "--things"),
    ] as [([String], Int32, String)] {
      let outcome = try program.run(["judge", "identify"] + arguments)
      #expect(outcome.status == status, "\(arguments) \(outcome.errors)")
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
    try NumPyArray(gaussianMatrix(rowCount: 11, columnCount: 3, seed: 1))
      .write(to: program.folder.path + "/net3-layer1.npy")
    try NumPyArray(gaussianMatrix(rowCount: 12, columnCount: 3, seed: 1))
      .write(to: program.folder.path + "/net3-layer2.npy")
    let other = try program.run(
      ["judge", "identify"] + names + ["net3-layer1.npy", "net3-layer2.npy"])
    #expect(other.status == 65 && other.errors.contains("net3-layer1.npy has 11 rows"))
  }

  @Test func `methods are listed, and each one's verb exists`() throws {
    let outcome = try program.run("methods", "--json")
    #expect(outcome.status == 0)
    guard case .array(let methods)? = try outcome.json()["methods"] else {
      Issue.record("there are no methods")
      return
    }
    let verbs = Set(methods.compactMap { $0["verb"]?.stringValue })
    #expect(verbs.contains("judge") && verbs.contains("compress"))
    for verb in verbs {
      let help = try program.run(verb.split(separator: " ").map(String.init) + ["--help"])
      #expect(help.status == 0, "\(verb)")
    }
    #expect(try program.run("methods", "measures").output.contains("rankme"))
    #expect(try program.run("methods", "cellar").status == 64)
  }
}
