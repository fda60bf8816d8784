public import BasisCore
public import BasisFormats
import Synchronization

/// The space that a ``CorpusEncoder`` has learnt, and the way into it.
///
/// Documents and queries are encoded alike. Rows have unit length; a text without a single known
/// term becomes a row of zeros, which by the cosine is at distance 1 from everything.
public struct CorpusEncoderModel: TextEncoder {
  public let space: Space
  public let settings: CorpusEncoder
  /// Of the directions kept, falling.
  public let singularValues: [Float]
  /// How many terms it knows.
  public var termCount: Int { vocabulary.count }

  private let vocabulary: TermTable
  // Terms × dimension: right singular vectors, times the term's weight and the power of the
  // singular value.
  private let projection: Matrix

  init(
    settings: CorpusEncoder, version: Int, vocabulary: TermTable, projection: Matrix,
    singularValues: [Float]
  ) {
    self.settings = settings
    self.vocabulary = vocabulary
    self.projection = projection
    self.singularValues = singularValues
    space = Space(
      id: Space.Identifier(name: "corpus", version: version), dimension: projection.columnCount,
      metric: .cosine, encoder: "corpus")
  }

  /// One unit row per text, `texts.count × space.dimension`.
  ///
  /// - Throws: `.cancelled`.
  /// - Complexity: O(length of the texts + different terms · dimension), parallel over texts; the
  ///   same at any number of threads.
  public func encode(_ texts: [String], as role: EncodingRole, in run: RunContext)
    throws(BasisError) -> Matrix
  {
    let dimension = space.dimension
    return try Matrix(rowCount: texts.count, columnCount: dimension) {
      (target) throws(BasisError) in
      guard let start = target.baseAddress else { return }
      let result = SharedPointer(start)
      // A chunk goes on with the memory of an earlier one: what a word becomes is always the same.
      let counters = Mutex<[TermCounter]>([])
      try parallelFor(texts.count, grain: 64, in: run) { (_, rows) throws(BasisError) in
        var counter =
          counters.withLock { $0.popLast() }
          ?? TermCounter(analyzer: settings.analyzer, vocabulary: vocabulary)
        var terms: [Int32] = []
        var weights: [Float] = []
        for row in rows {
          terms.removeAll(keepingCapacity: true)
          weights.removeAll(keepingCapacity: true)
          counter.forEachTerm(of: texts[row]) { term, count in
            terms.append(Int32(truncatingIfNeeded: term))
            weights.append(settings.localWeight(count))
          }
          let out = result.base + row * dimension
          project(terms, weights, into: out)
          Self.normalize(out, count: dimension)
        }
        counters.withLock { $0.append(counter) }
      }
    }
  }

  /// Σ weights · rows of the projection.
  private func project(
    _ terms: [Int32], _ weights: [Float], into out: UnsafeMutablePointer<Float>
  ) {
    projection.withUnsafeFloats { projection in
      terms.withUnsafeBufferPointer { terms in
        weights.withUnsafeBufferPointer { weights in
          guard let dense = projection.baseAddress, let rows = terms.baseAddress,
            let weights = weights.baseAddress, !terms.isEmpty
          else { return }
          Kernels.weightedRows(
            weights, rows, count: terms.count, dense: dense, stride: space.dimension,
            columnCount: space.dimension, into: out)
        }
      }
    }
  }

  private static func normalize(_ row: UnsafeMutablePointer<Float>, count: Int) {
    var squared = 0.0
    for column in 0..<count { squared += Double(row[column]) * Double(row[column]) }
    guard squared > 0 else { return }
    let factor = Float(1 / squared.squareRoot())
    for column in 0..<count { row[column] *= factor }
  }

  /// The terms that the model knows, as its analyser makes them.
  package var terms: [String] { (0..<vocabulary.count).map(vocabulary.term) }

  /// The model without some of its terms. Texts that have none of them keep their vectors to the
  /// last bit.
  ///
  /// - Precondition: `kept` has as many elements as there are ``terms``.
  package func selecting(terms kept: [Bool]) -> CorpusEncoderModel {
    precondition(kept.count == vocabulary.count)
    let rows = kept.indices.filter { kept[$0] }
    var vocabulary = TermTable(minimumCapacity: rows.count)
    for row in rows { _ = self.vocabulary.withTerm(row) { vocabulary.insert($0) } }
    return CorpusEncoderModel(
      settings: settings, version: space.id.version, vocabulary: vocabulary,
      projection: projection.selecting(rows: rows), singularValues: singularValues)
  }

  private struct Header: Codable {
    var layout = 1
    var settings: CorpusEncoder
    var version: Int
    var dimension: Int
  }

  /// Writes the model as the blocks `corpus-encoder`, `term-bytes`, `term-ends`,
  /// `singular-values` and `projection`.
  ///
  /// - Throws: `.inputOutput`.
  public func write(to writer: ContainerWriter) throws(BasisError) {
    try writer.write(
      "corpus-encoder",
      json: Header(settings: settings, version: space.id.version, dimension: space.dimension))
    try writer.write("term-bytes", vocabulary.bytes)
    try writer.write("term-ends", vocabulary.offsets.dropFirst().map { UInt64($0) })
    try writer.write("singular-values", singularValues)
    try writer.write("projection", matrix: projection)
  }

  /// Opens a model in a file. Its largest part stays there and is read as it is needed.
  ///
  /// - Throws: `.corruptFile` if a block is missing, damaged or does not fit the others;
  ///   `.newerFormat`.
  /// - Complexity: O(terms).
  public init(from container: Container) throws(BasisError) {
    let header = try container.json("corpus-encoder", as: Header.self)
    try container.requireLayout(header.layout, of: "encoder")
    let bytes = try container.array("term-bytes", of: UInt8.self)
    let ends = try container.array("term-ends", of: UInt64.self)
    var vocabulary = TermTable(minimumCapacity: ends.count)
    let isSound = bytes.withUnsafeBufferPointer { bytes in
      var start = 0
      for (index, end) in ends.enumerated() {
        guard end >= start, end <= bytes.count else { return false }
        let term = UnsafeBufferPointer(rebasing: bytes[start..<Int(end)])
        guard vocabulary.insert(term) == index else { return false }
        start = Int(end)
      }
      return true
    }
    let singularValues = Array(try container.array("singular-values", of: Float.self))
    guard isSound, header.dimension >= 1, singularValues.count == header.dimension else {
      throw Self.corrupt(container, "its terms or singular values do not fit its settings")
    }
    let projection = try container.matrix("projection", columnCount: header.dimension)
    guard projection.rowCount == vocabulary.count else {
      throw Self.corrupt(
        container, "it has \(vocabulary.count) terms and projects \(projection.rowCount)")
    }
    self.init(
      settings: header.settings, version: header.version, vocabulary: vocabulary,
      projection: projection, singularValues: singularValues)
  }

  private static func corrupt(_ container: Container, _ what: String) -> BasisError {
    BasisError(.corruptFile, "\(container.path): corpus encoder: \(what); fit it again")
  }
}
