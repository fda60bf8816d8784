public import BasisCore

/// What a search system answered: for each query, documents with their scores.
///
/// Scores are single precision, as trec_eval keeps them: two scores that differ by less are a tie
/// there, and so they are here.
public struct RetrievalRun: Sendable, Hashable {
  public struct Hit: Sendable, Hashable {
    public var document: String
    /// Larger is better. Finite.
    public var score: Float

    public init(document: String, score: Float) {
      self.document = document
      self.score = score
    }
  }

  /// What the system calls itself.
  public var tag: String
  /// By query, in any order, each document at most once. A query that was asked and found nothing
  /// has no hits.
  public var hits: [String: [Hit]]

  public init(tag: String = "basis", hits: [String: [Hit]] = [:]) {
    self.tag = tag
    self.hits = hits
  }

  /// The queries, shorter ids first, so that numbers rise.
  public var queries: [String] { hits.keys.sorted(by: precedesAsIdentifier) }

  /// The hits of a query in the order in which they are judged: larger scores first, equal ones by
  /// document id, the later in the order of bytes first. So trec_eval does it.
  ///
  /// - Complexity: O(*n* log *n*).
  public func ranking(of query: String) -> [Hit] {
    (hits[query] ?? []).sorted { a, b in
      a.score != b.score
        ? a.score > b.score : b.document.utf8.lexicographicallyPrecedes(a.document.utf8)
    }
  }

  // MARK: Files

  /// Reads a file in TREC's form: a line `query Q0 document rank score tag` for each hit, its six
  /// columns separated by spaces or tabs.
  ///
  /// The second column and the rank are not used: scores alone give the order. The tag is the first
  /// line's.
  ///
  /// - Parameter path: may be compressed by gzip; `-` is standard input.
  /// - Throws: `.notFound`; `.inputOutput`; `.badData` naming file and line for a line with other
  ///   columns, a score that is not a finite number, or a document that a query has twice.
  public init(readingTREC path: String) throws(BasisError) {
    self.init(tag: "", hits: [:])
    let lines = try LineStream(opening: path)
    var seen: [String: Set<String>] = [:]
    while let line = try lines.nextColumns() {
      let columns = line.columns
      guard columns.count == 6 else {
        throw BasisError(
          .badData,
          "\(line.place): has \(columns.count) columns; a line of a run has six: query Q0 "
            + "document rank score tag")
      }
      let (query, document) = (columns[0], columns[2])
      guard let score = Double(columns[4]).map({ Float($0) }), score.isFinite else {
        throw BasisError(
          .badData,
          "\(line.place): the score '\(columns[4])' is not a finite number; write it as 12.5")
      }
      guard seen[query, default: []].insert(document).inserted else {
        throw BasisError(
          .badData,
          "\(line.place): query \(query) has document \(document) a second time; keep one of them")
      }
      if tag.isEmpty { tag = columns[5] }
      hits[query, default: []].append(Hit(document: document, score: score))
    }
  }

  /// Writes a file that ``init(readingTREC:)`` and trec_eval read, queries in the order of
  /// ``queries``, hits in that of ``ranking(of:)``. A query without hits leaves no line.
  ///
  /// The file appears complete or not at all; one that is there is replaced.
  ///
  /// - Throws: `.badData` for an id or tag that is empty or has white space in it, or a score that
  ///   is not finite; `.inputOutput`.
  public func writeTREC(to path: String) throws(BasisError) {
    try Self.requireWord(tag, "the tag")
    var out: [UInt8] = []
    for query in queries {
      try Self.requireWord(query, "the query id")
      for (index, hit) in ranking(of: query).enumerated() {
        try Self.requireWord(hit.document, "the document id")
        guard hit.score.isFinite else {
          throw BasisError(
            .badData,
            "query \(query), document \(hit.document): a run cannot hold the score \(hit.score)")
        }
        out += "\(query) Q0 \(hit.document) \(index + 1) \(hit.score) \(tag)\n".utf8
      }
    }
    try SystemFile.replace(path, by: out)
  }

  private static func requireWord(_ word: String, _ what: String) throws(BasisError) {
    guard word.isEmpty || word.contains(where: \.isWhitespace) else { return }
    throw BasisError(
      .badData,
      "\(what) '\(word)' cannot stand in a run file, whose columns are separated by spaces")
  }
}

/// Shorter ids first, equally long ones by their bytes.
func precedesAsIdentifier(_ a: String, _ b: String) -> Bool {
  a.utf8.count != b.utf8.count
    ? a.utf8.count < b.utf8.count : a.utf8.lexicographicallyPrecedes(b.utf8)
}

extension SystemFile {
  /// Puts a file with these bytes at a path, over what is there, complete or not at all.
  static func replace(_ path: String, by bytes: [UInt8]) throws(BasisError) {
    let temporary = temporaryName(beside: path)
    do throws(BasisError) {
      let file = try SystemFile(creating: temporary)
      try bytes.withUnsafeBytesOf { (raw) throws(BasisError) in try file.write(raw, at: 0) }
      try file.synchronize()
      try move(temporary, over: path)
    } catch {
      remove(temporary)
      // People know the file by the name that they gave it.
      guard error.message.hasPrefix(temporary) else { throw error }
      throw BasisError(error.code, path + error.message.dropFirst(temporary.count))
    }
  }
}

/// A line cut at spaces and tabs.
struct ColumnLine {
  /// `file:line`.
  var place: String
  var columns: [String]
}

extension LineStream {
  convenience init(opening path: String, limit: Int = RecordSource.defaultRecordLimit)
    throws(BasisError)
  {
    let file = try SystemFile(reading: path)
    let status = try file.status()
    guard status.kind != .folder else {
      throw BasisError(.invalidArgument, "\(path): is a folder; name a file")
    }
    self.init(
      try ByteStream(
        file, name: path == "-" ? "standard input" : path,
        byteCount: status.kind == .file ? status.byteCount : nil),
      limit: limit)
  }

  /// The columns of the next line that is not blank, nil at the end.
  func nextColumns() throws(BasisError) -> ColumnLine? {
    while let line = try next() {
      if isBlank(line) { continue }
      let place = "\(name):\(lineNumber)"
      return ColumnLine(place: place, columns: columnsOf(try lineText(line, place)))
    }
    return nil
  }
}

/// What stands between spaces, tabs and carriage returns.
func columnsOf(_ text: String) -> [String] {
  text.utf8.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }.map { String(Substring($0)) }
}
