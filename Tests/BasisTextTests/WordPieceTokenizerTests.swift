import BasisCore
import BasisFormats
import BasisText
import Foundation
import Testing
import _BasisTestSupport

private struct WordPieceFixture: Decodable {
  struct Rules: Decodable {
    var cleanText: Bool
    var handleChineseChars: Bool
    var stripAccents: Bool?
    var lowercase: Bool

    enum CodingKeys: String, CodingKey {
      case cleanText = "clean_text"
      case handleChineseChars = "handle_chinese_chars"
      case stripAccents = "strip_accents"
      case lowercase
    }

    var value: WordPieceTokenizer.Rules {
      .init(
        cleansText: cleanText, splitsChinese: handleChineseChars, lowercases: lowercase,
        stripsAccents: stripAccents)
    }
  }
  struct Case: Decodable {
    var rules: Rules
    var ids: [[Int32]]
    var scalars: [String]
  }
  struct DataSet: Decodable {
    var name: String
    var fields: [String]
    var count: Int
    var tokens: Int
    var hashes: [String]
  }
  var vocabulary: [String]
  var texts: [String]
  var cases: [Case]
  var modelIDs: [[Int32]]
  var sets: [DataSet]
}

/// FNV-1a with 64 bits.
private struct Hash {
  var state: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }

  var text: String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

@Suite struct WordPieceTokenizerTests {
  private let fixture: WordPieceFixture

  init() throws { fixture = try BasisTextTests.fixture("word-piece", as: WordPieceFixture.self) }

  private func tokenizer(_ rules: WordPieceTokenizer.Rules = .init()) throws -> WordPieceTokenizer {
    try WordPieceTokenizer(vocabulary: fixture.vocabulary.map { Array($0.utf8) }, rules: rules)
  }

  @Test func `numbers are those of the reference`() throws {
    for entry in fixture.cases {
      let tokenizer = try tokenizer(entry.rules.value)
      for (text, ids) in zip(fixture.texts, entry.ids) {
        let found = tokenizer.tokens(of: text)
        #expect(found.ids == ids, "\(entry.rules): \(text.debugDescription)")
        #expect(found.fullCount == ids.count)
      }
    }
  }

  @Test func `every Unicode scalar becomes what it becomes in the reference`() throws {
    // A debug build is some thirty times slower: it does the two lower planes by the first rules.
    let cases = fixture.cases.filter { !$0.scalars.isEmpty }
    for entry in cases.prefix(Installed.isOptimized ? cases.count : 1) {
      let tokenizer = try tokenizer(entry.rules.value)
      for (block, expected) in entry.scalars.enumerated() where Installed.isOptimized || block < 32
      {
        var hash = Hash()
        for page in UInt32(block) << 4..<(UInt32(block) + 1) << 4 {
          var text = String.UnicodeScalarView()
          for scalar in (page << 8...page << 8 | 0xFF).compactMap(Unicode.Scalar.init) {
            if !text.isEmpty { text.append(" ") }
            text.append(contentsOf: ["a", scalar, "b"])
          }
          for byte in tokenizer.words(of: String(text)).joined(separator: "\u{1F}").utf8 {
            hash.add(byte)
          }
          hash.add(UInt8(ascii: "\n"))
        }
        #expect(hash.text == expected, "block \(block), \(entry.rules)")
      }
    }
  }

  @Test(.enabled(if: Installed.minilm != nil, Installed.comment))
  func `the model's numbers are those of the reference on whole data sets`() throws {
    let tokenizer = try WordPieceTokenizer(folder: try #require(Installed.minilm))
    for (text, ids) in zip(fixture.texts, fixture.modelIDs) {
      #expect(tokenizer.tokens(of: text).ids == ids, "\(text.debugDescription)")
    }
    for set in fixture.sets where Installed.hasData(set.name) {
      var reader = try RecordSource(path: Installed.dataPath(set.name)).makeReader()
      var texts: [String] = []
      while let record = try reader.next() {
        texts.append(
          set.fields.map { record.fields[$0]?.stringValue ?? "" }.joined(separator: " "))
      }
      #expect(texts.count == set.count)
      var tokens = 0
      // A debug build is some thirty times slower.
      let blocks = Installed.isOptimized ? set.hashes : Array(set.hashes.prefix(3))
      for (block, expected) in blocks.enumerated() {
        var hash = Hash()
        for text in texts[block * 100..<min(texts.count, block * 100 + 100)] {
          let ids = tokenizer.tokens(of: text).ids
          tokens += ids.count
          for id in ids { for shift in [0, 8, 16, 24] { hash.add(UInt8(id >> shift & 0xFF)) } }
        }
        #expect(hash.text == expected, "\(set.name), texts \(block * 100) and following")
      }
      if Installed.isOptimized { #expect(tokens == set.tokens) }
    }
  }

  @Test(.enabled(if: Installed.minilm != nil, Installed.comment))
  func `both files of a model say the same`() throws {
    let folder = try #require(Installed.minilm)
    let one = try WordPieceTokenizer(folder: folder)
    let other = try WordPieceTokenizer(tokenizerFile: folder + "/tokenizer.json")
    #expect(one.rules == other.rules)
    #expect(one.vocabularyCount == other.vocabularyCount)
    for text in fixture.texts { #expect(one.tokens(of: text) == other.tokens(of: text)) }
  }

  @Test func `a limit keeps both ends and counts what it cuts`() throws {
    let tokenizer = try tokenizer()
    let all = tokenizer.tokens(of: "hello world the a")
    #expect(all.ids.count == 6 && all.cutCount == 0)
    for limit in 2...8 {
      let cut = tokenizer.tokens(of: "hello world the a", limit: limit)
      let kept = min(limit, 6)
      #expect(cut.ids == all.ids.prefix(kept - 1) + [all.ids[5]])
      #expect(cut.fullCount == 6 && cut.cutCount == 6 - kept)
    }
    // A mark that makes the tokenizer start again must not count twice.
    let marks = "the a the a\u{302E}\u{1D165}"
    #expect(tokenizer.tokens(of: marks).fullCount == tokenizer.tokens(of: marks).ids.count)
    #expect(
      tokenizer.tokens(of: marks, limit: 4).fullCount == tokenizer.tokens(of: marks).fullCount)
  }

  @Test func `random texts and threads agree`() throws {
    let tokenizer = try tokenizer()
    var generator = RandomGenerator(seed: 7)
    var texts: [String] = []
    for _ in 0..<300 {
      var text = String.UnicodeScalarView()
      for _ in 0..<generator.nextInt(below: 40) {
        let range = [0x80, 0x300, 0x3000, 0x11_0000][generator.nextInt(below: 4)]
        if let scalar = Unicode.Scalar(UInt32(generator.nextInt(below: range))) {
          text.append(scalar)
        }
      }
      texts.append(String(text))
    }
    let one = texts.map { tokenizer.tokens(of: $0) }
    let chunks = try parallelMap(texts.count, grain: 7, in: RunContext(threadLimit: 4)) {
      [texts] _, rows in rows.map { tokenizer.tokens(of: texts[$0]) }
    }
    #expect(chunks.flatMap { $0 } == one)
  }

  @Test func `what cannot be used is refused by name`() throws {
    let folder = try TemporaryFolder()
    expectError(.badData, "[SEP]") {
      try WordPieceTokenizer(vocabulary: ["[UNK]", "[CLS]", "a"].map { Array($0.utf8) })
    }
    expectError(.notFound, "no vocab.txt") {
      try WordPieceTokenizer(folder: folder.path)
    }
    let other = try folder.write(
      "tokenizer.json", #"{"normalizer": {"type": "NFKC"}, "model": {"type": "Unigram"}}"#)
    expectError(.unsupported, "NFKC") { try WordPieceTokenizer(tokenizerFile: other) }
    expectError(.unsupported, other) { try WordPieceTokenizer(folder: folder.path) }
    _ = try folder.write("vocab.txt", fixture.vocabulary.joined(separator: "\n") + "\n")
    let read = try WordPieceTokenizer(folder: folder.path)
    #expect(read.tokens(of: "unaffable") == (try tokenizer().tokens(of: "unaffable")))
    _ = try folder.write("tokenizer_config.json", #"{"tokenizer_class": "RobertaTokenizer"}"#)
    expectError(.unsupported, "RobertaTokenizer") {
      try WordPieceTokenizer(folder: folder.path)
    }
  }

  @Test func `a tokenizer file with gaps, ends of its own and added tokens is read`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "tokenizer.json",
      """
      {"normalizer": {"type": "BertNormalizer", "lowercase": false},
       "pre_tokenizer": {"type": "BertPreTokenizer"},
       "post_processor": {"type": "BertProcessing", "sep": ["<e>", 1], "cls": ["<s>", 0]},
       "added_tokens": [{"id": 9, "content": "<new>", "normalized": false}],
       "model": {"type": "WordPiece", "unk_token": "<u>", "max_input_chars_per_word": 3,
         "vocab": {"<s>": 0, "<e>": 1, "<u>": 2, "a": 5, "##b": 6}}}
      """)
    let tokenizer = try WordPieceTokenizer(tokenizerFile: path)
    #expect(tokenizer.vocabularyCount == 10)
    #expect(tokenizer.tokens(of: "ab abbb A<new>a").ids == [0, 5, 6, 2, 2, 9, 5, 1])
    let hostile = try folder.write(
      "hostile.json",
      """
      {"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
       "post_processor": {"type": "BertProcessing"},
       "model": {"type": "WordPiece", "vocab": {"a": 4611686018427387904}}}
      """)
    expectError(.badData, "'a'") { try WordPieceTokenizer(tokenizerFile: hostile) }
  }
}
