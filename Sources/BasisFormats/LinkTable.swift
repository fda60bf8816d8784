public import BasisCore

/// Links between nodes as a text file has them, before anybody makes a graph of them.
///
/// Three forms are known. An edge list has two nodes a line and perhaps a weight, between commas,
/// semicolons, tabs or spaces, with or without a header. An adjacency list has a node and then those
/// that it is linked to. A Matrix Market file of coordinates is told by its first line. Lines that start
/// with `#` or `%` are passed over; any may be compressed by gzip.
public struct LinkTable: Sendable, Hashable {
  /// What a file without a Matrix Market line is.
  public enum Form: String, Sendable, Hashable, Codable, CaseIterable {
    /// Two nodes a line, perhaps a weight.
    case edges
    /// A node and its neighbours a line.
    case adjacency
  }

  /// What each node is called: rising where all are whole numbers, else as they first appear.
  public private(set) var names: [String]
  /// The node that each link leaves, `0 ..< names.count`.
  public private(set) var sources: [Int32]
  /// The node that each link reaches: as many.
  public private(set) var targets: [Int32]
  /// As many; empty where the file has none.
  public private(set) var weights: [Float]
  /// Whether each link stands for both directions, where the file says so: Matrix Market does.
  public private(set) var isSymmetric: Bool?

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: a file, or `-` for standard input.
  ///   - form: of a file that is not Matrix Market.
  ///   - nodeCount: if given, the nodes are the numbers below it, linked or not.
  /// - Throws: `.notFound`; `.inputOutput`; `.badData` naming the line: too few or too many cells, a
  ///   weight that is no number, a node that is no number below `nodeCount`; `.dimensionMismatch` for
  ///   a Matrix Market file that is not square; `.unsupported` for its arrays and complex numbers.
  public init(path: String, form: Form = .edges, nodeCount: Int? = nil) throws(BasisError) {
    let title = path == "-" ? "standard input" : path
    let file = try FileBytes.read(path)
    try self.init(file.bytes, title, form: form, nodeCount: nodeCount)
  }

  init(_ bytes: UnsafeRawBufferPointer, _ title: String, form: Form, nodeCount: Int?)
    throws(BasisError)
  {
    var lines = TextLines(bytes)
    let marker = Array("%%MatrixMarket".utf8)
    if bytes.starts(with: marker), let first = lines.next() {
      let market = try MatrixMarketLinks(first, &lines, title)
      names = (1...max(1, market.nodeCount)).prefix(market.nodeCount).map { "\($0)" }
      (sources, targets, weights) = (market.sources, market.targets, market.weights)
      isSymmetric = market.isSymmetric
      return
    }
    var nodes = NodeNumbers(title, nodeCount: nodeCount)
    var weights: [Float] = []
    var separator: UInt8?
    var isFirst = true
    while let line = lines.nextContent() {
      if separator == nil { separator = Self.separator(of: line) }
      let cells = Self.cells(of: line, separator: separator ?? 0x20)
      if isFirst {
        isFirst = false
        if form == .edges, Self.isHeader(cells, line, before: lines, separator ?? 0x20) { continue }
      }
      if form == .adjacency {
        for cell in cells.dropFirst() {
          try nodes.add(line, cells[0], cell, at: lines.number)
        }
        if cells.count == 1 { try nodes.mention(line, cells[0], at: lines.number) }
        continue
      }
      guard cells.count == 2 || cells.count == 3 else {
        throw BasisError(
          .badData,
          "\(title):\(lines.number): has \(cells.count) cells; a link has two nodes and perhaps a "
            + "weight")
      }
      if cells.count == 3 {
        guard weights.count == nodes.sources.count else {
          throw BasisError(
            .badData,
            "\(title):\(lines.number): has a weight, and lines before it have none; give all or none"
          )
        }
        let text = String(decoding: line[cells[2]], as: UTF8.self)
        guard let weight = Float(text) else {
          throw BasisError(
            .badData, "\(title):\(lines.number): the weight '\(text.prefix(40))' is not a number")
        }
        weights.append(weight)
      } else if !weights.isEmpty {
        throw BasisError(
          .badData,
          "\(title):\(lines.number): has no weight, and lines before it have one; give all or none")
      }
      try nodes.add(line, cells[0], cells[1], at: lines.number)
    }
    let numbered = nodes.numbered()
    (names, sources, targets) = (numbered.names, numbered.sources, numbered.targets)
    self.weights = weights
    isSymmetric = nil
  }

  private static func separator(of line: UnsafeRawBufferPointer) -> UInt8 {
    [UInt8(ascii: ","), UInt8(ascii: ";"), 0x09].first { line.contains($0) } ?? 0x20
  }

  /// Where the cells lie, without spaces and quotes around them.
  private static func cells(of line: UnsafeRawBufferPointer, separator: UInt8) -> [Range<Int>] {
    var cells: [Range<Int>] = []
    var start = 0
    while start <= line.count {
      var end = start
      while end < line.count, line[end] != separator { end += 1 }
      var (low, high) = (start, end)
      while low < high, line[low] == 0x20 || line[low] == 0x22 { low += 1 }
      while low < high, line[high - 1] == 0x20 || line[high - 1] == 0x22 { high -= 1 }
      if separator != 0x20 || low < high { cells.append(low..<high) }
      start = end + 1
    }
    return cells
  }

  /// Whether a first line names columns: its weight is no number, or it has no number and the next
  /// line is nothing else, or it starts with a word that is only ever such a name.
  private static func isHeader(
    _ cells: [Range<Int>], _ line: UnsafeRawBufferPointer, before rest: TextLines,
    _ separator: UInt8
  ) -> Bool {
    func isNumber(_ cell: Range<Int>, _ line: UnsafeRawBufferPointer) -> Bool {
      Double(String(decoding: line[cell], as: UTF8.self)) != nil
    }
    guard !cells.contains(where: { isNumber($0, line) }), let first = cells.first else {
      return false
    }
    if cells.count == 3 { return true }
    let word = String(decoding: line[first], as: UTF8.self).lowercased()
    if ["source", "src", "from"].contains(word) { return true }
    var rest = rest
    guard let next = rest.nextContent() else { return false }
    return Self.cells(of: next, separator: separator).allSatisfy { isNumber($0, next) }
  }
}

/// The lines of a text in memory.
struct TextLines {
  private let bytes: UnsafeRawBufferPointer
  private var place = 0
  /// Of the line that came last, from 1.
  private(set) var number = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { place = 3 }
  }

  /// The next line without its end.
  mutating func next() -> UnsafeRawBufferPointer? {
    guard place < bytes.count else { return nil }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[place...])
    let length = firstIndex(of: 0x0A, in: rest) ?? rest.count
    place += length + 1
    number += 1
    return withoutCarriageReturn(UnsafeRawBufferPointer(rebasing: rest[..<length]))
  }

  /// The next line that is neither blank nor a remark.
  mutating func nextContent() -> UnsafeRawBufferPointer? {
    while let line = next() {
      guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 }) else { continue }
      if first != UInt8(ascii: "#"), first != UInt8(ascii: "%") { return line }
    }
    return nil
  }
}

/// Gives nodes their numbers while links go by.
private struct NodeNumbers {
  private let title: String
  private let nodeCount: Int?
  /// What the file says, while all nodes are whole numbers; else places in `names`.
  private(set) var sources: [Int] = []
  fileprivate private(set) var targets: [Int] = []
  /// Nodes without a link.
  fileprivate private(set) var lone: [Int] = []
  private var names: [String] = []
  private var places: [String: Int] = [:]
  private var areNumbers = true

  init(_ title: String, nodeCount: Int?) {
    self.title = title
    self.nodeCount = nodeCount
  }

  mutating func add(
    _ line: UnsafeRawBufferPointer, _ source: Range<Int>, _ target: Range<Int>, at number: Int
  ) throws(BasisError) {
    sources.append(try node(line, source, at: number))
    // A target that is a name turns all numbers into names, the source before it too.
    targets.append(try node(line, target, at: number))
  }

  mutating func mention(_ line: UnsafeRawBufferPointer, _ cell: Range<Int>, at number: Int)
    throws(BasisError)
  {
    lone.append(try node(line, cell, at: number))
  }

  private mutating func node(
    _ line: UnsafeRawBufferPointer, _ cell: Range<Int>, at number: Int
  ) throws(BasisError) -> Int {
    guard !cell.isEmpty else {
      throw BasisError(.badData, "\(title):\(number): a node without a name")
    }
    if areNumbers, let value = Self.wholeNumber(line, cell) {
      if let nodeCount, value >= nodeCount { throw beyond("\(value)", nodeCount, number) }
      return value
    }
    guard case .text(let name) = decodeUTF8(UnsafeRawBufferPointer(rebasing: line[cell])) else {
      throw notUTF8("\(title):\(number)", column: cell.lowerBound + 1)
    }
    if let nodeCount { throw beyond(name, nodeCount, number) }
    if areNumbers {
      areNumbers = false
      for place in sources.indices {
        sources[place] = self.place(of: "\(sources[place])")
        if place < targets.count { targets[place] = self.place(of: "\(targets[place])") }
      }
      for place in lone.indices { lone[place] = self.place(of: "\(lone[place])") }
    }
    return place(of: name)
  }

  private func beyond(_ name: String, _ count: Int, _ number: Int) -> BasisError {
    BasisError(
      .badData,
      "\(title):\(number): the node '\(name.prefix(40))' is none of 0 ..< \(count); count all nodes"
    )
  }

  private mutating func place(of name: String) -> Int {
    if let place = places[name] { return place }
    places[name] = names.count
    names.append(name)
    return names.count - 1
  }

  /// As it would be written: without signs and leading zeros.
  private static func wholeNumber(_ line: UnsafeRawBufferPointer, _ cell: Range<Int>) -> Int? {
    guard cell.count <= 18, cell.count == 1 || line[cell.lowerBound] != 0x30 else { return nil }
    var value = 0
    for place in cell {
      let digit = Int(line[place]) - 0x30
      guard digit >= 0, digit <= 9 else { return nil }
      value = 10 * value + digit
    }
    return value
  }

  func numbered() -> (names: [String], sources: [Int32], targets: [Int32]) {
    if !areNumbers {
      return (names, sources.map { Int32($0) }, targets.map { Int32($0) })
    }
    if let nodeCount {
      return (
        (0..<nodeCount).map { "\($0)" }, sources.map { Int32($0) }, targets.map { Int32($0) }
      )
    }
    let largest = max(sources.max() ?? 0, targets.max() ?? 0, lone.max() ?? 0)
    if largest < 4 * sources.count + 1024 { return ranked(upTo: largest) }
    let values = Set(sources).union(targets).union(lone).sorted()
    let rank = Dictionary(uniqueKeysWithValues: values.enumerated().map { ($1, Int32($0)) })
    return (
      values.map { "\($0)" }, sources.map { rank[$0] ?? 0 }, targets.map { rank[$0] ?? 0 }
    )
  }
}

extension NodeNumbers {
  /// Without a dictionary, where few numbers are left out.
  fileprivate func ranked(upTo largest: Int) -> (
    names: [String], sources: [Int32], targets: [Int32]
  ) {
    var rank = [Int32](repeating: 0, count: largest + 1)
    for list in [sources, targets, lone] {
      for value in list { rank[value] = 1 }
    }
    var names: [String] = []
    for value in rank.indices where rank[value] > 0 {
      rank[value] = Int32(names.count)
      names.append("\(value)")
    }
    return (names, sources.map { rank[$0] }, targets.map { rank[$0] })
  }
}

/// The coordinates of a square Matrix Market file. Boisvert, Pozo & Remington, *The Matrix Market
/// exchange formats*, NISTIR 5935 (1996).
private struct MatrixMarketLinks {
  var nodeCount = 0
  var sources: [Int32] = []
  var targets: [Int32] = []
  var weights: [Float] = []
  var isSymmetric = false

  init(_ first: UnsafeRawBufferPointer, _ lines: inout TextLines, _ title: String)
    throws(BasisError)
  {
    let words = String(decoding: first, as: UTF8.self).lowercased().split(separator: " ")
    guard words.count == 5, words[1] == "matrix", words[2] == "coordinate",
      ["real", "integer", "pattern"].contains(words[3]),
      ["general", "symmetric"].contains(words[4])
    else {
      throw BasisError(
        .unsupported,
        "\(title):1: a matrix in coordinates, real, integer or pattern, general or symmetric, is "
          + "read here; this is '\(words.dropFirst().joined(separator: " "))'")
    }
    isSymmetric = words[4] == "symmetric"
    let hasWeights = words[3] != "pattern"
    guard let sizes = lines.nextContent().map(Self.numbers), sizes.count == 3 else {
      throw BasisError(.badData, "\(title): rows, columns and entries are missing")
    }
    guard sizes[0] == sizes[1] else {
      throw BasisError(
        .dimensionMismatch,
        "\(title): the matrix of a graph is square, this one is \(Int(sizes[0])) × \(Int(sizes[1]))"
      )
    }
    guard let count = Int(exactly: sizes[0]), count >= 0, count < Int(Int32.max) else {
      throw BasisError(.badData, "\(title): \(sizes[0]) nodes")
    }
    nodeCount = count
    while let line = lines.nextContent() {
      let values = Self.numbers(line)
      guard values.count == (hasWeights ? 3 : 2), let row = Int(exactly: values[0]),
        let column = Int(exactly: values[1]), min(row, column) >= 1, max(row, column) <= count
      else {
        throw BasisError(
          .badData,
          "\(title):\(lines.number): an entry is a row and a column of 1 ... \(count)"
            + (hasWeights ? " and a value" : ""))
      }
      sources.append(Int32(row - 1))
      targets.append(Int32(column - 1))
      if hasWeights { weights.append(Float(values[2])) }
    }
    guard sources.count == Int(sizes[2]) else {
      throw BasisError(
        .badData,
        "\(title): \(Int(sizes[2])) entries are announced, \(sources.count) are there; the file is cut"
      )
    }
  }

  private static func numbers(_ line: UnsafeRawBufferPointer) -> [Double] {
    let words = String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\t" }
    let numbers = words.compactMap { Double($0) }
    return numbers.count == words.count ? numbers : []
  }
}

/// Whole numbers of 64 bits, one a line.
public struct WholeNumberList: Sendable, Hashable {
  public let values: [Int]

  /// - Parameter path: a file, perhaps compressed by gzip, or `-` for standard input.
  /// - Throws: `.notFound`; `.inputOutput`; `.badData` naming the line that is no whole number.
  public init(contentsOf path: String) throws(BasisError) {
    let file = try FileBytes.read(path)
    var lines = TextLines(file.bytes)
    var values: [Int] = []
    while let line = lines.nextContent() {
      guard let value = Self.value(line) else {
        throw BasisError(
          .badData,
          "\(path == "-" ? "standard input" : path):\(lines.number): "
            + "'\(String(decoding: line.prefix(40), as: UTF8.self))' is not a whole number")
      }
      values.append(value)
    }
    self.values = values
  }

  /// A number and a text a line, spaces between them.
  ///
  /// - Parameter path: a file, perhaps compressed by gzip.
  /// - Throws: `.notFound`; `.inputOutput`; `.badData` naming the line that does not start with a number
  ///   or is not UTF-8.
  public static func labels(contentsOf path: String) throws(BasisError) -> [(
    number: Int, text: String
  )] {
    let file = try FileBytes.read(path)
    var lines = TextLines(file.bytes)
    var labels: [(number: Int, text: String)] = []
    while let line = lines.nextContent() {
      let text = try lineText(line, "\(path):\(lines.number)")
      let word = text.prefix { $0 != " " && $0 != "\t" }
      guard let number = Int(word) else {
        throw BasisError(
          .badData, "\(path):\(lines.number): '\(word.prefix(40))' is not a whole number")
      }
      let rest = text.dropFirst(word.count).drop { $0 == " " || $0 == "\t" }
      labels.append((number, String(rest)))
    }
    return labels
  }

  private static func value(_ line: UnsafeRawBufferPointer) -> Int? {
    var value = 0
    var digits = 0
    var isNegative = false
    for (place, byte) in line.enumerated() {
      if byte == 0x20 || byte == 0x09 {
        // Only around the number.
        if digits > 0, !line[place...].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return nil }
        continue
      }
      if byte == 0x2D, digits == 0, !isNegative {
        isNegative = true
        continue
      }
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, more) = product.addingReportingOverflow(Int(byte) - 0x30)
      if overflow || more { return nil }
      value = sum
      digits += 1
    }
    return digits == 0 ? nil : isNegative ? -value : value
  }
}
