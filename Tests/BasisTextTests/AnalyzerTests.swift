import BasisCore
import BasisText
import Foundation
import Testing

@Suite struct AnalyzerTests {
  let plain = Analyzer(stopWords: .none, stemming: .none)

  @Test func `words are lower-cased, stopped and stemmed`() {
    #expect(
      Analyzer().terms(of: "The Indexing of shrunken FILES") == ["index", "shrunken", "file"])
  }

  @Test(
    arguments: [
      ("", []), (" \n\t--", []), ("a", ["a"]),
      ("C++20, e.g. x86_64", ["c", "20", "e", "g", "x86", "64"]),
      ("naïve Äpfel", ["naïve", "äpfel"]), ("TGF-β1 levels", ["tgf", "β1", "levels"]),
      ("ﬁle ＦＵＬＬ ²", ["file", "full", "2"]), ("cafe\u{301} café", ["café", "café"]),
      ("ΟΔΟΣ οδός", ["οδοσ", "οδόσ"]), ("Straße", ["straße"]), ("привет МИР", ["привет", "мир"]),
      ("検索エンジン的", ["検", "索", "エンジン", "的"]), ("がか\u{3099}", ["が", "が"]),
      ("a\u{200B}b", ["a", "b"]), ("👍🏽ok", ["ok"]), ("x\u{0}y", ["x", "y"]), ("हिन्दी", ["हिन्दी"]),
      ("word\u{301}", ["wor\u{64}\u{301}"]), ("\u{301}", ["\u{301}"]), ("한국어", ["한국어"]),
    ] as [(String, [String])])
  func `words are runs of letters, marks and digits`(text: String, expected: [String]) {
    let terms = plain.terms(of: text)
    #expect(terms.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(terms)")
  }

  @Test func `what follows an apostrophe is dropped with the stop words only`() {
    let english = Analyzer(stemming: .none)
    #expect(
      english.terms(of: "Alzheimer's don’t t cell s phase") == [
        "alzheimer", "t", "cell", "s", "phase",
      ])
    #expect(plain.terms(of: "Alzheimer's") == ["alzheimer", "s"])
    #expect(english.terms(of: "'s ’s x''s") == ["s", "s", "x", "s"])
  }

  @Test func `stop words are sorted, different and lower-case`() {
    let words = StopWords.english.words
    #expect(words == Set(words).sorted())
    #expect(words.allSatisfy { word in Analyzer().terms(of: word).isEmpty }, "\(words)")
    #expect(StopWords.none.words.isEmpty)
  }

  @Test(arguments: [4, 5, 6, 7, 63, 64]) func `long words are cut between characters`(limit: Int) {
    let analyzer = Analyzer(stopWords: .none, stemming: .none, maximumTermLength: limit)
    for text in [
      String(repeating: "a", count: 200), String(repeating: "é", count: 200),
      "a" + String(repeating: "ж", count: 5000), String(repeating: "𝒳\u{10400}", count: 40),
      String(repeating: "x\u{301}", count: 90_000),
    ] {
      let terms = analyzer.terms(of: text)
      #expect(terms.count == 1)
      #expect(terms.allSatisfy { $0.utf8.count <= limit && $0.utf8.count > limit - 4 })
      #expect(terms.allSatisfy { !$0.contains("\u{FFFD}") })
    }
  }

  @Test(arguments: 0..<30) func `terms of a text are those of its words`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    let pieces = [
      "files", "The", "don't", "β-catenin", "é", "е\u{308}", "日本", "x1", "ﬁn", "A", "'",
    ]
    let words = (0..<40).map { _ in pieces[generator.nextInt(below: pieces.count)] }
    for analyzer in [Analyzer(), plain] {
      let together = analyzer.terms(of: words.joined(separator: " "))
      #expect(together == words.flatMap { analyzer.terms(of: $0) })
    }
  }

  @Test(arguments: 0..<20) func `any text at all has terms without a trap`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    let bytes = (0..<4000).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    let scalars = (0..<2000).compactMap { _ in
      Unicode.Scalar(UInt32(generator.nextInt(below: 0x11_0000)))
    }
    for text in [
      String(decoding: bytes, as: UTF8.self), String(String.UnicodeScalarView(scalars)),
    ] {
      for term in Analyzer().terms(of: text) {
        #expect(!term.isEmpty && term.utf8.count <= 64)
      }
    }
  }

  @Test func `numbers of terms agree with the terms`() {
    let texts = ["the files of a file", "", "indexes index files", "Ünïcode ünïcode"]
    var interner = TermInterner(analyzer: Analyzer())
    for text in texts {
      var numbers: [Int] = []
      interner.forEachTerm(of: text) { numbers.append($0) }
      #expect(numbers.map { interner.terms.term($0) } == Analyzer().terms(of: text))
    }
    var finder = TermFinder(analyzer: Analyzer(), vocabulary: interner.terms)
    var found: [Int] = []
    finder.forEachTerm(of: "unknown index of files") { found.append($0) }
    #expect(found.map { interner.terms.term($0) } == ["index", "file"])
  }

  @Test(arguments: 0..<5) func `a table numbers terms by first appearance`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    var table = TermTable()
    var expected: [String: Int] = [:]
    for _ in 0..<3000 {
      var term = String(generator.nextInt(below: 1500), radix: 36)
      let number = expected[term] ?? expected.count
      expected[term] = number
      #expect(term.withUTF8 { table.insert($0) } == number)
    }
    #expect(table.count == expected.count)
    for (term, number) in expected { #expect(table.term(number) == term) }
    var unknown = "zzzzz"
    #expect(unknown.withUTF8 { table.find($0) } == nil)
    let sorted = table.sortedIndices().map { table.term($0) }
    #expect(sorted == expected.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
  }

  @Test func `settings from an older file get the defaults`() throws {
    let decoder = JSONDecoder()
    #expect(try decoder.decode(Analyzer.self, from: Data("{}".utf8)) == Analyzer())
    let other = Analyzer(stopWords: .none, stemming: .none, maximumTermLength: 9)
    #expect(try decoder.decode(Analyzer.self, from: JSONEncoder().encode(other)) == other)
    #expect(throws: DecodingError.self) {
      try decoder.decode(Analyzer.self, from: Data(#"{"maximumTermLength":3}"#.utf8))
    }
  }
}
