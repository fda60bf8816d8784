public import BasisCore
import BasisNumerics
import Foundation

/// How evenly directions fill the sphere: log E exp(−*t* ‖f(x) − f(y)‖²) over pairs of different rows,
/// brought to unit length. 0 where all rows are one; lower is more uniform.
///
/// Wang & Isola, *Understanding contrastive representation learning through alignment and uniformity on
/// the hypersphere*, ICML 2020, arXiv:2005.10242, section 4.1; as used by Wang & Liu, *Understanding
/// the behaviour of contrastive loss*, CVPR 2021, arXiv:2012.09740.
public struct Uniformity: Measure {
  /// *t*, above 0.
  public var sharpness: Double
  /// At most so many rows, chosen at random, at least 2.
  public var sampleCount: Int

  public init(sharpness: Double = 2, sampleCount: Int = 20_000) {
    self.sharpness = sharpness
    self.sampleCount = sampleCount
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = Uniformity()
    sharpness = try values.decodeIfPresent(Double.self, forKey: .sharpness) ?? defaults.sharpness
    sampleCount =
      try values.decodeIfPresent(Int.self, forKey: .sampleCount) ?? defaults.sampleCount
  }

  /// - Parameters:
  ///   - rows: `n × d`, finite, *n* ≥ 2.
  ///   - run: the seed chooses the sample.
  /// - Throws: `.invalidArgument`; `.badData` for fewer than 2 rows; `.cancelled`.
  /// - Complexity: O(*n*² *d*) for the rows that are looked at, parallel.
  public func measure(_ rows: Matrix, in run: RunContext) throws(BasisError) -> MeasuredValue {
    guard sharpness > 0, sharpness.isFinite, sampleCount >= 2 else {
      throw BasisError(
        .invalidArgument,
        "uniformity: sharpness is above 0 and at least 2 rows are sampled; got \(sharpness) and "
          + "\(sampleCount)")
    }
    var generator = run.generator("rows on the sphere")
    let rows = rows.sample(atMost: sampleCount, by: &generator)
    guard rows.rowCount >= 2, rows.columnCount >= 1 else {
      throw BasisError(
        .badData,
        "uniformity needs at least 2 rows and 1 column, got \(rows.rowCount) × \(rows.columnCount)")
    }
    let sphere = Sphere(rows)
    let n = rows.rowCount
    let sums = try sphere.sums(in: run) { exp(2 * sharpness * (Double($0) - 1)) }
    // Each row with itself is no pair: exp(0), but for a row without direction.
    let own = (0..<n).map { sums[$0] - (sphere.isZero[$0] ? exp(-2 * sharpness) : 1) }
    let total = own.reduce(0, +)
    let pairs = Double(n) * Double(n - 1)
    let value = log(total / pairs)
    let without = own.map { log((total - 2 * $0) / (Double(n - 1) * Double(n - 2))) }
    return MeasuredValue(
      value, unit: "log of a mean, lower is more uniform",
      interval: Sphere.interval(value, without), warnings: sphere.warnings)
  }
}

/// How close rows of one class are: the mean cosine over pairs of different rows with equal labels.
/// −1 to 1; higher tolerates what is alike.
///
/// Wang & Liu, *Understanding the behaviour of contrastive loss*, CVPR 2021, arXiv:2012.09740,
/// section 4.
public struct Tolerance: Measure {
  public init() {}

  /// - Parameters:
  ///   - input: rows and labels; classes of one row are left out.
  ///   - run: not used.
  /// - Throws: `.badData` where no two rows have one label.
  /// - Complexity: O(*n* *d*).
  public func measure(_ input: LabeledRows, in run: RunContext) throws(BasisError) -> MeasuredValue
  {
    let sphere = Sphere(input.rows)
    let d = input.rows.columnCount
    var members: [Int: [Int]] = [:]
    for (row, label) in input.labels.enumerated() { members[label, default: []].append(row) }
    // For each row the sum of its cosines with the others of its class.
    var own = [Double](repeating: 0, count: input.rows.rowCount)
    var others = own
    var (total, pairs, single) = (0.0, 0.0, 0)
    for rows in members.sorted(by: { $0.key < $1.key }).map(\.value) {
      guard rows.count > 1 else {
        single += 1
        continue
      }
      var sum = [Double](repeating: 0, count: d)
      for row in rows {
        sphere.unit.withRow(row) { values in
          for column in values.indices { sum[column] += Double(values[column]) }
        }
      }
      for row in rows {
        sphere.unit.withRow(row) { values in
          for column in values.indices {
            let value = Double(values[column])
            own[row] += value * (sum[column] - value)
          }
        }
        others[row] = Double(rows.count - 1)
        total += own[row]
        pairs += others[row]
      }
    }
    guard pairs > 0 else {
      throw BasisError(.badData, "tolerance needs two rows of one class; every label is there once")
    }
    var warnings = sphere.warnings
    if single > 0 { warnings.append("\(single) classes of a single row are left out") }
    let without = own.indices.filter { others[$0] > 0 && pairs > 2 * others[$0] }
      .map { (total - 2 * own[$0]) / (pairs - 2 * others[$0]) }
    let value = total / pairs
    return MeasuredValue(
      value, unit: "mean cosine within a class", interval: Sphere.interval(value, without),
      warnings: warnings)
  }
}

/// How far apart two views of one thing are: E ‖f(x) − f(x⁺)‖² of rows brought to unit length, 0 to 4.
///
/// Wang & Isola, arXiv:2005.10242, section 4.1, with α = 2.
public struct Alignment: Measure {
  public init() {}

  /// - Parameters:
  ///   - input: two views of the same things, of one dimension.
  ///   - run: not used.
  /// - Throws: `.dimensionMismatch`; `.badData` without rows.
  /// - Complexity: O(*n* *d*).
  public func measure(_ input: PairedRows, in run: RunContext) throws(BasisError) -> MeasuredValue {
    guard input.first.columnCount == input.second.columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "alignment: the views have \(input.first.columnCount) and \(input.second.columnCount) "
          + "columns; they are of one model")
    }
    guard input.first.rowCount > 0 else { throw BasisError(.badData, "alignment needs a row") }
    let (first, second) = (Sphere(input.first), Sphere(input.second))
    let distances = (0..<input.first.rowCount).map { row in
      zip(first.unit.row(row), second.unit.row(row)).reduce(0.0) { sum, pair in
        let difference = Double(pair.0) - Double(pair.1)
        return sum + difference * difference
      }
    }
    let value = Statistics.mean(distances)
    let total = distances.reduce(0, +)
    let without = distances.map { (total - $0) / Double(max(1, distances.count - 1)) }
    return MeasuredValue(
      value, unit: "squared distance, 0 to 4", interval: Sphere.interval(value, without),
      warnings: first.warnings + second.warnings)
  }
}

/// Rows brought to unit length.
struct Sphere {
  let unit: Matrix
  let isZero: [Bool]

  init(_ rows: Matrix) {
    unit = rows.withUnitRows()
    isZero = (0..<rows.rowCount).map { rows.withRow($0) { $0.allSatisfy { $0 == 0 } } }
  }

  var warnings: [String] {
    let count = isZero.count { $0 }
    return count == 0 ? [] : ["\(count) rows are zero and have no direction"]
  }

  /// For each row the sum over all rows, itself included, of a function of their product.
  func sums(in run: RunContext, _ body: @Sendable (Float) -> Double) throws(BasisError) -> [Double]
  {
    let (n, d) = (unit.rowCount, unit.columnCount)
    let sums = try parallelMap(n, grain: 128, in: run) {
      (_, range) throws(BasisError) -> [Double] in
      var own = [Double](repeating: 0, count: range.count)
      let scratch = Kernels.ProductScratch()
      var products = [Float](repeating: 0, count: range.count * 512)
      for first in stride(from: 0, to: n, by: 512) {
        try run.checkCancelled()
        let width = min(512, n - first)
        unit.withUnsafeFloats { floats in
          guard let base = floats.baseAddress else { return }
          products.withUnsafeMutableBufferPointer { out in
            guard let out = out.baseAddress else { return }
            Kernels.product(
              base + range.lowerBound * d, aStride: d, aCount: range.count, base + first * d,
              bStride: d, bCount: width, dimension: d, into: out, cStride: width, scratch: scratch)
          }
        }
        for row in range.indices {
          let place = row - range.lowerBound
          var sum = 0.0
          for column in 0..<width { sum += body(products[place * width + column]) }
          own[place] += sum
        }
      }
      return own
    }
    return sums.flatMap { $0 }
  }

  /// 95 % around a value, from its values with one row left out (the jackknife).
  static func interval(_ value: Double, _ without: [Double]) -> ClosedRange<Double>? {
    let values = without.filter(\.isFinite)
    guard values.count > 2, values.count == without.count else { return nil }
    let count = Double(values.count)
    let variance = (count - 1) * (count - 1) / count * Statistics.variance(values)
    let half = StandardNormal.quantile(0.975) * variance.squareRoot()
    return value - half...value + half
  }
}
