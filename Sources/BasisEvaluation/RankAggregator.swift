public import BasisCore
import BasisNumerics

/// One score a model from a pool's results; higher is better.
///
/// Which one when. Where models met the same samples, or gaps are random, ``MeanScore`` is as good as any and
/// the easiest to explain; beyond nine missing in ten it is better. Where each model met samples of another
/// hardness only what compares within samples is fair: ``PlackettLuce`` without ties, or ``Rasch``, which also
/// learns how hard each sample is. ``Elo`` depends on the order of the samples and is here to be compared with.
public protocol RankAggregator: Settings {
  /// For reports.
  var name: String { get }

  /// - Parameters:
  ///   - results: of a pool.
  ///   - weights: how often each sample counts, as in a bootstrap; nil for once.
  ///   - run: the seed.
  /// - Returns: a score a model; NaN for one without results.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` where these results have no such
  ///   scores; `.cancelled`.
  func scores(_ results: PooledResults, weights: [Int]?, in run: RunContext) throws(BasisError)
    -> [Double]
}

/// The strengths that make what happened likeliest, if *i* beats *j* with probability
/// e^θᵢ / (e^θᵢ + e^θⱼ).
///
/// Every sample is an order of the models that met it, taken pair by pair: only order counts, so that samples
/// of different scales never mix. Newton's method on the log-likelihood, which is concave; a normal prior
/// keeps it finite where the results alone do not. Scores have mean 0 over models with results.
///
/// Bradley & Terry, Biometrika 39 (1952), doi:10.2307/2334029; Plackett, JRSS C 24 (1975); Maystre &
/// Grossglauser, *Fast and accurate inference of Plackett–Luce models*, NIPS 2015. The estimate of ONEBench's
/// reference code is that of `ties: .both` with `lambda` 0.
public struct PlackettLuce: RankAggregator {
  public enum Ties: String, Sendable, Hashable, Codable, CaseIterable {
    /// Left out: samples that all get right or wrong say nothing.
    case ignored
    /// Half a win for each.
    case half
    /// A win for each. Pulls models together that meet easy samples.
    case both
  }

  public var ties: Ties
  /// Of the prior λ/2 Σ θ², at least 0. With 0 the results must connect all models both ways.
  public var lambda: Double

  public init(ties: Ties = .ignored, lambda: Double = 0.1) {
    self.ties = ties
    self.lambda = lambda
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    ties = try values.decodeIfPresent(Ties.self, forKey: .ties) ?? ties
    lambda = try values.decodeIfPresent(Double.self, forKey: .lambda) ?? lambda
  }

  public var name: String {
    ties == .ignored ? "Plackett–Luce" : "Plackett–Luce, ties \(ties.rawValue)"
  }

  public func scores(_ results: PooledResults, weights: [Int]?, in run: RunContext)
    throws(BasisError) -> [Double]
  {
    try fit(results.duels(weights: weights), resultCounts: results.resultCounts, in: run).scores
  }

  /// What Newton's method found.
  public struct Fit: Sendable, Hashable {
    public var scores: [Double]
    public var iterationCount: Int
    /// Of the penalised log-likelihood's slope, the largest; near 0 at the end.
    public var largestSlope: Double
    public var isConverged: Bool
  }

  /// - Parameters:
  ///   - results: of a pool.
  ///   - run: cancellation.
  /// - Throws: as ``scores(_:weights:in:)``.
  public func fit(_ results: PooledResults, in run: RunContext) throws(BasisError) -> Fit {
    try fit(results.duels(), resultCounts: results.resultCounts, in: run)
  }

  /// The same of counted wins.
  ///
  /// - Parameters:
  ///   - wins: row *i*, column *j*: how often *i* beat *j*; ties are in it as wins.
  ///   - run: cancellation.
  /// - Throws: as ``scores(_:weights:in:)``; `.dimensionMismatch` for rows of another length.
  public func fit(wins: [[Double]], in run: RunContext) throws(BasisError) -> Fit {
    let n = wins.count
    for (row, own) in wins.enumerated() where own.count != n {
      throw BasisError(
        .dimensionMismatch, "row \(row) of the wins has \(own.count) values, wanted \(n)")
    }
    let duels = PooledResults.Duels(
      count: n, wins: wins.flatMap { $0 }, ties: Array(repeating: 0, count: n * n))
    return try fit(duels, resultCounts: Array(repeating: 1, count: n), in: run)
  }

  func fit(_ duels: PooledResults.Duels, resultCounts: [Int], in run: RunContext)
    throws(BasisError) -> Fit
  {
    guard lambda >= 0, lambda.isFinite else {
      throw BasisError(.invalidArgument, "Plackett–Luce's lambda is at least 0, not \(lambda)")
    }
    let all = duels.count
    let kept = (0..<all).filter { resultCounts[$0] > 0 }
    let n = kept.count
    guard n > 0 else {
      return Fit(
        scores: Array(repeating: .nan, count: all), iterationCount: 0, largestSlope: 0,
        isConverged: true)
    }
    let share = ties == .ignored ? 0 : ties == .half ? 0.5 : 1
    var wins = [Double](repeating: 0, count: n * n)
    for (i, own) in kept.enumerated() {
      for (j, other) in kept.enumerated() where i != j {
        wins[i * n + j] = duels.wins[own * all + other] + share * duels.ties[own * all + other]
      }
    }
    if lambda == 0, n > 1, BeatsGraph(count: n, wins: wins).componentCount > 1 {
      throw BasisError(
        .badData,
        "the results do not connect all models both ways, so that there is no likeliest order; take "
          + "lambda above 0, and look at the components")
    }
    var fit = try newton(wins, n, in: run)
    let mean = fit.scores.reduce(0, +) / Double(n)
    var scores = [Double](repeating: .nan, count: all)
    for (place, model) in kept.enumerated() { scores[model] = fit.scores[place] - mean }
    fit.scores = scores
    return fit
  }

  /// Σ Wᵢⱼ ln σ(θᵢ − θⱼ) − λ/2 Σ θ².
  private func value(_ wins: [Double], _ theta: [Double]) -> Double {
    let n = theta.count
    var sum = 0.0
    for i in 0..<n {
      for j in 0..<n where wins[i * n + j] > 0 {
        let gap = theta[i] - theta[j]
        // ln σ(x) without overflow.
        sum -= wins[i * n + j] * (max(0, -gap) + logarithm(1 + exponential(-abs(gap))))
      }
    }
    return sum - lambda / 2 * theta.reduce(0) { $0 + $1 * $1 }
  }

  private func newton(_ wins: [Double], _ n: Int, in run: RunContext) throws(BasisError) -> Fit {
    var theta = [Double](repeating: 0, count: n)
    var current = value(wins, theta)
    let scale = max(1, wins.reduce(0, +))
    var fit = Fit(scores: theta, iterationCount: 0, largestSlope: 0, isConverged: false)
    for _ in 0..<100 {
      try run.checkCancelled()
      let (slope, curvature) = derivatives(wins, theta)
      fit.largestSlope = slope.map { abs($0) }.max() ?? 0
      if fit.largestSlope <= 1e-12 * scale {
        fit.isConverged = true
        break
      }
      let step = solvePositiveDefinite(curvature, slope)
      var length = 1.0
      var moved = theta
      var next = -Double.infinity
      // Concave, so that a short enough step rises; whole ones mostly do. Near the end a step changes the
      // value by less than its rounding.
      let floor = current - 0x1p-44 * max(1, abs(current))
      while length > 1e-9 {
        for i in 0..<n { moved[i] = theta[i] + length * step[i] }
        next = value(wins, moved)
        if next >= floor { break }
        length /= 2
      }
      fit.iterationCount += 1
      guard next >= floor else { break }
      (theta, current) = (moved, next)
    }
    fit.scores = theta
    return fit
  }

  private func derivatives(_ wins: [Double], _ theta: [Double]) -> (
    slope: [Double], curvature: [Double]
  ) {
    let n = theta.count
    var slope = theta.map { -lambda * $0 }
    // Where there is no prior the curvature is singular along equal shifts; this fills that direction
    // and no other.
    let fill = lambda > 0 ? 0 : 1 / Double(n)
    var curvature = [Double](repeating: fill, count: n * n)
    for i in 0..<n { curvature[i * n + i] += lambda }
    for i in 0..<n {
      for j in 0..<i {
        let (forth, back) = (wins[i * n + j], wins[j * n + i])
        guard forth + back > 0 else { continue }
        let p = 1 / (1 + exponential(theta[j] - theta[i]))
        let pull = forth * (1 - p) - back * p
        slope[i] += pull
        slope[j] -= pull
        let weight = (forth + back) * p * (1 - p)
        curvature[i * n + i] += weight
        curvature[j * n + j] += weight
        curvature[i * n + j] -= weight
        curvature[j * n + i] -= weight
      }
    }
    return (slope, curvature)
  }
}

/// Which models can be compared: an arrow from each to those that it beat.
struct BeatsGraph {
  /// Of each model, the number of its strongly connected component: within one, each has beaten each
  /// other, if by way of others.
  let components: [Int]
  let componentCount: Int

  /// - Parameters:
  ///   - count: of models.
  ///   - wins: `count × count`.
  init(count: Int, wins: [Double]) {
    // Everybody who is reached from a model, and everybody who reaches it: components by their meeting.
    func reached(_ start: Int, backwards: Bool, among open: [Bool]) -> [Bool] {
      var seen = [Bool](repeating: false, count: count)
      var stack = [start]
      seen[start] = true
      while let i = stack.popLast() {
        for j in 0..<count where !seen[j] && open[j] {
          if (backwards ? wins[j * count + i] : wins[i * count + j]) > 0 {
            seen[j] = true
            stack.append(j)
          }
        }
      }
      return seen
    }
    var components = [Int](repeating: -1, count: count)
    var open = [Bool](repeating: true, count: count)
    var next = 0
    for start in 0..<count where components[start] < 0 {
      let (forth, back) = (
        reached(start, backwards: false, among: open), reached(start, backwards: true, among: open)
      )
      for j in 0..<count where forth[j] && back[j] {
        components[j] = next
        open[j] = false
      }
      next += 1
    }
    self.components = components
    componentCount = next
  }
}

/// The mean of the values that are there.
public struct MeanScore: RankAggregator {
  /// Whether each set's means are first stretched from 0, for its worst model, to 1, and then averaged over
  /// sets: for values of different scales.
  public var isBySet: Bool

  public init(isBySet: Bool = false) { self.isBySet = isBySet }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    isBySet = try values.decodeIfPresent(Bool.self, forKey: .isBySet) ?? false
  }

  public var name: String { isBySet ? "mean of sets" : "mean" }

  public func scores(_ results: PooledResults, weights: [Int]?, in run: RunContext)
    throws(BasisError) -> [Double]
  {
    let (n, sets) = (results.modelCount, isBySet ? max(1, results.setCount) : 1)
    var sums = [Double](repeating: 0, count: n * sets)
    var counts = sums
    for row in 0..<results.sampleCount {
      let weight = Double(weights?[row] ?? 1)
      let set = isBySet ? results.sets[row] : 0
      for cell in results.offsets[row]..<results.offsets[row + 1] {
        let place = set * n + Int(results.models[cell])
        sums[place] += weight * results.values[cell]
        counts[place] += weight
      }
    }
    guard isBySet else { return (0..<n).map { counts[$0] > 0 ? sums[$0] / counts[$0] : .nan } }
    var totals = [Double](repeating: 0, count: n)
    var parts = totals
    for set in 0..<sets {
      let met = (0..<n).filter { counts[set * n + $0] > 0 }
      let means = met.map { sums[set * n + $0] / counts[set * n + $0] }
      guard let low = means.min(), let high = means.max() else { continue }
      for (model, mean) in zip(met, means) {
        totals[model] += high > low ? (mean - low) / (high - low) : 0.5
        parts[model] += 1
      }
    }
    return (0..<n).map { parts[$0] > 0 ? totals[$0] / parts[$0] : .nan }
  }
}

/// The mean over samples of the share of the other models that were beaten, ties half.
public struct Borda: RankAggregator {
  public init() {}

  public var name: String { "Borda" }

  public func scores(_ results: PooledResults, weights: [Int]?, in run: RunContext)
    throws(BasisError) -> [Double]
  {
    var sums = [Double](repeating: 0, count: results.modelCount)
    var counts = sums
    for row in 0..<results.sampleCount {
      let weight = Double(weights?[row] ?? 1)
      let shares = Self.shares(results, row)
      for (place, cell) in (results.offsets[row]..<results.offsets[row + 1]).enumerated() {
        sums[Int(results.models[cell])] += weight * shares[place]
        counts[Int(results.models[cell])] += weight
      }
    }
    return sums.indices.map { counts[$0] > 0 ? sums[$0] / counts[$0] : .nan }
  }

  /// For each model that met a sample the share of the others that it beat.
  static func shares(_ results: PooledResults, _ row: Int) -> [Double] {
    let own = Array(results.values[results.offsets[row]..<results.offsets[row + 1]])
    let others = Double(own.count - 1)
    return Statistics.ranks(own).map { ($0 - 1) / others }
  }
}

/// Ratings that move with each duel, as in chess: K = 4, a step of ten in odds for 400 points.
///
/// Elo, *The Rating of Chessplayers* (1978). Depends on the order of the duels, which is drawn.
public struct Elo: RankAggregator {
  /// The largest change in a duel, above 0.
  public var step: Double

  public init(step: Double = 4) { self.step = step }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    step = try values.decodeIfPresent(Double.self, forKey: .step) ?? 4
  }

  public var name: String { "Elo" }

  public func scores(_ results: PooledResults, weights: [Int]?, in run: RunContext)
    throws(BasisError) -> [Double]
  {
    guard step > 0, step.isFinite else {
      throw BasisError(.invalidArgument, "Elo's step is above 0, not \(step)")
    }
    var generator = run.generator("order of the duels")
    var order: [Int] = []
    for row in 0..<results.sampleCount {
      for _ in 0..<(weights?[row] ?? 1) { order.append(row) }
    }
    generator.shuffle(&order)
    var ratings = [Double](repeating: 1000, count: results.modelCount)
    for (number, row) in order.enumerated() {
      if number % 1024 == 0 { try run.checkCancelled() }
      var cells = Array(results.offsets[row]..<results.offsets[row + 1])
      generator.shuffle(&cells)
      for (place, a) in cells.enumerated() {
        for b in cells[..<place] { duel(results, a, b, &ratings) }
      }
    }
    return ratings.indices.map { results.resultCounts[$0] > 0 ? ratings[$0] : .nan }
  }

  private func duel(_ results: PooledResults, _ a: Int, _ b: Int, _ ratings: inout [Double]) {
    let (i, j) = (Int(results.models[a]), Int(results.models[b]))
    let (x, y) = (results.values[a], results.values[b])
    let expected = 1 / (1 + exponential((ratings[j] - ratings[i]) * logarithm(10) / 400))
    let change = step * ((x > y ? 1 : x < y ? 0 : 0.5) - expected)
    ratings[i] += change
    ratings[j] -= change
  }
}

/// Abilities of models and difficulties of samples, learnt together: a model gets a sample right with
/// probability σ(ability − difficulty), one parameter of item response theory.
///
/// Both have normal priors, and each is improved in turn by Newton's steps. Of samples that are not binary the
/// share of other models that were beaten stands for right.
///
/// Rasch, *Probabilistic Models for Some Intelligence and Attainment Tests* (1960).
public struct Rasch: RankAggregator {
  /// Of the abilities' prior, at least 0.
  public var lambda: Double
  /// Of the difficulties' prior, above 0: a sample that all get right has no finite difficulty. Where models
  /// met samples of other hardness a stronger prior takes the samples' difficulty for the models' weakness.
  public var sampleLambda: Double
  /// Rounds over models and samples, at least 1.
  public var maxIterations: Int

  public init(lambda: Double = 0.1, sampleLambda: Double = 0.01, maxIterations: Int = 100) {
    self.lambda = lambda
    self.sampleLambda = sampleLambda
    self.maxIterations = maxIterations
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    lambda = try values.decodeIfPresent(Double.self, forKey: .lambda) ?? lambda
    sampleLambda = try values.decodeIfPresent(Double.self, forKey: .sampleLambda) ?? sampleLambda
    maxIterations = try values.decodeIfPresent(Int.self, forKey: .maxIterations) ?? maxIterations
  }

  public var name: String { "Rasch" }

  public func scores(_ results: PooledResults, weights: [Int]?, in run: RunContext)
    throws(BasisError) -> [Double]
  {
    guard lambda >= 0, sampleLambda > 0, maxIterations >= 1 else {
      throw BasisError(
        .invalidArgument,
        "Rasch's priors are at least 0 and above 0, its rounds at least 1; got \(lambda), "
          + "\(sampleLambda) and \(maxIterations)")
    }
    let answers = Self.answers(results)
    var abilities = [Double](repeating: 0, count: results.modelCount)
    var difficulties = [Double](repeating: 0, count: results.sampleCount)
    for _ in 0..<maxIterations {
      try run.checkCancelled()
      improve(&difficulties, abilities, results, answers)
      let change = improve(&abilities, difficulties, results, answers, weights)
      if change < 1e-7 { break }
    }
    return abilities.indices.map { results.resultCounts[$0] > 0 ? abilities[$0] : .nan }
  }

  private static func answers(_ results: PooledResults) -> [Double] {
    var answers = results.values
    for row in 0..<results.sampleCount {
      let cells = results.offsets[row]..<results.offsets[row + 1]
      if results.isBinary[row] { continue }
      for (cell, share) in zip(cells, Borda.shares(results, row)) { answers[cell] = share }
    }
    return answers
  }

  private func improve(
    _ difficulties: inout [Double], _ abilities: [Double], _ results: PooledResults,
    _ answers: [Double]
  ) {
    for row in 0..<results.sampleCount {
      var slope = -sampleLambda * difficulties[row]
      var curvature = sampleLambda
      for cell in results.offsets[row]..<results.offsets[row + 1] {
        let gap = abilities[Int(results.models[cell])] - difficulties[row]
        let p = 1 / (1 + exponential(-gap))
        slope -= answers[cell] - p
        curvature += p * (1 - p)
      }
      difficulties[row] += max(-1, min(1, slope / curvature))
    }
  }

  /// - Returns: the largest change.
  private func improve(
    _ abilities: inout [Double], _ difficulties: [Double], _ results: PooledResults,
    _ answers: [Double], _ weights: [Int]?
  ) -> Double {
    var slopes = abilities.map { -lambda * $0 }
    var curvatures = [Double](repeating: max(lambda, 1e-9), count: abilities.count)
    for row in 0..<results.sampleCount {
      let weight = Double(weights?[row] ?? 1)
      guard weight > 0 else { continue }
      for cell in results.offsets[row]..<results.offsets[row + 1] {
        let model = Int(results.models[cell])
        let p = 1 / (1 + exponential(difficulties[row] - abilities[model]))
        slopes[model] += weight * (answers[cell] - p)
        curvatures[model] += weight * p * (1 - p)
      }
    }
    var largest = 0.0
    for model in abilities.indices {
      let change = max(-1, min(1, slopes[model] / curvatures[model]))
      abilities[model] += change
      largest = max(largest, abs(change))
    }
    return largest
  }
}

extension RankAggregator where Self == PlackettLuce {
  public static func plackettLuce(ties: PlackettLuce.Ties = .ignored, lambda: Double = 0.1) -> Self
  {
    PlackettLuce(ties: ties, lambda: lambda)
  }
}
extension RankAggregator where Self == MeanScore {
  public static var mean: Self { MeanScore() }
}
extension RankAggregator where Self == Elo {
  public static var elo: Self { Elo() }
}
extension RankAggregator where Self == Rasch {
  public static var rasch: Self { Rasch() }
}
extension RankAggregator where Self == Borda {
  public static var borda: Self { Borda() }
}
