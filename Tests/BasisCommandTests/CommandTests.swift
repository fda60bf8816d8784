import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct CommandTests {
  let program: Program

  init() throws { program = try Program() }

  static let docs = """
    {"id":"gzip","body":"compress files to make them smaller","section":"utils","size":90}
    {"id":"tar","body":"pack many files into one archive","section":"utils","size":900}
    {"id":"mpg123","body":"play music from the command line","section":"sound","size":300}
    {"id":"doom","body":"a game of monsters and rockets","section":"games","size":5000}
    """

  @Test func `the lines of the manual work as written`() throws {
    _ = try program.folder.write("docs.jsonl", Self.docs)
    let ingest = try program.run("ingest", "demo", "docs.jsonl", "--key", "id", "--text", "body")
    #expect(ingest.status == 0, "\(ingest.errors)")
    #expect(ingest.output.isEmpty && ingest.errors.hasPrefix("demo: 4 new in "))

    let search = try program.run(
      "search", "demo", "how to shrink files", "-k", "10", "--mode", "hybrid",
      "--where", #"section = "utils" and size < 100"#, "--json")
    #expect(search.status == 0 && search.errors.isEmpty)
    let answer = try search.json()
    let hits = try #require(answer["hits"])
    guard case .array(let list) = hits else { throw Missing() }
    #expect(list.count == 1)
    #expect(list[0]["key"] == .string("gzip"))
    #expect(list[0].value(at: "payload.size") == .integer(90))
    #expect(list[0]["score"]?.doubleValue ?? 0 > 0)
    #expect(answer["seconds"]?.doubleValue ?? 0 > 0)
    #expect(answer["plan"]?["steps"] != nil)

    let info = try program.run("info", "demo", "--json").json()
    #expect(info["records"] == .integer(4))
    #expect(info["segments"] == .integer(0))
    #expect(info["bytes"]?.doubleValue ?? 0 > 0)
    #expect(info["space"] == .null)
  }

  struct Missing: Error {}

  @Test func `people get a table, programs get JSON`() throws {
    _ = try program.folder.write("docs.jsonl", Self.docs)
    #expect(try program.run("ingest", "demo", "docs.jsonl", "--quiet").errors.isEmpty)
    let search = try program.run("search", "demo", "compress", "--mode", "lexical")
    #expect(search.output.hasPrefix("  1  "))
    #expect(search.output.contains("gzip  compress files to make them smaller"))
    #expect(search.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    #expect(search.errors.hasPrefix("1 hits in ") || search.errors.hasPrefix("1 hit in "))
    let list = try program.run("list", "--json").json()
    #expect(list.text.contains(#""name":"demo""#))
    #expect(try program.run("verify", "demo", "--json").json()["sound"] == .bool(true))
  }

  @Test func `standard input is a file like any other`() throws {
    let ingest = try program.run(
      "ingest", "demo", "-", "--format", "jsonl", "--json", input: Self.docs)
    #expect(ingest.status == 0, "\(ingest.errors)")
    #expect(try ingest.json()["inserted"] == .integer(4))
  }

  @Test func `delete takes keys, a condition, or everything`() throws {
    _ = try program.folder.write("docs.jsonl", Self.docs)
    #expect(try program.run("ingest", "demo", "docs.jsonl").status == 0)
    #expect(
      try program.run("delete", "demo", "--key", "tar", "--key", "none", "--json").json()["deleted"]
        == .integer(1))
    #expect(
      try program.run("delete", "demo", "--where", "size >= 300", "--json").json()["deleted"]
        == .integer(2))
    let refused = try program.run("delete", "demo", "--all")
    #expect(refused.status == 64 && refused.errors.contains("--force"))
    #expect(try program.run("delete", "demo", "--all", "--force").status == 0)
    #expect(try program.run("info", "demo").status == 66)
  }

  @Test(arguments: [
    (["search", "none", "x"], 66, "no collection 'none'"),
    (["ingest", "demo", "absent.jsonl"], 66, "absent.jsonl"),
    (["ingest", "a/b", "docs.jsonl"], 64, "'a/b' cannot name a collection"),
    (["ingest", "demo", "bad.jsonl"], 65, "bad.jsonl:2"),
    (["ingest", "demo", "empty.jsonl"], 65, "there is no record to read"),
    (["search", "demo", "x", "-k", "0"], 64, "-k must be at least 1, not 0"),
    (["search", "demo"], 64, "give a text to look for, --key or --vector"),
    (["search", "demo", "x", "--where", "size <"], 64, "the end at position 7"),
    (["search", "demo", "x", "--mode", "psychic"], 64, "psychic"),
    (["ingest", "demo", "docs.jsonl", "--encoder", "nomic"], 64, "encoder"),
    (["ingest", "demo", "docs.jsonl", "--text", "nobody"], 65, "no field 'nobody'"),
    (["delete", "demo"], 64, "--key, --where or --all"),
    (["frobnicate"], 64, "frobnicate"),
  ])
  func `bad input gets one clear error and its exit code`(
    arguments: [String], status: Int32, message: String
  ) throws {
    _ = try program.folder.write("docs.jsonl", Self.docs)
    _ = try program.folder.write("bad.jsonl", Self.docs + "\n")
    _ = try program.folder.write("bad.jsonl", #"{"id":"a","body":"x"}"# + "\n{\"id\":")
    _ = try program.folder.write("empty.jsonl", "")
    #expect(try program.run("ingest", "demo", "docs.jsonl").status == 0)
    let process = program.make(arguments)
    let pipe = Pipe()
    process.standardError = pipe
    process.standardOutput = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let errors = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == status, "\(errors)")
    #expect(errors.contains(message), "\(errors)")
    if status != 64 { #expect(errors.split(separator: "\n").count == 1, "\(errors)") }
    // Nothing of what was there is lost.
    #expect(try program.run("info", "demo", "--json").json()["records"] == .integer(4))
  }

  @Test func `vectors go in and come out as NumPy arrays`() throws {
    _ = try program.folder.write("docs.jsonl", Self.docs)
    let vectors = try Matrix(rows: [[1, 0], [0, 1], [-1, 0], [3, 4]])
    try NumPyArray(vectors).write(to: program.folder.path + "/v.npy")
    let ingest = try program.run("ingest", "demo", "docs.jsonl", "--vectors", "v.npy")
    #expect(ingest.status == 0, "\(ingest.errors)")
    try NumPyArray(Matrix(rows: [[0, 2]])).write(to: program.folder.path + "/q.npy")
    _ = try program.folder.write("q.json", "[0, 2]")
    for query in ["q.npy", "q.json"] {
      let search = try program.run("search", "demo", "--vector", query, "-k", "1", "--json")
      #expect(search.output.contains(#""key":"tar""#), "\(search.errors)")
    }
    let piped = try program.run("search", "demo", "--vector", "-", "-k", "1", input: "[-1, 0]")
    #expect(piped.output.contains("mpg123"), "\(piped.errors)")

    let export = try program.run(
      "export", "demo", "-o", "out.jsonl", "--vectors", "out.npy", "--where", "size >= 300")
    #expect(export.status == 0, "\(export.errors)")
    #expect(
      try Matrix(contentsOf: program.folder.path + "/out.npy")
        == Matrix(rows: [[0, 1], [-1, 0], [3, 4]]))
    let again = try program.run("export", "demo", "--vectors", "out.npy")
    #expect(again.status != 0 && again.errors.contains("--force"), "\(again.errors)")

    try NumPyArray(Matrix(rows: [[1, 0], [0, 1]])).write(to: program.folder.path + "/v.npy")
    let short = try program.run("ingest", "other", "docs.jsonl", "--vectors", "v.npy")
    #expect(short.status == 65, "\(short.errors)")
    #expect(short.errors.contains("v.npy has 2 vectors for 4 records"), "\(short.errors)")
    let absent = try program.run("search", "demo", "--vector", "absent.npy")
    #expect(absent.status == 66 && absent.errors.contains("absent.npy"), "\(absent.errors)")
  }

  @Test func `help of every verb opens with examples`() throws {
    for verb in [
      "", "ingest", "search", "info", "list", "export", "delete", "vacuum", "verify", "evaluate",
    ] {
      let help = try program.run("help", verb)
      #expect(help.status == 0)
      #expect(help.output.contains("EXAMPLES\n"), "\(verb)")
      #expect(help.output.contains("basis \(verb)"), "\(verb)")
    }
    #expect(try program.run("--version").output == "0.1.0\n")
  }
}
