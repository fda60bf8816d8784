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
