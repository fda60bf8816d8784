/// Analyses texts into numbers of a growing vocabulary.
///
/// Remembers what each distinct word became, so stop words are looked up and stems are found once a
/// word and not once an occurrence.
package struct TermInterner: Sendable {
  package let analyzer: Analyzer
  package private(set) var terms = TermTable()
  private var words = TermTable()
  private var termOfWord: [Int32] = []

  package init(analyzer: Analyzer) { self.analyzer = analyzer }

  /// Calls `body` with the number of each term of the text, in the order of the text.
  package mutating func forEachTerm(of text: String, _ body: (Int) -> Void) {
    let analyzer = analyzer
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: analyzer.maximumTermLength) { scratch in
      analyzer.forEachWord(of: text) { word in
        let index = words.insert(word)
        if index == termOfWord.count {
          let count = analyzer.makeTerm(of: word, in: scratch)
          let term =
            count == 0 ? -1 : terms.insert(UnsafeBufferPointer(rebasing: scratch[0..<count]))
          termOfWord.append(Int32(truncatingIfNeeded: term))
        }
        let term = termOfWord[index]
        if term >= 0 { body(Int(term)) }
      }
    }
  }
}

/// Analyses texts into numbers of a fixed vocabulary, with the memory of ``TermInterner``.
package struct TermFinder {
  package let analyzer: Analyzer
  private static let memoryLimit = 1 << 20
  private let vocabulary: TermTable
  private var words = TermTable()
  private var termOfWord: [Int32] = []

  package init(analyzer: Analyzer, vocabulary: TermTable) {
    self.analyzer = analyzer
    self.vocabulary = vocabulary
  }

  /// Calls `body` with the number of each term of the text that the vocabulary has.
  package mutating func forEachTerm(of text: String, _ body: (Int) -> Void) {
    let analyzer = analyzer
    if words.count > Self.memoryLimit {
      words = TermTable()
      termOfWord = []
    }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: analyzer.maximumTermLength) { scratch in
      analyzer.forEachWord(of: text) { word in
        let index = words.insert(word)
        if index == termOfWord.count {
          let count = analyzer.makeTerm(of: word, in: scratch)
          let term =
            count == 0
            ? nil : vocabulary.find(UnsafeBufferPointer(rebasing: scratch[0..<count]))
          termOfWord.append(Int32(truncatingIfNeeded: term ?? -1))
        }
        let term = termOfWord[index]
        if term >= 0 { body(Int(term)) }
      }
    }
  }
}

/// Counts the terms of texts that a fixed vocabulary has, one text after the other.
struct TermCounter {
  private var finder: TermFinder
  private var counts: [Int32]
  private var touched: [Int] = []

  init(analyzer: Analyzer, vocabulary: TermTable) {
    finder = TermFinder(analyzer: analyzer, vocabulary: vocabulary)
    counts = Array(repeating: 0, count: vocabulary.count)
  }

  /// Calls `body` with each different term of the text and how often it occurs, in the order of
  /// first appearance.
  mutating func forEachTerm(of text: String, _ body: (_ term: Int, _ count: Int) -> Void) {
    finder.forEachTerm(of: text) { term in
      if counts[term] == 0 { touched.append(term) }
      counts[term] += 1
    }
    for term in touched {
      body(term, Int(counts[term]))
      counts[term] = 0
    }
    touched.removeAll(keepingCapacity: true)
  }
}
