public import BasisCore
public import BasisFormats
public import BasisText

/// An inverted index: for each term, the documents that have it and how often. Immutable, and safe
/// to use from any number of threads; made by ``LexicalIndexBuilder`` or opened from a file.
///
/// In a file it is these blocks, each with the given prefix:
///
/// | block | holds |
/// |---|---|
/// | `settings` | JSON: the analyser, total length, layout version |
/// | `term-bytes` | UTF-8 of all terms, sorted by bytes |
/// | `term-ends` | `UInt32` per term: where it ends in `term-bytes` |
/// | `frequencies` | `UInt32` per term: how many documents have it |
/// | `posting-ends` | `UInt64` per term: where its postings end in `postings` |
/// | `postings` | per term and document: `2 · gap + (count is 1 ? 1 : 0)`, then the count if it is not 1, as variable-length numbers of 7 bits a byte, low bits first |
/// | `lengths` | `UInt32` per document: how many terms it has |
///
/// A gap is a document's number less the one before it in the list, less one.
public struct LexicalIndex: Sendable {
  /// What its documents were analysed with, and queries must be.
  public let analyzer: Analyzer
  /// Terms in all documents, repetitions included.
  public let totalLength: Int
  /// How terms are weighed; may be changed at any time.
  public var scoring = BM25()

  package let termBytes: BlockStorage<UInt8>
  package let termEnds: BlockStorage<UInt32>
  package let frequencies: BlockStorage<UInt32>
  package let postingEnds: BlockStorage<UInt64>
  package let postings: BlockStorage<UInt8>
  package let lengths: BlockStorage<UInt32>
  /// Of postings in a file, which are verified as they are touched.
  private let postingsBlock: BlockGuard?

  /// How many documents there are.
  public var count: Int { lengths.count }
  /// How many different terms they have.
  public var termCount: Int { termEnds.count }
  /// The size of its blocks.
  public var byteCount: Int {
    termBytes.count + postings.count + 4 * (termEnds.count + frequencies.count + lengths.count)
      + 8 * postingEnds.count
  }

  struct Header: Codable {
    var layout = 1
    var analyzer: Analyzer
    var totalLength: Int
  }

  package init(
    analyzer: Analyzer, totalLength: Int, termBytes: [UInt8], termEnds: [UInt32],
    frequencies: [UInt32], postingEnds: [UInt64], postings: [UInt8], lengths: [UInt32]
  ) {
    self.analyzer = analyzer
    self.totalLength = totalLength
    self.termBytes = .owned(termBytes)
    self.termEnds = .owned(termEnds)
    self.frequencies = .owned(frequencies)
    self.postingEnds = .owned(postingEnds)
    self.postings = .owned(postings)
    self.lengths = .owned(lengths)
    postingsBlock = nil
  }

  /// Opens an index in a file. Its blocks stay there and are read as they are needed.
  ///
  /// - Parameter prefix: what ``write(to:prefix:)`` was given.
  /// - Parameter container: where the blocks are.
  /// - Throws: `.corruptFile` if a block is missing, damaged or does not fit the others;
  ///   `.newerFormat`.
  public init(from container: Container, prefix: String) throws(BasisError) {
    let header = try container.json(prefix + "settings", as: Header.self)
    try container.requireLayout(header.layout, of: "lexical index")
    analyzer = header.analyzer
    totalLength = header.totalLength
    termBytes = .mapped(try container.array(prefix + "term-bytes", of: UInt8.self))
    termEnds = .mapped(try container.array(prefix + "term-ends", of: UInt32.self))
    frequencies = .mapped(try container.array(prefix + "frequencies", of: UInt32.self))
    postingEnds = .mapped(try container.array(prefix + "posting-ends", of: UInt64.self))
    let opened = try container.unverifiedArray(prefix + "postings", of: UInt8.self)
    postings = .mapped(opened.array)
    postingsBlock = opened.guardian
    lengths = .mapped(try container.array(prefix + "lengths", of: UInt32.self))
    guard frequencies.count == termCount, postingEnds.count == termCount, totalLength >= 0,
      count <= Int(UInt32.max)
    else {
      throw Self.corrupt(
        "\(termCount) terms, \(frequencies.count) frequencies, \(postingEnds.count) lists")
    }
  }

  /// Writes the index as blocks of a file that is being made.
  ///
  /// - Parameter prefix: starts each block's name, so that several indexes fit into one file.
  /// - Parameter writer: where the blocks go.
  /// - Throws: `.inputOutput`.
  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "settings", json: Header(analyzer: analyzer, totalLength: totalLength))
    try termBytes.write(to: writer, prefix + "term-bytes")
    try termEnds.write(to: writer, prefix + "term-ends")
    try frequencies.write(to: writer, prefix + "frequencies")
    try postingEnds.write(to: writer, prefix + "posting-ends")
    try postings.write(to: writer, prefix + "postings")
    try lengths.write(to: writer, prefix + "lengths")
  }

  /// The number of a term, or nil if no document has it.
  func find(_ term: String) throws(BasisError) -> Int? {
    var term = term
    let found: Result<Int?, BasisError> = term.withUTF8 { wanted in
      termBytes.withUnsafeBufferPointer { bytes in
        termEnds.withUnsafeBufferPointer { ends in
          var low = 0
          var high = ends.count
          while low < high {
            let middle = (low + high) / 2
            let start = middle == 0 ? 0 : Int(ends[middle - 1])
            let end = Int(ends[middle])
            guard start <= end, end <= bytes.count else {
              return .failure(Self.corrupt("term \(middle) lies outside its block"))
            }
            let candidate = UnsafeBufferPointer(rebasing: bytes[start..<end])
            if precedes(candidate, wanted) {
              low = middle + 1
            } else if precedes(wanted, candidate) {
              high = middle
            } else {
              return .success(middle)
            }
          }
          return .success(nil)
        }
      }
    }
    return try found.get()
  }

  func documentFrequency(_ term: Int) -> Int {
    frequencies.withUnsafeBufferPointer { Int($0[term]) }
  }

  /// Where the postings of a term lie; they are sound then.
  func postingRange(_ term: Int) throws(BasisError) -> Range<Int> {
    let (start, end) = postingEnds.withUnsafeBufferPointer { ends in
      (term == 0 ? 0 : ends[term - 1], ends[term])
    }
    guard start <= end, end <= UInt64(postings.count) else {
      throw Self.corrupt("the postings of term \(term) lie outside their block")
    }
    let range = Int(start)..<Int(end)
    try postingsBlock?.verify(range)
    return range
  }

  static func corrupt(_ what: String) -> BasisError {
    BasisError(.corruptFile, "lexical index: \(what); rebuild the segment")
  }
}
