import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct ClusterTests {
  let program: Program
  var folder: String { program.folder.path }

  init() throws {
    program = try Program()
    // Four groups far apart, in turns.
    let middle = gaussianMatrix(rowCount: 4, columnCount: 5, seed: 1)
    var rows = gaussianMatrix(rowCount: 120, columnCount: 5, seed: 2)
    for row in 0..<120 {
      for column in 0..<5 {
        rows[row, column] = rows[row, column] / 20 + 9 * middle[row % 4, column]
      }
    }
    try NumPyArray(rows).write(to: folder + "/x.npy")
    var pairs = Matrix(rowCount: 120, columnCount: 120)
    for a in 0..<120 {
      for b in 0..<120 where a != b {
        pairs[a, b] = Metric.squaredEuclidean.distance(rows.row(a), rows.row(b)).squareRoot()
      }
    }
    try NumPyArray(pairs).write(to: folder + "/pairs.npy")
    pairs[3, 1] += 1
    try NumPyArray(pairs).write(to: folder + "/skew.npy")
    try NumPyArray((0..<120).map { $0 % 4 }).write(to: folder + "/y.npy")
    try NumPyArray([1, 2, 3]).write(to: folder + "/few.npy")
    var broken = rows
    broken[7, 3] = .nan
    try NumPyArray(broken).write(to: folder + "/broken.npy")
  }

  @Test func `the line of the manual works as written`() throws {
    let outcome = try program.run(
      "cluster", "x.npy", "--method", "fasterpam", "-k", "4", "--metric", "l2", "--seed", "0",
      "--labels", "y.npy", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(answer["adjusted_rand_index"]?.doubleValue == 1)
    let groups = numbers(answer["assignments"])
    #expect(groups.count == 120 && Set(groups).count == 4)
    #expect((0..<120).allSatisfy { groups[$0] == groups[$0 % 4] })
    let medoids = numbers(answer["medoids"])
    #expect(medoids.indices.allSatisfy { groups[medoids[$0]] == $0 })
    for key in ["loss", "iterations", "seconds", "swaps", "silhouette", "medoid_silhouette"] {
      #expect(answer[key]?.doubleValue != nil, "\(key)")
    }
    #expect(answer["silhouette"]?.doubleValue ?? 0 > 0.9)

    // The same of all pairs.
    let pairs = try program.run("cluster", "pairs.npy", "--precomputed", "-k", "4", "--json")
    #expect(pairs.status == 0, "\(pairs.errors)")
    #expect(numbers(try pairs.json()["medoids"]) == medoids)
    let mended = try program.run(
      "cluster", "skew.npy", "--precomputed", "--symmetrise", "-k", "4", "--json")
    #expect(mended.status == 0, "\(mended.errors)")
  }

  @Test func `every method runs, and the next verb reads the groups`() throws {
    let listed = try program.run("methods", "clustering", "--json")
    guard case .array(let methods)? = try listed.json()["methods"] else {
      Issue.record("there are no methods")
      return
    }
    let names = methods.compactMap { $0["name"]?.stringValue }
    #expect(names.contains("fasterpam") && names.contains("kmeans"))
    let help = try program.run("cluster", "--help").output
    for name in names {
      #expect(help.contains("  \(name)"), "\(name)")
      let settings = name == "alternating" ? ["--start", "build"] : []
      let outcome = try program.run(
        ["cluster", "x.npy", "--method", name, "-k", "4", "--json", "-o", "\(name).npy"]
          + settings)
      #expect(outcome.status == 0, "\(name): \(outcome.errors)")
      let answer = try outcome.json()
      #expect(Set(numbers(answer["assignments"])).count == 4, "\(name)")
      #expect(Set(numbers(answer["medoids"]).map { $0 % 4 }).count == 4, "\(name)")
      let judged = try program.run(
        "judge", "x.npy", "--measure", "tolerance", "--labels", "\(name).npy", "--json")
      #expect(judged.status == 0, "\(judged.errors)")
    }
  }

  @Test func `the number of groups is found, and pictures are drawn`() throws {
    let scan = try program.run(
      "cluster", "x.npy", "-k", "auto", "--most", "9", "--json", "--plot", "scan.svg")
    #expect(scan.status == 0, "\(scan.errors)")
    let answer = try scan.json()
    #expect(numbers(answer["medoids"]).count == 4)
    guard case .array(let steps)? = answer["scan"] else {
      Issue.record("there is no scan")
      return
    }
    #expect(steps.compactMap { $0["clusters"]?.doubleValue } == [2, 3, 4, 5, 6, 7, 8, 9])
    let picture = try String(contentsOfFile: folder + "/scan.svg", encoding: .utf8)
    #expect(picture.contains("medoid silhouette"))
    let text = try program.run("cluster", "x.npy", "-k", "4", "--plot", "groups.svg")
    #expect(text.status == 0 && text.output.contains("medoid"), "\(text.errors)")
    #expect(text.output.split(separator: "\n").count == 7)
    let silhouettes = try String(contentsOfFile: folder + "/groups.svg", encoding: .utf8)
    #expect(silhouettes.contains("silhouette") && silhouettes.contains("3 (30)"))
    #expect(try program.run("cluster", "x.npy", "--plot", "groups.svg").status != 0)
  }

  @Test func `groups are kept for rows to come`() throws {
    for method in ["fasterpam", "kmeans"] {
      let kept = try program.run(
        "cluster", "x.npy", "-k", "4", "--method", method, "--save", method, "--json")
      #expect(kept.status == 0, "\(kept.errors)")
      let again = try program.run("cluster", "x.npy", "--model", method, "--json")
      #expect(again.status == 0, "\(again.errors)")
      #expect(numbers(try again.json()["assignments"]) == numbers(try kept.json()["assignments"]))
      #expect(try program.run("cluster", "x.npy", "--save", method).errors.contains("--force"))
    }
    #expect(try program.run("cluster", "pairs.npy", "--model", "kmeans").status == 65)
  }

  @Test func `a collection's groups are shown by their records`() throws {
    let topics = ["a red apple and a pear", "a fast train on rails", "rain and wind in the north"]
    let lines = (0..<60).map { #"{"id":"note-\#($0)","text":"\#(topics[$0 % 3]) \#($0)"}"# }
    let made = try program.run(
      "ingest", "notes", "-", "--key", "id", input: lines.joined(separator: "\n"))
    #expect(made.status == 0, "\(made.errors)")
    let outcome = try program.run("cluster", "notes", "-k", "3", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(answer["metric"]?.stringValue == "cosine")
    guard case .array(let clusters)? = answer["clusters"] else {
      Issue.record("there are no clusters")
      return
    }
    #expect(clusters.allSatisfy { $0["key"]?.stringValue?.hasPrefix("note-") == true })
    #expect(try program.run("cluster", "notes", "-k", "3").output.contains("note-"))
    let piped = try program.run(
      "cluster", "-", "-k", "2", "--json", input: "[[0, 0], [0, 1], [9, 9], [9, 8]]")
    #expect(piped.status == 0, "\(piped.errors)")
    let pairs = numbers(try piped.json()["assignments"])
    #expect(pairs[0] == pairs[1] && pairs[2] == pairs[3] && pairs[0] != pairs[2])
  }

  @Test func `what cannot be clustered is one error`() throws {
    for (arguments, status, message) in [
      (["x.npy", "--method", "stars"], 64, "there is no clustering method 'stars'"),
      (["x.npy", "-k", "0"], 64, "1 ... 120"),
      (["x.npy", "-k", "121"], 64, "1 ... 120"),
      (["x.npy", "-k", "many"], 64, "auto"),
      (["x.npy", "--metric", "ip"], 64, "l2, sql2 or cosine"),
      (["x.npy", "--start", "anywhere"], 64, "lab"),
      (["x.npy", "--precomputed"], 65, "square"),
      (["skew.npy", "--precomputed"], 65, "--symmetrise"),
      (["pairs.npy", "--symmetrise"], 64, "--precomputed"),
      (["pairs.npy", "--precomputed", "--method", "kmeans", "--metric", "l2"], 64, "rows"),
      (["broken.npy"], 65, "row 7"),
      (["none.npy"], 66, "none.npy"),
      (["x.npy", "--labels", "few.npy"], 65, "3 labels for 120 rows"),
      (["x.npy", "--set", "speed=9"], 64, "'speed'"),
      (["x.npy", "--method", "clarans", "--start", "lab"], 64, "'start'"),
      (["x.npy", "--model", "x.npy"], 65, "x.npy"),
    ] as [([String], Int32, String)] {
      let outcome = try program.run(["cluster"] + arguments)
      #expect(outcome.status == status, "\(arguments) \(outcome.errors)")
      #expect(outcome.errors.contains(message), "\(arguments) \(outcome.errors)")
    }
  }
}
