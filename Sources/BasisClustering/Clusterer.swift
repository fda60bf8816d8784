public import BasisCore
public import BasisFormats

/// A way to put things into groups: settings, which ``fit(_:in:)`` turns into groups.
public protocol Clusterer: Settings {
  associatedtype Input: MethodInput
  associatedtype Fitted: Clustering

  /// Finds the groups.
  ///
  /// - Parameters:
  ///   - input: finite; at least as many things as groups.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range or too few things; `.badData` naming
  ///   row and column; `.cancelled`.
  func fit(_ input: Input, in run: RunContext) throws(BasisError) -> Fitted
}

/// Groups of things, and what puts further things into them.
public protocol Clustering: Sendable {
  /// How many groups; some may be empty.
  var clusterCount: Int { get }
  /// The group of each thing that was fitted, `0 ..< clusterCount`.
  var assignments: [Int] { get }
  /// What was made small, over all things that were fitted.
  var loss: Double { get }
  /// Passes that were made.
  var iterationCount: Int { get }

  /// The group of each of some further things.
  ///
  /// - Parameters:
  ///   - rows: `m × d`, finite.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  func assign(_ rows: Matrix, in run: RunContext) throws(BasisError) -> [Int]
}

/// Groups that a file keeps, for rows to come.
public protocol StoredClustering: Clustering, FittedModel {}

extension Clustering {
  /// How many of the fitted things each group has.
  public var sizes: [Int] {
    var sizes = [Int](repeating: 0, count: clusterCount)
    for cluster in assignments { sizes[cluster] += 1 }
    return sizes
  }
}
