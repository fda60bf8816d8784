public import BasisCore
import BasisFormats
import Synchronization

/// Texts that were too long for an encoder, and by how much.
public struct Truncation: Hashable, Sendable {
  /// How many texts were cut.
  public var textCount = 0
  /// How many tokens were cut off, all texts together.
  public var tokenCount = 0

  public init(textCount: Int = 0, tokenCount: Int = 0) {
    self.textCount = textCount
    self.tokenCount = tokenCount
  }

  public static func += (a: inout Truncation, b: Truncation) {
    a.textCount += b.textCount
    a.tokenCount += b.tokenCount
  }
}

/// A text encoder that cuts long texts and says so.
public protocol TruncatingEncoder: TextEncoder {
  /// The vectors of texts, as the encoder makes them, and what was cut.
  func encodeCounting(_ texts: [String], as role: EncodingRole, in run: RunContext)
    throws(BasisError) -> (vectors: Matrix, truncation: Truncation)

  /// Tokens that a piece of a text adds to it; those of its words add up.
  func tokenCount(of piece: Substring) -> Int
}

/// A transformer of BERT's family with a pooling on top: what the sentence-transformers package
/// calls a model, read from its folder and run on the processor.
///
/// Runs models such as all-MiniLM-L6-v2: word pieces, absolute positions, GELU, and one vector from
/// all tokens. A text's vector is the same bits alone and among others, and at any number of
/// threads. Between ``EncoderPrecision/fixed16`` and the floats, the vectors of MiniLM have a cosine
/// of at least 0.999998 (200 texts, measured), so either may answer the other's queries.
///
/// Devlin, Chang, Lee & Toutanova, *BERT*, NAACL 2019, doi:10.18653/v1/N19-1423; Reimers &
/// Gurevych, *Sentence-BERT*, EMNLP 2019, doi:10.18653/v1/D19-1410; Wang et al., *MiniLM*, NeurIPS
/// 2020, arXiv:2002.10957.
public struct BertEncoder: TruncatingEncoder {
  public let space: Space
  public let description: BertDescription
  public let precision: EncoderPrecision
  public let tokenizer: WordPieceTokenizer

  private let network: BertNetwork
  private let workspaces: WorkspacePool

  /// Tokens that go through the network together, unless one text has more.
  private static let batchTokens = 224

  /// Reads a model.
  ///
  /// - Parameters:
  ///   - folder: a sentence-transformers folder with `model.safetensors`.
  ///   - name: of the encoder and of its space, which becomes `name@version`.
  ///   - version: of the space.
  ///   - precision: of the linear layers; nil for the faster one.
  ///   - run: threads and cancellation.
  /// - Throws: `.notFound` naming a file that is missing; `.unsupported` naming the part of the
  ///   model that is not computed here; `.corruptFile`, `.badData`, `.dimensionMismatch` for files
  ///   that do not fit together.
  /// - Complexity: O(weights of the layers); the words stay in the mapped file.
  public init(
    folder: String, name: String, version: Int = 1, precision: EncoderPrecision? = nil,
    in run: RunContext = RunContext()
  ) throws(BasisError) {
    description = try BertDescription(folder: folder)
    self.precision = precision ?? .fastest
    let file = try Safetensors(path: folder + "/model.safetensors")
    network = try BertNetwork(file, description.network, precision: self.precision, in: run)
    tokenizer = try WordPieceTokenizer(folder: folder, lowercasing: description.lowercases)
    guard tokenizer.vocabularyCount <= description.network.vocabularyCount else {
      throw BasisError(
        .badData,
        "\(folder): the tokenizer has \(tokenizer.vocabularyCount) entries, the network knows "
          + "\(description.network.vocabularyCount)")
    }
    space = Space(
      id: Space.Identifier(name: name, version: version),
      dimension: description.network.hiddenSize, metric: description.metric, encoder: name)
    workspaces = WorkspacePool(
      description.network, rowLimit: max(Self.batchTokens, description.maximumTokenCount),
      textLimit: description.maximumTokenCount)
  }

  /// One row per text, `texts.count × space.dimension`.
  ///
  /// - Throws: `.cancelled`.
  /// - Complexity: O(tokens · weights of the layers + tokens² · dimension in one text), parallel
  ///   over groups of texts; the same bits at any number of threads and in any company.
  public func encode(_ texts: [String], as role: EncodingRole, in run: RunContext)
    throws(BasisError) -> Matrix
  {
    try encodeCounting(texts, as: role, in: run).vectors
  }

  /// One row per text as by ``encode(_:as:in:)``, and how many texts were longer than
  /// ``BertDescription/maximumTokenCount``.
  public func encodeCounting(_ texts: [String], as role: EncodingRole, in run: RunContext)
    throws(BasisError) -> (vectors: Matrix, truncation: Truncation)
  {
    let parts = try parallelMap(texts.count, grain: 32, in: run) { (_, rows) in
      tokenize(texts[rows], as: role)
    }
    var truncation = Truncation()
    for part in parts { truncation += part.truncation }

    // Texts of like lengths together, the longest first: the last groups to be taken are small.
    let lengths = parts.flatMap(\.lengths)
    let order = lengths.indices.sorted {
      lengths[$0] != lengths[$1] ? lengths[$0] > lengths[$1] : $0 < $1
    }
    let groups = Self.groups(order.map { lengths[$0] })
    let dimension = space.dimension
    let done = Atomic<Int>(0)
    let vectors = try Matrix(rowCount: texts.count, columnCount: dimension) {
      (target) throws(BasisError) in
      guard let start = target.baseAddress else { return }
      let result = SharedPointer(start)
      try parallelFor(groups.count, grain: 1, in: run) { (group, _) throws(BasisError) in
        let rows = order[groups[group]]
        var tokens: [Int32] = []
        var ends: [Int] = []
        for row in rows {
          tokens += parts[row / 32].tokens(row % 32)
          ends.append(tokens.count)
        }
        workspaces.withWorkspace { work in
          let hidden = network.forward(tokens, ends: ends, in: work)
          var start = 0
          for (row, end) in zip(rows, ends) {
            pool(
              hidden + start * dimension, count: end - start, into: result.base + row * dimension)
            start = end
          }
        }
        let count = done.add(rows.count, ordering: .relaxed).newValue
        run.report("encoding", count, of: texts.count, unit: "texts")
      }
    }
    return (vectors, truncation)
  }

  /// Runs of at most ``batchTokens`` tokens, or of one text.
  private static func groups(_ lengths: [Int]) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var (first, sum) = (0, 0)
    for (position, length) in lengths.enumerated() {
      if sum > 0, sum + length > batchTokens {
        groups.append(first..<position)
        (first, sum) = (position, 0)
      }
      sum += length
    }
    if first < lengths.count { groups.append(first..<lengths.count) }
    return groups
  }

  /// The tokens of some texts, one after another.
  private struct Tokenized: Sendable {
    var ids: [Int32] = []
    var ends: [Int] = []
    var truncation = Truncation()

    var lengths: [Int] { ends.indices.map { ends[$0] - ($0 == 0 ? 0 : ends[$0 - 1]) } }

    func tokens(_ index: Int) -> ArraySlice<Int32> {
      ids[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }
  }

  private func tokenize(_ texts: ArraySlice<String>, as role: EncodingRole) -> Tokenized {
    let prefix = role == .query ? description.queryPrefix : description.documentPrefix
    return tokenizer.withWorker { worker in
      var result = Tokenized()
      for text in texts {
        let before = result.ids.count
        let full = worker.append(
          prefix.isEmpty ? text : prefix + text, limit: description.maximumTokenCount,
          of: tokenizer, to: &result.ids)
        let cut = full - (result.ids.count - before)
        if cut > 0 { result.truncation += Truncation(textCount: 1, tokenCount: cut) }
        result.ends.append(result.ids.count)
      }
      return result
    }
  }

  public func tokenCount(of piece: Substring) -> Int {
    // Less the two ends, which a text has once.
    tokenizer.tokens(of: String(piece), limit: 2).fullCount - 2
  }

  /// One vector from the values of a text's tokens.
  private func pool(
    _ rows: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>
  ) {
    let dimension = space.dimension
    out.update(from: rows, count: dimension)
    switch description.pooling {
    case .first: break
    case .maximum:
      for row in 1..<count {
        for column in 0..<dimension {
          out[column] = max(out[column], rows[row * dimension + column])
        }
      }
    case .mean, .meanSquareRoot:
      for row in 1..<count {
        for column in 0..<dimension { out[column] += rows[row * dimension + column] }
      }
      let divisor =
        description.pooling == .mean ? Float(count) : Float(count).squareRoot()
      for column in 0..<dimension { out[column] /= divisor }
    }
    guard description.normalizes else { return }
    var squared = 0.0
    for column in 0..<dimension { squared += Double(out[column]) * Double(out[column]) }
    guard squared > 0 else { return }
    let factor = Float(1 / squared.squareRoot())
    for column in 0..<dimension { out[column] *= factor }
  }

  /// Workspaces between two uses: at most one a thread.
  private final class WorkspacePool: Sendable {
    private let network: BertDescription.Network
    private let rowLimit: Int
    private let textLimit: Int
    private let idle = Mutex<[Box]>([])

    private final class Box: Sendable {
      let workspace: BertWorkspace

      init(_ workspace: consuming BertWorkspace) { self.workspace = workspace }
    }

    init(_ network: BertDescription.Network, rowLimit: Int, textLimit: Int) {
      self.network = network
      self.rowLimit = rowLimit
      self.textLimit = textLimit
    }

    func withWorkspace(_ body: (borrowing BertWorkspace) -> Void) {
      let box =
        idle.withLock { $0.popLast() }
        ?? Box(BertWorkspace(network, rowLimit: rowLimit, textLimit: textLimit))
      body(box.workspace)
      idle.withLock { $0.append(box) }
    }
  }
}
