public import BasisCore
import BasisGraphs
import BasisNumerics
import Foundation

/// Ties that were strong, and many, come before a group; and the means of three ties tell so better than
/// long paths.
public struct SimplicialClosureClaim: Claim {
  /// The groups in time.
  public enum Source: String, Sendable, Hashable, Codable {
    /// Circles whose members meet in twos and threes, and strangers who do by chance; made by the claim.
    case circles
    /// Mails, from the folder `simplicial-email-enron` of the data sets (`BASIS_DATA`).
    case enron
    /// Pupils who stand together, from `simplicial-contact-high-school`.
    case contact
    /// Classes of drugs, from `simplicial-ndc-classes`.
    case drugs
  }

  public static let statement = ClaimStatement(
    id: 39,
    title:
      "three who met two by two meet as a group the sooner the stronger their ties are, and a mean of "
      + "the three ties puts such triangles in order better than paths through the whole network",
    paper:
      "closure rises with the strength and the number of ties in all but a few of 19 data sets "
      + "(figure 3), and local means win over Katz and PageRank in most (table 1)",
    baseline:
      "any order, which has the base rate; Katz scores of all paths; numbers of acquaintances",
    data:
      "150 people in 30 circles of 5 who meet 6,000 times in twos and threes, a third by chance",
    seedCount: 5, breaking: "`forgets`: whoever meets late is chosen by chance")

  public var source = Source.circles
  /// Whether the future has nothing of the past.
  public var forgets = false
  public var personCount = 150
  public var circleCount = 30
  public var circleSize = 5
  public var meetingCount = 6000
  /// Of meetings, those by chance.
  public var chance = 0.35
  /// Of meetings within a circle, those of three.
  public var ofThree = 0.05

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.personCount, claim.circleCount, claim.meetingCount) = (60, 12, 1500)
    claim.ofThree = 0.15
    return claim
  }

  public var broken: SimplicialClosureClaim {
    var copy = self
    copy.forgets = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    func score(_ name: String, _ meaning: String, _ values: [Double]) -> ClaimExpectation {
      let place = [Source.enron: 0, .contact: 1, .drugs: 2][source]
      let text = "average precision over random of \(meaning)"
      guard let place else { return .init(name, text) }
      return .reported(name, text, values[place], within: 0.02)
    }
    return [
      source == .circles
        ? .init(
          "geometric", "average precision over random of the geometric mean of ties", .above(1.5))
        : score("geometric", "the geometric mean of ties", [1.40, 3.95, 1.57]),
      score("harmonic", "their harmonic mean", [1.31, 3.56, 1.45]),
      score("arithmetic", "their arithmetic mean", [1.36, 2.68, 1.12]),
      score("attachment", "the product of numbers of acquaintances", [1.52, 1.02, 0.87]),
      score("common", "the number of common acquaintances", [1.14, 1.75, 1.10]),
      score("adamic_adar", "the same by Adamic and Adar", [1.19, 1.80, 0.91]),
      score("jaccard", "the same by Jaccard", [1.25, 2.04, 0.84]),
      .init("katz", "average precision over random of Katz scores without weights"),
      .init(
        "above_katz", "of the geometric mean above that of Katz scores", .above(0)),
      .init(
        "strength",
        "log of how much likelier a triangle of three strong ties closes than one of weak",
        source == .circles ? .above(0.5) : nil),
      .init(
        "density", "log of how much likelier three strong ties close than two",
        source == .circles ? .above(0.5) : nil),
      .init("base_rate", "open triangles that close"),
      .init("supervised", "average precision over random of the logistic regression"),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    let stream = try stream(in: run)
    var numbers: [String: Double] = [:]
    let scores: [(String, HigherOrderScore)] = [
      ("geometric", .geometric), ("harmonic", .harmonic), ("arithmetic", .arithmetic),
      ("attachment", .attachment), ("common", .common), ("adamic_adar", .adamicAdar),
      ("jaccard", .jaccard), ("katz", .katz), ("supervised", .supervised),
    ]
    for (name, score) in scores {
      do throws(BasisError) {
        let quality = try HigherOrderLinkPredictor(score).evaluate(stream, in: run).quality
        numbers[name] = quality.averagePrecisionOverRandom
        numbers["base_rate"] = quality.baseRate
      } catch {
        // Nothing closed early enough to learn from.
        guard score == .supervised, error.code == .badData else { throw error }
        numbers[name] = .nan
      }
    }
    numbers["above_katz"] = (numbers["geometric"] ?? .nan) - (numbers["katz"] ?? .nan)
    let table = try ClosureTable(stream, in: run)
    func logProbability(_ key: [Int]) -> Double {
      let row = table.rows.first { $0.key == key }
      // As if half of one more had closed, so that there is a logarithm.
      return logarithm((Double(row?.closedCount ?? 0) + 0.5) / (Double(row?.openCount ?? 0) + 1))
    }
    numbers["strength"] = logProbability([2, 2, 2]) - logProbability([1, 1, 1])
    numbers["density"] = logProbability([2, 2, 2]) - logProbability([0, 2, 2])
    return numbers
  }

  private func stream(in run: RunContext) throws(BasisError) -> SimplicialStream {
    let root = ProcessInfo.processInfo.environment["BASIS_DATA"] ?? "../shared/data"
    switch source {
    case .circles: return try made(in: run)
    case .enron: return try SimplicialStream(folder: root + "/simplicial-email-enron")
    case .contact: return try SimplicialStream(folder: root + "/simplicial-contact-high-school")
    case .drugs: return try SimplicialStream(folder: root + "/simplicial-ndc-classes")
    }
  }

  private func made(in run: RunContext) throws(BasisError) -> SimplicialStream {
    var generator = run.generator("meetings")
    var circles: [[Int]] = []
    for _ in 0..<circleCount { circles.append(generator.sample(circleSize, of: personCount)) }
    var (sizes, nodes): ([Int], [Int]) = ([], [])
    for time in 0..<meetingCount {
      let isLost = forgets && 5 * time >= 4 * meetingCount
      let isChance = generator.nextDouble() < chance
      let size = generator.nextDouble() < ofThree ? 3 : 2
      // Some circles meet far more often than others.
      let place = Double(circleCount) * power(generator.nextDouble(), 2)
      let circle = circles[min(circleCount - 1, Int(place))]
      let people = generator.sample(size, of: isChance || isLost ? personCount : circleSize)
      sizes.append(size)
      nodes += isChance || isLost ? people : people.map { circle[$0] }
    }
    return try SimplicialStream(sizes: sizes, nodes: nodes, times: Array(0..<meetingCount))
  }
}
