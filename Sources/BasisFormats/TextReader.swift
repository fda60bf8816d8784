import BasisCore

/// The lines of one text file; blank ones are passed over.
struct TextLinesReader: RecordReader {
  private let lines: LineStream
  private let fileName: String

  init(_ lines: LineStream) {
    self.lines = lines
    fileName = lines.name.split(separator: "/").last.map(String.init) ?? lines.name
  }

  var bytesRead: Int { lines.bytes.bytesRead }
  var byteCount: Int? { lines.bytes.byteCount }

  mutating func next() throws(BasisError) -> SourceRecord? {
    while let line = try lines.next() {
      if isBlank(line) { continue }
      let row = lines.lineNumber
      let text = try lineText(line, "\(lines.name):\(row)")
      return SourceRecord(row: row, members: [("id", "\(fileName):\(row)"), ("text", text)])
    }
    return nil
  }
}

/// The files of a folder and of the folders in it, in the order of their paths.
///
/// Passed over: what starts with a dot, links to folders, and (counted) files that are not text:
/// not UTF-8, with a zero byte, or compressed by something else than gzip.
struct TextFolderReader: RecordReader {
  private let folder: String
  private let limit: Int
  private let files: [(path: String, byteCount: Int)]
  private var index = 0

  let byteCount: Int?
  private(set) var bytesRead = 0
  private(set) var skippedFileCount = 0

  init(folder: String, limit: Int) throws(BasisError) {
    self.folder = folder
    self.limit = limit
    files = try SystemFile.list(folder).sorted { $0.path < $1.path }
    byteCount = files.reduce(0) { $0 + $1.byteCount }
  }

  mutating func next() throws(BasisError) -> SourceRecord? {
    while index < files.count {
      let file = files[index]
      index += 1
      defer { bytesRead += file.byteCount }
      guard let text = try text(of: file.path) else {
        skippedFileCount += 1
        continue
      }
      return SourceRecord(
        row: index,
        members: [
          ("id", file.path), ("text", text), ("path", "\(trimmedFolder)/\(file.path)"),
        ])
    }
    return nil
  }

  private var trimmedFolder: String {
    folder.last == "/" ? String(folder.dropLast()) : folder
  }

  private func text(of file: String) throws(BasisError) -> String? {
    let path = "\(trimmedFolder)/\(file)"
    let open = try SystemFile(reading: path)
    guard try open.status().kind == .file else { return nil }
    var content: [UInt8] = []
    do throws(BasisError) {
      let bytes = try ByteStream(open, name: path, byteCount: nil)
      let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
      defer { chunk.deallocate() }
      while true {
        let count = try bytes.read(into: chunk)
        if count == 0 { break }
        content += chunk[..<count]
        guard content.count <= limit else { throw recordTooLong(path, limit: limit) }
        if chunk[..<count].contains(0) { return nil }
      }
    } catch {
      if error.code == .unsupported { return nil }
      throw error
    }
    let mark = content.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    return String(validating: content[mark...], as: UTF8.self)
  }
}

extension SourceRecord {
  /// A record of strings, in this order.
  init(row: Int, members: [(name: String, text: String)]) {
    var json: [UInt8] = [UInt8(ascii: "{")]
    var fields: [String: JSONValue] = [:]
    for (name, text) in members {
      fields[name] = .string(text)
      JSONValue.write(member: name, .string(text), to: &json)
    }
    json.append(UInt8(ascii: "}"))
    self.init(row: row, fields: .object(fields), json: String(decoding: json, as: UTF8.self))
  }
}
