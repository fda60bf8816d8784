import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct EvaluateTests {
  let program: Program

  init() throws {
    program = try Program()
    try FileManager.default.createDirectory(
      atPath: program.folder.path + "/judged/qrels", withIntermediateDirectories: true)
    let corpus = (0..<30).map { row in
      let title = row % 3 == 0 ? "about \(letters(row))title" : ""
      return
        #"{"_id":"d\#(row)","title":"\#(title)","text":"word\#(letters(row)) common \#(letters(row % 5))group"}"#
    }
    let queries = (0..<8).map { #"{"_id":"q\#($0)","text":"word\#(letters($0)) question"}"# }
    // The last judged query asks for what no document has.
    let test = (0..<6).map { "q\($0)\td\($0)\t1" } + ["q6\td29\t2", "q6\td6\t1", "q7\td1\t0"]
    _ = try program.folder.write("judged/corpus.jsonl", corpus.joined(separator: "\n"))
    _ = try program.folder.write("judged/queries.jsonl", queries.joined(separator: "\n"))
    _ = try program.folder.write(
      "judged/qrels/test.tsv",
      "query-id\tcorpus-id\tscore\n" + test.joined(separator: "\n") + "\n")
    _ = try program.folder.write("judged/qrels/train.tsv", "q1\td1\t1\nq1\tgone\t1\nq2\td2\t1\n")
  }

  private func evaluate(_ arguments: String...) throws -> Program.Outcome {
    try program.run(["evaluate", "relevance", "judged"] + arguments)
  }

  @Test func `a folder of BEIR is searched and scored`() throws {
    let outcome = try evaluate("--mode", "lexical", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(answer["queries"] == .integer(8) && answer["documents"] == .integer(30))
    #expect(answer["mode"] == .string("lexical") && answer["split"] == .string("test"))
    // Six queries find their document first; one finds the second best of two; one has none.
    let last = 1 / (2 + 1 / 1.584962500721156)
    let ndcg = try #require(answer["ndcg_at_10"]?.doubleValue)
    #expect(abs(ndcg - (6 + last) / 8) < 1e-6)
    #expect(answer["recall_at_100"] == .number(6.5 / 8))
    #expect(answer["map"] == .number(6.5 / 8) && answer["mrr"] == .number(7.0 / 8))
    guard case .array(let interval)? = answer["ndcg_at_10_interval"] else { throw Missing() }
    #expect(interval.count == 2)
    #expect(interval[0].doubleValue ?? 1 <= ndcg && interval[1].doubleValue ?? 0 >= ndcg)
    #expect(answer["queries_per_second"]?.doubleValue ?? 0 > 0)
    #expect(answer.text.contains("queries without a relevant document: 1"))
  }

  struct Missing: Error {}

  @Test(arguments: ["dense", "hybrid"])
  func `the other modes find the same in so small a folder`(mode: String) throws {
    let answer = try evaluate("--mode", mode, "--split", "train", "--dimension", "16", "--json")
      .json()
    #expect(answer["queries"] == .integer(2) && answer["split"] == .string("train"))
    #expect(answer["mrr"] == .number(1))
    #expect(answer.text.contains("judged documents that are in no file: 1, such as 'gone'"))
  }

  @Test func `a run is written, scored again and compared`() throws {
    let searched = try evaluate("--mode", "lexical", "--run-out", "mine.run", "--json").json()
    let run = try RetrievalRun(readingTREC: program.folder.path + "/mine.run")
    #expect(run.tag == "basis-lexical" && run.hits["q0"]?.first?.document == "d0")
    let scored = try evaluate("--run", "mine.run", "--json").json()
    for key in ["ndcg_at_10", "recall_at_100", "map", "mrr", "queries", "ndcg_at_10_interval"] {
      #expect(scored[key] == searched[key], "\(key)")
    }
    #expect(scored["run"] == .string("mine.run") && scored["queries_per_second"] == .null)

    _ = try program.folder.write("theirs.run", "q0 Q0 d5 1 2 x\nq0 Q0 d0 2 1 x\nz Q0 d0 1 1 x\n")
    let compared = try evaluate("--run", "mine.run", "--compare", "theirs.run", "--json").json()
    let row = try #require(compared["comparison"]?["mrr"])
    #expect(row["baseline"] == .number(0.5 / 8))
    #expect(abs((row["difference"]?.doubleValue ?? 0) - 6.5 / 8) < 1e-12)
    // All signs of seven differences that all favour one side: 2 of 128, doubled by the tie at 0.
    #expect(row["p_randomization"] == .number(2.0 / 128))
    #expect((row["p_t"]?.doubleValue ?? 1) < 0.01)
    #expect(compared.text.contains("judged queries without an answer: 7"))

    let text = try evaluate("--run", "mine.run", "--compare", "theirs.run")
    #expect(text.status == 0)
    #expect(text.output.contains("nDCG@10") && text.output.contains("p 0.0156"))
    #expect(text.errors.contains("warning: theirs.run: queries that nobody judged: 1"))
  }

  @Test func `a run that is there is not lost, and nothing stays behind`() throws {
    _ = try program.folder.write("mine.run", "mine")
    let refused = try evaluate("--mode", "lexical", "--run-out", "mine.run")
    #expect(refused.status == 1 && refused.errors.contains("give --force"), "\(refused.errors)")
    #expect(
      try String(contentsOfFile: program.folder.path + "/mine.run", encoding: .utf8) == "mine")
    let process = program.make([
      "evaluate", "relevance", "judged", "--mode", "lexical", "--run-out", "mine.run", "--force",
      "-q",
    ])
    let place = program.folder.path + "/temporary"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    process.environment?["TMPDIR"] = place
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: place).isEmpty)
    #expect(try !RetrievalRun(readingTREC: program.folder.path + "/mine.run").hits.isEmpty)
  }

  @Test(arguments: [
    (["none"], 66, "none: no such file"),
    (["judged", "--split", "dev"], 66, "no judgments of the split 'dev'; there are: test, train"),
    (["judged", "--run", "absent.run"], 66, "absent.run: no such file"),
    (["judged", "--run", "bad.run"], 65, "bad.run:2: has 3 columns"),
    (["judged", "--compare", "bad.run"], 65, "bad.run:2: has 3 columns"),
    (["judged", "--run-out", "no/where.run"], 66, "no/where.run: its folder does not exist"),
    (["judged", "--queries", "bad.run"], 65, "bad.run: holds no queries"),
    (["judged", "--encoder", "nomic"], 64, "there is no encoder 'nomic'"),
    (["judged", "-k", "0"], 64, "-k must be at least 1"),
    (["judged", "--run", "bad.run", "--mode", "dense"], 64, "--run scores a run that is there"),
    (["broken"], 65, "broken/qrels/test.tsv:1: the grade 'x' is not a whole number"),
  ])
  func `bad input gets one clear error and its exit code`(
    arguments: [String], status: Int32, message: String
  ) throws {
    _ = try program.folder.write("bad.run", "q0 Q0 d1 1 2.5 x\nq0 Q0 d2\n")
    let broken = program.folder.path + "/broken"
    try FileManager.default.copyItem(atPath: program.folder.path + "/judged", toPath: broken)
    _ = try program.folder.write("broken/qrels/test.tsv", "q1\td1\tx\n")
    let outcome = try program.run(["evaluate", "relevance"] + arguments)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
    if status != 64 { #expect(outcome.errors.split(separator: "\n").count == 1) }
  }

  @Test func `recall of a collection and of matrices is measured`() throws {
    var generator = RandomGenerator(seed: 1)
    let lines = (0..<1200).map { row in
      let values = (0..<8).map { _ in String(format: "%.4f", generator.nextGaussian()) }
      return
        #"{"id":"k\#(row)","text":"t","odd":\#(row % 2),"v":[\#(values.joined(separator: ","))]}"#
    }
    _ = try program.folder.write("v.jsonl", lines.joined(separator: "\n"))
    let ingest = try program.run(
      "ingest", "demo", "v.jsonl", "--vectors", "v", "--index", "graph")
    #expect(ingest.status == 0, "\(ingest.errors)")
    #expect(try program.run("info", "demo").output.contains("1,200 vectors: graph, asked for"))
    let json = try program.run(
      "evaluate", "recall", "demo", "--where", "odd = 1", "--recall", "0.9", "--json"
    ).json()
    #expect(json["records"] == .integer(600))
    #expect((json["recall_at_10"]?.doubleValue ?? 0) >= 0.85, "\(json.text)")
    #expect(json.value(at: "indexes.graph") == .integer(1))
    let text = try program.run("evaluate", "recall", "demo", "--sample", "20")
    #expect(text.output.contains("recall@10") && text.output.contains("1 graph"))

    #expect(
      try program.run("export", "demo", "-o", "out.jsonl", "--vectors", "v.npy").status == 0)
    let matrices = try program.run(
      "evaluate", "recall", "v.npy", "v.npy", "--index", "lists", "-k", "3", "--json"
    ).json()
    #expect(matrices["index"] == .string("lists"))
    #expect((matrices["recall_at_3"]?.doubleValue ?? 0) >= 0.9)
    for (arguments, message) in [
      (["demo", "--metric", "ip"], "are of matrices"), (["demo", "--recall", "2"], "0 ... 1"),
      (["v.npy", "v.npy", "--where", "odd = 1"], "of a collection"),
    ] {
      let outcome = try program.run(["evaluate", "recall"] + arguments)
      #expect(outcome.status == 64 && outcome.errors.contains(message), "\(outcome.errors)")
    }
  }

  @Test func `help opens with examples`() throws {
    let help = try program.run("help", "evaluate", "relevance")
    #expect(help.status == 0 && help.output.contains("EXAMPLES\n"))
    #expect(help.output.contains("basis evaluate relevance scifact"))
  }
}
