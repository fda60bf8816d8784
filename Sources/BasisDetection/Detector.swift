public import BasisCore
public import BasisFormats
import BasisNumerics

/// A way to tell rows that do not belong from those that do: settings, which ``fit(_:in:)`` shows what
/// belongs.
public protocol Detector: Settings {
  associatedtype Input: MethodInput
  associatedtype Fitted: FittedDetector

  /// Learns what belongs.
  ///
  /// - Parameters:
  ///   - input: things that belong, finite.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` for too little, or naming row
  ///   and column; `.cancelled`.
  func fit(_ input: Input, in run: RunContext) throws(BasisError) -> Fitted
}

/// What belongs, and how strange further rows are to it.
public protocol FittedDetector: FittedModel {
  /// Columns of each matrix that it scores, a matrix a layer.
  var layerSizes: [Int] { get }
  /// Rows with a lower score do not belong: what the accepted share of rows that belong reaches, found on
  /// rows that the fit had not seen.
  var threshold: Double { get }
  /// What to keep in mind, a sentence each.
  var warnings: [String] { get }

  /// How well each row belongs: low is strange.
  ///
  /// A row's score does not depend on the rows beside it, nor on the threads.
  ///
  /// - Parameters:
  ///   - layers: a matrix a layer, `m × d` each, finite; row *i* of each is of the same thing.
  ///   - run: threads and cancellation.
  /// - Throws: `.dimensionMismatch` for other layers than were fitted; `.badData` naming row and
  ///   column; `.cancelled`.
  func scores(of layers: [Matrix], in run: RunContext) throws(BasisError) -> [Double]
}

extension FittedDetector {
  /// The layers are those of the fit, with as many rows each.
  func check(_ layers: [Matrix]) throws(BasisError) {
    guard layers.map(\.columnCount) == layerSizes else {
      func described(_ sizes: [Int]) -> String {
        "\(sizes.count == 1 ? "1 layer" : "\(sizes.count) layers") of "
          + sizes.map { "\($0)" }.joined(separator: ", ") + " columns"
      }
      throw BasisError(
        .dimensionMismatch,
        "the detector was fitted to \(described(layerSizes)), and was given "
          + "\(described(layers.map(\.columnCount)))")
    }
    try LayeredRows.check(layers, names: [])
  }
}

/// What several layers of a network make of the same things, and the class of each.
public struct LayeredRows: MethodInput {
  public static let description = "a matrix a layer and labels"

  /// `n × d` each, finite; row *i* of each is of the same thing.
  public let layers: [Matrix]
  /// *n* classes, any whole numbers.
  public let labels: [Int]

  /// - Parameters:
  ///   - layers: at least one, with *n* rows each.
  ///   - labels: *n* classes.
  /// - Throws: `.invalidArgument` for no layers; `.dimensionMismatch` for other numbers of rows or
  ///   labels; `.badData` naming row and column.
  public init(_ layers: [Matrix], labels: [Int]) throws(BasisError) {
    try self.init(layers, labels: labels, names: [])
  }

  private init(_ layers: [Matrix], labels: [Int], names: [String]) throws(BasisError) {
    guard let first = layers.first else {
      throw BasisError(.invalidArgument, "a detector wants at least one layer")
    }
    try Self.check(layers, names: names)
    guard labels.count == first.rowCount else {
      throw BasisError(
        .dimensionMismatch,
        "there are \(labels.count) labels for \(first.rowCount) rows; give one a row")
    }
    self.layers = layers
    self.labels = labels
  }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    guard !parts.matrices.isEmpty else {
      throw BasisError(.invalidArgument, "'\(method)' takes \(Self.description); got 0 matrices")
    }
    guard let labels = parts.labels else {
      throw BasisError(.invalidArgument, "'\(method)' takes \(Self.description); give --labels")
    }
    try self.init(parts.matrices, labels: labels, names: parts.names)
  }

  static func check(_ layers: [Matrix], names: [String]) throws(BasisError) {
    for (place, layer) in layers.enumerated() {
      let name = names.indices.contains(place) ? names[place] : "layer \(place)"
      try layer.requireFinite(name)
      guard layer.rowCount == layers[0].rowCount else {
        throw BasisError(
          .dimensionMismatch,
          "\(name) has \(layer.rowCount) rows, the first layer \(layers[0].rowCount); give the same "
            + "things in the same order")
      }
    }
  }
}

/// The score that so large a share of some scores reaches.
///
/// - Throws: `.invalidArgument` for a share outside 0 … 1.
func threshold(of scores: [Double], accepting share: Double) throws(BasisError) -> Double {
  guard share > 0, share < 1 else {
    throw BasisError(
      .invalidArgument, "the share to accept lies between 0 and 1, and is \(share)")
  }
  return Statistics.quantile(scores, 1 - share)
}
