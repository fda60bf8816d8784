public import BasisCore

/// Looks for the settings of ``FastRP`` that some task likes best, by random search: the degree exponent
/// uniform in −1 … 0, the weight of the last hop log-uniform in 1 … 64, as the authors do.
public struct HopTuner: Settings {
  /// A choice, and how the task liked it.
  public struct Trial: Sendable, Hashable {
    public var settings: FastRP
    /// Higher is better.
    public var score: Double
  }

  /// Settings that are tried beside the given ones, at least 1.
  public var trialCount: Int

  public init(trialCount: Int = 20) { self.trialCount = trialCount }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    trialCount = try values.decodeIfPresent(Int.self, forKey: .trialCount) ?? 20
  }

  /// - Parameters:
  ///   - graph: to embed.
  ///   - start: the first that is tried; the others keep all but β and the hops' weights, of which only
  ///     the last two are not 0, in its proportions.
  ///   - run: the seed of the search and of every trial.
  ///   - score: of an embedding, on labels that later tests do not use; higher is better.
  /// - Returns: all trials, best first.
  /// - Throws: `.invalidArgument` for no trial; what embedding and scoring throw.
  public func search(
    _ graph: CSRGraph, from start: FastRP = FastRP(), in run: RunContext,
    score: (NodeEmbedding) throws(BasisError) -> Double
  ) throws(BasisError) -> [Trial] {
    guard trialCount >= 1 else {
      throw BasisError(.invalidArgument, "a search needs 1 trial at least, not \(trialCount)")
    }
    var trials: [Trial] = []
    var generator = run.generator("hop tuner")
    for number in 0...trialCount {
      var settings = start
      if number > 0 {
        settings.degreeExponent = -generator.nextDouble()
        let last = exponential(generator.nextDouble() * logarithm(64.0))
        let count = start.hopWeights.count
        settings.hopWeights = (0..<count).map { $0 == count - 1 ? last : $0 == count - 2 ? 1 : 0 }
      }
      run.report("trials", number, of: trialCount + 1)
      let found = try settings.embed(graph, in: run.silent)
      trials.append(Trial(settings: settings, score: try score(found)))
    }
    run.report("trials", trialCount + 1, of: trialCount + 1)
    // The first of equals.
    return trials.enumerated().sorted {
      ($1.element.score, $0.offset) < ($0.element.score, $1.offset)
    }.map(\.element)
  }
}
