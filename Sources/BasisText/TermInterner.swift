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
