import BasisAlignment
import BasisCore
import BasisFormats
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@Suite struct AlignTests {
  let program: Program
  var folder: String { program.folder.path }

  /// A space, the same turned and shifted, and one of another dimension.
  init() throws {
    program = try Program()
    let rows = gaussianMatrix(rowCount: 150, columnCount: 6, seed: 1)
    let rotation = try LinearAlgebra.thinQR(gaussianMatrix(rowCount: 6, columnCount: 6, seed: 2)).q
    var turned = try LinearAlgebra.product(rows, rotation)
    turned.withUnsafeMutableFloats { for index in $0.indices { $0[index] += 1 } }
    let wide = try LinearAlgebra.product(
      rows, gaussianMatrix(rowCount: 6, columnCount: 9, seed: 3))
    try NumPyArray(rows).write(to: folder + "/old.npy")
    try NumPyArray(turned).write(to: folder + "/new.npy")
    try NumPyArray(wide).write(to: folder + "/wide.npy")
    try NumPyArray(rows.selecting(rows: 0..<9)).write(to: folder + "/few.npy")
    var broken = rows
    broken[7, 3] = .nan
    try NumPyArray(broken).write(to: folder + "/broken.npy")
  }

  @Test func `the line of the manual works as written`() throws {
    let made = try program.run(
      "align", "old.npy", "new.npy", "--method", "procrustes", "-o", "map", "--json")
    #expect(made.status == 0, "\(made.errors)")
    let answer = try made.json()
    #expect(answer["anchors"]?.doubleValue == 120 && answer["held_out"]?.doubleValue == 30)
    #expect(try #require(answer["aligned"]?["mrr"]?.doubleValue) == 1)
    #expect(try #require(answer["as_they_are"]?["mrr"]?.doubleValue) < 0.7)
    for key in ["method", "map", "pairs", "dimension", "seconds", "warnings"] {
      #expect(answer[key] != nil, "\(key)")
    }
    let applied = try program.run("align", "--apply", "map", "old.npy", "-o", "over.npy")
    #expect(applied.status == 0, "\(applied.errors)")
    let over = try Matrix(contentsOf: folder + "/over.npy")
    let map = try AlignmentCatalogue.aligner(contentsOf: folder + "/map")
    #expect(over == (try map.map(Matrix(contentsOf: folder + "/old.npy"))))
    #expect(try program.run("align", "--apply", "map", "old.npy", "-o", "over.npy").status != 0)
    #expect(
      try program.run("align", "--apply", "map", "old.npy", "-o", "over.npy", "--force").status
        == 0)
  }

  @Test func `every method runs, and is told of in help`() throws {
    let help = try program.run("align", "--help").output
    for name in AlignmentCatalogue.entries.map(\.descriptor.name) {
      #expect(help.contains("  \(name)"), "\(name)")
      let outcome = try program.run(
        "align", "old.npy", "new.npy", "--method", name, "--json", "-o", name)
      #expect(outcome.status == 0, "\(name): \(outcome.errors)")
      let answer = try outcome.json()
      #expect(try #require(answer["aligned"]?["mrr"]?.doubleValue) > 0.95, "\(name)")
      for side in ["first", "second"] {
        let applied = try program.run(
          "align", "--apply", name, side == "first" ? "old.npy" : "new.npy", "--from", side, "-o",
          "\(name)-\(side).npy", "--json")
        #expect(applied.status == 0, "\(applied.errors)")
        #expect(try applied.json()["rows"]?.doubleValue == 150)
      }
    }
    let other = try program.run("align", "old.npy", "wide.npy", "--method", "affine", "--json")
    #expect(other.status == 0, "\(other.errors)")
    let answer = try other.json()
    #expect(answer["as_they_are"] == .null && answer["dimension"]?.doubleValue == 9)
    #expect(try #require(answer["aligned"]?["first"]?.doubleValue) == 1)
  }

  @Test func `anchors are named, and pictures drawn`() throws {
    let ids = (0..<40).map { "\(3 * $0)\n" }.joined()
    _ = try program.folder.write("ids.txt", ids)
    let outcome = try program.run(
      "align", "old.npy", "new.npy", "--anchors", "ids.txt", "--method", "relative", "--plot",
      "found.svg")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("from 40 pairs") && outcome.output.contains("110 pairs"))
    #expect(outcome.output.contains("as they are") && outcome.output.contains("aligned"))
    let picture = try String(contentsOfFile: folder + "/found.svg", encoding: .utf8)
    #expect(picture.contains("place in the ranking") && picture.contains("40 anchors"))
    let whole = try program.run("align", "old.npy", "new.npy", "--holdout", "0")
    #expect(whole.status == 0 && whole.errors.contains("--holdout 0.2"), "\(whole.errors)")
    let few = try program.run(
      "align", "old.npy", "new.npy", "--method", "relative", "--set", "anchorCount=7", "--json")
    #expect(try few.json()["dimension"]?.doubleValue == 7, "\(few.errors)")
  }

  @Test func `records of one key are one thing`() throws {
    let topics = ["a red apple and a pear", "a fast train on rails", "rain and wind in the north"]
    for (name, count) in [("notes", 60), ("more", 66)] {
      let order = name == "more" ? Array((0..<count).reversed()) : Array(0..<count)
      let lines = order.map { #"{"id":"note-\#($0)","text":"\#(topics[$0 % 3]) \#($0)"}"# }
      let made = try program.run(
        "ingest", name, "-", "--key", "id", input: lines.joined(separator: "\n"))
      #expect(made.status == 0, "\(made.errors)")
    }
    let outcome = try program.run("align", "notes", "more", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(answer["pairs"]?.doubleValue == 60)
    #expect(outcome.errors.contains("6 records are in one collection only"))
    _ = try program.folder.write("ids.txt", "note-1\nnote-65\n")
    let lonely = try program.run("align", "notes", "more", "--anchors", "ids.txt")
    #expect(lonely.status == 65 && lonely.errors.contains("'note-65'"), "\(lonely.errors)")
  }

  @Test func `what cannot be aligned is one error`() throws {
    _ = try program.folder.write("far.txt", "1\n150\n")
    _ = try program.folder.write("twice.txt", "1\n2\n1\n")
    _ = try program.folder.write("no-map", "text")
    for (arguments, status, message) in [
      (["old.npy"], 64, "two inputs"),
      (["old.npy", "new.npy", "--method", "glue"], 64, "there is no alignment method 'glue'"),
      (["old.npy", "few.npy"], 65, "old.npy and few.npy: the first matrix has 150"),
      (["old.npy", "broken.npy"], 65, "row 7"),
      (["old.npy", "none.npy"], 66, "none.npy"),
      (["old.npy", "new.npy", "--anchors", "none.txt"], 66, "none.txt"),
      (["old.npy", "new.npy", "--anchors", "far.txt"], 65, "line 2: '150'"),
      (["old.npy", "new.npy", "--anchors", "twice.txt"], 65, "named twice"),
      (["old.npy", "new.npy", "--holdout", "1"], 64, "--holdout"),
      (["old.npy", "new.npy", "--set", "speed=9"], 64, "'speed'"),
      (["--apply", "no-map", "old.npy", "-o", "x.npy"], 65, "no-map"),
      (["--apply", "no-map", "old.npy"], 64, "-o"),
      (["--apply", "no-map", "old.npy", "new.npy", "-o", "x.npy"], 64, "one input"),
      (["old.npy", "new.npy", "--from", "third"], 64, "--from"),
    ] as [([String], Int32, String)] {
      let outcome = try program.run(["align"] + arguments)
      #expect(outcome.status == status, "\(arguments) \(outcome.errors)")
      #expect(outcome.errors.contains(message), "\(arguments) \(outcome.errors)")
    }
  }
}
