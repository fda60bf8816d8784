public import BasisClustering
public import BasisCore

/// Medoids that are swapped as soon as a swap is an improvement are as good as PAM's, and found with a
/// small part of its work.
public struct KMedoidsClaim: Claim {
  public static let statement = ClaimStatement(
    id: 6,
    title:
      "eager swaps end at medoids as good as PAM's, whether they start from BUILD or at random, and "
      + "the more medoids, the larger the share of PAM's work that they save",
    paper:
      "speed-ups over PAM's swaps of 458 times at 100 medoids and 1191 times at 200, with medoids of "
      + "the same quality (abstract); figures of digits here are those of the authors' package",
    baseline: "PAM from BUILD, which looks at every medoid with every candidate before each swap",
    data: "1,797 digits by the Euclidean distance of their 64 pixels, and 700 of them by seed",
    breaking: "`variant`: groups and their middles are found in turns, as in k-means")

  /// What is compared with PAM.
  public var variant = KMedoids.Variant.fasterPAM
  /// Of all images, the first so many, at least 2 for each group.
  public var imageCount = 1_797
  /// Images that a seed draws, at least 2 for each group.
  public var sampleCount = 700
  /// Of few, many and very many groups, at least 2 each.
  public var clusterCounts = [10, 100, 200]

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.imageCount, claim.sampleCount, claim.clusterCounts) = (90, 60, [3, 10, 20])
    return claim
  }

  public var broken: KMedoidsClaim {
    var copy = self
    copy.variant = .alternating
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "loss_few", "its loss over PAM's, 10 medoids, both from BUILD", reported: 1, .below(1.001)),
      .init("loss_many", "the same of 100 medoids", reported: 0.9998, .below(1.001)),
      .init("loss_most", "the same of 200 medoids", reported: 0.99998, .below(1.001)),
      .init(
        "random_few", "its loss from a random start over PAM's from BUILD, 10 medoids",
        .below(1.02)),
      .init("random_many", "the same of 100 medoids", .below(1.02)),
      .init(
        "work_many",
        "distances that PAM looks up, over those of the eager passes, at least; 100 medoids",
        .above(50)),
      .init("work_most", "the same of 200 medoids", .above(200)),
      .init("seconds_many", "processor time of PAM over its own, 100 medoids, one thread"),
      .reported("digits_few", "loss of all digits, 10 medoids from BUILD", 51_194.70, within: 0.6),
      .reported("digits_many", "the same of 100 medoids", 34_806.14, within: 0.4),
      .reported("digits_most", "the same of 200 medoids", 30_035.97, within: 0.4),
    ]
  }

  private static let names = ["few", "many", "most"]

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    guard clusterCounts.count == 3, clusterCounts.allSatisfy({ $0 >= 2 }),
      (clusterCounts.max() ?? 0) * 2 <= min(sampleCount, imageCount),
      imageCount <= Digits.labels.count, sampleCount <= imageCount
    else {
      throw BasisError(
        .invalidArgument,
        "claim 6: three numbers of groups from 2 to half of \(sampleCount) and \(imageCount) images, "
          + "of which there are \(Digits.labels.count); got \(clusterCounts)")
    }
    // One thread: processor time is of this one.
    var single = run.silent
    single.threadLimit = 1
    var pixels = Digits.images.selecting(rows: 0..<imageCount)
    pixels.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] *= 16 }
    }
    var numbers: [String: Double] = [:]
    let whole = try Dissimilarities(ofAll: pixels, by: .euclidean, in: run)
    for (name, k) in zip(Self.names, clusterCounts) {
      numbers["digits_" + name] = try fit(k, variant, .build, whole, in: single).loss
    }
    var generator = run.generator("images")
    let some = pixels.selecting(rows: generator.sample(sampleCount, of: imageCount))
    let part = try Dissimilarities(ofAll: some, by: .euclidean, in: run)
    for (name, k) in zip(Self.names, clusterCounts) {
      // The steps of PAM.
      let best = try fit(k, .fastPAM1, .build, part, in: single)
      let found = try fit(k, variant, .build, part, in: single)
      numbers["loss_" + name] = found.loss / best.loss
      let candidates = sampleCount - k
      let pam = Double(best.iterationCount * candidates * k * sampleCount)
      // A pass looks at each candidate once; an end before the last is not counted.
      let own = Double(found.iterationCount * candidates * sampleCount)
      if name != "few" { numbers["work_" + name] = pam / own }
      if name != "most" {
        numbers["random_" + name] = try fit(k, variant, .random, part, in: single).loss / best.loss
      }
    }
    let k = clusterCounts[1]
    let start = threadSeconds()
    _ = try fit(k, .pam, .build, part, in: single)
    let middle = threadSeconds()
    _ = try fit(k, variant, .build, part, in: single)
    numbers["seconds_many"] = (middle - start) / max(threadSeconds() - middle, 1e-6)
    return numbers
  }

  private func fit(
    _ k: Int, _ variant: KMedoids.Variant, _ start: MedoidStart, _ all: Dissimilarities,
    in run: RunContext
  ) throws(BasisError) -> KMedoidsModel {
    try KMedoids(clusterCount: k, variant: variant, start: start)
      .fit(.dissimilarities(all), in: run)
  }
}
