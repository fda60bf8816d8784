import BasisCore
import BasisFormats
import Foundation
import Testing

@Suite struct RetrievalRunTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `a run is read whatever its separators, ranks and order`() throws {
    let path = try folder.write(
      "run", "2 Q0 b 7 -1.5 mine\r\n\n1\tQ0\ta\t1\t2e1\tmine\n2  Q0 a 9 0.25 mine\n")
    let run = try RetrievalRun(readingTREC: path)
    #expect(run.tag == "mine" && run.queries == ["1", "2"])
    #expect(run.hits["1"] == [.init(document: "a", score: 20)])
    #expect(run.ranking(of: "2").map(\.document) == ["a", "b"])
    #expect(run.ranking(of: "3").isEmpty)
    let packed = try folder.write("run.gz", gzipped(contents(of: path)))
    #expect(try RetrievalRun(readingTREC: packed) == run)
    #expect(try RetrievalRun(readingTREC: try folder.write("empty", "")).hits.isEmpty)
  }

  @Test func `equal scores go by document id from the last to the first, by bytes`() {
    let names = ["d10", "d9", "é", "z", "D", "a-b", "d1"]
    let run = RetrievalRun(hits: ["q": names.map { .init(document: $0, score: 1) }])
    #expect(
      run.ranking(of: "q").map(\.document) == ["é", "z", "d9", "d10", "d1", "a-b", "D"])
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `writing and reading gives the same run`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    var run = RetrievalRun(tag: "tag-\(seed)")
    for query in 0..<generator.nextInt(below: 12) {
      run.hits["\(query)"] = (0...generator.nextInt(below: 20)).map {
        .init(document: "d\($0)", score: generator.nextFloat() * 1e3 - Float($0 % 3) * 1e-30)
      }
      run.hits["\(query)"] = run.ranking(of: "\(query)")
    }
    let path = folder.path + "/out"
    try run.writeTREC(to: path)
    let again = try RetrievalRun(readingTREC: path)
    #expect(again.hits == run.hits)
    #expect(again.tag == run.tag || run.hits.isEmpty)
    let lines = String(decoding: try contents(of: path), as: UTF8.self).split(separator: "\n")
    #expect(lines.count == run.hits.values.reduce(0) { $0 + $1.count })
    #expect(lines.first.map { $0.hasPrefix("0 Q0 ") && $0.contains(" 1 ") } ?? true)
    #expect(try folder.names == ["out"])
  }

  @Test(arguments: [
    ("1 Q0 a 1 2.5", "run:1: has 5 columns"),
    ("1 Q0 a 1 2.5 t\n1 Q0 b 2 high t", "run:2: the score 'high' is not a finite number"),
    ("1 Q0 a 1 nan t", "run:1: the score 'nan'"),
    ("1 Q0 a 1 1e39 t", "run:1: the score '1e39'"),
    ("1 Q0 a 1 2 t\n2 Q0 a 1 2 t\n1 Q0 a 2 1 t", "run:3: query 1 has document a a second time"),
  ])
  func `a bad line is named`(text: String, message: String) throws {
    let path = try folder.write("run", text)
    #expect {
      try RetrievalRun(readingTREC: path)
    } throws: { error in
      (error as? BasisError)?.code == .badData && "\(error)".contains(message)
    }
  }

  @Test func `what a line cannot hold is not written`() throws {
    let path = folder.path + "/out"
    let bad = [
      RetrievalRun(tag: "two words", hits: ["q": [.init(document: "a", score: 1)]]),
      RetrievalRun(hits: ["": [.init(document: "a", score: 1)]]),
      RetrievalRun(hits: ["q": [.init(document: "a\tb", score: 1)]]),
      RetrievalRun(hits: ["q": [.init(document: "a", score: .infinity)]]),
    ]
    for run in bad {
      #expect { try run.writeTREC(to: path) } throws: { ($0 as? BasisError)?.code == .badData }
    }
    #expect {
      try RetrievalRun().writeTREC(to: folder.path + "/none/out")
    } throws: { error in
      "\(error)".hasPrefix(folder.path + "/none/out: cannot create the file")
    }
    #expect(try folder.names.isEmpty)
  }
}
