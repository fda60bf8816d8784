public import BasisCore

/// One record of a source, before anybody gave it a key.
public struct SourceRecord: Sendable, Hashable {
  /// From 1: the line on which the record starts, or in a folder its number.
  public var row: Int
  /// A JSON object.
  public var fields: JSONValue
  /// The same as compact JSON text: for JSON lines the line as it stands, else in the order of the
  /// source's fields.
  public var json: String

  public init(row: Int, fields: JSONValue, json: String) {
    self.row = row
    self.fields = fields
    self.json = json
  }
}

/// Records of a file, a folder or a pipe, one after another, in bounded memory.
///
/// Made by ``RecordSource/makeReader()``. For one thread at a time.
public protocol RecordReader {
  /// The next record, nil at the end.
  ///
  /// After an error about one row the next call goes on with the row after it; after an error about
  /// the file as a whole (it cannot be read, its gzip data is damaged, a row is over the limit) the
  /// reader is at its end.
  ///
  /// - Throws: `.badData`, `.unsupported` or `.inputOutput`; messages start with `FILE:ROW: ` or
  ///   `FILE: `.
  mutating func next() throws(BasisError) -> SourceRecord?

  /// How many bytes of the underlying file were read; of a compressed file, compressed bytes.
  var bytesRead: Int { get }

  /// How many bytes the underlying file has; nil for a pipe.
  var byteCount: Int? { get }

  /// How many files of a folder were passed over because they are not text.
  var skippedFileCount: Int { get }
}

extension RecordReader {
  public var skippedFileCount: Int { 0 }
}

/// What a source of records is written in. Each may also be compressed by gzip.
public enum SourceFormat: String, CaseIterable, Sendable {
  /// One JSON object a line.
  case jsonl
  /// Comma-separated cells, a row of names first (RFC 4180).
  case csv
  /// As ``csv``, separated by tabs.
  case tsv
  /// A file whose lines are records, or a folder whose files are.
  case text
  /// The paragraphs of Debian's package lists and control files (deb822).
  case debian
  /// Vowpal Wabbit's lines: a label, and namespaces of features.
  case vw
}
