public import BasisCore
import Synchronization

/// Where records come from: a file, a folder of text files, or standard input.
///
/// Files may be compressed by gzip, whatever their names. Nothing is read whole: a reader holds a
/// buffer and one record.
public struct RecordSource: Sendable {
  /// The longest record, in bytes, that is not an error: 64 MiB.
  public static let defaultRecordLimit = 64 << 20

  /// What was asked for; `-` is standard input.
  public let path: String
  /// As given, or as guessed.
  public let format: SourceFormat
  /// The longest record in bytes.
  public let recordLimit: Int

  private let isFolder: Bool
  private let opened: Opened

  /// Opens the source and finds out its format.
  ///
  /// - Parameters:
  ///   - path: a file, a named pipe, a folder (of text files), or `-`.
  ///   - format: nil to guess it from the name (`docs.jsonl.gz`), then from the first bytes.
  ///   - recordLimit: the longest record in bytes, at least 1.
  /// - Throws: `.notFound`; `.inputOutput`; `.badData` if it is not text or its gzip data is
  ///   damaged; `.unsupported` if it is compressed otherwise; `.invalidArgument` for a folder that
  ///   should be anything else than text.
  /// - Precondition: `recordLimit` is at least 1.
  public init(
    path: String, format: SourceFormat? = nil,
    recordLimit: Int = RecordSource.defaultRecordLimit
  ) throws(BasisError) {
    precondition(recordLimit >= 1, "a record limit of \(recordLimit) bytes")
    self.path = path
    self.recordLimit = recordLimit
    let file = try SystemFile(reading: path)
    let status = try file.status()
    isFolder = status.kind == .folder
    if isFolder {
      guard format == nil || format == .text else {
        throw BasisError(
          .invalidArgument,
          "\(path): is a folder; a folder holds text files, give \(format?.rawValue ?? "") files "
            + "by their names")
      }
      self.format = .text
      opened = Opened(nil)
      return
    }
    let lines = try Self.lines(file, path, status, recordLimit)
    if let known = format ?? Self.format(ofName: path) {
      self.format = known
    } else {
      self.format = try Self.format(ofStartOf: lines)
    }
    opened = Opened(lines)
  }

  /// A reader from the start of the source.
  ///
  /// - Throws: `.unsupported` if standard input, or a pipe, is asked for a second time; else as
  ///   ``init(path:format:recordLimit:)``.
  public func makeReader() throws(BasisError) -> any RecordReader {
    if isFolder { return try TextFolderReader(folder: path, limit: recordLimit) }
    let lines: LineStream
    if let first = opened.take() { lines = first } else { lines = try reopen() }
    switch format {
    case .jsonl: return JSONLinesReader(lines)
    case .csv: return DelimitedReader(lines, delimiter: UInt8(ascii: ","))
    case .tsv: return DelimitedReader(lines, delimiter: UInt8(ascii: "\t"))
    case .text: return TextLinesReader(lines)
    case .debian: return DebianReader(lines)
    case .vw: return VowpalWabbitReader(lines)
    }
  }

  private func reopen() throws(BasisError) -> LineStream {
    let file = try SystemFile(reading: path)
    let status = try file.status()
    // Standard input that is a file stands where the first reader left it.
    guard status.kind == .file, path != "-" else {
      throw BasisError(
        .unsupported,
        "\(Self.name(path)): can be read only once; save it as a file to read it again")
    }
    return try Self.lines(file, path, status, recordLimit)
  }

  private static func lines(
    _ file: consuming SystemFile, _ path: String, _ status: (kind: SystemFile.Kind, byteCount: Int),
    _ limit: Int
  ) throws(BasisError) -> LineStream {
    LineStream(
      try ByteStream(
        file, name: name(path), byteCount: status.kind == .file ? status.byteCount : nil),
      limit: limit)
  }

  private static func name(_ path: String) -> String { path == "-" ? "standard input" : path }

  /// What was opened for the guess and not read on yet, so that a pipe loses nothing.
  ///
  /// Unchecked, because a stream is not `Sendable`: it leaves the mutex once, for one reader.
  private final class Opened: @unchecked Sendable {
    private let lines: Mutex<LineStream?>

    init(_ lines: LineStream?) {
      nonisolated(unsafe) let lines = lines
      self.lines = Mutex(lines)
    }

    func take() -> LineStream? {
      lines.withLock { held in
        nonisolated(unsafe) let lines = held
        held = nil
        return lines
      }
    }
  }
}

extension RecordSource {
  /// The format that a file's name speaks for.
  static func format(ofName path: String) -> SourceFormat? {
    var name = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
    if name.hasSuffix(".gz") { name.removeLast(3) }
    if ["packages", "sources", "control"].contains(name) || name.hasSuffix("_packages") {
      return .debian
    }
    guard let dot = name.lastIndex(of: ".") else { return nil }
    switch name[name.index(after: dot)...] {
    case "jsonl", "ndjson", "jsonlines", "json": return .jsonl
    case "csv": return .csv
    case "tsv", "tab": return .tsv
    case "txt", "text", "md", "rst": return .text
    case "deb822": return .debian
    case "vw": return .vw
    default: return nil
    }
  }

  /// The format that a file's first lines look like; text where they look like nothing else.
  private static func format(ofStartOf lines: LineStream) throws(BasisError) -> SourceFormat {
    let start = try lines.peek()
    if let zero = start.firstIndex(of: 0) {
      throw BasisError(
        .badData,
        "\(lines.name): is not text (a zero byte at byte \(zero)); it cannot be read as records")
    }
    let rows = String(decoding: start, as: UTF8.self).drop { $0.isWhitespace || $0 == "\u{FEFF}" }
      .split(maxSplits: 8, omittingEmptySubsequences: false) { $0.isNewline }
    guard let first = rows.first, let letter = first.first else { return .text }
    if letter == "{" { return .jsonl }
    if isField(first), rows.count > 1, isField(rows[1]) || rows[1].hasPrefix(" ") {
      return .debian
    }
    let delimiters: [(Character, SourceFormat)] = [("\t", .tsv), (",", .csv)]
    for (delimiter, format) in delimiters {
      let names = first.split(separator: delimiter, omittingEmptySubsequences: false)
      // Prose has a space after a comma; a table's header has not.
      if names.count > 1, !names.dropFirst().contains(where: { $0.hasPrefix(" ") }),
        rows.count < 2 || rows[1].isEmpty || rows[1].contains(delimiter)
      {
        return format
      }
    }
    return .text
  }

  /// Whether a line looks like `Name: value`, with a name that a control file could have.
  private static func isField(_ line: Substring) -> Bool {
    guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else { return false }
    return line[..<colon].utf8.allSatisfy {
      $0 == UInt8(ascii: "-") || $0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z")
        || $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")
    }
  }
}
