public import BasisCore
public import BasisFormats
public import BasisText

/// Collects documents and makes a ``LexicalIndex`` of them.
///
/// Memory: 8 bytes per posting while documents are added, about 2 more per posting in
/// ``makeIndex()``, and the vocabulary.
public struct LexicalIndexBuilder: Sendable {
  public var analyzer: Analyzer { interner.analyzer }
  /// How many documents were added.
  public var count: Int { lengths.count }

  private var interner: TermInterner
  private var lengths: [UInt32] = []
  private var totalLength = 0
  // The postings in the order of documents, and how many each document has.
  private var postingTerms: [UInt32] = []
  private var postingCounts: [UInt32] = []
  private var distinctCounts: [UInt32] = []
  // By term.
  private var frequencies: [UInt32] = []
  private var lastDocuments: [Int32] = []
  private var encodedSizes: [Int] = []
  /// The current document's count of each term; zero between documents.
  private var counts: [UInt32] = []
  private var touched: [Int] = []

  public init(analyzer: Analyzer = Analyzer()) {
    interner = TermInterner(analyzer: analyzer)
  }

  /// Adds a document; its number is ``count`` before the call. An empty text is a document too.
  ///
  /// - Precondition: fewer than 2³¹ − 1 documents were added before.
  /// - Complexity: O(length of the text).
  public mutating func add(_ text: String) {
    precondition(count < Int(Int32.max) - 1, "an index holds at most 2³¹ − 1 documents")
    let document = Int32(count)
    var length: UInt32 = 0
    interner.forEachTerm(of: text) { term in
      if term >= counts.count {
        counts.append(0)
        frequencies.append(0)
        lastDocuments.append(-1)
        encodedSizes.append(0)
      }
      if counts[term] == 0 { touched.append(term) }
      counts[term] += 1
      length += 1
    }
    for term in touched {
      let frequency = counts[term]
      counts[term] = 0
      postingTerms.append(UInt32(term))
      postingCounts.append(frequency)
      let gap = UInt64(document - lastDocuments[term] - 1)
      encodedSizes[term] += VariableLength.byteCount(gap << 1)
      if frequency > 1 { encodedSizes[term] += VariableLength.byteCount(UInt64(frequency)) }
      lastDocuments[term] = document
      frequencies[term] += 1
    }
    distinctCounts.append(UInt32(touched.count))
    touched.removeAll(keepingCapacity: true)
    lengths.append(length)
    totalLength += Int(length)
  }

  /// The index of the documents so far.
  ///
  /// - Complexity: O(postings + *t* log *t*) for *t* terms.
  public func makeIndex() -> LexicalIndex {
    let order = interner.terms.sortedIndices()
    var termBytes: [UInt8] = []
    termBytes.reserveCapacity(interner.terms.bytes.count)
    var termEnds: [UInt32] = []
    var postingEnds: [UInt64] = []
    var cursors = Array(repeating: 0, count: order.count)
    var end = 0
    for term in order {
      interner.terms.withTerm(term) { termBytes.append(contentsOf: $0) }
      precondition(termBytes.count <= Int(UInt32.max), "the terms of an index have at most 4 GiB")
      termEnds.append(UInt32(termBytes.count))
      cursors[term] = end
      end += encodedSizes[term]
      postingEnds.append(UInt64(end))
    }

    let postings = [UInt8](unsafeUninitializedCapacity: end) { bytes, initializedCount in
      var last = Array(repeating: Int32(-1), count: order.count)
      var posting = 0
      for document in 0..<count {
        for _ in 0..<distinctCounts[document] {
          let term = Int(postingTerms[posting])
          let frequency = postingCounts[posting]
          posting += 1
          let gap = UInt64(Int32(document) - last[term] - 1)
          last[term] = Int32(document)
          VariableLength.write(gap << 1 | (frequency == 1 ? 1 : 0), to: bytes, at: &cursors[term])
          if frequency > 1 {
            VariableLength.write(UInt64(frequency), to: bytes, at: &cursors[term])
          }
        }
      }
      initializedCount = end
    }
    return LexicalIndex(
      analyzer: analyzer, totalLength: totalLength, termBytes: termBytes, termEnds: termEnds,
      frequencies: order.map { frequencies[$0] }, postingEnds: postingEnds, postings: postings,
      lengths: lengths)
  }

  /// Writes the index of the documents so far as blocks of a file.
  ///
  /// - Throws: `.inputOutput`.
  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try makeIndex().write(to: writer, prefix: prefix)
  }
}
