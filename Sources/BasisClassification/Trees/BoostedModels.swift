public import BasisCore
public import BasisFormats
import Foundation

/// A number, and trees that each add to it.
public struct BoostedRegressor: FittedRegressor, SmootherWeights, Hashable {
  public static let modelName = "boosted regressor"

  public let ensemble: TreeEnsemble
  /// The mean of the targets.
  public let start: Double
  /// What of each tree is taken.
  public let rate: Double

  public var columnCount: Int { ensemble.columnCount }
  public var trainingCount: Int { ensemble.trainingCount }
  public var warnings: [String] { [] }

  init(_ ensemble: TreeEnsemble, start: Double, rate: Double) {
    self.ensemble = ensemble
    self.start = start
    self.rate = rate
  }

  /// - Complexity: O(*m* · trees · depth), parallel over rows.
  public func predict(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Double]
  {
    try rows.requireRows(of: columnCount, for: "boosted trees")
    return try ensemble.sums(rows, outputCount: 1, in: run).map { start + rate * $0 }
  }

  /// Tree by tree: *S* ← *S* + *η* (*S*_tree − *A*), where a row of *A* is the mean over the leaf's training
  /// rows of what *S* was for them.
  ///
  /// Curth, Jeffares & van der Schaar (2024), arXiv:2402.01502, appendix B. Starts at the mean of the
  /// targets, a weight of 1/*n* on each, where theirs starts at 0: rows here have sum 1. Weights may be
  /// negative.
  ///
  /// - Throws: also `.unsupported` where (*n* + *m*) *n* numbers are more than 2²⁸: ask for fewer rows.
  /// - Complexity: O(trees · *n* (*n* + *m*)) time, 8 *n* (*n* + *m*) bytes.
  public func weights(for rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Double]
  {
    try rows.requireRows(of: columnCount, for: "boosted trees")
    let (n, m) = (trainingCount, rows.rowCount)
    guard (n + m).multipliedReportingOverflow(by: n).partialValue <= 1 << 28 else {
      throw BasisError(
        .unsupported,
        "the weights of boosted trees go through all pairs of the \(n) training rows: too many for "
          + "memory; fit on fewer rows, or take a forest")
    }
    // The training rows first, then those that are asked.
    var all = [Double](repeating: 1 / Double(n), count: (n + m) * n)
    for number in ensemble.trees.indices {
      try run.checkCancelled()
      try step(number, rows, &all, in: run)
    }
    return Array(all[(n * n)...])
  }

  private func step(
    _ number: Int, _ rows: Matrix, _ all: inout [Double], in run: RunContext
  ) throws(BasisError) {
    let (n, m, rate) = (trainingCount, rows.rowCount, rate)
    let members = ensemble.members(number)
    let tree = ensemble.trees[number]
    let before = all
    let changes = try parallelMap(tree.leafCount, grain: 1, in: run) { (leaf, _) -> [Double] in
      let own = members.starts[leaf]..<members.starts[leaf + 1]
      var change = [Double](repeating: 0, count: n)
      let scale = rate / Double(max(1, own.count))
      for index in own {
        let row = Int(members.rows[index])
        for column in 0..<n { change[column] -= scale * before[row * n + column] }
      }
      for index in own { change[Int(members.rows[index])] += scale }
      return change
    }
    var leaves = ensemble.leaves[number * n..<(number + 1) * n].map { Int($0) }
    for row in 0..<m { leaves.append(rows.withRow(row) { tree.leaf($0) }) }
    let known = leaves
    all.withUnsafeMutableBufferPointer { all in
      for (row, leaf) in known.enumerated() {
        for column in 0..<n { all[row * n + column] += changes[leaf][column] }
      }
    }
  }

  private struct Manifest: Codable {
    var columnCount: Int
    var start: Double
    var rate: Double
  }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(Manifest(columnCount: columnCount, start: start, rate: rate))
    try ensemble.write(to: &file)
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(Manifest.self)
    (start, rate) = (manifest.start, manifest.rate)
    ensemble = try TreeEnsemble(from: file, columnCount: manifest.columnCount, outputCount: 1)
  }
}

/// The log of each class's share, and trees that each add to it. No smoother: the classes' probabilities
/// are no weighted means of the labels.
public struct BoostedClassifier: FittedClassifier, Hashable {
  public static let modelName = "boosted classifier"

  public let ensemble: TreeEnsemble
  public let classes: [Int]
  /// For each class, or the second one's odds of two.
  public let starts: [Double]
  /// What of each tree is taken.
  public let rate: Double

  public var columnCount: Int { ensemble.columnCount }
  public var warnings: [String] { [] }

  init(_ ensemble: TreeEnsemble, classes: [Int], starts: [Double], rate: Double) {
    self.ensemble = ensemble
    self.classes = classes
    self.starts = starts
    self.rate = rate
  }

  /// - Complexity: O(*m* · trees · depth), parallel over rows.
  public func probabilities(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> Matrix
  {
    try rows.requireRows(of: columnCount, for: "boosted trees")
    let k = starts.count
    var scores = try ensemble.sums(rows, outputCount: k, in: run)
    for index in scores.indices { scores[index] = starts[index % k] + rate * scores[index] }
    if k == 1 { scores = scores.flatMap { [0, $0] } }
    return Softmax.probabilities(scores, classCount: classes.count)
  }

  private struct Manifest: Codable {
    var columnCount: Int
    var classes: [Int]
    var starts: [Double]
    var rate: Double
  }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(
      Manifest(columnCount: columnCount, classes: classes, starts: starts, rate: rate))
    try ensemble.write(to: &file)
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(Manifest.self)
    (classes, starts, rate) = (manifest.classes, manifest.starts, manifest.rate)
    guard classes.count >= 2, starts.count == (classes.count == 2 ? 1 : classes.count) else {
      throw BasisError(.corruptFile, "\(file.path): its classes and starts do not fit each other")
    }
    ensemble = try TreeEnsemble(from: file, columnCount: manifest.columnCount, outputCount: 1)
  }
}
