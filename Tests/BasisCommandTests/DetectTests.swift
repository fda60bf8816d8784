import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct DetectTests {
  let program: Program
  var folder: String { program.folder.path }

  init() throws {
    program = try Program()
    // Rows of two classes, further ones, and a world 4 away; a second layer is twice the first.
    for (name, count, seed, shift) in [
      ("train", 200, 1, 0 as Float), ("test", 100, 2, 0), ("out", 60, 3, 4),
    ] {
      var rows = gaussianMatrix(rowCount: count, columnCount: 4, seed: UInt64(seed))
      for row in 0..<count {
        if row % 2 == 1 { rows[row, 0] += 8 }
        rows[row, 2] += shift
        rows[row, 3] -= shift
      }
      try NumPyArray(rows).write(to: folder + "/\(name).npy")
      var twice = rows
      twice.withUnsafeMutableFloats { floats in for index in floats.indices { floats[index] *= 2 } }
      try NumPyArray(twice).write(to: folder + "/\(name)2.npy")
    }
    try NumPyArray((0..<200).map { 5 + $0 % 2 }).write(to: folder + "/y.npy")
  }

  private func values(_ value: JSONValue?) -> [Double] {
    guard case .array(let items)? = value else { return [] }
    return items.compactMap(\.doubleValue)
  }

  @Test func `the line of the manual works as written`() throws {
    let outcome = try program.run(
      "detect", "test.npy", "--reference", "train.npy", "--labels", "y.npy", "--method",
      "mahalanobis", "--json", "-o", "scores.npy")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    let scores = values(answer["scores"])
    let threshold = try #require(answer["threshold"]?.doubleValue)
    #expect(scores.count == 100)
    #expect(values(answer["strange"]).count == scores.count { $0 < threshold })
    #expect(values(answer["classes"]) == (0..<100).map { Double(5 + $0 % 2) })
    let written = try Matrix(contentsOf: folder + "/scores.npy")
    #expect(written.rowCount == 100 && abs(Double(written[3, 0]) - scores[3]) < 1e-4)
    let again = try program.run(
      "detect", "test.npy", "--reference", "train.npy", "--labels", "y.npy", "-o", "scores.npy")
    #expect(again.status != 0 && again.errors.contains("--force"))
  }

  @Test func `layers, a file, a report and pictures`() throws {
    let fitted = try program.run(
      "detect", "test.npy", "test2.npy", "--reference", "train.npy", "--reference", "train2.npy",
      "--labels", "y.npy", "--save", "guard", "--plot", "scores.svg", "--json")
    #expect(fitted.status == 0, "\(fitted.errors)")
    #expect(try fitted.json()["layers"]?.doubleValue == 2)
    let svg = try String(contentsOfFile: folder + "/scores.svg", encoding: .utf8)
    #expect(svg.contains("test.npy: mahalanobis") && svg.contains("threshold"))
    let told = try program.run(
      "detect", "test.npy", "test2.npy", "--model", "guard", "--against", "out.npy", "--against",
      "out2.npy", "--plot", "roc.svg", "--json")
    #expect(told.status == 0, "\(told.errors)")
    let answer = try told.json()
    #expect(values(answer["scores"]) == values(try fitted.json()["scores"]))
    #expect(answer["report"]?["auroc"]?.doubleValue ?? 0 > 0.98)
    #expect(answer["report"]?["tnr_at_tpr_95"]?.doubleValue ?? 0 > 0.9)
    #expect(values(answer["report"]?["scores"]).count == 60)
    #expect(try String(contentsOfFile: folder + "/roc.svg", encoding: .utf8).contains("AUROC"))
    let text = try program.run(
      "detect", "out.npy", "out2.npy", "--model", "guard", "--against", "test.npy", "--against",
      "test2.npy")
    #expect(text.output.contains("rows do not belong, by mahalanobis in 2 layers"))
    #expect(text.output.contains("AUROC 0.0") && text.output.contains("layer"))
    let one = try program.run("detect", "test.npy", "--model", "guard")
    #expect(one.status == 65 && one.errors.contains("2 layers of 4, 4 columns"), "\(one.errors)")
  }

  @Test func `peers, outliers and warnings`() throws {
    for method in ["knn", "softmax", "energy"] {
      let outcome = try program.run(
        "detect", "test.npy", "--reference", "train.npy", "--method", method, "--against",
        "out.npy", "--accept", "0.9", "--json")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try outcome.json()["report"]?["auroc"]?.doubleValue != nil)
    }
    let weighed = try program.run(
      "detect", "test.npy", "--reference", "train.npy", "--labels", "y.npy", "--outliers",
      "out.npy",
      "--json")
    #expect(weighed.status == 0, "\(weighed.errors)")
    let same = try program.run(
      "detect", "train.npy", "--reference", "train.npy", "--labels", "y.npy")
    #expect(same.errors.contains("200 of 200 rows are in the reference"), "\(same.errors)")
    let help = try program.run("detect", "--help").output
    for name in ["mahalanobis", "relative-mahalanobis", "knn", "softmax", "energy"] {
      #expect(help.contains("  \(name)"), "\(name)")
    }
  }

  @Test func `what cannot be done is told`() throws {
    for (arguments, word) in [
      (["detect", "test.npy"], "--reference is missing"),
      (["detect", "test.npy", "--model", "m", "--labels", "y.npy"], "fitted already"),
      (["detect", "test.npy", "--reference", "train.npy"], "give --labels"),
      (
        [
          "detect", "test.npy", "--reference", "train.npy", "--method", "knn", "--outliers",
          "out.npy",
        ],
        "--outliers"
      ),
      (["detect", "test.npy", "--reference", "train.npy", "--accept", "1"], "between 0 and 1"),
      (["detect", "test.npy", "--reference", "train.npy", "--method", "luck"], "'luck'"),
    ] {
      let outcome = try program.run(arguments)
      #expect(outcome.status == 64 && outcome.errors.contains(word), "\(outcome.errors)")
    }
  }
}
