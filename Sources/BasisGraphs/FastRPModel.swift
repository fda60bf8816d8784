public import BasisCore
public import BasisFormats

/// The hops of a graph that was embedded, so that nodes which come later can have vectors too.
///
/// A new node's hop *k* is the mean of its neighbours' hop *k* − 1, where hop 0 of a neighbour is its
/// row of D^β R: what the whole graph would give, but for what the new node adds to the others.
public struct FastRPModel: FittedModel {
  public static let modelName = "fastrp"

  public let settings: FastRP
  /// That the projection was drawn with.
  public let seed: UInt64
  /// What the nodes are called; empty where they are their numbers.
  public let names: [String]
  /// The vectors of the graph's nodes, `n × dimension`.
  public let vectors: Matrix
  /// Nodes without links, rising.
  public let isolatedNodes: [Int]
  /// 1 to *q* − 1, `n × dimension` each.
  private let hops: [Matrix]
  private let sparsity: Double
  private let scales: [Double]
  private let scaling: ColumnScaling?

  private struct Manifest: Codable {
    var settings: FastRP
    var seed: UInt64
    var names: [String]
    var sparsity: Double
    var isScaled: Bool
  }

  init(
    _ settings: FastRP, _ graph: CSRGraph, _ embedding: NodeEmbedding, hops: [Matrix],
    _ rows: ProjectionRows
  ) {
    self.settings = settings
    seed = rows.run.seed
    names = graph.names
    vectors = embedding.vectors
    isolatedNodes = embedding.isolatedNodes
    self.hops = hops
    sparsity = rows.sparsity
    // As a file has them.
    scales = rows.scales.map { Double(Float($0)) }
    scaling = embedding.scaling
  }

  /// The vectors as the method gave them.
  public var embedding: NodeEmbedding { NodeEmbedding(vectors, isolatedNodes: isolatedNodes) }

  /// The vectors of new nodes.
  ///
  /// - Parameters:
  ///   - links: for each new node, the nodes of the graph that it links to, with positive weights.
  ///   - run: threads and cancellation.
  /// - Returns: `links.count × dimension`; zeros for a node without links.
  /// - Throws: `.invalidArgument` naming the new node with a link that cannot be; `.cancelled`.
  /// - Complexity: O(*q* · links · dimension).
  public func vectors(
    linkedTo links: [[(node: Int, weight: Double)]], in run: RunContext = RunContext()
  ) throws(BasisError) -> Matrix {
    let n = vectors.rowCount
    for (number, own) in links.enumerated() {
      for link in own
      where link.node < 0 || link.node >= n || !(link.weight > 0 && link.weight.isFinite) {
        throw BasisError(
          .invalidArgument,
          "new node \(number) has a link of weight \(link.weight) to \(link.node); the graph has "
            + "\(n) nodes, and weights are positive")
      }
    }
    let keys = (0..<n).map { names.isEmpty ? UInt64($0) : CSRGraph.key(of: names[$0]) }
    let rows = ProjectionRows(
      settings, sparsity: sparsity, keys: keys, scales: scales, RunContext(seed: seed))
    let d = settings.dimension
    return try Matrix(rowCount: links.count, columnCount: d) { (out) throws(BasisError) in
      guard let start = out.baseAddress else { return }
      let target = SharedPointer(start)
      try parallelFor(links.count, grain: 16, in: run) { (_, range) in
        for number in range where !links[number].isEmpty {
          let vector = vector(links[number], rows)
          (target.base + number * d).update(from: vector, count: d)
        }
      }
    }
  }

  private func vector(_ links: [(node: Int, weight: Double)], _ rows: ProjectionRows) -> [Float] {
    let d = settings.dimension
    let total = links.reduce(0.0) { $0 + $1.weight }
    var sum = [Float](repeating: 0, count: d)
    for (place, weight) in settings.hopWeights.enumerated() where weight != 0 {
      var hop = [Double](repeating: 0, count: d)
      for link in links {
        let share = link.weight / total
        if place == 0 {
          rows.forEach(link.node) { (column, value) in hop[column] += share * value }
        } else {
          hops[place - 1].withRow(link.node) { values in
            for column in 0..<d { hop[column] += share * Double(values[column]) }
          }
        }
      }
      let length = hop.reduce(0.0) { $0 + $1 * $1 }.squareRoot()
      let factor = !settings.normalizesHops ? weight : length > 0 ? weight / length : 0
      for column in 0..<d { sum[column] += Float(factor * hop[column]) }
    }
    if let scaling {
      sum.withUnsafeMutableBufferPointer { sum in
        if let base = sum.baseAddress { scaling.apply(to: base) }
      }
    }
    return sum
  }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(
      Manifest(
        settings: settings, seed: seed, names: names, sparsity: sparsity, isScaled: scaling != nil))
    try file.tensors.add("vectors", vectors)
    for (place, hop) in hops.enumerated() { try file.tensors.add("hop\(place + 1)", hop) }
    try file.tensors.add("scales", Self.row(scales.map { Float($0) }))
    if let scaling {
      try file.tensors.add("means", Self.row(scaling.means))
      try file.tensors.add("factors", Self.row(scaling.factors))
    }
  }

  private static func row(_ values: [Float]) throws(BasisError) -> Matrix {
    try Matrix(rowCount: 1, columnCount: values.count, values: values)
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(Manifest.self)
    settings = manifest.settings
    try settings.check()
    (seed, names, sparsity) = (manifest.seed, manifest.names, manifest.sparsity)
    let d = settings.dimension
    vectors = try file.tensors.matrix("vectors", columnCount: d)
    let n = vectors.rowCount
    guard names.isEmpty || names.count == n else {
      throw BasisError(.corruptFile, "\(names.count) names of \(n) nodes")
    }
    var hops: [Matrix] = []
    for place in 1..<max(1, settings.hopWeights.count) {
      hops.append(try file.tensors.matrix("hop\(place)", rowCount: n, columnCount: d))
    }
    self.hops = hops
    let scales = try file.tensors.matrix("scales", rowCount: 1, columnCount: n).row(0).map {
      Double($0)
    }
    self.scales = scales
    isolatedNodes = scales.indices.filter { scales[$0] == 0 }
    scaling =
      manifest.isScaled
      ? ColumnScaling(
        means: try file.tensors.matrix("means", rowCount: 1, columnCount: d).row(0),
        factors: try file.tensors.matrix("factors", rowCount: 1, columnCount: d).row(0))
      : nil
  }
}

extension FastRP {
  /// Embeds a graph and keeps what new nodes need: a matrix as large as the vectors for each hop but
  /// the last.
  ///
  /// - Parameters:
  ///   - graph: of any number of nodes.
  ///   - run: as for ``embed(_:in:)``.
  /// - Throws: as ``embed(_:in:)``.
  public func fit(_ graph: CSRGraph, in run: RunContext) throws(BasisError) -> FastRPModel {
    var hops: [Matrix] = []
    let embedding = try embed(graph, by: nil, in: run) { (_, panels) throws(BasisError) in
      hops.append(try panels.joined(in: run))
    }
    let rows = projectionRows(of: graph, graph.weightedDegrees, in: run)
    return FastRPModel(self, graph, embedding, hops: hops, rows)
  }
}
