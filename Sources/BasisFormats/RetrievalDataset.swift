public import BasisCore

/// A query of a judged collection.
public struct RetrievalQuery: Sendable, Hashable {
  public var id: String
  public var text: String

  public init(id: String, text: String) {
    self.id = id
    self.text = text
  }
}

/// A collection of documents with queries and people's judgments which documents answer which: what
/// retrieval is measured on.
///
/// A folder is opened as it was published. What each file is follows from its first lines, and where
/// those leave a choice from its name:
/// - BEIR: `corpus.jsonl`, `queries.jsonl`, and `qrels/SPLIT.tsv` or `qrels-SPLIT.tsv`;
/// - TREC: `<DOC>` documents, `<top>` topics, and judgments `query 0 document grade`;
/// - SMART: `.I` records of documents and queries, and judgments as pairs of numbers;
/// - lines `id TAB text` for documents or queries;
/// - any mixture of them. Each file may be compressed by gzip.
///
/// A file is taken for queries if its name has a word that begins with "quer", "qry", "topic" or
/// "question"; else for documents. The words "train", "dev", "val", "valid", "validation" and "test"
/// in a name say which split a file is about. Other files are passed over.
public struct RetrievalDataset: Sendable {
  /// Which files of a folder to take, where there is a choice.
  public struct Options: Sendable {
    /// Nil: the test split if there is one, else the only one there is.
    public var split: String?
    /// A path. Nil: the file of the split with texts for the most judged queries, then the first
    /// by name.
    public var queries: String?
    /// A path. Nil: the first by name of the split.
    public var judgments: String?

    public init(split: String? = nil, queries: String? = nil, judgments: String? = nil) {
      self.split = split
      self.queries = queries
      self.judgments = judgments
    }
  }

  /// The folder.
  public let path: String
  /// What the names of the judgments say they are about, if they say it.
  public let split: String?
  /// The queries that are judged, in the order of their file, with the ids that the judgments use.
  public let queries: [RetrievalQuery]
  /// By query and document; at least 1 is relevant. Only queries that have a text.
  public let judgments: [String: [String: Int]]
  /// How many judged queries have no text, and cannot be asked.
  public let untexted: Int
  /// Paths of the files that were chosen.
  public let documentFiles: [String]
  public let queryFile: String
  public let judgmentFile: String
  /// What a reader of a result should know about how the files were understood.
  public let notes: [String]

  private let documents: [RetrievalFile]
  private let documentForm: RetrievalFile.Form

  /// Opens a folder. Queries and judgments are read at once, documents by
  /// ``makeDocumentReader()``.
  ///
  /// - Throws: `.notFound` for a folder, file or split that is not there; `.invalidArgument` if the
  ///   path is no folder; `.badData` naming file and line for a row that cannot be used, or the
  ///   folder if a part is missing; `.inputOutput`.
  public init(_ folder: String, options: Options = Options()) throws(BasisError) {
    path = folder
    let (files, refusals) = try RetrievalFile.list(folder)
    var notes: [String] = []

    // Documents: all files that can be, unless some say by their names that they are.
    var documents: [(file: RetrievalFile, form: RetrievalFile.Form)] = files.compactMap {
      if case .documents(let form) = $0.role { ($0, form) } else { nil }
    }
    if documents.contains(where: { $0.file.isNamedForDocuments }) {
      documents.removeAll { !$0.file.isNamedForDocuments }
    }
    guard let form = documents.first?.form else {
      throw Self.missing("documents", "corpus.jsonl or docs.tsv", in: folder, refusals)
    }
    documents.removeAll { $0.form != form }
    self.documents = documents.map(\.file)
    documentForm = form
    documentFiles = documents.map(\.file.path)

    // Judgments.
    let judged = files.filter { if case .judgments = $0.role { true } else { false } }
    if let file = options.judgments {
      split = options.split
      judgmentFile = file
    } else {
      guard !judged.isEmpty else {
        throw Self.missing("judgments", "qrels/test.tsv or qrels", in: folder, refusals)
      }
      let choice = try Self.choose(judged, split: options.split, in: folder)
      split = choice.split
      judgmentFile = choice.files[0].path
      if choice.files.count > 1 {
        let others = choice.files.dropFirst().map(\.name).joined(separator: ", ")
        notes.append("judgments from \(choice.files[0].name), not from \(others)")
      }
    }
    let read = try RelevanceJudgments(judgmentFile, isSMART: form == .smart)
    if read.usesCodes {
      notes.append("the codes 1, 2, 3, 4 of the judgments count as the grades 4, 3, 2, 1")
    }

    // Queries: the file and numbering that fit the judgments best.
    var candidates: [(path: String, form: RetrievalFile.Form)] = []
    if let path = options.queries {
      // Outside the folder, or passed over for its name: its content alone tells.
      guard let form = try RetrievalFile.textForm(of: path) else {
        throw BasisError(
          .badData,
          "\(path): holds no queries; write JSON lines, <top> topics, .I records or id, tab, text")
      }
      candidates = [(path, form)]
    } else {
      for file in files {
        guard case .queries(let form) = file.role else { continue }
        if let split, let own = file.split, own != split.lowercased() { continue }
        candidates.append((file.path, form))
      }
      guard !candidates.isEmpty else {
        throw Self.missing("queries", "queries.jsonl or topics", in: folder, refusals)
      }
    }
    var best: (queries: [RetrievalQuery], count: Int, file: String, byOrder: Bool)?
    for candidate in candidates {
      let texts = try Self.read(candidate.path, candidate.form)
      for numbering in Numbering.allCases where numbering != .order || candidate.form == .smart {
        let queries = numbering.apply(to: texts).filter { read.grades[$0.id] != nil }
        guard queries.count > best?.count ?? 0, Set(queries.map(\.id)).count == queries.count
        else { continue }
        best = (queries, queries.count, candidate.path, numbering == .order)
      }
    }
    guard let best else {
      let example = read.grades.keys.min(by: precedesAsIdentifier) ?? ""
      throw BasisError(
        .badData,
        "\(candidates[0].path): none of its queries is judged in \(judgmentFile), which has for "
          + "instance query '\(example)'; the two files must use the same ids")
    }
    queryFile = best.file
    queries = best.queries
    if best.byOrder {
      notes.append("queries are numbered by their order in the file, as the judgments number them")
    }
    let asked = Set(queries.map(\.id))
    judgments = read.grades.filter { asked.contains($0.key) }
    untexted = read.grades.count - judgments.count
    if untexted > 0 {
      notes.append("judged queries without a text: \(untexted), left out")
    }
    self.notes = notes
  }

  /// The documents from the first on, as records with the fields `id`, `title` (where there is one)
  /// and `text`.
  ///
  /// - Throws: `.notFound` or `.inputOutput` if a file can no longer be read.
  public func makeDocumentReader() throws(BasisError) -> any RecordReader {
    try JudgedFilesReader(documents, form: documentForm)
  }

  // MARK: Choices

  private static func missing(
    _ what: String, _ example: String, in folder: String, _ refusals: [String]
  ) -> BasisError {
    let found = refusals.isEmpty ? "" : " (\(refusals.joined(separator: "; ")))"
    return BasisError(
      .badData,
      "\(folder): no file holds \(what); put one there, such as \(example)\(found)")
  }

  private static func choose(_ files: [RetrievalFile], split: String?, in folder: String)
    throws(BasisError) -> (files: [RetrievalFile], split: String?)
  {
    let splits = Set(files.compactMap(\.split)).sorted()
    if let split {
      let fitting = files.filter { $0.isAbout(split) }
      if !fitting.isEmpty { return (fitting, split.lowercased()) }
      // Judgments that are not split are there to test with.
      if split == "test", splits.isEmpty { return (files, nil) }
      let there =
        splits.isEmpty ? "no file names one" : "there are: \(splits.joined(separator: ", "))"
      throw BasisError(.notFound, "\(folder): no judgments of the split '\(split)'; \(there)")
    }
    if splits.contains("test") { return (files.filter { $0.split == "test" }, "test") }
    let whole = files.filter { $0.split == nil }
    if !whole.isEmpty { return (whole, nil) }
    guard splits.count == 1 else {
      throw BasisError(
        .invalidArgument,
        "\(folder): has judgments of several splits; choose one of: "
          + splits.joined(separator: ", "))
    }
    return (files, splits[0])
  }

  private static func read(_ path: String, _ form: RetrievalFile.Form) throws(BasisError)
    -> [RetrievalQuery]
  {
    var reader = try form.makeReader(path)
    var queries: [RetrievalQuery] = []
    var rows: [String: Int] = [:]
    while let record = try reader.next() {
      let id = record.fields["id"]?.stringValue ?? ""
      if let row = rows.updateValue(record.row, forKey: id) {
        throw BasisError(
          .badData,
          "\(path):\(record.row): the query \(id) is there a second time, first at line \(row); "
            + "keep one of them")
      }
      let parts = ["title", "text"].compactMap { record.fields[$0]?.stringValue }
      queries.append(
        RetrievalQuery(id: id, text: parts.filter { !$0.isEmpty }.joined(separator: "\n")))
    }
    return queries
  }

  /// How the ids of queries and those of judgments belong together.
  private enum Numbering: CaseIterable {
    case asWritten
    /// `051` is `51`.
    case withoutZeros
    /// The first query is `1`, whatever its number.
    case order

    func apply(to queries: [RetrievalQuery]) -> [RetrievalQuery] {
      queries.enumerated().map { index, query in
        switch self {
        case .asWritten: query
        case .withoutZeros:
          RetrievalQuery(id: RelevanceJudgments.number(query.id, true), text: query.text)
        case .order: RetrievalQuery(id: String(index + 1), text: query.text)
        }
      }
    }
  }
}
