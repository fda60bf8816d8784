import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct SelectTests {
  let program: Program
  var folder: String { program.folder.path }

  init() throws {
    program = try Program()
    var rows = gaussianMatrix(rowCount: 120, columnCount: 5, seed: 2)
    let labels = (0..<120).map { $0 % 6 == 0 ? 1 : 0 }
    for row in 0..<120 where labels[row] == 1 { rows[row, 0] += 3 }
    try NumPyArray(rows).write(to: folder + "/x.npy")
    try NumPyArray(labels).write(to: folder + "/y.npy")
    let scores = rows.prefix(columns: 1)
    try NumPyArray(scores).write(to: folder + "/scores.npy")
    var broken = rows
    broken[7, 3] = .nan
    try NumPyArray(broken).write(to: folder + "/broken.npy")
  }

  @Test func `the line of the manual works as written`() throws {
    let outcome = try program.run(
      "select", "x.npy", "--labels", "y.npy", "--method", "coverage", "--fraction", "0.3", "--seed",
      "0", "-o", "kept.npy", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    let kept = numbers(answer["indices"])
    #expect(kept.count == 36 && Set(kept).count == 36 && answer["kept"]?.doubleValue == 36)
    #expect(try NumPyArray(contentsOf: folder + "/kept.npy").integers() == kept)
    #expect(answer["coverage"]?["mean_distance"]?.doubleValue ?? 0 > 0)
    #expect(answer["synthetic"] == .null && answer["weights"] == .null)
    let again = try program.run(
      "select", "x.npy", "--labels", "y.npy", "--fraction", "0.3", "--seed", "0", "-o", "kept.npy")
    #expect(again.status != 0 && again.errors.contains("--force"))
  }

  @Test func `scores choose with and without rows`() throws {
    let alone = try program.run(
      "select", "--scores", "scores.npy", "--fraction", "0.1", "--hard-cut", "0.3", "--json")
    #expect(alone.status == 0, "\(alone.errors)")
    let kept = numbers(try alone.json()["indices"])
    let scores = try Matrix(contentsOf: folder + "/scores.npy").withUnsafeFloats { Array($0) }
    #expect(kept.count == 12)
    #expect(kept.allSatisfy { scores[$0] >= scores.sorted()[36] })
    let with = try program.run(
      "select", "x.npy", "--scores", "scores.npy", "--fraction", "0.1", "--hard-cut", "0.3",
      "--rows", "few.npy", "--json")
    #expect(with.status == 0, "\(with.errors)")
    #expect(numbers(try with.json()["indices"]) == kept)
    let rows = try Matrix(contentsOf: folder + "/x.npy")
    #expect(try Matrix(contentsOf: folder + "/few.npy") == rows.selecting(rows: kept))
  }

  @Test func `classes are filled up, thinned, drawn and written`() throws {
    let outcome = try program.run(
      "select", "x.npy", "--labels", "y.npy", "--method", "smote", "--k", "4", "--ratio", "200",
      "--under", "100", "--rows", "more.npy", "--row-labels", "more-y.npy", "--plot", "c.svg",
      "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(answer["synthetic"]?["count"]?.doubleValue == 40)
    let labels = try NumPyArray(contentsOf: folder + "/more-y.npy").integers()
    #expect(labels.count { $0 == 1 } == 60 && labels.count { $0 == 0 } == 60)
    let more = try Matrix(contentsOf: folder + "/more.npy")
    #expect(more.rowCount == 120)
    guard case .array(let parents)? = answer["synthetic"]?["parents"],
      case .array(let gaps)? = answer["synthetic"]?["gaps"]
    else {
      Issue.record("there are no parents")
      return
    }
    let rows = try Matrix(contentsOf: folder + "/x.npy")
    for (place, pair) in parents.enumerated() {
      let both = numbers(pair)
      let (a, b) = (rows[both[0], 2], rows[both[1], 2])
      let share = Float(try #require(gaps[place].doubleValue))
      #expect(abs(more[80 + place, 2] - (a + share * (b - a))) < 1e-5)
    }
    #expect(
      try String(contentsOfFile: folder + "/c.svg", encoding: .utf8).contains("x.npy: smote"))
    let thin = try program.run(
      "select", "x.npy", "--labels", "y.npy", "--method", "under", "--under", "200")
    #expect(thin.status == 0, "\(thin.errors)")
    #expect(thin.output.contains("x.npy: 30 of 120 rows kept by under"), "\(thin.output)")
    let help = try program.run("select", "--help").output
    let listed = try program.run("methods", "selection", "--json")
    guard case .array(let methods)? = try listed.json()["methods"] else {
      Issue.record("there are no methods")
      return
    }
    let offered = methods.filter { $0["verb"]?.stringValue == "select" }
    for name in offered.compactMap({ $0["name"]?.stringValue }) {
      #expect(help.contains("  \(name)"), "\(name)")
    }
    #expect(offered.count >= 3)
  }

  @Test func `texts are chosen by texts`() throws {
    let pool = (0..<30).map { row in
      let text =
        row % 3 == 0
        ? "def open_\(row)(self):\n    return self.file.read(\(row))"
        : "the river number \(row) is wide"
      return JSONValue.object(["id": .integer(Int64(row)), "body": .string(text)]).serialized()
    }
    _ = try program.folder.write("pool.jsonl", pool.joined(separator: "\n") + "\n")
    _ = try program.folder.write(
      "target.jsonl", #"{"body": "def close(self):\n    return self.file.write(7)"}"# + "\n")
    let outcome = try program.run(
      "select", "pool.jsonl", "--method", "zipfit", "--target", "target.jsonl", "--text", "body",
      "--fraction", "0.2", "-o", "best.npy", "--rows", "best.jsonl", "--plot", "fit.svg", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let kept = numbers(try outcome.json()["indices"])
    #expect(kept.count == 6 && kept.allSatisfy { $0 % 3 == 0 })
    guard case .array(let values)? = try outcome.json()["values"] else {
      Issue.record("there are no values")
      return
    }
    #expect(values.count == 6)
    #expect(try NumPyArray(contentsOf: folder + "/best.npy").integers() == kept)
    let lines = try String(contentsOfFile: folder + "/best.jsonl", encoding: .utf8)
    #expect(lines == kept.map { pool[$0] + "\n" }.joined())
    let told = try program.run(
      "select", "pool.jsonl", "--method", "zipfit", "--target", "target.jsonl", "--text", "body",
      "--set", "count=4")
    #expect(told.output.contains("pool.jsonl: 4 of 30 rows kept by zipfit"), "\(told.output)")
    let none = try program.run("select", "pool.jsonl", "--method", "zipfit", "--text", "body")
    #expect(none.status != 0 && none.errors.contains("--target"), "\(none.errors)")
    let other = try program.run(
      "select", "pool.jsonl", "--method", "zipfit", "--target", "target.jsonl")
    #expect(other.status != 0 && other.errors.contains("pool.jsonl:1"), "\(other.errors)")
    #expect(other.errors.contains("--text"))
  }

  /// A pool of 90 rows of which each third is like the target of 12.
  private func writePool() throws {
    func rows(_ count: Int, seed: UInt64, _ isNear: (Int) -> Bool) -> Matrix {
      var rows = gaussianMatrix(rowCount: count, columnCount: 6, seed: seed)
      for row in 0..<count {
        for column in 0..<6 { rows[row, column] *= 0.3 }
        rows[row, isNear(row) ? 0 : 1 + row % 5] += 3
      }
      return rows
    }
    try NumPyArray(rows(90, seed: 4) { $0 % 3 == 0 }).write(to: folder + "/pool.npy")
    try NumPyArray(rows(12, seed: 5) { _ in true }).write(to: folder + "/task.npy")
  }

  @Test func `a pool is chosen from by its target, and rounds are told`() throws {
    try writePool()
    let outcome = try program.run(
      "select", "--method", "simcore", "--candidates", "pool.npy", "--target", "task.npy", "--out",
      "idx.npy", "--trace", "rounds.csv", "--set", "patience=2", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let kept = numbers(try outcome.json()["indices"])
    #expect(!kept.isEmpty && kept.allSatisfy { $0 % 3 == 0 })
    #expect(try NumPyArray(contentsOf: folder + "/idx.npy").integers() == kept)
    let lines = try String(contentsOfFile: folder + "/rounds.csv", encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(lines[0] == ["round", "value", "row", "center", "similarity"])
    #expect(Set(lines.dropFirst().compactMap { Int($0[2]) }) == Set(kept))
    // The last is the round that ended it: it took nothing.
    #expect(lines[lines.count - 1][2].isEmpty && lines[lines.count - 2][2].isEmpty == false)
    let values = lines.dropFirst().compactMap { Double($0[1]) }
    #expect(values == values.sorted(by: >))
    let again = try program.run(
      "select", "pool.npy", "--method", "simcore", "--target", "task.npy", "--set", "patience=2",
      "--json")
    #expect(numbers(try again.json()["indices"]) == kept)
    for (arguments, message) in [
      (["pool.npy", "--candidates", "pool.npy"], "say the same"),
      (["pool.npy", "--method", "tarot", "--trace", "t.csv"], "--trace is for simcore"),
    ] {
      let wrong = try program.run(["select"] + arguments)
      #expect(wrong.status == 64 && wrong.errors.contains(message), "\(wrong.errors)")
    }
  }

  @Test func `candidates are chosen for all of the targets, and counted`() throws {
    try writePool()
    let outcome = try program.run(
      "select", "pool.npy", "--method", "tarot", "--target", "task.npy", "--budget", "0.2", "--set",
      "weighs=true", "--set", "whitening=none", "-o", "kept.npy", "--rows", "rows.npy", "--plot",
      "t.svg", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    let kept = numbers(answer["indices"])
    #expect(kept.count == 18 && kept.allSatisfy { $0 % 3 == 0 })
    let counts = numbers(answer["weights"])
    #expect(counts.count == 18 && counts.reduce(0, +) <= 90)
    let pool = try Matrix(contentsOf: folder + "/pool.npy")
    #expect(try Matrix(contentsOf: folder + "/rows.npy") == pool.selecting(rows: kept))
    let coverage = try #require(answer["coverage"])
    #expect(
      coverage["mean_distance"]?.doubleValue ?? 9 < coverage["mean_distance_by_chance"]?
        .doubleValue ?? 0)
    let missing = try program.run("select", "pool.npy", "--method", "tarot")
    #expect(missing.status == 64 && missing.errors.contains("target rows"), "\(missing.errors)")
  }

  @Test func `a log of training is scored`() throws {
    // Two epochs of two rows, as Fortran never wrote them.
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 2), }"
    let padded = header + String(repeating: " ", count: 128 - 11 - header.count) + "\n"
    var bytes = Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0, UInt8(padded.count), 0])
    bytes += Data(padded.utf8)
    for value in [0.9, 0.1, 0.5, 0.5, 0.8, 0.2, 0.9, 0.1] as [Float] {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += Data($0) }
    }
    try bytes.write(to: URL(fileURLWithPath: folder + "/log.npy"))
    try NumPyArray(Matrix(rowCount: 2, columnCount: 3)).write(to: folder + "/two.npy")
    try NumPyArray([0, 1]).write(to: folder + "/two-y.npy")
    let outcome = try program.run(
      "select", "two.npy", "--labels", "two-y.npy", "--log", "log.npy", "--fraction", "0.5",
      "--hard-cut", "0.5", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    // Row 1 was wrong in the end: it is the hardest.
    #expect(numbers(try outcome.json()["indices"]) == [0])
    let wrong = try program.run("select", "x.npy", "--labels", "y.npy", "--log", "log.npy")
    #expect(wrong.status == 65 && wrong.errors.contains("epochs × 120 rows"), "\(wrong.errors)")
  }

  @Test func `what cannot be selected is one error`() throws {
    for (arguments, status, message) in [
      (["x.npy", "--method", "luck"], 64, "there is no selection method 'luck'"),
      (["x.npy"], 64, "a column of scores, or a matrix and labels"),
      (["x.npy", "--labels", "y.npy", "--fraction", "0"], 64, "above 0"),
      (["x.npy", "--labels", "y.npy", "--fraction", "1"], 64, "allowFewer"),
      (["x.npy", "--labels", "y.npy", "--hard-cut", "1"], 64, "hard cut"),
      (["x.npy", "--method", "smote"], 64, "--labels"),
      (["x.npy", "--labels", "y.npy", "--method", "smote", "--k", "20"], 64, "neighborCount=19"),
      (["x.npy", "--labels", "y.npy", "--method", "smote", "--ratio", "many"], 64, "auto"),
      (["x.npy", "--labels", "y.npy", "--method", "smote", "--fraction", "0.1"], 64, "'fraction'"),
      (["x.npy", "--labels", "y.npy", "--score", "luck"], 64, "aum"),
      (["broken.npy", "--labels", "y.npy"], 65, "row 7"),
      (["none.npy", "--labels", "y.npy"], 66, "none.npy"),
      (["--fraction", "0.1"], 64, "X is missing"),
      (["x.npy", "--scores", "x.npy"], 65, "a score a row"),
      (["x.npy", "--scores", "scores.npy", "--method", "smote"], 64, "for coverage"),
    ] as [([String], Int32, String)] {
      let outcome = try program.run(["select"] + arguments)
      #expect(outcome.status == status, "\(arguments) \(outcome.errors)")
      #expect(outcome.errors.contains(message), "\(arguments) \(outcome.errors)")
    }
  }
}
