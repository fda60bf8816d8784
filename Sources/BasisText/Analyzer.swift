public import BasisCore

/// Cuts texts into terms: what a lexical index counts and a corpus encoder weighs.
///
/// A word is a run of letters, marks and digits, lower-cased, in Unicode's compatibility
/// composition (NFKC), so that `ﬁ` is `fi` and both ways to write `é` are one. Han and Hiragana
/// characters are words of their own, because those scripts do not separate words. Then stop words
/// go, and the rest is stemmed.
///
/// The same settings give the same terms on every machine; a query must be analysed with the
/// settings of the index that it is asked of.
public struct Analyzer: Settings {
  public var stopWords: StopWords
  public var stemming: Stemming
  /// Longer words are cut to this many UTF-8 bytes, at a character's border. At least 4.
  public var maximumTermLength: Int

  /// - Precondition: `maximumTermLength` is at least 4, the length of the longest scalar.
  public init(
    stopWords: StopWords = .english, stemming: Stemming = .porter, maximumTermLength: Int = 64
  ) {
    precondition(maximumTermLength >= 4, "terms need at least 4 bytes, got \(maximumTermLength)")
    self.stopWords = stopWords
    self.stemming = stemming
    self.maximumTermLength = maximumTermLength
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    stopWords = try container.decodeIfPresent(StopWords.self, forKey: .stopWords) ?? stopWords
    stemming = try container.decodeIfPresent(Stemming.self, forKey: .stemming) ?? stemming
    let length = try container.decodeIfPresent(Int.self, forKey: .maximumTermLength)
    if let length {
      guard length >= 4 else {
        throw DecodingError.dataCorruptedError(
          forKey: .maximumTermLength, in: container,
          debugDescription: "terms need at least 4 bytes, got \(length)")
      }
      maximumTermLength = length
    }
  }

  /// The terms of a text, in its order, repeated as often as they occur.
  ///
  /// - Complexity: O(length of the text).
  public func terms(of text: String) -> [String] {
    var terms: [String] = []
    forEachTerm(of: text) { terms.append(String(decoding: $0, as: UTF8.self)) }
    return terms
  }

  /// Calls `body` with the UTF-8 bytes of each term, in the order of the text. The bytes are gone
  /// when `body` returns.
  ///
  /// - Complexity: O(length of the text); no allocation per term while the text is ASCII.
  public func forEachTerm(of text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: maximumTermLength) { scratch in
      forEachWord(of: text) { word in
        let count = makeTerm(of: word, in: scratch)
        if count > 0 { body(UnsafeBufferPointer(rebasing: scratch[0..<count])) }
      }
    }
  }

  /// Writes the term of a word into `scratch`, which holds `maximumTermLength` bytes.
  ///
  /// - Returns: the term's length, or 0 for a stop word. Depends on the word alone, so callers may
  ///   remember it.
  package func makeTerm(
    of word: UnsafeBufferPointer<UInt8>, in scratch: UnsafeMutableBufferPointer<UInt8>
  ) -> Int {
    if stopWords == .english, StopWords.englishTable.find(word) != nil { return 0 }
    guard let source = word.baseAddress, let target = scratch.baseAddress else { return 0 }
    precondition(word.count <= scratch.count)
    target.update(from: source, count: word.count)
    guard stemming == .porter, word.allSatisfy({ $0 >= 0x61 && $0 <= 0x7A }) else {
      return word.count
    }
    return PorterStemmer.stem(target, count: word.count)
  }
}
