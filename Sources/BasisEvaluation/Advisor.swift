public import BasisCore

/// Which estimate or test fits what there is, and why.
///
/// The map of Raschka, *Model evaluation, model selection, and algorithm selection in machine learning*,
/// arXiv:1811.12808, figure 30 and the sections it names, with what measurements added to it.
public struct Advisor: Sendable, Hashable {
  public enum Task: String, Sendable, Hashable, Codable, CaseIterable {
    /// How good is one model?
    case estimate
    /// Are these models different?
    case compareModels = "models"
    /// Are these ways to learn different?
    case compareLearners = "learners"
    /// Which candidate, and how good is it then?
    case select
  }

  public var task: Task
  /// Rows with labels.
  public var rowCount: Int
  /// Models, ways to learn, or candidates.
  public var modelCount = 1
  /// Whether all models were asked about the same rows.
  public var isPaired = true
  /// More than one for a comparison over data sets.
  public var dataSetCount = 1
  /// How many fits can be afforded; nil for any.
  public var affordableFits: Int?
  /// Rows of the rarest class; nil where unknown.
  public var rarestClass: Int?

  public init(_ task: Task, rowCount: Int) {
    self.task = task
    self.rowCount = rowCount
  }

  public struct Advice: Sendable, Hashable, Codable {
    /// What to do, by the names of this room.
    public var method: String
    public var reason: String
    public var warnings: [String]
  }

  /// Rows from which a hold-out's error is known to about two points.
  private static let plenty = 3_000

  /// - Throws: `.invalidArgument` for fewer than 2 rows, or fewer models than the task needs.
  public func advice() throws(BasisError) -> Advice {
    guard rowCount >= 2, dataSetCount >= 1, modelCount >= (task == .estimate ? 1 : 2) else {
      throw BasisError(
        .invalidArgument,
        "advice on '\(task.rawValue)' needs 2 rows at least and "
          + "\(task == .estimate ? "a model" : "2 models"), got \(rowCount) rows and \(modelCount)")
    }
    var found = choice
    if let rarestClass, rarestClass < 10 {
      found.warnings.append(
        "the rarest class has \(rarestClass) rows: stratify, and take no more folds than that")
    }
    return found
  }

  private func advice(_ method: String, _ reason: String, _ warnings: [String] = []) -> Advice {
    Advice(method: method, reason: reason, warnings: warnings)
  }

  private var choice: Advice {
    if task != .estimate, task != .select, dataSetCount > 1 { return overDataSets }
    return switch task {
    case .estimate: estimate
    case .compareModels: models
    case .compareLearners: learners
    case .select: selection
    }
  }

  private var overDataSets: Advice {
    if modelCount == 2 {
      return advice(
        "Wilcoxon signed ranks",
        "two of them over \(dataSetCount) data sets, whose scores are no sample of one normal")
    }
    return advice(
      "Friedman, then Nemenyi", "\(modelCount) of them over \(dataSetCount) data sets",
      dataSetCount < 10 ? ["\(dataSetCount) data sets tell only large differences"] : [])
  }

  private var fits: Int { affordableFits ?? .max }

  private var estimate: Advice {
    if rowCount >= Self.plenty || fits < 5 {
      return advice(
        "hold-out, wilson",
        rowCount >= Self.plenty
          ? "\(rowCount) rows are plenty: a third of them knows the error to about two points"
          : "no more than \(fits) fits are affordable",
        rowCount >= Self.plenty ? [] : ["with so few rows another hold-out says something else"])
    }
    if rowCount < 100, fits >= 51 {
      return advice(
        ".632+ bootstrap",
        "\(rowCount) rows are few: the bootstrap varies less than folds, and its plus is honest about "
          + "classifiers that learn by heart",
        [Self.leaveOneOut])
    }
    return advice(
      fits >= 50 ? "10-fold cross-validation, 5 times" : "5-fold cross-validation",
      "\(rowCount) rows: each should be asked about, and learnt from",
      rowCount < 300 ? [Self.leaveOneOut] : [])
  }

  private static let leaveOneOut =
    "leave-one-out varies much, and is always wrong for a majority vote on classes of equal size"

  private var models: Advice {
    guard isPaired else {
      return advice(
        "difference of proportions", "the models were asked about separate rows",
        ["ask both about the same rows if you can: McNemar's test then finds more"])
    }
    if modelCount == 2 {
      return advice(
        "McNemar",
        "two models on the same rows: only rows that one of them gets right count",
        ["it says nothing of models learnt from other rows"])
    }
    return advice(
      "Cochran's Q, then McNemar with Holm",
      "\(modelCount) models on the same rows: first whether any differs, then which")
  }

  private var learners: Advice {
    if fits < 20 {
      return advice(
        "McNemar on one hold-out", "no more than \(fits) fits are affordable",
        ["it compares two models, not two ways to learn"])
    }
    return advice(
      modelCount == 2 ? "5×2 F" : "5×2 F of each pair, with Holm",
      "ways to learn vary with their training rows; five halvings show how much, without the error of t "
        + "tests over parts that overlap")
  }

  private var selection: Advice {
    if rowCount >= 10 * Self.plenty || fits < 10 * modelCount {
      return advice(
        "hold-out in three",
        "learn on the first part, choose on the second, and report the third, asked about once",
        rowCount < Self.plenty ? ["with so few rows the choice depends on the split"] : [])
    }
    return advice(
      "nested cross-validation, 5 × 3",
      "what chooses must not be what is reported: the best of \(modelCount) scores is too good")
  }
}
