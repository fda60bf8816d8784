import BasisAlignment
public import BasisCore
import BasisNumerics

/// A classifier of similarities to anchors, trained on one network, reads another that it has never seen;
/// things are found across the two, though a map from the same anchors finds more.
public struct RelativeRepresentationClaim: Claim {
  public static let statement = ClaimStatement(
    id: 126,
    title:
      "similarities to 200 anchors carry a classifier from one network to another without training, "
      + "where the activations themselves carry nothing; for finding things across, maps fitted to the "
      + "same anchors are better",
    paper:
      "zero-shot stitching keeps nearly all accuracy and absolute representations fall to chance "
      + "(tables 2 to 5); figures are those of the description's miniature on digits",
    baseline: "the activations as they are; rotations and linear maps fitted to the same anchors",
    data: "1,797 digits, layers of 64 of networks from different seeds", seedCount: 8,
    breaking: "`isPaired` off: the anchors of the second network are in another order")

  /// Whether anchor *i* is the same image for both networks.
  public var isPaired = true
  /// Anchors, at most as many as images that are trained on.
  public var anchorCount = 200
  /// Few anchors, for which it counts which they are.
  public var fewCount = 20
  /// Passes of each of the networks by which similarity and stitching are compared.
  public var lengths = [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12, 16, 20]
  var nets = DigitNets()

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    claim.nets = .miniature([16])
    (claim.anchorCount, claim.fewCount, claim.lengths) = (40, 5, [0, 1, 2])
    return claim
  }

  public var broken: Self {
    var copy = self
    copy.isPaired = false
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "stitched", "accuracy of a head on the other network, relative", reported: 0.96,
        .above(0.9)),
      .init("stitched_absolute", "the same, absolute", reported: 0.06, .below(0.3)),
      .init("own", "the same head on its own network", reported: 0.97),
      .init("stitched_procrustes", "the same, by a rotation", reported: 0.97, .above(0.9)),
      .init(
        "mrr_absolute", "mean reciprocal rank of the same image, absolute", reported: 0.01,
        .below(0.1)),
      .init("mrr_relative", "the same, relative", reported: 0.67, .above(0.4)),
      .init("mrr_centered", "the same, anchors' mean taken off", reported: 0.70, .above(0.4)),
      .init("mrr_procrustes", "the same, by a rotation", reported: 0.94),
      .init("mrr_affine", "the same, by least squares", reported: 0.99),
      .init("mrr_inverse", "the same, back from similarities"),
      .init(
        "maps_gain", "rotation less relative, centred", reported: 0.24, .above(0)),
      .init(
        "anchors_gain", "mean reciprocal rank: all anchors less few", .above(0)),
      .init("farthest_gain", "few anchors: farthest less uniform", .above(0)),
      .init("kmeans_gain", "few anchors: k-means less uniform", .above(0)),
      .init(
        "similarity_correlation",
        "rank correlation of the spaces' similarity and stitched accuracy over networks",
        .above(0.7)),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    let split = nets.split(in: run)
    let first = try Layer(nets.train(0, split, in: run), split, in: run)
    let second = try Layer(nets.train(1, split, in: run), split, in: run)
    var generator = run.generator("anchors of a claim")
    let chosen = generator.sample(min(anchorCount, split.train.count), of: split.train.count)
    let pairs = try paired(first, second, chosen, in: run)
    var numbers = try retrieval(first, second, pairs, in: run)
    try stitch(first, second, pairs, split, &numbers, in: run)
    try choice(first, second, split, &numbers, in: run)
    numbers["similarity_correlation"] = try similarity(first, pairs, chosen, split, in: run)
    return numbers
  }

  /// What a network's layer gives.
  private struct Layer {
    let train: Matrix
    let test: Matrix

    init(_ model: MultilayerPerceptronModel, _ split: DigitNets.Split, in run: RunContext)
      throws(BasisError)
    {
      train = try DigitNets.layer(0, of: model, split.train, in: run)
      test = try DigitNets.layer(0, of: model, split.test, in: run)
    }
  }

  /// Anchors of the other network, brought to this one.
  private func paired(_ first: Layer, _ second: Layer, _ chosen: [Int], in run: RunContext)
    throws(BasisError) -> PairedRows
  {
    var others = chosen
    if !isPaired {
      var generator = run.generator("anchors in another order")
      generator.shuffle(&others)
    }
    return try PairedRows(
      second.train.selecting(rows: others), first.train.selecting(rows: chosen))
  }

  private func reciprocal(
    _ map: some FittedAligner, _ first: Layer, _ second: Layer, in run: RunContext
  ) throws(BasisError) -> Double {
    try CrossSpaceReport(
      map.map(second.test, from: .first, in: run), map.map(first.test, from: .second, in: run),
      in: run
    ).meanReciprocalRank
  }

  private func retrieval(
    _ first: Layer, _ second: Layer, _ pairs: PairedRows, in run: RunContext
  ) throws(BasisError) -> [String: Double] {
    let plain = try RelativeProjection(isCentered: false).fit(pairs, in: run)
    let centered = try RelativeProjection().fit(pairs, in: run)
    let inverse = try InverseRelativeAligner().fit(pairs, in: run)
    var numbers = [
      "mrr_absolute": try CrossSpaceReport(second.test, first.test, in: run).meanReciprocalRank,
      "mrr_relative": try reciprocal(plain, first, second, in: run),
      "mrr_centered": try reciprocal(centered, first, second, in: run),
      "mrr_inverse": try reciprocal(inverse, first, second, in: run),
    ]
    numbers["mrr_procrustes"] = try reciprocal(
      ProcrustesAligner().fit(pairs, in: run), first, second, in: run)
    numbers["mrr_affine"] = try reciprocal(
      AffineAligner().fit(pairs, in: run), first, second, in: run)
    numbers["maps_gain"] =
      (numbers["mrr_procrustes"] ?? .nan) - (numbers["mrr_centered"] ?? .nan)
    return numbers
  }

  private func stitch(
    _ first: Layer, _ second: Layer, _ pairs: PairedRows, _ split: DigitNets.Split,
    _ numbers: inout [String: Double], in run: RunContext
  ) throws(BasisError) {
    let labels = split.testLabels
    let absolute = try DigitNets.Head(first.train, labels: split.trainLabels, in: run)
    numbers["own"] = try absolute.accuracy(on: first.test, labels: labels, in: run)
    numbers["stitched_absolute"] = try absolute.accuracy(
      on: second.test, labels: labels, in: run)
    let turned = try ProcrustesAligner().fit(pairs, in: run)
    numbers["stitched_procrustes"] = try absolute.accuracy(
      on: turned.map(second.test, in: run), labels: labels, in: run)
    let relative = try RelativeProjection().fit(pairs, in: run)
    let head = try DigitNets.Head(
      Self.described(first.train, by: relative, .second, in: run), labels: split.trainLabels,
      in: run)
    numbers["stitched"] = try head.accuracy(
      on: Self.described(second.test, by: relative, .first, in: run), labels: labels, in: run)
  }

  /// Descriptions of one length, as a head wants them.
  private static func described(
    _ rows: Matrix, by relative: RelativeAlignment, _ side: AlignmentSide, in run: RunContext
  ) throws(BasisError) -> Matrix {
    var rows = try relative.map(rows, from: side, in: run).withUnitRows()
    let length = Float(rows.columnCount).squareRoot()
    rows.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] *= length }
    }
    return rows
  }

  /// More anchors, and how few are chosen; a draw is chance, so that several are averaged.
  private func choice(
    _ first: Layer, _ second: Layer, _ split: DigitNets.Split, _ numbers: inout [String: Double],
    in run: RunContext
  ) throws(BasisError) {
    let all = try paired(first, second, Array(split.train.indices), in: run)
    func few(_ selector: AnchorSelector) throws(BasisError) -> Double {
      var sum = 0.0
      for draw in 0..<5 {
        var own = run
        own.seed = run.seed &+ UInt64(1_000 * draw)
        let method = RelativeProjection(anchors: selector, anchorCount: fewCount)
        sum += try reciprocal(method.fit(all, in: own), first, second, in: run)
      }
      return sum / 5
    }
    let uniform = try few(.uniform)
    numbers["anchors_gain"] = (numbers["mrr_centered"] ?? .nan) - uniform
    numbers["farthest_gain"] = try few(.farthest) - uniform
    numbers["kmeans_gain"] = try few(.kMeans) - uniform
  }

  /// Networks that were trained for longer and shorter, beside the first.
  private func similarity(
    _ first: Layer, _ pairs: PairedRows, _ chosen: [Int], _ split: DigitNets.Split,
    in run: RunContext
  ) throws(BasisError) -> Double {
    var (likeness, accuracies): ([Double], [Double]) = ([], [])
    let own = try RelativeProjection().fit(pairs, in: run)
    let head = try DigitNets.Head(
      Self.described(first.train, by: own, .second, in: run), labels: split.trainLabels, in: run)
    for (number, epochs) in lengths.enumerated() {
      let other = try Layer(
        nets.train(2 + number, split, epochs: epochs, in: run), split, in: run)
      let relative = try RelativeProjection().fit(
        paired(first, other, chosen, in: run), in: run)
      let report = try CrossSpaceReport(
        relative.map(other.test, from: .first, in: run),
        relative.map(first.test, from: .second, in: run), in: run)
      likeness.append(report.matchedCosine)
      accuracies.append(
        try head.accuracy(
          on: Self.described(other.test, by: relative, .first, in: run), labels: split.testLabels,
          in: run))
    }
    return Statistics.rankCorrelation(likeness, accuracies)
  }
}
