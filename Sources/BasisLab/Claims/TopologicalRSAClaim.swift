public import BasisCore
import BasisMeasures
import BasisNumerics

/// Which layer a network's activations are of is told from the topology of their dissimilarities as well as
/// from their ranks.
public struct TopologicalRSAClaim: Claim {
  public static let statement = ClaimStatement(
    id: 154,
    title:
      "geo-topological summaries of dissimilarities tell layers of networks of other seeds apart, far "
      + "above chance and within a tenth of ranks, with little and moderate noise",
    paper:
      "summaries that keep only topology identify regions as well as geometry does, and some do "
      + "better with noise (figures 3 to 5); figures are those of the description's miniature on "
      + "digits, where none was better at high noise",
    baseline: "ranks of the dissimilarities, and the dissimilarities themselves; chance, a quarter",
    data: "1,797 digits: eight networks of four layers, an eighth of the units seen, 60 images",
    cost: .slow, seedCount: 6,
    breaking: "`isOrdered` off: each network sees the images in an order of its own")

  /// Whether item *i* is the same image for every network.
  public var isOrdered = true
  public var itemCount = 60
  public var networkCount = 8
  /// One of so many units is seen.
  public var unitShare = 8
  /// Noise in standard deviations of a unit's activations.
  public var noises = [0.0, 1, 2]
  var nets: DigitNets = {
    var nets = DigitNets()
    nets.hiddenSizes = [128, 128, 128, 128]
    nets.epochCount = 15
    return nets
  }()

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    claim.nets = .miniature([12, 12, 12, 12])
    (claim.itemCount, claim.networkCount, claim.unitShare) = (16, 4, 2)
    return claim
  }

  public var broken: Self {
    var copy = self
    copy.isOrdered = false
    return copy
  }

  /// What is compared, what was reported of it at each noise, and its thresholds.
  private static let transforms: [(name: String, reported: [Double?], GeoTopological)] = [
    ("rank", [0.69, 0.53, 0.47], GeoTopological(lower: 0, upper: 1)),
    ("wide", [0.69, 0.47, 0.34], GeoTopological(lower: 0.2, upper: 0.8)),
    ("narrow", [0.69, 0.53, 0.31], GeoTopological(lower: 0.4, upper: 0.6)),
    ("local", [nil, 0.56, nil], GeoTopological(lower: 0, upper: 0.3)),
  ]

  public var expectations: [ClaimExpectation] {
    var list: [ClaimExpectation] = []
    for (level, noise) in noises.enumerated() {
      let words = noise == 0 ? "no noise" : "noise of \(noise) sd"
      list.append(
        .init(
          "distances_\(level)", "accuracy, plain dissimilarities, \(words)",
          reported: level < 3 ? [0.63, 0.44, 0.38][level] : nil))
      for (name, reported, _) in Self.transforms {
        list.append(
          .init(
            "\(name)_\(level)", "accuracy, \(name) thresholds, \(words)",
            reported: level < 3 ? reported[level] : nil,
            noise <= 1 && ["wide", "narrow"].contains(name) ? .above(0.4) : nil))
      }
      list.append(.init("geodesic_\(level)", "accuracy, lengths along near neighbours, \(words)"))
      guard noise <= 1 else { continue }
      for name in ["wide", "narrow"] {
        list.append(
          .init(
            "\(name)_over_rank_\(level)", "\(name) less ranks, \(words)", .above(-0.1)))
      }
    }
    return list
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    let split = nets.split(in: run)
    let items = Array(split.test.prefix(itemCount))
    var models: [MultilayerPerceptronModel] = []
    for number in 0..<networkCount { models.append(try nets.train(number, split, in: run)) }
    var numbers: [String: Double] = [:]
    for (level, noise) in noises.enumerated() {
      var generator = run.generator("units that are seen", chunk: level)
      var subjects: [[RDM]] = []
      var geodesics: [[RDM]] = []
      for model in models {
        try run.checkCancelled()
        var order = items
        if !isOrdered { generator.shuffle(&order) }
        var regions: [RDM] = []
        for layer in nets.hiddenSizes.indices {
          let rows = try DigitNets.layer(layer, of: model, order, in: run)
          regions.append(try RDM(seen(rows, noise, &generator, in: run), in: run))
        }
        subjects.append(regions)
        var lengths: [RDM] = []
        for region in regions {
          lengths.append(
            try Geodesic(neighborCount: 5).lengths(of: region, in: run).lengths.ranked())
        }
        geodesics.append(lengths)
      }
      let regions = try RepresentationIdentification(subjects)
      for (name, _, transform) in Self.transforms {
        numbers["\(name)_\(level)"] = try regions.accuracy(transform)
      }
      numbers["distances_\(level)"] = try RepresentationIdentification.accuracy(of: subjects)
      numbers["geodesic_\(level)"] = try RepresentationIdentification.accuracy(of: geodesics)
      guard noise <= 1 else { continue }
      let rank = numbers["rank_\(level)"] ?? .nan
      for name in ["wide", "narrow"] {
        numbers["\(name)_over_rank_\(level)"] = (numbers["\(name)_\(level)"] ?? .nan) - rank
      }
    }
    return numbers
  }

  /// Some of the units, with noise of their own spread.
  private func seen(
    _ rows: Matrix, _ noise: Double, _ generator: inout RandomGenerator, in run: RunContext
  ) throws(BasisError) -> Matrix {
    let count = max(1, rows.columnCount / unitShare)
    let units = generator.sample(count, of: rows.columnCount)
    let spreads = try Statistics.columnMoments(of: rows, in: run).map {
      $0.populationVariance.squareRoot()
    }
    var result = Matrix(rowCount: rows.rowCount, columnCount: count)
    for row in 0..<rows.rowCount {
      for (place, unit) in units.enumerated() {
        let error = noise == 0 ? 0 : noise * spreads[unit] * generator.nextGaussian()
        result[row, place] = rows[row, unit] + Float(error)
      }
    }
    return result
  }
}
