public import BasisCore
public import BasisFormats
import BasisNumerics

/// Naive Bayes or logistic regression, whichever finds more labels of rows held out when it learns from as
/// many as there are.
///
/// Draw after draw a share of each class is held out, and both heads learn from the same others, all of
/// them: it is ``HeadReferee``'s curve at the size at hand. The head of the higher mean accuracy is fitted
/// to all rows; naive Bayes where they are equal. Columns are brought to 0 … 1 by what is seen in
/// training, and the model takes rows as they come.
///
/// Zheng et al., *Revisiting Discriminative vs. Generative Classifiers: Theory and Implications* (2023),
/// arXiv:2302.02334: which head is ahead depends on the number of labels. The interval of the lead is that
/// of Nadeau & Bengio, *Inference for the generalization error*, Machine Learning 52 (2003),
/// doi:10.1023/A:1024068626366, section 4: draws share rows, and their variance is corrected for it.
public struct HeadChooser: Classifier {
  /// Draws, at least 2.
  public var drawCount: Int
  /// Of each class to hold out, above 0 and below 1; a class of one row is learnt from always.
  public var testShare: Double
  /// Of logistic regression, *C*.
  public var c: Double

  /// - Parameters:
  ///   - drawCount: draws.
  ///   - testShare: of each class to hold out.
  ///   - c: of logistic regression.
  public init(drawCount: Int = 5, testShare: Double = 0.2, c: Double = 1) {
    self.drawCount = drawCount
    self.testShare = testShare
    self.c = c
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    drawCount = try values.decodeIfPresent(Int.self, forKey: .drawCount) ?? drawCount
    testShare = try values.decodeIfPresent(Double.self, forKey: .testShare) ?? testShare
    c = try values.decodeIfPresent(Double.self, forKey: .c) ?? c
  }

  /// - Parameters:
  ///   - input: rows of two classes at least, and of some class enough to hold one out.
  ///   - run: the seed draws; draws run in parallel.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` naming row and column, for a single
  ///   class, or for rows too few to hold any out; `.cancelled`.
  /// - Complexity: that of `drawCount` + 1 fits of logistic regression.
  public func fit(_ input: LabeledRows, in run: RunContext = RunContext()) throws(BasisError)
    -> ChosenHeadModel
  {
    guard drawCount >= 2, testShare > 0, testShare < 1, c > 0 else {
      throw BasisError(
        .invalidArgument,
        "a choice of heads: drawCount is \(drawCount), testShare \(testShare), c \(c); wanted at least 2, "
          + "between 0 and 1, and above 0")
    }
    try input.rows.requireFinite("the rows")
    let places = try ClassPlaces(input.labels, for: "a choice of heads")
    let members = places.members
    let held = members.map { heldCount(of: $0.count) }
    guard held.contains(where: { $0 > 0 }) else {
      throw BasisError(
        .badData,
        "a choice of heads: of \(input.labels.count) rows of \(members.count) classes none can be held "
          + "out; give more rows of each class, or name the method")
    }
    let accuracies = try parallelMap(drawCount, grain: 1, in: run) {
      (draw, _) throws(BasisError) in
      run.report("draws", draw, of: drawCount)
      return try measure(input, members, held, draw, in: run)
    }
    let choice = HeadChoice(accuracies, rowCount: input.labels.count, testCount: held.reduce(0, +))
    let linear = try fit(choice.head, input, Array(input.labels.indices), in: run)
    return ChosenHeadModel(linear, choice)
  }

  /// How many of so many rows of a class are held out.
  private func heldCount(of count: Int) -> Int {
    min(count - 1, max(count > 1 ? 1 : 0, Int((testShare * Double(count)).rounded())))
  }

  /// The accuracy of both heads on the same rows held out.
  private func measure(
    _ input: LabeledRows, _ members: [[Int]], _ held: [Int], _ draw: Int, in run: RunContext
  ) throws(BasisError) -> [Double] {
    var generator = run.generator("rows to hold out", chunk: draw)
    var (train, test): ([Int], [Int]) = ([], [])
    for (rows, count) in zip(members, held) {
      var order = rows
      generator.shuffle(&order)
      test += order[..<count]
      train += order[count...]
    }
    let asked = try LabeledRows(
      input.rows.selecting(rows: test), labels: test.map { input.labels[$0] })
    // Draws are what runs in parallel.
    let single = RunContext(threadLimit: 1, cancellation: run.cancellation)
    var result: [Double] = []
    for head in HeadChoice.Head.allCases {
      result.append(
        try fit(head, input, train.sorted(), in: single).accuracy(on: asked, in: single))
    }
    return result
  }

  /// A head of some rows, in the units of the rows as they come.
  private func fit(_ head: HeadChoice.Head, _ input: LabeledRows, _ some: [Int], in run: RunContext)
    throws(BasisError) -> LinearClassifierModel
  {
    let range = ColumnRange(input.rows, some, isClipped: false)
    let scaled = try LabeledRows(
      range.applied(to: input.rows, some), labels: some.map { input.labels[$0] })
    switch head {
    case .naiveBayes: return try range.unscaled(GaussianNaiveBayes().fit(scaled, in: run).linear())
    case .logistic: return try range.unscaled(LogisticRegression(c: c).fit(scaled, in: run))
    }
  }
}

/// Which head was chosen, and why.
public struct HeadChoice: Hashable, Codable, Sendable {
  public enum Head: String, Sendable, Hashable, Codable, CaseIterable {
    case naiveBayes = "naive-bayes"
    case logistic
  }

  public var head: Head
  /// Labelled rows that there were.
  public var rowCount: Int
  /// Of these held out in each draw.
  public var testCount: Int
  public var drawCount: Int
  /// The mean accuracy on rows held out.
  public var naiveBayes: Double
  /// The mean accuracy on the same rows.
  public var logistic: Double
  /// 95 % for the accuracy of logistic regression less that of naive Bayes.
  public var interval: ClosedRange<Double>

  /// - Parameter accuracies: of each draw naive Bayes' and logistic regression's; two draws at least.
  init(_ accuracies: [[Double]], rowCount: Int, testCount: Int) {
    naiveBayes = Statistics.mean(accuracies.map { $0[0] })
    logistic = Statistics.mean(accuracies.map { $0[1] })
    head = logistic > naiveBayes ? .logistic : .naiveBayes
    self.rowCount = rowCount
    self.testCount = testCount
    drawCount = accuracies.count
    let leads = accuracies.map { $0[1] - $0[0] }
    let share = 1 / Double(leads.count) + Double(testCount) / Double(rowCount - testCount)
    let error = (share * Statistics.variance(leads)).squareRoot()
    let width =
      error
      * StudentDistribution(degreesOfFreedom: Double(leads.count - 1))
      .criticalValue(confidence: 0.95)
    interval = (logistic - naiveBayes - width)...(logistic - naiveBayes + width)
  }

  /// Whether the draws tell the heads apart.
  public var isSure: Bool { interval.lowerBound > 0 || interval.upperBound < 0 }

  /// What was chosen and why, in a sentence.
  public var reason: String {
    func percent(_ value: Double) -> String { "\((value * 1000).rounded() / 10)" }
    let names = ["naive Bayes", "logistic regression"]
    let isFirst = head == .naiveBayes
    let own = percent(isFirst ? naiveBayes : logistic)
    let other = percent(isFirst ? logistic : naiveBayes)
    let start =
      "\(names[isFirst ? 0 : 1]): of \(testCount) rows held out it finds \(own) % of the labels from the "
      + "other \(rowCount - testCount), \(names[isFirst ? 1 : 0]) \(other) %, the mean of \(drawCount) "
      + "draws"
    return start + (isSure ? "" : "; the draws do not tell them apart for sure")
  }
}

/// The head that was chosen, as weights, and why it was.
public struct ChosenHeadModel: FittedClassifier, Hashable {
  public static let modelName = "chosen head"

  public let linear: LinearClassifierModel
  public let choice: HeadChoice

  /// The method with what it chose: `auto: logistic`.
  public var name: String { "auto: \(choice.head.rawValue)" }
  public var classes: [Int] { linear.classes }
  public var columnCount: Int { linear.columnCount }
  public var warnings: [String] { linear.warnings }

  init(_ linear: LinearClassifierModel, _ choice: HeadChoice) {
    self.linear = linear
    self.choice = choice
  }

  public func probabilities(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> Matrix
  {
    try linear.probabilities(rows, in: run)
  }

  public func predict(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> [Int]
  {
    try linear.predict(rows, in: run)
  }

  // MARK: Files

  private struct Manifest: Codable {
    var name: String
    var choice: HeadChoice
    var linear: LinearClassifierModel.Manifest
  }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(Manifest(name: name, choice: choice, linear: linear.manifest))
    try linear.addTensors(to: &file)
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(Manifest.self)
    choice = manifest.choice
    linear = try LinearClassifierModel(tensorsOf: file, manifest.linear)
  }
}
