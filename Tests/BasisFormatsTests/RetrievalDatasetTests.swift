import BasisCore
import BasisFormats
import Foundation
import Testing

@Suite struct RetrievalDatasetTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes the files of a data set into a folder of their own.
  private func write(_ name: String, _ files: [String: String]) throws -> String {
    for (file, text) in files { _ = try folder.write("\(name)/\(file)", text) }
    return "\(folder.path)/\(name)"
  }

  private func documents(_ dataset: RetrievalDataset) throws -> [String] {
    var reader = try dataset.makeDocumentReader()
    var texts: [String] = []
    while let record = try reader.next() {
      #expect(try JSONValue(parsing: record.json) == record.fields)
      texts.append(
        ["id", "title", "text"].compactMap { record.fields[$0]?.stringValue }
          .joined(separator: "|"))
    }
    #expect(reader.bytesRead == reader.byteCount)
    return texts
  }

  static let beir = [
    "corpus.jsonl": #"""
    {"_id": "d1", "title": "One", "text": "first words", "metadata": {}}
    {"_id": 2, "title": "", "text": "second"}
    """#,
    "queries.jsonl": #"""
    {"_id": "q1", "text": "which is first?", "metadata": {}}
    {"_id": "q2", "text": "unjudged"}
    {"_id": "q3", "text": "and the second?"}
    """#,
    "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq3\t2\t1\nq1\td1\t2\nq1\t2\t0\n",
    "qrels/train.tsv": "query-id\tcorpus-id\tscore\nq2\t2\t1\n",
    "README.md": "about",
    "scifact_metadata.json": #"{"records": 2}"#,
  ]

  @Test func `BEIR, with its splits`() throws {
    let path = try write("beir", Self.beir)
    let test = try RetrievalDataset(path)
    #expect(test.split == "test")
    #expect(test.queries.map(\.id) == ["q1", "q3"])
    #expect(test.queries[0].text == "which is first?")
    #expect(test.judgments == ["q1": ["d1": 2, "2": 0], "q3": ["2": 1]])
    #expect(test.untexted == 0 && test.notes.isEmpty)
    #expect(try documents(test) == ["d1|One|first words", "2|second"])
    #expect(test.judgmentFile.hasSuffix("qrels/test.tsv"))
    #expect(test.documentFiles.count == 1 && test.queryFile.hasSuffix("queries.jsonl"))

    let train = try RetrievalDataset(path + "/", options: .init(split: "Train"))
    #expect(train.split == "train" && train.judgments == ["q2": ["2": 1]])
    expect(.notFound, "no judgments of the split 'dev'; there are: test, train") {
      try RetrievalDataset(path, options: .init(split: "dev"))
    }
  }

  @Test func `the other name for judgments, gzip, and the only split there is`() throws {
    let name = "flat"
    _ = try folder.write("\(name)/corpus.jsonl.gz", gzipped(Array(Self.beir["corpus.jsonl"]!.utf8)))
    _ = try folder.write(
      "\(name)/queries.jsonl.gz", gzipped(Array(Self.beir["queries.jsonl"]!.utf8)))
    _ = try folder.write("\(name)/qrels-dev.tsv", "q1\td1\t1\r\n")
    let dataset = try RetrievalDataset("\(folder.path)/\(name)")
    #expect(dataset.split == "dev" && dataset.judgments == ["q1": ["d1": 1]])
    #expect(try documents(dataset).count == 2)
    _ = try folder.write("\(name)/qrels-train.tsv", "q1\td1\t1\n")
    expect(.invalidArgument, "several splits; choose one of: dev, train") {
      try RetrievalDataset("\(folder.path)/\(name)")
    }
  }

  @Test func `TREC documents, topics and judgments`() throws {
    let path = try write(
      "trec",
      [
        "docs.trec": """
        <!-- news -->
        <DOC>
        <DOCNO> FT-1 </DOCNO><DATE>910514</DATE>
        <HEADLINE> Fish &amp; <b>chips</b>
        </HEADLINE>
        <TEXT>
        If a < b &#38; b > c,
        <P>then &unknown; a &lt; c.</P>
        </TEXT>
        </DOC> <doc><docno>FT-2</docno>
        no text element here</doc>
        """,
        "topics.txt": """
        <top>
        <num> Number: 051
        <title> Topic: Airbus subsidies

        <desc> Description:
        What is said about them?
        </top>
        <top><num>52</num><title>
        SANCTIONS
        </title></top>
        <top><num>53</num><desc>only described</desc></top>
        """,
        "qrels.txt": "51 0 FT-1 1\n52\t0\tFT-2\t-1\n53 0 FT-1 0\n99 0 FT-1 1\n",
      ])
    let dataset = try RetrievalDataset(path)
    #expect(dataset.split == nil)
    #expect(
      dataset.queries == [
        .init(id: "51", text: "Airbus subsidies"), .init(id: "52", text: "SANCTIONS"),
        .init(id: "53", text: "only described"),
      ])
    #expect(dataset.judgments == ["51": ["FT-1": 1], "52": ["FT-2": -1], "53": ["FT-1": 0]])
    #expect(
      dataset.untexted == 1 && dataset.notes == ["judged queries without a text: 1, left out"])
    let found = try documents(dataset)
    #expect(found.count == 2)
    #expect(found[0].hasPrefix("FT-1|Fish &  chips|If a < b & b > c,"))
    #expect(found[0].hasSuffix("then &unknown; a < c."))
    #expect(found[1] == "FT-2|no text element here")
  }

  static let smart = [
    "x.all":
      ".I 1\n.T\nA title\n.A\nSomebody\n.W\nThe text\ngoes on .\n.X\n1\t5\t1\n.I 2\r\n.W \r\nSecond\r\n",
    "x.qry": ".I 004\n.W\nfirst question\n.I 009\n.T\nsecond\n.W\nquestion\n",
  ]

  @Test func `SMART records with codes, and queries counted by their order`() throws {
    let path = try write(
      "smart", Self.smart.merging(["xrel": "1 1 1\n1 2 4 \n2 2 -1\n2 1 5\n"]) { $1 })
    let dataset = try RetrievalDataset(path)
    #expect(
      dataset.queries == [
        .init(id: "1", text: "first question"), .init(id: "2", text: "second\nquestion"),
      ])
    #expect(dataset.judgments == ["1": ["1": 4, "2": 1], "2": ["2": 0, "1": 0]])
    #expect(try documents(dataset) == ["1|A title|The text\ngoes on .", "2|Second"])
    #expect(dataset.notes.count == 2)
    // Judgments that name no split are all there is to test with.
    #expect(try RetrievalDataset(path, options: .init(split: "test")).split == nil)
    expect(.notFound, "no judgments of the split 'train'; no file names one") {
      try RetrievalDataset(path, options: .init(split: "train"))
    }
  }

  @Test func `SMART pairs, and queries by their numbers`() throws {
    let path = try write(
      "pairs",
      Self.smart.merging(["X.REL": "     4      1\t0\t0.000000\n     9      2\t0\t0.000000\n"]) {
        $1
      })
    let dataset = try RetrievalDataset(path)
    #expect(dataset.queries.map(\.id) == ["4", "9"])
    #expect(dataset.judgments == ["4": ["1": 1], "9": ["2": 1]])
    #expect(dataset.notes.isEmpty)
    let bare = try write("bare", Self.smart.merging(["rel": "4 1\n9 2\n"]) { $1 })
    #expect(try RetrievalDataset(bare).judgments == dataset.judgments)
  }

  @Test func `lines of id and text; of several files the one with most judged queries`() throws {
    let path = try write(
      "tabs",
      [
        "docs.tsv": "M-1\tone\nM-2\tTwo\tthe second\n",
        "test.all-titles.queries": "P-1\tfew\n",
        "test.titles.queries": "P-1\tfirst\nP-2\tsecond\n",
        "dev.titles.queries": "P-1\twrong\nP-2\twrong\nP-3\twrong\n",
        "test.2-1-0.qrel": "P-1\t0\tM-1\t2\nP-2\t0\tM-1\t1\nP-3\t0\tM-1\t1\n",
        "test.3-2-1.qrel": "P-1\t0\tM-1\t3\n",
        "dev.2-1-0.qrel": "P-3\t0\tM-1\t2\n",
      ])
    let dataset = try RetrievalDataset(path)
    #expect(dataset.queries.map(\.text) == ["first", "second"])
    #expect(dataset.judgments == ["P-1": ["M-1": 2], "P-2": ["M-1": 1]])
    #expect(dataset.untexted == 1)
    #expect(dataset.notes[0] == "judgments from test.2-1-0.qrel, not from test.3-2-1.qrel")
    #expect(try documents(dataset) == ["M-1|one", "M-2|Two|the second"])

    let other = try RetrievalDataset(
      path,
      options: .init(
        queries: path + "/test.all-titles.queries", judgments: path + "/test.3-2-1.qrel"))
    #expect(other.queries.map(\.text) == ["few"] && other.judgments == ["P-1": ["M-1": 3]])
  }

  @Test func `what is missing is said, with an example of it`() throws {
    expect(.notFound, "no such file") { try RetrievalDataset(folder.path + "/none") }
    let file = try folder.write("file", "x")
    expect(.invalidArgument, "\(file): is a file; name the folder") { try RetrievalDataset(file) }
    expect(.badData, "no file holds documents; put one there, such as corpus.jsonl") {
      try RetrievalDataset(try write("empty", ["README.md": "nothing"]))
    }
    for (part, what) in [
      ("corpus.jsonl", "documents"), ("queries.jsonl", "queries"), ("qrels/test.tsv", "judgments"),
    ] {
      var files = Self.beir
      files[part] = nil
      files["qrels/train.tsv"] = nil
      expect(.badData, "no file holds \(what)") {
        try RetrievalDataset(try write("without-\(what)", files))
      }
    }
    let path = try write("packed", Self.beir.filter { $0.key != "corpus.jsonl" })
    _ = try folder.write("packed/corpus.jsonl.zst", [0x28, 0xB5, 0x2F, 0xFD, 0, 0, 0, 0])
    expect(.badData, "no file holds documents", "corpus.jsonl.zst: is compressed by zstd") {
      try RetrievalDataset(path)
    }
  }

  @Test(arguments: [
    ("qrels/test.tsv", "q1\td1\t1\nq1\td1\t0\n", "test.tsv:2: document d1 has the grade 0 for"),
    ("qrels/test.tsv", "q1\td1\t1\nq1\td2\n\nx\n", "test.tsv:4: is no judgment: 1 columns"),
    (
      "qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\thigh\n", "test.tsv:2: the grade 'high'"
    ),
    ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t0.5\n", "test.tsv:2: the grade '0.5'"),
    ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", "test.tsv: there is no judgment in it"),
    (
      "qrels/test.tsv", "z9\td1\t1\nz10\td1\t1\n",
      "none of its queries is judged in"
    ),
    (
      "queries.jsonl", "{\"_id\":\"q1\",\"text\":\"a\"}\n{\"text\":\"b\"}\n",
      "queries.jsonl:2: no field"
    ),
    (
      "queries.jsonl", "{\"_id\":\"q1\",\"text\":\"a\"}\n{\"_id\":\"q1\",\"text\":\"b\"}\n",
      "queries.jsonl:2: the query q1 is there a second time, first at line 1"
    ),
    ("queries.jsonl", "{\"_id\":\"q1\",\"text\":\"a\"}\n{\"_id\"\n", "queries.jsonl:2: not a JSON"),
  ])
  func `a bad row is named`(file: String, text: String, message: String) throws {
    let path = try write(
      "bad", Self.beir.merging([file: text]) { $1 }.filter { $0.key != "qrels/train.tsv" })
    expect(.badData, message) { try RetrievalDataset(path) }
  }

  @Test func `a bad document is named when it is read`() throws {
    let cases = [
      (
        "corpus.jsonl", "{\"_id\":\"a\",\"text\":\"x\"}\n{\"_id\":\"b\"}\n",
        "corpus.jsonl:2: no field is its text"
      ),
      ("docs.tsv", "a\tx\nb\tx\ty\tz\n", "docs.tsv:2: has 4 fields"),
      (
        "docs.trec", "<DOC><DOCNO>a</DOCNO>x</DOC>\n<DOC>\ny</DOC>\n",
        "docs.trec:2: the document has no <DOCNO>"
      ),
      (
        "docs.trec", "<DOC><DOCNO>a</DOCNO>x</DOC>\n\n<DOC>\ny\n",
        "docs.trec:3: the record that begins here never ends"
      ),
      ("docs.all", ".I 1\n.W\nx\n.I two 3\n", "docs.all:4: '.I two 3' does not number a record"),
    ]
    for (index, (file, text, message)) in cases.enumerated() {
      var files = Self.beir
      files["corpus.jsonl"] = nil
      files["qrels/train.tsv"] = nil
      files["qrels/test.tsv"] = "q1 0 d1 1\n"
      files[file] = text
      let dataset = try RetrievalDataset(try write("document-\(index)", files))
      expect(.badData, message) {
        var reader = try dataset.makeDocumentReader()
        while try reader.next() != nil {}
      }
    }
  }

  private func expect<R>(
    _ code: BasisError.Code, _ texts: String..., sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> R
  ) {
    do {
      _ = try body()
      Issue.record("no error, expected: \(texts)", sourceLocation: sourceLocation)
    } catch let error as BasisError {
      #expect(error.code == code, "\(error.message)", sourceLocation: sourceLocation)
      for text in texts {
        #expect(error.message.contains(text), "\(error.message)", sourceLocation: sourceLocation)
      }
    } catch {
      Issue.record("\(error)", sourceLocation: sourceLocation)
    }
  }
}
