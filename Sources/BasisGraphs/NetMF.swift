public import BasisCore
import BasisNumerics

/// What DeepWalk's training tends to, computed: singular vectors of the logarithm of how much oftener
/// than by chance one node is near another on random walks.
///
/// *M* = vol / (*b* *T*) Σᵣ (D⁻¹A)ʳ D⁻¹ over *r* = 1 … *T*, from the eigenvectors of D^−½ A D^−½ of
/// largest magnitude; the vectors are those of log max(*M*, 1), each by the root of its singular value.
///
/// Qiu et al., *Network Embedding as Matrix Factorization: Unifying DeepWalk, LINE, PTE, and
/// node2vec*, WSDM 2018, doi:10.1145/3159652.3159706: equation 8 and algorithm 4; of DeepWalk, Perozzi,
/// Al-Rfou & Skiena, KDD 2014.
public struct NetMF: NodeEmbedder {
  /// Columns of the result, at least 1; those beyond the nodes' number are zero.
  public var dimension: Int
  /// How far apart two nodes of a walk count as near, in steps, at least 1. *T* in the paper.
  public var window: Int
  /// Random nodes that stand against each near one, at least 1. *b* in the paper.
  public var negativeCount: Int
  /// Eigenvectors that stand for the walk, at least 1. *h* in the paper.
  public var rank: Int

  public init(dimension: Int = 128, window: Int = 10, negativeCount: Int = 1, rank: Int = 256) {
    self.dimension = dimension
    self.window = window
    self.negativeCount = negativeCount
    self.rank = rank
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    dimension = try values.decodeIfPresent(Int.self, forKey: .dimension) ?? dimension
    window = try values.decodeIfPresent(Int.self, forKey: .window) ?? window
    negativeCount = try values.decodeIfPresent(Int.self, forKey: .negativeCount) ?? negativeCount
    rank = try values.decodeIfPresent(Int.self, forKey: .rank) ?? rank
  }

  /// The most nodes of a graph: *n*² numbers are kept.
  static let nodeLimit = 20_000

  /// - Parameters:
  ///   - graph: undirected, of at most 20,000 nodes.
  ///   - run: the seed chooses the sketches.
  /// - Returns: `n × dimension`.
  /// - Throws: `.invalidArgument` for settings out of range; `.unsupported` for a directed or a larger
  ///   graph; `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: O(*n*² (`rank` + `dimension`)) time, O(*n*²) memory.
  public func embed(_ graph: CSRGraph, in run: RunContext) throws(BasisError) -> NodeEmbedding {
    guard dimension >= 1, window >= 1, negativeCount >= 1, rank >= 1 else {
      throw BasisError(
        .invalidArgument,
        "netmf: dimension, window, negativeCount and rank are at least 1; got \(dimension), "
          + "\(window), \(negativeCount) and \(rank)")
    }
    let n = graph.nodeCount
    guard n <= Self.nodeLimit else {
      throw BasisError(
        .unsupported,
        "netmf: keeps a number for each two nodes, and takes up to \(Self.nodeLimit) nodes, not "
          + "\(n); fastrp and spectral take more")
    }
    let normalized = try NormalizedWeights(graph, for: "netmf")
    let (values, vectors) = try eigenpairs(of: normalized.matrix, in: run)
    // A row of D^−½ U f(Λ), to be multiplied with one of D^−½ U.
    let factors = values.map { value in
      (1...window).reduce(0) { $0 + power(value, Double($1)) } / Double(window)
    }
    let volume = graph.weightedDegrees.reduce(0, +) / Double(negativeCount)
    func scaled(_ factors: [Double]) -> Matrix {
      Matrix(rowCount: n, columnCount: factors.count) { out in
        for row in 0..<n {
          let root = normalized.inverseRoots[row]
          vectors.withRow(row) { own in
            for column in factors.indices {
              out[row * factors.count + column] = Float(
                Double(own[column]) * root * factors[column])
            }
          }
        }
      }
    }
    let ones = [Double](repeating: 1, count: factors.count)
    var logs = try LinearAlgebra.product(
      scaled(factors.map { $0 * volume }), scaled(ones), transposingB: true, in: run)
    logs.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] = logarithm(max(floats[index], 1)) }
    }
    let found = try RandomizedSVD(rank: dimension, powerIterations: 4).decompose(logs, in: run)
    return normalized.embedding(found, exponent: 0.5, dimension: dimension)
  }

  /// The eigenvalues of largest magnitude of a symmetric matrix, with their vectors as columns.
  private func eigenpairs(of matrix: SparseMatrix, in run: RunContext) throws(BasisError) -> (
    values: [Double], vectors: Matrix
  ) {
    let range = try RandomizedSVD(rank: rank, powerIterations: 4).decompose(matrix, in: run).u
    guard range.columnCount > 0 else { return ([], range) }
    // What the matrix does in that range; a value and its negative share singular vectors.
    let inside = try LinearAlgebra.product(
      range, try matrix.product(range, in: run), transposingA: true, in: run)
    let pairs = try LinearAlgebra.symmetricEigen(inside)
    return (
      pairs.values.map { Double($0) },
      try LinearAlgebra.product(range, pairs.vectors, in: run)
    )
  }
}

/// D^−½ A D^−½ of an undirected graph.
struct NormalizedWeights {
  let matrix: SparseMatrix
  /// Of the degrees; 0 where no link is.
  let inverseRoots: [Double]

  private var isolated: [Int] { inverseRoots.indices.filter { inverseRoots[$0] == 0 } }

  /// - Parameter name: of the method, for the error.
  /// - Throws: `.unsupported` for a directed graph.
  init(_ graph: CSRGraph, for name: String) throws(BasisError) {
    guard !graph.isDirected else {
      throw BasisError(
        .unsupported, "\(name): takes undirected graphs; drop directions (--symmetrise)")
    }
    let roots = graph.weightedDegrees.map { $0 > 0 ? 1 / $0.squareRoot() : 0 }
    var values = graph.adjacency.values
    for row in roots.indices {
      for index in graph.adjacency.offsets[row]..<graph.adjacency.offsets[row + 1] {
        let column = Int(graph.adjacency.columns[index])
        values[index] = Float(Double(values[index]) * roots[row] * roots[column])
      }
    }
    matrix = SparseMatrix(
      columnCount: graph.nodeCount, offsets: graph.adjacency.offsets,
      columns: graph.adjacency.columns, values: values)
    inverseRoots = roots
  }

  /// Left singular vectors, each by its value to a power; zeros for isolated nodes and where there are
  /// fewer vectors than columns.
  func embedding(
    _ found: SingularValueDecomposition, exponent: Double, dimension d: Int,
    normalizesRows: Bool = false
  ) -> NodeEmbedding {
    let factors = found.singularValues.map { Float(power(Double($0), exponent)) }
    var vectors = Matrix(rowCount: inverseRoots.count, columnCount: d) { out in
      for row in inverseRoots.indices where inverseRoots[row] > 0 {
        found.u.withRow(row) { own in
          for column in factors.indices { out[row * d + column] = own[column] * factors[column] }
        }
      }
    }
    if normalizesRows { vectors = vectors.withUnitRows() }
    return NodeEmbedding(vectors, isolatedNodes: isolated)
  }
}
