import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct GraphTests {
  let program: Program
  var folder: String { program.folder.path }

  init() throws {
    program = try Program()
    var generator = RandomGenerator(seed: 1)
    var text = ""
    for node in 0..<40 {
      for other in 0..<node where generator.nextDouble() < (node % 2 == other % 2 ? 0.3 : 0.05) {
        text += "\(node) \(other)\n"
      }
    }
    _ = try program.folder.write("edges.txt", text)
    _ = try program.folder.write("follows.csv", "from,to\nann,bob\nbob,ann\nbob,cy\n")
    // Three who meet two by two, and later all; others who do not.
    let groups = [
      [1, 2], [2, 3], [1, 3], [4, 5], [5, 6], [4, 6], [1, 2], [7, 8, 9], [1, 2, 3], [4, 5],
    ]
    _ = try program.folder.write("m-nverts.txt", groups.map { "\($0.count)\n" }.joined())
    _ = try program.folder.write(
      "m-simplices.txt", groups.joined().map { "\($0)\n" }.joined())
    _ = try program.folder.write("m-times.txt", (1...10).map { "\($0)\n" }.joined())
    _ = try program.folder.write("m-node-labels.txt", "1 ann\n2 bob\n")
  }

  @Test func `the line of the manual works as written`() throws {
    let outcome = try program.run(
      "graph", "embed", "edges.txt", "--method", "fastrp", "--dimension", "128", "-o", "z.npy",
      "--ids", "nodes.txt", "--save", "model", "--plot", "degrees.svg", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(answer["nodes"]?.doubleValue == 40 && answer["dimension"]?.doubleValue == 128)
    #expect(answer["isolated"]?.doubleValue == 0 && answer["seconds"]?.doubleValue ?? -1 >= 0)
    let vectors = try Matrix(contentsOf: folder + "/z.npy")
    #expect(vectors.rowCount == 40 && vectors.columnCount == 128)
    let names = try String(contentsOfFile: folder + "/nodes.txt", encoding: .utf8)
    #expect(names == (0..<40).map { "\($0)\n" }.joined())
    let svg = try String(contentsOfFile: folder + "/degrees.svg", encoding: .utf8)
    #expect(svg.contains("<svg") && svg.contains("share of nodes"))
    #expect(try ModelFile(path: folder + "/model").name == "fastrp")
    let again = try program.run("graph", "embed", "edges.txt", "-o", "z.npy")
    #expect(again.status != 0 && again.errors.contains("--force"))
  }

  @Test func `settings, other methods and directions`() throws {
    let tuned = try program.run(
      "graph", "embed", "edges.txt", "--dimension", "8", "--weights", "0,0,7.81,45.28", "--beta",
      "-0.5", "--nodes", "50", "--set", "projection=gaussian", "--picture", "spectrum", "--plot",
      "s.svg", "-o", "t.npy")
    #expect(tuned.status == 0, "\(tuned.errors)")
    #expect(tuned.output.contains("50 nodes") && tuned.output.contains("none 10"))
    #expect(tuned.errors.contains("10 of 50 nodes have no link"))
    #expect(try Matrix(contentsOf: folder + "/t.npy").row(45).allSatisfy { $0 == 0 })
    let degree = try program.run("graph", "embed", "edges.txt", "--method", "degree", "--json")
    #expect(try degree.json()["dimension"]?.doubleValue == 2)
    let refused = try program.run("graph", "embed", "follows.csv")
    #expect(refused.status == 65 && refused.errors.contains("--symmetrise"))
    let directed = try program.run("graph", "embed", "follows.csv", "--directed", "--json")
    #expect(try directed.json()["links"]?.doubleValue == 3)
    let unknown = try program.run("graph", "embed", "edges.txt", "--method", "walks")
    #expect(unknown.status == 64 && unknown.errors.contains("fastrp"))
    let wrong = try program.run("graph", "embed", "edges.txt", "--weights", "1,x")
    #expect(wrong.status == 64 && wrong.errors.contains("'1,x'"))
    let beyond = try program.run("graph", "embed", "edges.txt", "--nodes", "20")
    #expect(beyond.status == 65 && beyond.errors.contains("edges.txt:"))
  }

  @Test func `closures and groups to come`() throws {
    let outcome = try program.run("graph", "closures", ".", "--json", "--plot", "c.svg")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(answer["open_triangles"]?.doubleValue == 2)
    guard case .array(let rows)? = answer["rows"] else {
      Issue.record("no rows")
      return
    }
    let strong = rows.first { $0["key"]?.text == "[1,1,2]" }
    #expect(strong?["open"]?.doubleValue == 1 && strong?["closed"]?.doubleValue == 1)
    let four = try program.run("graph", "closures", ".", "--size", "4")
    #expect(four.status == 0 && four.output.contains("-3 -3 -3 0"))

    let now = try program.run(
      "graph", "predict", ".", "--higher-order", "geometric", "--top", "1")
    #expect(now.status == 0 && now.output.contains("4 · 5 · 6"), "\(now.errors)")
    let before = try program.run(
      "graph", "predict", ".", "--higher-order", "-1", "--evaluate", "--plot", "p.svg", "--json")
    #expect(before.status == 0, "\(before.errors)")
    guard case .array(let scores)? = try before.json()["scores"],
      case .array(let triples)? = scores.first?["triples"]
    else {
      Issue.record("no scores")
      return
    }
    #expect(scores[0]["average_precision"]?.doubleValue == 1)
    #expect(triples[0]["nodes"]?.text == #"["ann","bob","3"]"#)
    #expect(triples[0]["closed"] == .bool(true))
    let all = try program.run("graph", "predict", ".", "--higher-order", "all")
    #expect(all.status == 0 && all.output.contains("adamic-adar"), "\(all.errors)")
    let wrong = try program.run("graph", "predict", ".", "--higher-order", "luck")
    #expect(wrong.status == 64 && wrong.errors.contains("geometric"))
  }
}
