public import BasisCore
import BasisNumerics

/// Vectors of nodes from a random walk's first steps, seen through a very sparse random projection.
///
/// With A the weights, D their row sums, P = D⁻¹A and R a random `n × dimension` matrix, hop 1 is
/// U₁ = P D^β R, and hop *k* is U*ₖ* = P U*ₖ₋₁*: the rows of P*ᵏ*D^β, projected. The vectors are the
/// weighted sum of the hops, whose rows have unit length, with columns of mean 0 and deviation 1. No
/// training; the cost is that of *q* products of a sparse matrix with a dense one.
///
/// R is never stored: its rows follow from the seed and the node's name, so that a node has the same
/// row in any graph, and one that comes later can be given a vector (``FastRPModel``). In a sparse R an
/// entry is ±√(*s*/dimension) with probability 1/(2*s*) each, *s* = √*n*.
///
/// Chen, Sultan, Tian, Chen & Skiena, *Fast and Accurate Network Embeddings via Very Sparse Random
/// Projection*, CIKM 2019, arXiv:1908.11512, algorithm 1 with the row and column normalisation of the
/// authors' code. The defaults are theirs for BlogCatalog.
///
/// - Note: Constant factors differ: a row sum to the power β stands for (dⱼ/2m)^β, which unit length
///   hides. A node without links has a zero vector, and counts for no column's mean.
public struct FastRP: NodeEmbedder {
  /// What R is made of.
  public enum Projection: String, Sendable, Hashable, Codable, CaseIterable {
    /// Signs, about √*n* times fewer than entries. Li, Hastie & Church, KDD 2006,
    /// doi:10.1145/1150402.1150436.
    case sparse
    /// Independent normal entries of variance 1/dimension.
    case gaussian
  }

  /// Columns of the result, at least 1.
  public var dimension: Int
  /// The weight of each hop, from the first on: at least one, finite.
  public var hopWeights: [Double]
  /// β: below 0, nodes with many links count less where walks end. Beyond ±2 it is a mistake, mostly.
  public var degreeExponent: Double
  /// Whether each hop's rows have unit length before they are added up.
  public var normalizesHops: Bool
  /// Whether the result's columns have mean 0 and deviation 1.
  public var standardizes: Bool
  public var projection: Projection
  /// *s*, at least 1: one in so many entries of a sparse R is not zero; nil for √*n*.
  public var sparsity: Double?

  public init(
    dimension: Int = 128, hopWeights: [Double] = [1, 1, 7.81, 45.28],
    degreeExponent: Double = -0.628, normalizesHops: Bool = true, standardizes: Bool = true,
    projection: Projection = .sparse, sparsity: Double? = nil
  ) {
    self.dimension = dimension
    self.hopWeights = hopWeights
    self.degreeExponent = degreeExponent
    self.normalizesHops = normalizesHops
    self.standardizes = standardizes
    self.projection = projection
    self.sparsity = sparsity
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    dimension = try values.decodeIfPresent(Int.self, forKey: .dimension) ?? dimension
    hopWeights = try values.decodeIfPresent([Double].self, forKey: .hopWeights) ?? hopWeights
    degreeExponent =
      try values.decodeIfPresent(Double.self, forKey: .degreeExponent) ?? degreeExponent
    normalizesHops =
      try values.decodeIfPresent(Bool.self, forKey: .normalizesHops) ?? normalizesHops
    standardizes = try values.decodeIfPresent(Bool.self, forKey: .standardizes) ?? standardizes
    projection = try values.decodeIfPresent(Projection.self, forKey: .projection) ?? projection
    sparsity = try values.decodeIfPresent(Double.self, forKey: .sparsity)
  }

  /// - Parameters:
  ///   - graph: directed graphs by walks along the links.
  ///   - run: the seed chooses R, together with the nodes' names.
  /// - Returns: `n × dimension`.
  /// - Throws: `.invalidArgument` for settings out of range; `.cancelled`.
  /// - Complexity: O(*q* · links · dimension) multiplications, the first hop of a sparse R √*n* times
  ///   fewer; parallel over nodes. Memory for two `n × dimension` matrices, and a narrow one.
  public func embed(_ graph: CSRGraph, in run: RunContext) throws(BasisError) -> NodeEmbedding {
    try embed(graph, by: nil, in: run) { (_, _) in }
  }

  /// The same, showing each hop that later hops are made of.
  ///
  /// - Parameter given: D^β R, in place of that which seed and names make.
  func embed(
    _ graph: CSRGraph, by given: SparseMatrix?, in run: RunContext,
    each body: (_ hop: Int, _ panels: HopPanels) throws(BasisError) -> Void
  ) throws(BasisError) -> NodeEmbedding {
    try check()
    let n = graph.nodeCount
    let degrees = graph.weightedDegrees
    let isolated = degrees.indices.filter { degrees[$0] == 0 }
    var warnings: [String] = []
    if abs(degreeExponent) > 2 {
      warnings.append(
        "a degree exponent of \(degreeExponent) leaves a few nodes alone to speak; usual is -1 to 0"
      )
    }
    let transitions = graph.transitions(degrees)
    let rows = projectionRows(of: graph, degrees, in: run)
    var hops = HopPanels(rowCount: n, columnCount: dimension)
    var sum = Matrix(rowCount: n, columnCount: dimension)
    for (hop, weight) in hopWeights.enumerated() {
      try run.checkCancelled()
      run.report("hops", hop, of: hopWeights.count)
      let squares: [Float]
      if hop == 0 {
        squares = try rows.first(transitions, given, into: &hops, in: run)
      } else {
        squares = try hops.advance(by: transitions, in: run)
      }
      if hop + 1 < hopWeights.count { try body(hop + 1, hops) }
      guard weight != 0 else { continue }
      let factors = squares.map { squared in
        let length = normalizesHops ? squared.squareRoot() : 1
        return length > 0 ? Float(weight) / length : 0
      }
      try hops.add(to: &sum, times: factors, in: run)
    }
    run.report("hops", hopWeights.count, of: hopWeights.count)
    var embedding = NodeEmbedding(sum, isolatedNodes: isolated, warnings: warnings)
    if standardizes {
      embedding.scaling = try embedding.vectors.standardizeColumns(without: isolated, in: run)
    }
    return embedding
  }

  func check() throws(BasisError) {
    guard dimension >= 1 else {
      throw BasisError(.invalidArgument, "fastrp: the dimension is at least 1, not \(dimension)")
    }
    guard !hopWeights.isEmpty, hopWeights.allSatisfy(\.isFinite) else {
      throw BasisError(
        .invalidArgument,
        "fastrp: give each hop a finite weight, and at least one hop; got \(hopWeights)")
    }
    guard degreeExponent.isFinite, sparsity.map({ $0 >= 1 && $0.isFinite }) ?? true else {
      throw BasisError(
        .invalidArgument,
        "fastrp: the degree exponent is finite and the sparsity at least 1; got \(degreeExponent) "
          + "and \(sparsity ?? 0)")
    }
  }

  func projectionRows(of graph: CSRGraph, _ degrees: [Double], in run: RunContext)
    -> ProjectionRows
  {
    let scales = degrees.map { $0 > 0 ? power($0, degreeExponent) : 0 }
    return ProjectionRows(
      self, sparsity: sparsity ?? Double(max(1, graph.nodeCount)).squareRoot(),
      keys: (0..<graph.nodeCount).map { graph.key(of: $0) }, scales: scales, run)
  }
}

/// The rows of D^β R, each made when it is wanted.
struct ProjectionRows: Sendable {
  let projection: FastRP.Projection
  let dimension: Int
  let sparsity: Double
  let keys: [UInt64]
  /// dᵢ^β.
  let scales: [Double]
  let run: RunContext

  init(
    _ settings: FastRP, sparsity: Double, keys: [UInt64], scales: [Double], _ run: RunContext
  ) {
    projection = settings.projection
    dimension = settings.dimension
    self.sparsity = sparsity
    self.keys = keys
    self.scales = scales
    self.run = run
  }

  /// Calls `body` with each entry of a row that is not zero, columns rising.
  func forEach(_ row: Int, _ body: (_ column: Int, _ value: Double) -> Void) {
    var generator = run.generator("fastrp", chunk: Int(truncatingIfNeeded: keys[row]))
    if projection == .gaussian {
      let scale = scales[row] / Double(dimension).squareRoot()
      for column in 0..<dimension { body(column, scale * generator.nextGaussian()) }
      return
    }
    let value = scales[row] * (sparsity / Double(dimension)).squareRoot()
    // How many zeros come before the next entry is a geometric number.
    let logarithmOfZero = sparsity > 1 ? logarithm(1 - 1 / sparsity) : -Double.infinity
    var column = 0.0
    while true {
      let skipped = logarithm(1 - generator.nextDouble()) / logarithmOfZero
      column += skipped.rounded(.down)
      guard column < Double(dimension) else { return }
      body(Int(column), generator.next() >> 63 == 0 ? value : -value)
      column += 1
    }
  }

  /// All rows, sparse.
  func matrix() -> SparseMatrix {
    var result = SparseMatrix(columnCount: dimension)
    var entries: [(column: Int, value: Float)] = []
    for row in keys.indices {
      entries.removeAll(keepingCapacity: true)
      forEach(row) { (column, value) in entries.append((column, Float(value))) }
      result.append(row: entries)
    }
    return result
  }

  /// The first hop, and the square of each of its rows.
  func first(
    _ transitions: SparseMatrix, _ given: SparseMatrix?, into hops: inout HopPanels,
    in run: RunContext
  ) throws(BasisError) -> [Float] {
    if projection == .gaussian, given == nil {
      try hops.fill(in: run) { (row, out) in
        forEach(row) { (column, value) in out[column] = Float(value) }
      }
      return try hops.advance(by: transitions, in: run)
    }
    let rows = SparseRows(given ?? matrix())
    return try hops.fill(in: run) { (row, out) in
      let own = transitions.offsets[row]..<transitions.offsets[row + 1]
      transitions.columns[own].withUnsafeBufferPointer { neighbors in
        transitions.values[own].withUnsafeBufferPointer { weights in
          rows.add(neighbors, weights, to: out)
        }
      }
    }
  }
}

/// A matrix whose rows have about one entry each, to be added up.
private struct SparseRows: Sendable {
  private struct Entry {
    var column: Int32
    var value: Float
  }

  private let firsts: [Int32]
  private let entries: [Entry]

  init(_ matrix: SparseMatrix) {
    firsts = matrix.offsets.map { Int32($0) }
    entries = zip(matrix.columns, matrix.values).map { Entry(column: $0, value: $1) }
  }

  /// out += Σ weight · row, in order.
  ///
  /// How many entries a row has cannot be foreseen, and a processor that guesses is wrong for most. So four
  /// places are noted of each, only as many of them kept as there are, and all noted added up in one go.
  func add(
    _ neighbors: UnsafeBufferPointer<Int32>, _ weights: UnsafeBufferPointer<Float>,
    to out: UnsafeMutablePointer<Float>
  ) {
    let capacity = 124
    withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 16) { memory in
      guard let places = memory.baseAddress else { return }
      let factors = places + 512
      let steps = SIMD4<Int32>(0, 1, 2, 3)
      var count = 0
      firsts.withUnsafeBufferPointer { firsts in
        entries.withUnsafeBufferPointer { entries in
          func flush() {
            for index in 0..<count {
              let entry = entries[Int(places.load(fromByteOffset: 4 * index, as: Int32.self))]
              let factor = factors.load(fromByteOffset: 4 * index, as: Float.self)
              out[Int(entry.column)] += factor * entry.value
            }
            count = 0
          }
          for (neighbor, weight) in zip(neighbors, weights) {
            let first = firsts[Int(neighbor)]
            let entryCount = Int(firsts[Int(neighbor) + 1] - first)
            if entryCount > 4 {
              flush()
              for entry in entries[Int(first)..<Int(first) + entryCount] {
                out[Int(entry.column)] += weight * entry.value
              }
              continue
            }
            if count > capacity { flush() }
            places.storeBytes(
              of: steps &+ first, toByteOffset: 4 * count, as: SIMD4<Int32>.self)
            factors.storeBytes(
              of: SIMD4(repeating: weight), toByteOffset: 4 * count, as: SIMD4<Float>.self)
            count += entryCount
          }
          flush()
        }
      }
    }
  }
}
