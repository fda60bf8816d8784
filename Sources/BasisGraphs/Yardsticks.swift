public import BasisCore
import BasisNumerics

/// Vectors of nodes from the singular vectors of the normalised weights, D^−½ A D^−½: what faster
/// methods have to come near to.
///
/// Von Luxburg, *A tutorial on spectral clustering*, Statistics and Computing 17 (2007),
/// doi:10.1007/s11222-007-9033-z, by the randomised decomposition of `RandomizedSVD`.
public struct SpectralEmbedder: NodeEmbedder {
  /// Columns of the result, at least 1; those beyond the nodes' number are zero.
  public var dimension: Int
  /// Each column is multiplied by its singular value to this power, at least 0.
  public var valueExponent: Double
  /// Whether rows have unit length.
  public var normalizesRows: Bool
  /// As in `RandomizedSVD`, at least 0.
  public var powerIterations: Int

  public init(
    dimension: Int = 128, valueExponent: Double = 0.5, normalizesRows: Bool = true,
    powerIterations: Int = 4
  ) {
    self.dimension = dimension
    self.valueExponent = valueExponent
    self.normalizesRows = normalizesRows
    self.powerIterations = powerIterations
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    dimension = try values.decodeIfPresent(Int.self, forKey: .dimension) ?? dimension
    valueExponent = try values.decodeIfPresent(Double.self, forKey: .valueExponent) ?? valueExponent
    normalizesRows =
      try values.decodeIfPresent(Bool.self, forKey: .normalizesRows) ?? normalizesRows
    powerIterations =
      try values.decodeIfPresent(Int.self, forKey: .powerIterations) ?? powerIterations
  }

  /// - Parameters:
  ///   - graph: undirected.
  ///   - run: the seed chooses the sketch.
  /// - Returns: `n × dimension`.
  /// - Throws: `.invalidArgument` for settings out of range; `.unsupported` for a directed graph;
  ///   `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: as `RandomizedSVD` of a rank of `dimension`.
  public func embed(_ graph: CSRGraph, in run: RunContext) throws(BasisError) -> NodeEmbedding {
    guard dimension >= 1, valueExponent >= 0, valueExponent.isFinite, powerIterations >= 0 else {
      throw BasisError(
        .invalidArgument,
        "spectral: dimension ≥ 1, valueExponent ≥ 0 and powerIterations ≥ 0; got \(dimension), "
          + "\(valueExponent) and \(powerIterations)")
    }
    let normalized = try NormalizedWeights(graph, for: "spectral")
    let found = try RandomizedSVD(rank: dimension, powerIterations: powerIterations)
      .decompose(normalized.matrix, in: run)
    return normalized.embedding(
      found, exponent: valueExponent, dimension: dimension, normalizesRows: normalizesRows)
  }
}

/// Two numbers of each node, log(1 + degree) and log(1 + the mean degree of what it links to): what a
/// method has to beat that claims to know more of a node than how well connected it is.
///
/// Newman, *Mixing patterns in networks*, Physical Review E 67 (2003),
/// doi:10.1103/PhysRevE.67.026126.
public struct DegreeEmbedder: NodeEmbedder {
  public init() {}

  /// - Parameters:
  ///   - graph: of any kind; weights count for the mean, not for degrees.
  ///   - run: cancellation.
  /// - Returns: `n × 2`.
  /// - Throws: `.cancelled`.
  /// - Complexity: O(*n* + links).
  public func embed(_ graph: CSRGraph, in run: RunContext) throws(BasisError) -> NodeEmbedding {
    try run.checkCancelled()
    let degrees = graph.degrees
    let sums = graph.weightedDegrees
    let matrix = graph.adjacency
    let vectors = Matrix(rowCount: graph.nodeCount, columnCount: 2) { out in
      for node in degrees.indices where degrees[node] > 0 {
        var sum = 0.0
        for index in matrix.offsets[node]..<matrix.offsets[node + 1] {
          sum += Double(matrix.values[index]) * Double(degrees[Int(matrix.columns[index])])
        }
        out[2 * node] = Float(logarithm(1 + Double(degrees[node])))
        out[2 * node + 1] = Float(logarithm(1 + sum / sums[node]))
      }
    }
    return NodeEmbedding(vectors, isolatedNodes: degrees.indices.filter { degrees[$0] == 0 })
  }
}
