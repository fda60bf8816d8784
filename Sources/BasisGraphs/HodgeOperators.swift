import BasisCore
import BasisNumerics

/// Differences along edges and sums around closed triangles, and what they make of a flow on the edges.
///
/// Lim, *Hodge Laplacians on graphs*, SIAM Review 62 (2020), doi:10.1137/18M1223101; the normalisation of
/// Schaub, Benson, Horn, Lippner & Jadbabaie, SIAM Review 62 (2020), doi:10.1137/18M1201019, in the simpler
/// form of Benson et al. 2018.
public struct HodgeOperators: Sendable {
  /// The nodes of each edge, from the first to the second.
  let edges: [(from: Int32, to: Int32)]
  /// The edges of each closed triangle *abc*: *ab* and *bc* forwards, *ac* backwards.
  let triangles: [(ab: Int32, bc: Int32, ac: Int32)]
  let nodeCount: Int
  /// Twice as many as, for each edge: its ends' links and its closed triangles. D of the normalised
  /// Laplacian.
  private let sizes: [Double]

  public var edgeCount: Int { edges.count }
  public var triangleCount: Int { triangles.count }

  init(_ complex: SimplicialComplex) {
    nodeCount = complex.nodeCount
    var edges: [(from: Int32, to: Int32)] = []
    for a in 0..<complex.nodeCount {
      for edge in complex.starts[a]..<complex.starts[a + 1] {
        edges.append((Int32(a), complex.targets[edge]))
      }
    }
    var sizes = edges.map { Double(complex.degree($0.from) + complex.degree($0.to)) }
    var triangles: [(ab: Int32, bc: Int32, ac: Int32)] = []
    complex.forEachTriangle(in: 0..<complex.nodeCount) { triangle in
      guard triangle.strength > 0 else { return }
      triangles.append((triangle.ab, triangle.bc, triangle.ac))
      for edge in [triangle.ab, triangle.bc, triangle.ac] { sizes[Int(edge)] += 1 }
    }
    self.edges = edges
    self.triangles = triangles
    self.sizes = sizes
  }

  /// What a potential rises by along each edge.
  public func gradient(_ potential: [Double]) -> [Double] {
    var out = [Double](repeating: 0, count: edgeCount)
    gradient(potential, into: &out)
    return out
  }

  /// What a flow adds up to around each closed triangle.
  public func curl(_ flow: [Double]) -> [Double] {
    var out = [Double](repeating: 0, count: triangleCount)
    curl(flow, into: &out)
    return out
  }

  private func gradient(_ potential: [Double], into out: inout [Double]) {
    for (edge, ends) in edges.enumerated() {
      out[edge] = potential[Int(ends.to)] - potential[Int(ends.from)]
    }
  }

  private func transposedGradient(_ flow: [Double], into out: inout [Double]) {
    for node in out.indices { out[node] = 0 }
    for (edge, ends) in edges.enumerated() {
      out[Int(ends.from)] -= flow[edge]
      out[Int(ends.to)] += flow[edge]
    }
  }

  private func curl(_ flow: [Double], into out: inout [Double]) {
    for (place, triangle) in triangles.enumerated() {
      out[place] = flow[Int(triangle.ab)] + flow[Int(triangle.bc)] - flow[Int(triangle.ac)]
    }
  }

  private func transposedCurl(_ values: [Double], into out: inout [Double]) {
    for edge in out.indices { out[edge] = 0 }
    for (place, triangle) in triangles.enumerated() {
      out[Int(triangle.ab)] += values[place]
      out[Int(triangle.bc)] += values[place]
      out[Int(triangle.ac)] -= values[place]
    }
  }

  /// A flow as the sum of three that are orthogonal: of a potential, around closed triangles, and what is
  /// left, which runs around holes.
  ///
  /// - Parameter flow: a value an edge.
  /// - Complexity: O((edges + triangles) · iterations).
  public func decompose(_ flow: [Double]) -> (
    gradient: [Double], curl: [Double], harmonic: [Double]
  ) {
    let solver = ConjugateGradient(tolerance: 1e-10)
    let gradient = solver.projection(
      of: flow, columnCount: nodeCount, { self.gradient($0, into: &$1) },
      { transposedGradient($0, into: &$1) })
    let curl = solver.projection(
      of: flow, columnCount: triangleCount, { transposedCurl($0, into: &$1) },
      { self.curl($0, into: &$1) })
    return (gradient, curl, flow.indices.map { flow[$0] - gradient[$0] - curl[$0] })
  }

  /// Personalised PageRank from an edge: *b* x of (*b* I + L D⁻¹) x = *e*, with L the Hodge Laplacian of
  /// edges and *b* = 1/α − 1. By way of the symmetric D^−½ L D^−½.
  ///
  /// - Parameters:
  ///   - edge: where walks start.
  ///   - alpha: between 0 and 1: how seldom they start again.
  public func pageRank(from edge: Int, alpha: Double = 0.85) -> [Double] {
    let restart = 1 / alpha - 1
    let roots = sizes.map { $0.squareRoot() }
    var right = [Double](repeating: 0, count: edgeCount)
    right[edge] = 1 / roots[edge]
    var scaled = right
    var other = right
    var nodes = [Double](repeating: 0, count: nodeCount)
    var faces = [Double](repeating: 0, count: triangleCount)
    let found = ConjugateGradient(tolerance: 1e-8).solve(right) { (x, out) in
      for index in x.indices { scaled[index] = x[index] / roots[index] }
      transposedGradient(scaled, into: &nodes)
      gradient(nodes, into: &out)
      curl(scaled, into: &faces)
      transposedCurl(faces, into: &other)
      for index in x.indices {
        out[index] = restart * x[index] + (out[index] + other[index]) / roots[index]
      }
    }
    return found.indices.map { restart * found[$0] * roots[$0] }
  }
}
