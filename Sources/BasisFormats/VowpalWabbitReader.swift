import BasisCore

/// Vowpal Wabbit's lines: `label [weight [base]] [tag]|namespace feature feature:value |namespace …`.
///
/// A namespace is a field, and its features, as they stand, the field's text; without a name it is `features`.
/// Of a namespace that comes twice in a line the features come together. `label`, `weight`, `base` and `tag` are
/// fields where the line has them; a namespace of such a name is called `|label`, and so on. Blank lines are passed
/// over.
struct VowpalWabbitReader: RecordReader {
  private let lines: LineStream

  init(_ lines: LineStream) { self.lines = lines }

  var bytesRead: Int { lines.bytes.bytesRead }
  var byteCount: Int? { lines.bytes.byteCount }

  mutating func next() throws(BasisError) -> SourceRecord? {
    while let line = try lines.next() {
      if isBlank(line) { continue }
      let row = lines.lineNumber
      let text = try lineText(line, "\(lines.name):\(row)")
      return SourceRecord(row: row, members: try Self.members(text, "\(lines.name):\(row)"))
    }
    return nil
  }

  private static let header = ["label", "weight", "base"]

  private static func members(_ text: String, _ place: String) throws(BasisError) -> [(
    name: String, text: String
  )] {
    let parts = text.split(separator: "|", omittingEmptySubsequences: false)
    var words = parts[0].split { $0 == " " || $0 == "\t" }
    var tag: Substring?
    // A tag stands right before the bar, or behind an apostrophe.
    let isTight = parts.count > 1 && parts[0].last.map { $0 != " " && $0 != "\t" } == true
    if let last = words.last, last.hasPrefix("'") || (isTight && words.count > 1) {
      tag = last.hasPrefix("'") ? last.dropFirst() : last
      words.removeLast()
    }
    guard words.count <= header.count else {
      throw BasisError(
        .badData,
        "\(place): \(words.count) words before the first '|'; a line is label, weight, base, 'tag, and "
          + "then |namespaces")
    }
    var result: [(name: String, text: String)] = zip(header, words).map { ($0, String($1)) }
    if let tag { result.append(("tag", String(tag))) }
    var places: [String: Int] = [:]
    for part in parts.dropFirst() {
      let isNamed = part.first.map { $0 != " " && $0 != "\t" } == true
      var features = part.split { $0 == " " || $0 == "\t" }
      var name = "features"
      // What follows a colon weighs the namespace.
      if isNamed { name = String(features.removeFirst().prefix { $0 != ":" }) }
      if header.contains(name) || name == "tag" || name.isEmpty { name = "|" + name }
      let joined = features.joined(separator: " ")
      if let place = places[name] {
        result[place].text += (result[place].text.isEmpty || joined.isEmpty ? "" : " ") + joined
      } else {
        places[name] = result.count
        result.append((name, joined))
      }
    }
    return result
  }
}
