import BasisCore

/// What a file of a judged collection's folder is, as its first lines and its name tell.
struct RetrievalFile {
  enum Form {
    case json
    case tabs
    case tags
    case topics
    case smart

    func makeReader(_ path: String) throws(BasisError) -> any RecordReader {
      let lines = try LineStream(opening: path)
      switch self {
      case .json: return JudgedJSONReader(lines)
      case .tabs: return JudgedTabReader(lines)
      case .tags: return TaggedDocumentReader(lines)
      case .topics: return TaggedTopicReader(lines)
      case .smart: return SMARTReader(lines)
      }
    }
  }

  enum Role {
    case documents(Form)
    case queries(Form)
    case judgments
  }

  let path: String
  /// Below the folder.
  let name: String
  let byteCount: Int
  let role: Role

  /// The files of a folder, and of a folder `qrels` in it, that have a part to play, by name; and
  /// what was wrong with files that could not be looked at.
  ///
  /// - Throws: `.notFound`; `.inputOutput`; `.invalidArgument` if it is no folder.
  static func list(_ folder: String) throws(BasisError) -> (
    files: [RetrievalFile], refusals: [String]
  ) {
    guard try SystemFile(reading: folder).status().kind == .folder else {
      throw BasisError(
        .invalidArgument,
        "\(folder): is a file; name the folder that holds documents, queries and judgments")
    }
    let base = folder.hasSuffix("/") && folder.count > 1 ? String(folder.dropLast()) : folder
    var files: [RetrievalFile] = []
    var refusals: [String] = []
    for (name, byteCount) in try SystemFile.list(base).sorted(by: { $0.path < $1.path }) {
      guard !name.contains("/") || name.hasPrefix("qrels/") else { continue }
      let path = "\(base)/\(name)"
      do throws(BasisError) {
        guard let role = try role(of: path, name: name) else { continue }
        files.append(
          RetrievalFile(path: path, name: name, byteCount: byteCount, role: role))
      } catch {
        refusals.append(error.message)
      }
    }
    return (files, refusals)
  }

  // MARK: Words of a name

  /// The name's words in small letters: `dev.2-1-0.qrel` is `dev`, `2`, `1`, `0`, `qrel`.
  private static func words(_ name: String) -> [String] {
    name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
  }

  private static let splitWords: Set<String> = [
    "train", "dev", "val", "valid", "validation", "test",
  ]

  /// The part of the data that the name says the file is about.
  var split: String? { Self.words(name).first { Self.splitWords.contains($0) } }

  func isAbout(_ split: String) -> Bool { Self.words(name).contains(split.lowercased()) }

  /// Whether the name says that these are the documents.
  var isNamedForDocuments: Bool {
    Self.words(name).contains {
      $0.hasPrefix("corpus") || $0.hasPrefix("doc") || $0.hasPrefix("collection")
    }
  }

  private static func isNamedForQueries(_ name: String) -> Bool {
    words(name).contains { word in
      ["quer", "qry", "topic", "question"].contains { word.hasPrefix($0) }
    }
  }

  // MARK: First lines

  private static func role(of path: String, name: String) throws(BasisError) -> Role? {
    let spoken = words(name)
    if spoken.contains(where: { ["readme", "license", "licence"].contains($0) }) { return nil }
    let content = try form(of: path)
    // So named, a bad line in it is an error and no reason to look elsewhere.
    if spoken.contains(where: { $0.hasPrefix("qrel") }) { return .judgments }
    guard let content else { return nil }
    switch content {
    case .judgments: return .judgments
    case .text(.topics): return .queries(.topics)
    case .text(let form): return isNamedForQueries(name) ? .queries(form) : .documents(form)
    }
  }

  /// How a file's texts are written, nil if it has none.
  static func textForm(of path: String) throws(BasisError) -> Form? {
    if case .text(let form) = try form(of: path) { form } else { nil }
  }

  private enum Content {
    case judgments
    case text(Form)
  }

  private static func form(of path: String) throws(BasisError) -> Content? {
    let stream = try LineStream(opening: path)
    let start = try stream.peek()
    guard !start.contains(0) else { return nil }
    let isWhole = start.count < 1 << 14
    var rows = String(decoding: start, as: UTF8.self)
      .split(omittingEmptySubsequences: false) { $0.isNewline }
    if !isWhole, rows.count > 1 { rows.removeLast() }
    rows.removeAll { row in row.allSatisfy { $0.isWhitespace || $0 == "\u{FEFF}" } }
    let first = rows.first { !$0.hasPrefix("<?") && !$0.hasPrefix("<!") }
    guard let first else { return nil }
    let head = first.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    if head.first == "<" {
      let tag = head.dropFirst().prefix { $0.isLetter }.lowercased()
      switch tag {
      case "top": return .text(.topics)
      case "doc": return .text(.tags)
      default: return nil
      }
    }
    if head.hasPrefix(".I"), columnsOf(String(head)).first == ".I" { return .text(.smart) }
    if head.first == "{" { return isJudgedObject(head, cut: !isWhole && rows.count == 1) }
    let columns = rows.prefix(200).map { columnsOf(String($0)) }
    if RelevanceJudgments.looksLike(columns) { return .judgments }
    let isTabbed = rows.allSatisfy { row in
      guard let tab = row.firstIndex(of: "\t"), tab > row.startIndex else { return false }
      return !row[..<tab].contains(where: \.isWhitespace)
    }
    return isTabbed ? .text(.tabs) : nil
  }

  /// Whether a line is an object with an identifier: other JSON is settings or statistics. An
  /// object longer than what was looked at is taken for a document.
  private static func isJudgedObject(_ line: Substring, cut: Bool) -> Content? {
    if cut { return .text(.json) }
    guard let object = try? JSONValue(parsing: String(line)) else { return nil }
    return JudgedJSONReader.idFields.contains { object[$0]?.stringValue != nil }
      ? .text(.json) : nil
  }
}
