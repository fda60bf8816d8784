public import BasisCore

/// Every claim, by the number of its paper.
public enum ClaimCatalogue {
  /// Each a line. In the order of their numbers.
  public static let claims: [any Claim] = [
    FeatureCodingClaim(),
    KMedoidsClaim(),
    OutRankClaim(),
    FastPAMClaim(),
    ConvergentLearningClaim(),
    SimplicialClosureClaim(),
    SamplePoolClaim(),
    SMOTEClaim(),
    HeadRefereeClaim(),
    StorageCompressionClaim(),
    PretrainingClaim(),
    ForestClaim(),
    TAROTClaim(),
    ModelEvaluationClaim(),
    PrefixClaim(),
    RelativeRepresentationClaim(),
    TopologicalRSAClaim(),
    ContrastiveTemperatureClaim(),
    ZIPFITClaim(),
    TesterLearnerClaim(),
    FastRPClaim(),
    BiGranularClaim(),
    RecurrentBinaryClaim(),
    RankMeClaim(),
    OneStepDescentClaim(),
    CoverageCoresetClaim(),
    MahalanobisClaim(),
    SimCoreClaim(),
  ]

  /// Papers whose methods are here and whose claims are still to be written.
  public static let unclaimed: Set<Int> = []

  /// - Throws: `.invalidArgument` with the numbers that there are.
  public static func claim(_ id: Int) throws(BasisError) -> any Claim {
    guard let claim = find(id) else {
      throw BasisError(
        .invalidArgument,
        "there is no claim \(id); there are "
          + claims.map { "\(type(of: $0).statement.id)" }.joined(separator: ", "))
    }
    return claim
  }

  /// The claim of a paper, or nil.
  public static func find(_ id: Int) -> (any Claim)? {
    claims.first { type(of: $0).statement.id == id }
  }
}
