/// What a test of a hypothesis found.
public struct TestOutcome: Sendable, Hashable, Codable {
  /// The test, in words.
  public var name: String
  /// What it compares with its distribution; its meaning is the test's. NaN where there is none.
  public var statistic: Double
  /// Of the distribution: none, one or two.
  public var degreesOfFreedom: [Double]
  /// The probability of such a statistic, or one farther off, if there is no difference. NaN where the
  /// test is undefined, because nothing differs; ``warnings`` say so.
  public var p: Double
  /// Whether the probability is counted rather than taken from a limit.
  public var isExact: Bool
  /// Where it is not to be trusted, and why.
  public var warnings: [String]

  public init(
    _ name: String, statistic: Double, degreesOfFreedom: [Double] = [], p: Double,
    isExact: Bool = false, warnings: [String] = []
  ) {
    self.name = name
    self.statistic = statistic
    self.degreesOfFreedom = degreesOfFreedom
    self.p = p
    self.isExact = isExact
    self.warnings = warnings
  }

  static func equal(_ name: String, _ what: String) -> TestOutcome {
    TestOutcome(name, statistic: .nan, p: .nan, warnings: ["\(what); p is undefined"])
  }
}
