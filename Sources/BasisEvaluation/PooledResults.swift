public import BasisCore

/// A pool laid out to be counted: what aggregators eat.
///
/// Samples that fewer than two models met say nothing of the models' order and are left out, and counted.
public struct PooledResults: Sendable {
  public let modelCount: Int
  /// Samples that at least two models met.
  public let sampleCount: Int
  /// Samples that one model met, or none.
  public let ignoredSampleCount: Int
  /// Values of each model, ignored samples included.
  public let resultCounts: [Int]

  /// Cells of sample *s* are `offsets[s] ..< offsets[s + 1]`.
  let offsets: [Int]
  let models: [Int32]
  let values: [Double]
  /// The set of each sample, by number.
  let sets: [Int]
  let setCount: Int
  /// Whether a sample's values are right and wrong.
  let isBinary: [Bool]
  /// For each model, the binary samples that it got right, and wrong.
  private let right: [Bitmap]
  private let wrong: [Bitmap]

  public init(_ pool: ResultPool) {
    var numbers: [String: Int] = [:]
    let sets = pool.samples.map { sample -> Int in
      let number = numbers[sample.set] ?? numbers.count
      numbers[sample.set] = number
      return number
    }
    self.init(
      modelCount: pool.modelCount, cells: pool.cells, sets: sets,
      isBinary: pool.samples.map { $0.metric == .binary })
  }

  /// - Parameters:
  ///   - modelCount: at least 0.
  ///   - cells: of each sample, by rising model.
  ///   - sets: the set of each sample, by number from 0; empty for one set.
  ///   - isBinary: whether a sample has only zeros and ones; empty to look.
  /// - Precondition: models are in `0 ..< modelCount`; counts agree.
  public init(
    modelCount: Int, cells: [[ResultPool.Cell]], sets: [Int] = [], isBinary: [Bool] = []
  ) {
    let sets = sets.isEmpty ? cells.map { _ in 0 } : sets
    precondition(sets.count == cells.count && (isBinary.isEmpty || isBinary.count == cells.count))
    var (offsets, models, values) = ([0], [Int32](), [Double]())
    var (keptSets, keptBinary) = ([Int](), [Bool]())
    var counts = [Int](repeating: 0, count: modelCount)
    for (row, own) in cells.enumerated() {
      for cell in own { counts[cell.model] += 1 }
      guard own.count >= 2 else { continue }
      for cell in own {
        models.append(Int32(cell.model))
        values.append(cell.value)
      }
      offsets.append(values.count)
      keptSets.append(sets[row])
      keptBinary.append(
        isBinary.isEmpty ? own.allSatisfy { $0.value == 0 || $0.value == 1 } : isBinary[row])
    }
    self.modelCount = modelCount
    sampleCount = keptSets.count
    ignoredSampleCount = cells.count - keptSets.count
    resultCounts = counts
    (self.offsets, self.models, self.values) = (offsets, models, values)
    self.sets = keptSets
    setCount = (sets.max() ?? -1) + 1
    self.isBinary = keptBinary
    var right = [Bitmap](repeating: Bitmap(count: keptSets.count), count: modelCount)
    var wrong = right
    for row in keptSets.indices where keptBinary[row] {
      for cell in offsets[row]..<offsets[row + 1] {
        let model = Int(models[cell])
        if values[cell] > 0.5 { right[model][row] = true } else { wrong[model][row] = true }
      }
    }
    (self.right, self.wrong) = (right, wrong)
  }

  /// Values that are there, of samples that are not ignored.
  public var cellCount: Int { values.count }

  /// How often each model beat each other, and how often they tied.
  struct Duels: Sendable {
    let count: Int
    /// `count × count`: how often the row's model beat the column's.
    var wins: [Double]
    /// `count × count`, symmetric.
    var ties: [Double]
  }

  /// Counts over all samples, or over a bootstrap of them.
  ///
  /// Binary samples by bit sets: a win of *i* over *j* is a sample that *i* got right and *j* wrong.
  ///
  /// - Parameter weights: how often each sample counts; nil for once.
  func duels(weights: [Int]? = nil) -> Duels {
    let n = modelCount
    var found = Duels(
      count: n, wins: Array(repeating: 0, count: n * n), ties: Array(repeating: 0, count: n * n))
    if weights == nil {
      for i in 0..<n {
        for j in 0..<n where i != j {
          found.wins[i * n + j] = Double(Self.common(right[i], wrong[j]))
          guard j < i else { continue }
          let tied = Self.common(right[i], right[j]) + Self.common(wrong[i], wrong[j])
          found.ties[i * n + j] = Double(tied)
          found.ties[j * n + i] = Double(tied)
        }
      }
    }
    found.wins.withUnsafeMutableBufferPointer { wins in
      found.ties.withUnsafeMutableBufferPointer { ties in
        for row in 0..<sampleCount where weights != nil || !isBinary[row] {
          let weight = Double(weights?[row] ?? 1)
          if weight > 0 { count(row, weight, wins, ties) }
        }
      }
    }
    return found
  }

  private func count(
    _ row: Int, _ weight: Double, _ wins: UnsafeMutableBufferPointer<Double>,
    _ ties: UnsafeMutableBufferPointer<Double>
  ) {
    let (first, last) = (offsets[row], offsets[row + 1])
    for a in first..<last {
      let (i, x) = (Int(models[a]), values[a])
      for b in first..<a {
        let (j, y) = (Int(models[b]), values[b])
        if x > y {
          wins[i * modelCount + j] += weight
        } else if x < y {
          wins[j * modelCount + i] += weight
        } else {
          ties[i * modelCount + j] += weight
          ties[j * modelCount + i] += weight
        }
      }
    }
  }

  private static func common(_ a: Bitmap, _ b: Bitmap) -> Int {
    a.words.withUnsafeBufferPointer { a in
      b.words.withUnsafeBufferPointer { b in
        var sum = 0
        for word in a.indices { sum += (a[word] & b[word]).nonzeroBitCount }
        return sum
      }
    }
  }

  /// The same results with each value kept by a coin.
  ///
  /// - Parameters:
  ///   - share: of the values, kept on average.
  ///   - generator: of the coins.
  public func thinned(keeping share: Double, _ generator: inout RandomGenerator) -> PooledResults {
    var cells: [[ResultPool.Cell]] = []
    for row in 0..<sampleCount {
      var own: [ResultPool.Cell] = []
      for cell in offsets[row]..<offsets[row + 1] where generator.nextDouble() < share {
        own.append(.init(model: Int(models[cell]), value: values[cell]))
      }
      cells.append(own)
    }
    return PooledResults(modelCount: modelCount, cells: cells, sets: sets, isBinary: isBinary)
  }
}
