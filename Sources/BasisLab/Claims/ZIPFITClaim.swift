public import BasisCore
import BasisNumerics
import BasisSelection

/// gzip alone finds the texts that are like some examples, and a model of letters that learns from
/// those foretells further examples best.
public struct ZIPFITClaim: Claim {
  public static let statement = ClaimStatement(
    id: 161,
    title:
      "texts that gzip finds most like the targets are of their kind, and what a model of letters "
      + "loses on further targets falls with the alignment of what it has learnt from",
    paper:
      "the alignment of a corpus and the loss after training on it have R² 0.90 with GPT-2 and 0.75 "
      + "with Mistral-7B, and training on what it selects reaches the lowest loss up to 85.1 % sooner",
    baseline:
      "importance weights of hashed words and pairs (DSIR); texts by chance; the least like",
    data: "made functions, sentences and records that share their words; 20 functions as targets",
    breaking: "`targetKind`: the targets are records")

  /// What the targets are.
  var targetKind = MadeTexts.Kind.function
  /// Of each kind in the pool, at least 10.
  public var textCount = 150
  public var targetCount = 20
  /// Targets that a model is asked for, at least 1.
  public var heldOutCount = 30
  /// Of gzip.
  public var level = 9

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.textCount, claim.targetCount, claim.heldOutCount) = (16, 4, 4)
    return claim
  }

  public var broken: ZIPFITClaim {
    var copy = self
    copy.targetKind = .record
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "purity", "share of functions among as many texts as there are functions", .above(0.95)),
      .init("over_words", "the same, less that of importance weights", .above(-0.01)),
      .init(
        "topic", "share of the targets' topic in the best half of the functions kept", .above(0.5)),
      .init(
        "chance_over_best",
        "bits a letter of further targets: learnt from texts by chance less from the best",
        .above(0)),
      .init("worst_over_chance", "the same of the least alike less of texts by chance", .above(0)),
      .init("fit", "R² of alignment and bits over six mixtures", reported: 0.9, .above(0.5)),
      .init("fit_ranks", "rank correlation of alignment and bits over them", .below(-0.9)),
      .init("words_purity", "share of functions by importance weights"),
      .init("words_topic", "share of the topic by importance weights"),
      .init("best_bits", "bits a letter, learnt from the best"),
      .init("chance_bits", "bits a letter, learnt from as many by chance"),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    guard textCount >= 10, targetCount >= 1, heldOutCount >= 1 else {
      throw BasisError(
        .invalidArgument,
        "claim 161: at least 10 texts of a kind, a target and one held out; got \(textCount), "
          + "\(targetCount) and \(heldOutCount)")
    }
    var maker = MadeTexts(run.generator("texts"))
    var (pool, kinds, topics): ([String], [MadeTexts.Kind], [Int]) = ([], [], [])
    for place in 0..<textCount {
      for kind in MadeTexts.Kind.allCases {
        pool.append(maker.text(kind, topic: place % 2))
        kinds.append(kind)
        topics.append(place % 2)
      }
    }
    let targets = (0..<targetCount).map { _ in maker.text(targetKind, topic: 1) }
    let further = (0..<heldOutCount).map { _ in maker.text(.function, topic: 1) }
    let found = try ZIPFIT(count: pool.count, level: level)
      .select(TextPools(pool, targets: targets), in: run)
    let order = found.indices
    var alignments = [Double](repeating: 0, count: pool.count)
    for (row, value) in zip(found.indices, found.values) { alignments[row] = value }
    let weights = NGramImportance.weights(of: pool, targets: targets)
    let byWords = pool.indices.sorted { (weights[$1], $0) < (weights[$0], $1) }

    func purity(_ order: [Int]) -> Double {
      Double(order.prefix(textCount).count { kinds[$0] == .function }) / Double(textCount)
    }
    func topic(_ order: [Int]) -> Double {
      let functions = order.filter { kinds[$0] == .function }.prefix(textCount / 2)
      return Double(functions.count { topics[$0] == 1 }) / Double(functions.count)
    }
    try run.checkCancelled()
    func bits(_ rows: some Collection<Int>) -> Double {
      LetterModel(rows.map { pool[$0] }).bits(of: further)
    }
    var generator = run.generator("texts by chance")
    let best = bits(order.prefix(textCount))
    let chance = bits(generator.sample(textCount, of: pool.count))
    let worst = bits(order.suffix(textCount))
    try run.checkCancelled()
    let mixed = try fit(pool, kinds, alignments, further, in: run)
    return [
      "purity": purity(order), "words_purity": purity(byWords),
      "over_words": purity(order) - purity(byWords), "topic": topic(order),
      "words_topic": topic(byWords), "best_bits": best, "chance_bits": chance,
      "chance_over_best": chance - best, "worst_over_chance": worst - chance,
      "fit": mixed.square, "fit_ranks": mixed.ranks,
    ]
  }

  /// Alignment and bits over corpora with 0, a fifth … and all functions: R², and by ranks.
  private func fit(
    _ pool: [String], _ kinds: [MadeTexts.Kind], _ alignments: [Double], _ further: [String],
    in run: RunContext
  ) throws(BasisError) -> (square: Double, ranks: Double) {
    var generator = run.generator("mixtures")
    var functions = pool.indices.filter { kinds[$0] == .function }
    var others = pool.indices.filter { kinds[$0] != .function }
    generator.shuffle(&functions)
    generator.shuffle(&others)
    let size = textCount / 2
    var (means, bits): ([Double], [Double]) = ([], [])
    for fifth in 0...5 {
      try run.checkCancelled()
      let count = size * fifth / 5
      let rows = Array(functions.prefix(count) + others.prefix(size - count))
      means.append(Statistics.mean(rows.map { alignments[$0] }))
      bits.append(LetterModel(rows.map { pool[$0] }).bits(of: further))
    }
    let correlation = Statistics.correlation(means, bits)
    return (correlation * correlation, Statistics.rankCorrelation(means, bits))
  }
}
