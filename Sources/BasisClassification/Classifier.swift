public import BasisCore
public import BasisFormats

/// A way to learn labels from rows that have them: settings, which ``fit(_:in:)`` turns into a model.
public protocol Classifier: Settings {
  associatedtype Fitted: FittedClassifier

  /// Learns.
  ///
  /// - Parameters:
  ///   - input: finite rows of two classes at least.
  ///   - run: seed, threads and cancellation. The model does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` naming row and column, or for
  ///   classes that cannot be told apart from these rows; `.cancelled`.
  func fit(_ input: LabeledRows, in run: RunContext) throws(BasisError) -> Fitted
}

/// What tells the class of further rows.
public protocol FittedClassifier: FittedModel {
  /// The *K* classes, rising.
  var classes: [Int] { get }
  /// How many values a row has, *d*.
  var columnCount: Int { get }
  /// What to keep in mind, a sentence each.
  var warnings: [String] { get }

  /// How likely each class is.
  ///
  /// - Parameters:
  ///   - rows: `m × d`, finite.
  ///   - run: threads and cancellation.
  /// - Returns: `m × K`, each row at least 0 and of sum 1; columns as ``classes``.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  func probabilities(_ rows: Matrix, in run: RunContext) throws(BasisError) -> Matrix

  /// The likeliest class of each row, the smallest of equals.
  ///
  /// - Parameters:
  ///   - rows: `m × d`, finite.
  ///   - run: threads and cancellation.
  /// - Throws: as ``probabilities(_:in:)``.
  func predict(_ rows: Matrix, in run: RunContext) throws(BasisError) -> [Int]
}

/// A classifier whose model takes in further rows, as if it had been fitted on all of them.
public protocol StreamingClassifier: Classifier {
  /// Learns from more rows.
  ///
  /// - Parameters:
  ///   - input: finite; of classes that were seen before or not.
  ///   - earlier: what was learned before, with the same settings.
  ///   - run: seed, threads and cancellation.
  /// - Throws: as `fit`; `.dimensionMismatch` for rows of another length.
  func fit(_ input: LabeledRows, after earlier: Fitted, in run: RunContext) throws(BasisError)
    -> Fitted
}

/// A way to learn a number from rows that have one.
public protocol Regressor: Settings {
  associatedtype Regression: FittedRegressor

  /// Learns.
  ///
  /// - Parameters:
  ///   - input: finite rows and targets, two at least.
  ///   - run: seed, threads and cancellation. The model does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData`; `.cancelled`.
  func fit(_ input: TargetRows, in run: RunContext) throws(BasisError) -> Regression
}

/// What tells the number of further rows.
public protocol FittedRegressor: FittedModel {
  /// How many values a row has, *d*.
  var columnCount: Int { get }
  /// What to keep in mind, a sentence each.
  var warnings: [String] { get }

  /// - Parameters:
  ///   - rows: `m × d`, finite.
  ///   - run: threads and cancellation.
  /// - Returns: *m* numbers, in the unit of the targets.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  func predict(_ rows: Matrix, in run: RunContext) throws(BasisError) -> [Double]
}

extension FittedClassifier {
  public func predict(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> [Int]
  {
    Self.likeliest(try probabilities(rows, in: run), classes)
  }

  /// The share of rows that get their own label; NaN for no rows.
  ///
  /// - Parameters:
  ///   - input: rows and what they are.
  ///   - run: threads and cancellation.
  /// - Throws: as ``probabilities(_:in:)``.
  public func accuracy(on input: LabeledRows, in run: RunContext = RunContext()) throws(BasisError)
    -> Double
  {
    let found = try predict(input.rows, in: run)
    return Double(zip(found, input.labels).count { $0 == $1 }) / Double(found.count)
  }

  package static func likeliest(_ probabilities: Matrix, _ classes: [Int]) -> [Int] {
    (0..<probabilities.rowCount).map { row in
      probabilities.withRow(row) { values in
        var best = 0
        for place in values.indices where values[place] > values[best] { best = place }
        return classes[best]
      }
    }
  }
}

/// Rows, and a number for each.
public struct TargetRows: MethodInput {
  public static let description = "a matrix and a column of numbers"

  /// `n × d`, finite.
  public let rows: Matrix
  /// *n* numbers, finite.
  public let targets: [Double]

  /// - Throws: `.dimensionMismatch` for another number of targets than of rows; `.badData` naming a
  ///   target that is not finite.
  public init(_ rows: Matrix, targets: [Double]) throws(BasisError) {
    guard targets.count == rows.rowCount else {
      throw BasisError(
        .dimensionMismatch,
        "there are \(targets.count) targets for \(rows.rowCount) rows; give one a row")
    }
    if let row = targets.firstIndex(where: { !$0.isFinite }) {
      throw BasisError(
        .badData, "the target of row \(row) is \(targets[row]); remove or replace the row")
    }
    self.rows = rows
    self.targets = targets
  }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    let both = try parts.matrices(2, Self.description, for: method)
    guard both[1].columnCount == 1 || both[1].rowCount == 1 else {
      throw BasisError(
        .dimensionMismatch,
        "'\(method)' takes \(Self.description); the second is \(both[1].rowCount) × "
          + "\(both[1].columnCount)")
    }
    try self.init(both[0], targets: both[1].withUnsafeFloats { $0.map { Double($0) } })
  }
}

/// Labels as places in a list of classes.
struct ClassPlaces {
  /// Rising.
  let classes: [Int]
  /// The place of each row's class, `0 ..< K`.
  let places: [Int]

  /// - Throws: `.badData` for a single class, or none.
  init(_ labels: [Int], for method: String) throws(BasisError) {
    classes = Set(labels).sorted()
    guard classes.count >= 2 else {
      throw BasisError(
        .badData,
        "\(method) needs rows of 2 classes at least; there \(classes.isEmpty ? "are none" : "is 1")"
      )
    }
    let place = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    places = labels.map { place[$0] ?? 0 }
  }

  /// The rows of each class.
  var members: [[Int]] {
    var members = [[Int]](repeating: [], count: classes.count)
    for (row, place) in places.enumerated() { members[place].append(row) }
    return members
  }
}

extension Matrix {
  /// - Throws: `.dimensionMismatch` for another width; `.badData` naming row and column.
  func requireRows(of columnCount: Int, for model: String) throws(BasisError) {
    guard self.columnCount == columnCount || rowCount == 0 else {
      throw BasisError(
        .dimensionMismatch,
        "the rows are \(rowCount) × \(self.columnCount); this \(model) was fitted on "
          + "\(columnCount) columns")
    }
    try requireFinite("the rows")
  }
}

extension ModelFile {
  /// The numbers of a tensor of doubles, all finite.
  func doubles(_ name: String, count: Int) throws(BasisError) -> [Double] {
    guard let tensor = tensors[name], tensor.type == .float64, tensor.count == count else {
      throw BasisError(
        .dimensionMismatch, "\(path): tensor '\(name)' should be \(count) doubles")
    }
    let values = try tensors.doubles(name)
    guard values.allSatisfy(\.isFinite) else {
      throw BasisError(.badData, "\(path): tensor '\(name)' has values that are not finite")
    }
    return values
  }

  func integers(_ name: String, count: Int) throws(BasisError) -> [Int] {
    let values = try tensors.integers(name).map { Int($0) }
    guard values.count == count else {
      throw BasisError(
        .dimensionMismatch,
        "\(path): tensor '\(name)' has \(values.count) numbers, should have \(count)")
    }
    return values
  }
}
