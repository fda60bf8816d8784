public import BasisClustering
public import BasisCore
import BasisNumerics

/// PAM's own steps, found with about a *k*-th of its work; a start in linear time that is nearly as
/// good as the best one; and samples and walks that come to better medoids by the same means.
public struct FastPAMClaim: Claim {
  public static let statement = ClaimStatement(
    id: 10,
    title:
      "every candidate's best swap can be told in one look at the distances without changing a step "
      + "of PAM, and sampling and walking gain by it",
    paper:
      "a swap phase about 200 times faster at 100 medoids with the results of PAM itself, and FastCLARA "
      + "and FastCLARANS no worse than the originals (abstract and section 4); 30 times at 100 medoids "
      + "and 61 times at 200 are of the authors' package on digits",
    baseline: "PAM, CLARA and CLARANS as they were first published",
    data: "1,797 digits by the Euclidean distance of their pixels, and samples of them by seed",
    breaking: "`variant`: groups and their middles are found in turns, which are not PAM's steps")

  /// What shall take PAM's steps.
  public var variant = KMedoids.Variant.fastPAM1
  /// Of all images, the first so many.
  public var imageCount = 1_797
  /// Images that work is counted on.
  public var sampleCount = 700
  /// Images that steps are compared on, at least 20.
  public var stepCount = 150
  /// Of few, many and very many groups, at least 2 each.
  public var clusterCounts = [2, 100, 200]
  /// Groups that samples and walks look for, at least 2.
  public var walkCount = 20
  /// Samplings and walks of a seed, at least 1, whose losses are averaged.
  public var walkRepeats = 4

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.imageCount, claim.sampleCount, claim.stepCount) = (120, 60, 30)
    (claim.clusterCounts, claim.walkCount, claim.walkRepeats) = ([2, 10, 20], 4, 1)
    return claim
  }

  public var broken: FastPAMClaim {
    var copy = self
    copy.variant = .alternating
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "same_steps",
        "share of samples where medoids, swaps and their number are PAM's, 2 to 10 medoids",
        reported: 1, .within(1...1)),
      .init("work_few", "work of PAM over its own for each candidate, 2 medoids", .above(1)),
      .init("work_many", "the same of 100 medoids", reported: 30, .above(10)),
      .init("work_most", "the same of 200 medoids", reported: 61, .above(30)),
      .init("seconds_many", "processor time of PAM over its own, 100 medoids, one thread"),
      .init("lab_over_build", "loss of the linear start over that of BUILD", .above(1)),
      .init("lab_over_random", "the same over that of a random start", .below(1)),
      .init("lab_final", "loss after eager swaps from it over that from BUILD", .below(1.01)),
      .init("clara", "loss of FastCLARA over CLARA's", .below(1)),
      .init("clarans", "loss of FastCLARANS over CLARANS's", .below(1)),
      .init("clarans_work", "candidates that its walks draw, over those of CLARANS", .below(1)),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    let most = clusterCounts.max() ?? 0
    guard clusterCounts.count == 3, clusterCounts.allSatisfy({ $0 >= 2 }), stepCount >= 20,
      walkCount >= 2, walkRepeats >= 1, 2 * max(most, walkCount) <= min(sampleCount, imageCount),
      imageCount <= Digits.labels.count, max(sampleCount, stepCount) <= imageCount
    else {
      throw BasisError(
        .invalidArgument,
        "claim 10: three numbers of groups from 2 to half of \(sampleCount) and \(imageCount) images, "
          + "of which there are \(Digits.labels.count), and steps on 20 and more of them; got "
          + "\(clusterCounts), \(walkCount) and \(stepCount)")
    }
    var single = run.silent
    single.threadLimit = 1
    let images = Digits.images.selecting(rows: 0..<imageCount)
    var generator = run.generator("images")
    var numbers: [String: Double] = [:]
    numbers["same_steps"] = try sameSteps(images, &generator, in: single)

    let some = images.selecting(rows: generator.sample(sampleCount, of: imageCount))
    let part = try Dissimilarities(ofAll: some, by: .euclidean, in: run)
    for (name, k) in zip(["few", "many", "most"], clusterCounts) {
      let found = try KMedoids(clusterCount: k, variant: .fastPAM1)
        .fit(.dissimilarities(part), in: single)
      numbers["work_" + name] = workSaved(found, part)
    }
    let k = clusterCounts[1]
    let start = threadSeconds()
    _ = try KMedoids(clusterCount: k, variant: .pam, start: .build)
      .fit(.dissimilarities(part), in: single)
    let middle = threadSeconds()
    _ = try KMedoids(clusterCount: k, variant: variant, start: .build)
      .fit(.dissimilarities(part), in: single)
    numbers["seconds_many"] = (middle - start) / max(threadSeconds() - middle, 1e-6)

    let whole = try Dissimilarities(ofAll: images, by: .euclidean, in: run)
    numbers.merge(try starts(whole, in: single)) { $1 }
    numbers.merge(try walks(whole, in: single)) { $1 }
    return numbers
  }

  /// How often the medoids, and how they were come by, are those of PAM.
  private func sameSteps(
    _ images: Matrix, _ generator: inout RandomGenerator, in run: RunContext
  ) throws(BasisError) -> Double {
    var same = 0
    for k in 2...10 {
      let some = images.selecting(rows: generator.sample(stepCount, of: images.rowCount))
      let all = try Dissimilarities(ofAll: some, by: .euclidean, in: run)
      let wanted = try KMedoids(clusterCount: k, variant: .pam)
        .fit(.dissimilarities(all), in: run)
      let found = try KMedoids(clusterCount: k, variant: variant)
        .fit(.dissimilarities(all), in: run)
      if found.medoids == wanted.medoids, found.swapCount == wanted.swapCount,
        found.iterationCount == wanted.iterationCount
      {
        same += 1
      }
    }
    return Double(same) / 9
  }

  /// How many times as many terms PAM adds up to judge a candidate: *n* *k* against *n*, and *k* − 1
  /// more for each thing that is nearer to the candidate than to its medoid (2019, section 3.1).
  private func workSaved(_ found: KMedoidsModel, _ all: Dissimilarities) -> Double {
    let n = all.count
    let k = found.medoids.count
    let near = found.assignments.enumerated().map { all[$0.offset, found.medoids[$0.element]] }
    let chosen = Set(found.medoids)
    var (terms, candidates) = (0, 0)
    for candidate in 0..<n where !chosen.contains(candidate) {
      candidates += 1
      var nearer = 0
      for item in 0..<n where all[candidate, item] < near[item] { nearer += 1 }
      terms += n + nearer * (k - 1)
    }
    return Double(candidates * n * k) / Double(terms)
  }

  private func starts(_ all: Dissimilarities, in run: RunContext) throws(BasisError)
    -> [String: Double]
  {
    let k = clusterCounts[1]
    func loss(_ start: MedoidStart, _ maxIterations: Int) throws(BasisError) -> Double {
      try KMedoids(clusterCount: k, start: start, maxIterations: maxIterations)
        .fit(.dissimilarities(all), in: run).loss
    }
    let (build, lab) = (try loss(.build, 0), try loss(.lab, 0))
    return [
      "lab_over_build": lab / build, "lab_over_random": lab / (try loss(.random, 0)),
      "lab_final": try loss(.lab, 100) / loss(.build, 100),
    ]
  }

  private func walks(_ all: Dissimilarities, in run: RunContext) throws(BasisError)
    -> [String: Double]
  {
    let input = PairwiseInput.dissimilarities(all)
    var (sampled, classic, walked, slow) = (0.0, 0.0, 0.0, 0.0)
    var (draws, slowDraws) = (0, 0)
    for number in 0..<walkRepeats {
      var own = run
      own.seed = run.seed &* 1009 &+ UInt64(number)
      sampled += try CLARA(clusterCount: walkCount).fit(input, in: own).loss
      classic += try CLARA(clusterCount: walkCount, isClassic: true).fit(input, in: own).loss
      let quick = try CLARANS(clusterCount: walkCount).fit(input, in: own)
      let first = try CLARANS(clusterCount: walkCount, isClassic: true).fit(input, in: own)
      walked += quick.loss
      slow += first.loss
      draws += quick.iterationCount
      slowDraws += first.iterationCount
    }
    return [
      "clara": sampled / classic, "clarans": walked / slow,
      "clarans_work": Double(draws) / Double(slowDraws),
    ]
  }
}
