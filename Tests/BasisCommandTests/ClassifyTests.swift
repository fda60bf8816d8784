import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct ClassifyTests {
  let program: Program
  var folder: String { program.folder.path }

  init() throws {
    program = try Program()
    var rows = gaussianMatrix(rowCount: 120, columnCount: 4, seed: 2)
    let labels = (0..<120).map { $0 % 3 }
    for row in 0..<120 { rows[row, labels[row]] += 4 }
    try NumPyArray(rows).write(to: folder + "/x.npy")
    try NumPyArray(labels).write(to: folder + "/y.npy")
    try NumPyArray(rows.prefix(columns: 1)).write(to: folder + "/t.npy")
  }

  @Test(arguments: ["logistic", "naive-bayes", "auto", "lda", "qda", "tree", "forest", "boosting"])
  func `the line of the manual works as written`(method: String) throws {
    let fit = try program.run(
      "classify", "fit", "x.npy", "y.npy", "--method", method, "-o", "model", "--json")
    #expect(fit.status == 0, "\(fit.errors)")
    let known = try fit.json()
    #expect(known["method"]?.stringValue == method && known["rows"]?.doubleValue == 120)
    let apply = try program.run(
      "classify", "apply", "model", "x.npy", "--labels", "y.npy", "-o", "found.npy",
      "--probabilities", "p.npy", "--json")
    #expect(apply.status == 0, "\(apply.errors)")
    let answer = try apply.json()
    #expect(answer["accuracy"]?.doubleValue == known["accuracy"]?.doubleValue)
    #expect(answer["accuracy"]?.doubleValue ?? 0 > 0.9)
    guard case .array(let labels)? = answer["labels"] else {
      Issue.record("no labels")
      return
    }
    #expect(
      try NumPyArray(contentsOf: folder + "/found.npy").integers()
        == labels.map { Int($0.doubleValue ?? -1) })
    #expect(try Matrix(contentsOf: folder + "/p.npy").columnCount == 3)
    let again = try program.run("classify", "fit", "x.npy", "y.npy", "-o", "model")
    #expect(again.status != 0 && again.errors.contains("--force"))
  }

  @Test func `numbers, and the rows that make them`() throws {
    let fit = try program.run(
      "classify", "fit", "x.npy", "t.npy", "--regression", "-o", "model", "--set", "treeCount=5")
    #expect(fit.status == 0 && fit.output.contains("forest of 120 rows"), "\(fit.errors)")
    // Of one dimension, as NumPy's lists are.
    let flat = try program.run(
      "classify", "fit", "x.npy", "y.npy", "--regression", "--method", "tree", "-o", "flat")
    #expect(flat.status == 0 && flat.output.contains("tree of 120 rows"), "\(flat.errors)")
    let weights = try program.run(
      "classify", "weights", "model", "x.npy", "--most", "2", "--plot", "w.svg", "--json")
    #expect(weights.status == 0, "\(weights.errors)")
    let answer = try weights.json()
    #expect(answer["training_rows"]?.doubleValue == 120)
    #expect(answer["effective_parameters"]?.doubleValue ?? 0 > 10)
    #expect(try String(contentsOfFile: folder + "/w.svg", encoding: .utf8).contains("<svg"))
    let values = try program.run("classify", "apply", "model", "x.npy", "--json")
    guard case .array(let numbers)? = try values.json()["values"] else {
      Issue.record("no values")
      return
    }
    #expect(numbers.count == 120)
    _ = try program.run("classify", "fit", "x.npy", "y.npy", "-o", "linear")
    let none = try program.run("classify", "weights", "linear", "x.npy")
    #expect(none.status == 64 && none.errors.contains("forests"), "\(none.errors)")
  }

  @Test func `further rows go into naive Bayes, and some are held out`() throws {
    let first = try program.run(
      "classify", "fit", "x.npy", "y.npy", "--method", "naive-bayes", "--holdout", "0.25", "-o",
      "a",
      "--json")
    #expect(first.status == 0, "\(first.errors)")
    #expect(try first.json()["holdout_rows"]?.doubleValue == 30)
    let second = try program.run("classify", "fit", "x.npy", "y.npy", "--after", "a", "-o", "b")
    #expect(second.status == 0, "\(second.errors)")
    let bad = try program.run(
      "classify", "fit", "x.npy", "y.npy", "--after", "a", "--method", "forest", "-o", "c")
    #expect(bad.status == 64)
  }

  @Test func `it chooses the head, and says why`() throws {
    let fit = try program.run(
      "classify", "fit", "x.npy", "y.npy", "--method", "auto", "--set", "drawCount=3", "-o", "auto",
      "--json")
    #expect(fit.status == 0, "\(fit.errors)")
    let chosen = try #require(try fit.json()["chosen"])
    let method = try #require(chosen["method"]?.stringValue)
    #expect(["naive-bayes", "logistic"].contains(method))
    #expect(chosen["draws"]?.doubleValue == 3 && chosen["held_out"]?.doubleValue == 24)
    let reason = try #require(chosen["reason"]?.stringValue)
    let text = try program.run(
      "classify", "fit", "x.npy", "y.npy", "--method", "auto", "--set", "drawCount=3", "-o", "auto",
      "--force")
    #expect(text.output.contains("auto: \(method) of 120 rows"), "\(text.output)")
    #expect(text.output.contains(reason))
  }

  @Test func `a plane is certified and kept, or refused with 65`() throws {
    let rows = gaussianMatrix(rowCount: 2000, columnCount: 3, seed: 5)
    try NumPyArray(rows).write(to: folder + "/n.npy")
    try NumPyArray((0..<2000).map { rows[$0, 0] > rows[$0, 1] ? 1 : 0 }).write(
      to: folder + "/s.npy")
    let quick = ["--set", "stepCount=40", "--set", "batchSize=200"]
    let made = try program.run(
      ["classify", "certify", "n.npy", "s.npy", "-o", "plane", "--json"] + quick)
    #expect(made.status == 0, "\(made.errors)")
    #expect(try made.json()["accepted"] == .bool(true))
    let apply = try program.run(
      "classify", "apply", "plane", "n.npy", "--labels", "s.npy", "--json")
    #expect(try apply.json()["accuracy"]?.doubleValue ?? 0 > 0.95, "\(apply.errors)")
    let fit = try program.run(
      ["classify", "fit", "n.npy", "s.npy", "--method", "tester-learner", "-o", "other"] + quick)
    #expect(fit.status == 0, "\(fit.errors)")

    let cube = Matrix(rowCount: 2000, columnCount: 3) { out in
      for index in out.indices { out[index] = rows[index / 3, index % 3] > 0 ? 1 : -1 }
    }
    try NumPyArray(cube).write(to: folder + "/cube.npy")
    let refused = try program.run(
      ["classify", "certify", "cube.npy", "s.npy", "-o", "none", "--json"] + quick)
    #expect(refused.status == 65 && refused.errors.contains("refused: the"), "\(refused.errors)")
    #expect(try refused.json()["accepted"] == .bool(false))
    #expect(!FileManager.default.fileExists(atPath: folder + "/none"))
    let fails = try program.run(
      ["classify", "fit", "cube.npy", "s.npy", "--method", "tester-learner", "-o", "none"] + quick)
    #expect(fails.status == 65 && fails.errors.contains("refused: the"), "\(fails.errors)")
  }

  @Test func `the curve says who is ahead, and draws it`() throws {
    let outcome = try program.run(
      "classify", "curve", "x.npy", "y.npy", "--sizes", "10,40,90", "--draws", "2", "--plot",
      "c.svg", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(answer["verdict"]?.stringValue?.isEmpty == false)
    #expect(answer["test_rows"]?.doubleValue == 30)
    let picture = try String(contentsOfFile: folder + "/c.svg", encoding: .utf8)
    #expect(picture.contains("logistic regression") && picture.contains("naive Bayes"))
    let text = try program.run("classify", "curve", "x.npy", "y.npy", "--draws", "2")
    #expect(text.status == 0 && text.output.contains("rows"), "\(text.errors)")
    let short = try program.run("classify", "curve", "x.npy", "y.npy", "--sizes", "ten")
    #expect(short.status == 64)
  }
}
