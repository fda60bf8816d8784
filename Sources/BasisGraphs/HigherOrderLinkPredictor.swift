public import BasisCore
import BasisNumerics

/// Says which three that met two by two will meet as a group: scores of all open triangles.
///
/// Benson, Abebe, Schaub, Jadbabaie & Kleinberg, *Simplicial closure and higher-order link prediction*, PNAS
/// 115 (2018), doi:10.1073/pnas.1800683115.
///
/// - Note: Ours differ from the published code in two places where it differs from its text: the harmonic
///   part is the solution less its two other parts in every branch, and the supervised score's columns are
///   brought to mean 0 and deviation 1 before its penalty, which spares the intercept.
public struct HigherOrderLinkPredictor: LinkPredictor {
  public var score: HigherOrderScore
  /// The generalised mean of the weights with this exponent in place of a score; nil for the score. From
  /// the smallest weight at −∞ over harmonic −1, geometric 0 and arithmetic 1 to the largest at ∞.
  public var exponent: Double?
  /// α of PageRank, between 0 and 1.
  public var alpha: Double
  /// The quantile of the times until which triangles are looked at to train the supervised score on what
  /// came after.
  public var trainingShare: Double

  public init(
    _ score: HigherOrderScore = .geometric, exponent: Double? = nil, alpha: Double = 0.85,
    trainingShare: Double = 0.75
  ) {
    self.score = score
    self.exponent = exponent
    self.alpha = alpha
    self.trainingShare = trainingShare
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    score = try values.decodeIfPresent(HigherOrderScore.self, forKey: .score) ?? score
    exponent = try values.decodeIfPresent(Double.self, forKey: .exponent)
    alpha = try values.decodeIfPresent(Double.self, forKey: .alpha) ?? alpha
    trainingShare = try values.decodeIfPresent(Double.self, forKey: .trainingShare) ?? trainingShare
  }

  /// - Parameters:
  ///   - stream: simplices in time; all of them are the past.
  ///   - run: threads and cancellation.
  /// - Returns: every open triangle.
  /// - Throws: `.invalidArgument` for a setting out of range; `.badData` if no triangle is open, and for the
  ///   supervised score if none of an earlier time closed; `.cancelled`.
  /// - Complexity: O(Σ size³ + triangles) for the local scores; Katz and PageRank solve a system for each
  ///   node, those of edges one for each edge of an open triangle.
  public func predict(_ stream: SimplicialStream, in run: RunContext) throws(BasisError)
    -> LinkPrediction
  {
    try predict(stream, trained: stream, at: trainingShare, in: run)
  }

  /// Predicts at a quantile of the times, and tells how much of it came true afterwards.
  ///
  /// - Parameters:
  ///   - stream: simplices in time.
  ///   - share: the quantile that is the last of the past.
  ///   - run: threads and cancellation.
  /// - Returns: the prediction of the past, what of it came true, and how well the scores told so. The
  ///   supervised score is trained at `trainingShare` of the way to the quantile.
  /// - Throws: as ``predict(_:in:)``; `.badData` if nothing comes after the quantile.
  public func evaluate(
    _ stream: SimplicialStream, at share: Double = 0.8, in run: RunContext = RunContext()
  ) throws(BasisError) -> (
    prediction: LinkPrediction, cameTrue: [Bool], quality: RankingQuality
  ) {
    let (old, new) = try stream.past(and: share)
    let complex = try SimplicialComplex(old, in: run)
    let prediction = try predict(
      old, complex, trained: stream, at: share * trainingShare, until: share, in: run)
    let closed = try complex.newTriangles(new, in: run)
    let cameTrue = (0..<prediction.count).map { candidate in
      let ranks = prediction.members(of: candidate).map { complex.rank[$0] }.sorted()
      return closed.contains(SIMD4(ranks[0], ranks[1], ranks[2], -1))
    }
    return (
      prediction, cameTrue, RankingQuality(scores: prediction.scores, cameTrue: cameTrue)
    )
  }

  private func predict(
    _ old: SimplicialStream, trained stream: SimplicialStream, at share: Double,
    in run: RunContext
  ) throws(BasisError) -> LinkPrediction {
    try predict(
      old, SimplicialComplex(old, in: run), trained: stream, at: share, until: 1, in: run)
  }

  private func predict(
    _ old: SimplicialStream, _ complex: SimplicialComplex, trained stream: SimplicialStream,
    at share: Double, until end: Double, in run: RunContext
  ) throws(BasisError) -> LinkPrediction {
    try run.checkCancelled()
    guard alpha > 0, alpha < 1, trainingShare > 0, trainingShare < 1,
      exponent.map({ !$0.isNaN }) ?? true
    else {
      throw BasisError(
        .invalidArgument,
        "higher-order: alpha and trainingShare are between 0 and 1 and an exponent is a number; got "
          + "\(alpha), \(trainingShare) and \(exponent ?? 0)")
    }
    let triangles = try complex.openTriangles(in: run)
    guard !triangles.isEmpty else {
      throw BasisError(
        .badData,
        "of \(complex.presentCount) nodes in \(old.simplexCount) simplices no three met two by two and "
          + "never together: there is nothing to predict")
    }
    let scores = try scores(triangles, complex, stream, at: share, until: end, in: run)
    var nodes: [Int32] = []
    nodes.reserveCapacity(3 * triangles.count)
    for triangle in triangles {
      nodes += [triangle.a, triangle.b, triangle.c].map { complex.node[Int($0)] }.sorted()
    }
    return LinkPrediction(order: 3, nodes: nodes, scores: scores)
  }

  private func scores(
    _ triangles: [SimplicialComplex.Triangle], _ complex: SimplicialComplex,
    _ stream: SimplicialStream, at share: Double, until end: Double, in run: RunContext
  ) throws(BasisError) -> [Double] {
    let local = LocalScores(complex: complex)
    if let exponent {
      return triangles.map { LocalScores.mean(local.weights($0), exponent: exponent) }
    }
    switch score {
    case .katz, .weightedKatz:
      let walks = WalkScores(complex, isWeighted: score == .weightedKatz)
      return Self.sums(triangles, try walks.katz(in: run))
    case .pageRank, .weightedPageRank:
      let walks = WalkScores(complex, isWeighted: score == .weightedPageRank)
      return Self.sums(triangles, try walks.pageRank(alpha: alpha, in: run))
    case .simplicial, .gradient, .curl, .harmonicFlow:
      return try flows(triangles, HodgeOperators(complex), in: run)
    case .supervised:
      return try supervised(triangles, local, stream, at: share, until: end, in: run)
    default:
      return try parallelMap(triangles.count, grain: 4096, in: run) { (_, range) in
        range.map { local.score(triangles[$0], score) ?? 0 }
      }.flatMap { $0 }
    }
  }

  private static func sums(_ triangles: [SimplicialComplex.Triangle], _ values: [Double])
    -> [Double]
  {
    triangles.map { values[Int($0.ab)] + values[Int($0.ac)] + values[Int($0.bc)] }
  }

  /// The sum over ordered pairs of a triangle's edges of what of a walk from one is at the other.
  private func flows(
    _ triangles: [SimplicialComplex.Triangle], _ hodge: HodgeOperators, in run: RunContext
  ) throws(BasisError) -> [Double] {
    var users = [Int: [Int]]()
    for (place, triangle) in triangles.enumerated() {
      for edge in [triangle.ab, triangle.ac, triangle.bc] {
        users[Int(edge), default: []].append(place)
      }
    }
    let edges = users.keys.sorted()
    let (wanted, alpha, use) = (score, alpha, users)
    let parts = try parallelMap(edges.count, grain: 4, in: run) {
      (_, range) throws(BasisError) -> [[Double]] in
      var found: [[Double]] = []
      for place in range {
        try run.checkCancelled()
        let edge = edges[place]
        var flow = hodge.pageRank(from: edge, alpha: alpha)
        if wanted != .simplicial {
          let parts = hodge.decompose(flow)
          flow =
            wanted == .gradient ? parts.gradient : wanted == .curl ? parts.curl : parts.harmonic
        }
        found.append(
          (use[edge] ?? []).map { number in
            let triangle = triangles[number]
            return [triangle.ab, triangle.ac, triangle.bc].reduce(0.0) {
              $0 + (Int($1) == edge ? 0 : abs(flow[Int($1)]))
            }
          })
      }
      return found
    }.flatMap { $0 }
    var scores = [Double](repeating: 0, count: triangles.count)
    for (edge, values) in zip(edges, parts) {
      for (number, value) in zip(users[edge] ?? [], values) { scores[number] += value }
    }
    return scores
  }

  private func supervised(
    _ triangles: [SimplicialComplex.Triangle], _ local: LocalScores, _ stream: SimplicialStream,
    at share: Double, until end: Double, in run: RunContext
  ) throws(BasisError) -> [Double] {
    let (before, after) = stream.split(at: share, until: end)
    let complex = try SimplicialComplex(before, in: run)
    let known = try complex.openTriangles(in: run)
    let closed = try complex.newTriangles(after, in: run)
    let labels = known.map { closed.contains(SIMD4($0.a, $0.b, $0.c, -1)) }
    guard labels.contains(true), labels.contains(false) else {
      throw BasisError(
        .badData,
        "of \(labels.count) triangles that were open at \(share) of the times \(labels.count { $0 }) "
          + "closed until \(end): there is nothing to learn from; use another score")
    }
    let earlier = LocalScores(complex: complex)
    var rows = try Self.features(known, earlier, in: run)
    let scaling = try rows.standardizeColumns(without: [], in: run)
    let model = PenalizedLogistic(rows, labels)
    var asked = try Self.features(triangles, local, in: run)
    let width = asked.columnCount
    asked.withUnsafeMutableFloats { floats in
      guard let base = floats.baseAddress else { return }
      for row in triangles.indices { scaling.apply(to: base + row * width) }
    }
    return model.decisions(asked)
  }

  private static func features(
    _ triangles: [SimplicialComplex.Triangle], _ local: LocalScores, in run: RunContext
  ) throws(BasisError) -> Matrix {
    let parts = try parallelMap(triangles.count, grain: 4096, in: run) { (_, range) -> [Float] in
      range.flatMap { number in local.features(triangles[number]).map { Float($0) } }
    }
    let values = parts.flatMap { $0 }
    return try Matrix(rowCount: triangles.count, columnCount: 26, values: values)
  }
}
