public import BasisCore
import Synchronization

/// Texts into the numbers of word pieces, as BERT has them.
///
/// Basic tokenisation cleans the text, lower-cases it, strips accents and splits at white space,
/// punctuation and Chinese characters; each word is then cut from the left into the longest entries
/// of a vocabulary, those after the first with `##` before them. A word that cannot be cut whole is
/// the unknown token. The numbers are the same as those of the `tokenizers` package 0.21.
///
/// Devlin, Chang, Lee & Toutanova, *BERT*, NAACL 2019, doi:10.18653/v1/N19-1423; Wu et al.,
/// *Google's neural machine translation system*, arXiv:1609.08144, section 4.1.
public struct WordPieceTokenizer: Sendable {
  /// How words are made of a text.
  public struct Rules: Hashable, Sendable, Codable {
    /// Control characters go, white space becomes a space.
    public var cleansText: Bool
    /// Each Chinese character is a word.
    public var splitsChinese: Bool
    public var lowercases: Bool
    /// Nil: as ``lowercases``.
    public var stripsAccents: Bool?
    /// Words of more scalars are unknown, at least 1.
    public var maximumWordLength: Int
    public var unknownToken: String
    public var classToken: String
    public var separatorToken: String
    public var continuationPrefix: String

    public init(
      cleansText: Bool = true, splitsChinese: Bool = true, lowercases: Bool = true,
      stripsAccents: Bool? = nil, maximumWordLength: Int = 100, unknownToken: String = "[UNK]",
      classToken: String = "[CLS]", separatorToken: String = "[SEP]",
      continuationPrefix: String = "##"
    ) {
      self.cleansText = cleansText
      self.splitsChinese = splitsChinese
      self.lowercases = lowercases
      self.stripsAccents = stripsAccents
      self.maximumWordLength = maximumWordLength
      self.unknownToken = unknownToken
      self.classToken = classToken
      self.separatorToken = separatorToken
      self.continuationPrefix = continuationPrefix
    }
  }

  /// One text as numbers.
  public struct Tokens: Hashable, Sendable {
    /// Of the tokens that were kept, with those at both ends.
    public var ids: [Int32]
    /// How many there would be without a limit.
    public var fullCount: Int
    /// How many a limit has cut off.
    public var cutCount: Int { fullCount - ids.count }
  }

  public let rules: Rules
  /// How many entries the vocabulary has.
  public let vocabularyCount: Int

  private let trie: WordPieceTrie
  private let continuation: UInt32?
  private let unknownID: Int32
  private let classID: Int32
  private let separatorID: Int32
  /// Tokens that are found in the text as it is, before anything else, longest first.
  private let literals: [(bytes: [UInt8], id: Int32)]
  private let workers: WorkerPool

  /// A tokenizer from the entries of a vocabulary, whose numbers are their places.
  ///
  /// - Parameters:
  ///   - vocabulary: entries as bytes; of equal ones the last counts.
  ///   - rules: how words are made.
  ///   - literals: entries that a text may name as they are, such as `[MASK]`; those that the
  ///     vocabulary lacks are left out.
  /// - Throws: `.badData` if the unknown token, or one of the two at the ends, is no entry;
  ///   `.unsupported` for a vocabulary of 16 MB or more; `.invalidArgument` for
  ///   ``Rules/maximumWordLength``.
  /// - Complexity: O(bytes of the vocabulary).
  public init(
    vocabulary: [[UInt8]], rules: Rules = Rules(),
    literals: [String] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
  ) throws(BasisError) {
    guard rules.maximumWordLength >= 1 else {
      throw BasisError(
        .invalidArgument,
        "tokenizer: maximumWordLength must be at least 1, got \(rules.maximumWordLength)")
    }
    let byteCount = vocabulary.reduce(0) { $0 + $1.count }
    guard byteCount <= WordPieceTrie.byteLimit, vocabulary.count <= Int(Int32.max) else {
      throw BasisError(
        .unsupported, "tokenizer: a vocabulary of \(byteCount) bytes is larger than any known one")
    }
    var trie = WordPieceTrie(byteCount: byteCount)
    for (id, entry) in vocabulary.enumerated() { trie.insert(entry, id: Int32(id)) }
    func id(_ token: String) -> Int32? {
      let bytes = Array(token.utf8)
      return bytes.withUnsafeBufferPointer { word in
        trie.longestMatch(word, from: 0, below: WordPieceTrie.root)
          .flatMap { $0.end == word.count ? $0.id : nil }
      }
    }
    func require(_ token: String, _ role: String) throws(BasisError) -> Int32 {
      guard let id = id(token) else {
        throw BasisError(
          .badData,
          "tokenizer: the vocabulary of \(vocabulary.count) entries lacks \(token), the \(role) token"
        )
      }
      return id
    }
    unknownID = try require(rules.unknownToken, "unknown")
    classID = try require(rules.classToken, "first")
    separatorID = try require(rules.separatorToken, "last")
    self.rules = rules
    self.trie = trie
    vocabularyCount = vocabulary.count
    continuation = trie.node(of: rules.continuationPrefix.utf8)
    self.literals = literals.compactMap { token in id(token).map { (Array(token.utf8), $0) } }
      .filter { !$0.0.isEmpty }.sorted { $0.0.count > $1.0.count }
    workers = WorkerPool(
      BertScalars.Rules(
        cleansText: rules.cleansText, splitsChinese: rules.splitsChinese,
        stripsAccents: rules.stripsAccents ?? rules.lowercases, lowercases: rules.lowercases))
  }

  /// The tokens of a text, between the first and the last one.
  ///
  /// - Parameters:
  ///   - text: any.
  ///   - limit: keep at most so many, both ends included; nil for all.
  /// - Precondition: `limit` is at least 2.
  /// - Complexity: O(length of the text) expected.
  public func tokens(of text: String, limit: Int? = nil) -> Tokens {
    var ids: [Int32] = []
    let count = withWorker { $0.append(text, limit: limit, of: self, to: &ids) }
    return Tokens(ids: ids, fullCount: count)
  }

  /// The words of a text, before they are cut into pieces.
  package func words(of text: String) -> [String] {
    withWorker { worker in
      worker.collected = []
      defer { worker.collected = nil }
      var ids: [Int32] = []
      _ = worker.append(text, limit: nil, of: self, to: &ids)
      return worker.collected ?? []
    }
  }

  /// Calls `body` with memory to work in, which later calls use again.
  func withWorker<R>(_ body: (inout Worker) -> R) -> R {
    var worker = workers.take()
    defer { workers.give(worker) }
    return body(&worker)
  }

  /// Workers between two uses.
  private final class WorkerPool: Sendable {
    private let idle: Mutex<[Worker]>
    private let fresh: Worker

    init(_ rules: BertScalars.Rules) {
      fresh = Worker(rules)
      idle = Mutex([])
    }

    func take() -> Worker { idle.withLock { $0.popLast() } ?? fresh }
    func give(_ worker: Worker) { idle.withLock { $0.append(worker) } }
  }

  /// What one thread works in.
  struct Worker: Sendable {
    /// The words as they are, where somebody asks for them.
    var collected: [String]?
    private var scalars: BertScalars
    private var word: [UInt8] = []
    private var wordLength = 0
    private var pieces: [Int32] = []
    private var room = 0
    private var count = 0

    init(_ rules: BertScalars.Rules) { scalars = BertScalars(rules) }

    /// Adds the tokens of a text.
    ///
    /// - Returns: how many there would be without a limit.
    mutating func append(
      _ text: String, limit: Int?, of tokenizer: WordPieceTokenizer, to ids: inout [Int32]
    ) -> Int {
      precondition(limit ?? 2 >= 2, "a limit of \(limit ?? 0) tokens leaves none for the text")
      count = 0
      room = (limit ?? .max) - 2
      ids.append(tokenizer.classID)
      var text = text
      text.withUTF8 { bytes in
        var start = 0
        while start < bytes.count {
          let literal = tokenizer.firstLiteral(in: bytes, from: start)
          let end = literal?.start ?? bytes.count
          appendPlain(
            UnsafeBufferPointer(rebasing: bytes[start..<end]), of: tokenizer, to: &ids)
          guard let literal else { break }
          keep(literal.id, in: &ids)
          start = literal.end
        }
      }
      ids.append(tokenizer.separatorID)
      return count + 2
    }

    private mutating func keep(_ id: Int32, in ids: inout [Int32]) {
      count += 1
      guard room > 0 else { return }
      room -= 1
      ids.append(id)
    }

    private mutating func appendPlain(
      _ bytes: UnsafeBufferPointer<UInt8>, of tokenizer: WordPieceTokenizer,
      to ids: inout [Int32], isOrdered: Bool = false
    ) {
      let before = (count, room, ids.count, collected?.count ?? 0)
      var position = 0
      while position < bytes.count {
        let first = bytes[position]
        if first < 0x80 {
          position += 1
          let mapped = scalars.ascii[Int(first)]
          if mapped < 0x80 {
            word.append(UInt8(mapped))
            wordLength += 1
          } else if mapped == BertScalars.asciiSpace {
            endWord(of: tokenizer, to: &ids)
          } else if mapped != BertScalars.asciiRemoved {
            endWord(of: tokenizer, to: &ids)
            word.append(UInt8(mapped & 0x7F))
            wordLength = 1
            endWord(of: tokenizer, to: &ids)
          }
          continue
        }
        // A String's bytes are valid UTF-8.
        let scalar: UInt32
        if first < 0xE0 {
          scalar = UInt32(first & 0x1F) << 6 | UInt32(bytes[position + 1] & 0x3F)
          position += 2
        } else if first < 0xF0 {
          scalar =
            UInt32(first & 0x0F) << 12 | UInt32(bytes[position + 1] & 0x3F) << 6
            | UInt32(bytes[position + 2] & 0x3F)
          position += 3
        } else {
          scalar =
            UInt32(first & 0x07) << 18 | UInt32(bytes[position + 1] & 0x3F) << 12
            | UInt32(bytes[position + 2] & 0x3F) << 6 | UInt32(bytes[position + 3] & 0x3F)
          position += 4
        }
        var entry = scalars[scalar]
        if entry.kind == .ordered {
          guard isOrdered else {
            // Rare: the segment again, in canonical order.
            (count, room) = (before.0, before.1)
            ids.removeLast(ids.count - before.2)
            collected?.removeSubrange(before.3...)
            word.removeAll(keepingCapacity: true)
            wordLength = 0
            var ordered = scalars.canonicallyOrdered(String(decoding: bytes, as: UTF8.self))
            ordered.withUTF8 { appendPlain($0, of: tokenizer, to: &ids, isOrdered: true) }
            return
          }
          entry = BertScalars.entry(ofOrdered: scalar)
        }
        apply(entry, of: tokenizer, to: &ids)
      }
      endWord(of: tokenizer, to: &ids)
    }

    private mutating func apply(
      _ entry: BertScalars.Entry, of tokenizer: WordPieceTokenizer, to ids: inout [Int32]
    ) {
      switch entry.kind {
      case .letter: append(entry.value)
      case .removed, .ordered: break
      case .space: endWord(of: tokenizer, to: &ids)
      case .alone:
        endWord(of: tokenizer, to: &ids)
        append(entry.value)
        endWord(of: tokenizer, to: &ids)
      case .several:
        for part in scalars.sequences[Int(entry.value)] { apply(part, of: tokenizer, to: &ids) }
      }
    }

    private mutating func append(_ scalar: UInt32) {
      wordLength += 1
      switch scalar {
      case 0..<0x80:
        word.append(UInt8(scalar))
      case 0x80..<0x800:
        word.append(UInt8(0xC0 | scalar >> 6))
        word.append(UInt8(0x80 | scalar & 0x3F))
      case 0x800..<0x10000:
        word.append(UInt8(0xE0 | scalar >> 12))
        word.append(UInt8(0x80 | scalar >> 6 & 0x3F))
        word.append(UInt8(0x80 | scalar & 0x3F))
      default:
        word.append(UInt8(0xF0 | scalar >> 18))
        word.append(UInt8(0x80 | scalar >> 12 & 0x3F))
        word.append(UInt8(0x80 | scalar >> 6 & 0x3F))
        word.append(UInt8(0x80 | scalar & 0x3F))
      }
    }

    /// Cuts the word that has been gathered into its pieces.
    private mutating func endWord(of tokenizer: WordPieceTokenizer, to ids: inout [Int32]) {
      guard wordLength > 0 else { return }
      defer {
        word.removeAll(keepingCapacity: true)
        wordLength = 0
      }
      if collected != nil {
        collected?.append(String(decoding: word, as: UTF8.self))
        return
      }
      guard wordLength <= tokenizer.rules.maximumWordLength else {
        return keep(tokenizer.unknownID, in: &ids)
      }
      pieces.removeAll(keepingCapacity: true)
      let isCut = word.withUnsafeBufferPointer { word in
        var root: UInt32? = WordPieceTrie.root
        var start = 0
        while start < word.count {
          guard let below = root,
            let match = tokenizer.trie.longestMatch(word, from: start, below: below)
          else { return false }
          pieces.append(match.id)
          start = match.end
          root = tokenizer.continuation
        }
        return true
      }
      guard isCut else { return keep(tokenizer.unknownID, in: &ids) }
      for id in pieces { keep(id, in: &ids) }
    }
  }

  /// The first place of a literal, the longest of those that start there.
  private func firstLiteral(in bytes: UnsafeBufferPointer<UInt8>, from start: Int)
    -> (start: Int, end: Int, id: Int32)?
  {
    guard !literals.isEmpty else { return nil }
    for position in start..<bytes.count {
      for literal in literals where literal.bytes[0] == bytes[position] {
        let end = position + literal.bytes.count
        if end <= bytes.count, bytes[position..<end].elementsEqual(literal.bytes) {
          return (position, end, literal.id)
        }
      }
    }
    return nil
  }
}
