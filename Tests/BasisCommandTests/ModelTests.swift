import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

/// Models from the shell, with the tiny one that the tests of the text room have.
@Suite struct ModelTests {
  let program: Program

  init() throws { program = try Program() }

  static let tiny = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("BasisTextTests/Fixtures/tiny-bert").path

  @Test func `a model that is added makes the vectors of a collection`() throws {
    let long = Array(repeating: "fox", count: 40).joined(separator: " ")
    _ = try program.folder.write(
      "a.jsonl",
      """
      {"id":"1","text":"the quick brown fox"}
      {"id":"2","text":"hello world"}
      {"id":"3","text":"\(long)"}
      """)
    let missing = try program.run("ingest", "demo", "a.jsonl", "--encoder", "minilm")
    #expect(missing.status == 1)
    #expect(missing.errors.contains("run: basis models install minilm"))
    #expect(try program.run("list", "--json").json()["collections"] == .array([]))

    let added = try program.run("models", "add", Self.tiny, "--name", "tiny", "--json")
    #expect(added.status == 0, "\(added.errors)")
    #expect(try added.json()["dimension"] == .integer(36))
    #expect(try added.json()["query_prefix"] == .string("the text: "))
    let list = try program.run("models", "--json").json()
    #expect(list.value(at: "models.0.name") == .string("tiny"))
    #expect(list.value(at: "available.0.name") == .string("minilm"))

    let report = try program.run("ingest", "demo", "a.jsonl", "--encoder", "tiny", "--json").json()
    #expect(report["space"] == .string("tiny@1"))
    #expect(report["truncated"] == .integer(1))
    // 40 words and two ends, of which 32 are read.
    #expect(report["truncated_tokens"] == .integer(10))
    // Sealed from the first record on, so that no search encodes them again.
    #expect(report["pending"] == .integer(0))
    #expect(report["sealed"] == .integer(3))
    let again = try program.run("ingest", "demo", "a.jsonl")
    #expect(again.errors.contains("3 unchanged") && !again.errors.contains("cut:"))

    let search = try program.run("search", "demo", "brown", "--mode", "dense", "--json").json()
    guard case .array(let hits)? = search["hits"] else { throw CommandTests.Missing() }
    #expect(hits.count == 3)
    #expect(search.text.contains("tiny@1"))
    #expect(try program.run("vacuum", "demo").status == 0)
    #expect(try program.run("verify", "demo").status == 0)

    // Other weights of the same name are another space.
    #expect(try program.run("models", "remove", "tiny").status == 0)
    let gone = try program.run("search", "demo", "brown")
    #expect(gone.status != 0 && gone.errors.contains("models add"))
    #expect(try program.run("search", "demo", "brown", "--mode", "lexical").status == 0)
    let other = program.folder.path + "/other"
    try FileManager.default.copyItem(atPath: Self.tiny, toPath: other)
    try Data(#"{"pooling_mode_cls_token": true}"#.utf8)
      .write(to: URL(fileURLWithPath: other + "/1_Pooling/config.json"))
    #expect(try program.run("models", "add", other, "--name", "tiny").status == 0)
    let mixed = try program.run("search", "demo", "brown")
    #expect(mixed.status == 65 && mixed.errors.contains("another model"), "\(mixed.errors)")
  }

  @Test func `parts of long texts are measured in a model's tokens`() throws {
    // Two tokens or more a word, so that a part of 30 words would be cut at 32 tokens.
    let long = Array(repeating: "running", count: 90).joined(separator: " ")
    _ = try program.folder.write(
      "a.jsonl", #"{"id":"1","text":"\#(long)"}"# + "\n" + #"{"id":"2","text":"fox"}"#)
    #expect(try program.run("models", "add", Self.tiny, "--name", "tiny").status == 0)
    func truncated(_ name: String, _ options: [String]) throws -> JSONValue? {
      let arguments = ["ingest", name, "a.jsonl", "--encoder", "tiny", "--json"] + options
      return try program.run(arguments).json()["truncated"]
    }
    #expect(try truncated("whole", []) == .integer(1))
    let cut = ["--chunk", "--chunk-limit", "25", "--chunk-overlap", "5"]
    #expect(try truncated("parts", cut) == .integer(0))
    let hits = try program.run("search", "parts", "running", "--mode", "dense", "--json").json()
    #expect(hits.value(at: "hits.1.key") != nil && hits.value(at: "hits.2.key") == nil)
  }

  @Test func `judged collections are searched with a model`() throws {
    for (name, text) in [
      "corpus.jsonl": """
      {"_id":"1","title":"","text":"the quick brown fox"}
      {"_id":"2","title":"","text":"hello world"}
      """,
      "queries.jsonl": #"{"_id":"q","text":"hello world"}"#,
      "qrels-test.tsv": "query-id\tcorpus-id\tscore\nq\t2\t1\n",
    ] { _ = try program.folder.write(name, text) }
    #expect(try program.run("models", "add", Self.tiny, "--name", "tiny").status == 0)
    let result = try program.run(
      "evaluate", "relevance", program.folder.path, "--mode", "dense", "--encoder", "tiny",
      "--json")
    #expect(result.status == 0, "\(result.errors)")
    #expect(try result.json()["space"] == .string("tiny@1"))
    #expect(try result.json()["ndcg_at_10"]?.doubleValue ?? 0 > 0)
  }
}
