public import BasisCore
public import BasisFormats
import BasisNumerics

/// A matrix as a chain of three small tensors.
///
/// Row numbers are written with three digits, column numbers too; the values become a tensor over three
/// pairs of digits, and two truncated singular value decompositions cut it into the chain. Exact where
/// the tensor has so low a rank; of use for tables that repeat themselves, less for embeddings.
///
/// Oseledets, *Tensor-train decomposition*, SIAM J. Sci. Comput. 33 (2011), doi:10.1137/090752286,
/// algorithm 1; the pairs of digits as in TT-Rec (Yin et al., MLSys 2021, arXiv:2101.11714).
public struct TensorTrainCodec: MatrixCompressor {
  /// Bytes as a share of the matrix's own, above 0.
  public var ratio: Double

  public init(ratio: Double = 0.1) { self.ratio = ratio }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    ratio = try values.decodeIfPresent(Double.self, forKey: .ratio) ?? 0.1
  }

  /// Three factors whose product is `count` or little more, as equal as that allows.
  package static func factors(_ count: Int) -> [Int] {
    guard count > 1 else { return [1, 1, 1] }
    let root = Int(power(Double(count), 1.0 / 3).rounded(.up))
    var best: (score: Double, factors: [Int]) = (.infinity, [1, 1, count])
    for first in max(1, root / 2)...2 * root {
      for second in max(1, root / 2)...2 * root {
        let third = (count + first * second - 1) / (first * second)
        let all = [first, second, third]
        let spread = Double(all.max() ?? 1) / Double(all.min() ?? 1)
        // A cell of padding costs what a cell of the matrix does; uneven factors cost rank.
        let score = Double(first * second * third) / Double(count) + 0.02 * spread
        if score < best.score { best = (score, all) }
      }
    }
    return best.factors
  }

  /// - Complexity: O(*n* *d* · rank).
  public func compress(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> TensorTrainMatrix
  {
    try run.checkCancelled()
    try requireRatio(ratio, "tensor train")
    try rows.requireSample("tensor train")
    let (n, d) = (rows.rowCount, rows.columnCount)
    let (rowFactors, columnFactors) = (Self.factors(n), Self.factors(d))
    let sides = zip(rowFactors, columnFactors).map { $0 * $1 }
    // side₀ R + R² side₁ + R side₂ = budget.
    let budget = min(ratio, 4) * Double(n) * Double(d)
    let (a, b) = (Double(sides[1]), Double(sides[0] + sides[2]))
    let rank = Int((((b * b + 4 * a * budget).squareRoot() - b) / (2 * a)).rounded(.down))
    guard rank >= 1 else {
      throw unreachable(
        ratio, smallest: Double(sides.reduce(0, +)) / (Double(n) * Double(d)), "tensor train")
    }
    let unfolded = Self.unfold(rows, rowFactors, columnFactors)
    let first = try Self.split(unfolded, rank: rank, in: run)
    try run.checkCancelled()
    let reshaped = first.right.withUnsafeFloats { floats in
      Matrix(rowCount: first.right.rowCount * sides[1], columnCount: sides[2]) { target in
        // (rank, side₁ side₂) and (rank side₁, side₂) are the same floats in the same order.
        for index in target.indices { target[index] = floats[index] }
      }
    }
    let second = try Self.split(reshaped, rank: rank, in: run)
    return TensorTrainMatrix(
      rowCount: n, columnCount: d, rowFactors: rowFactors, columnFactors: columnFactors,
      cores: [first.left, second.left, second.right])
  }

  /// The tensor as (first digits) × (second and third digits), zeros where it is larger.
  private static func unfold(_ rows: Matrix, _ n: [Int], _ d: [Int]) -> Matrix {
    let width = n[1] * d[1] * n[2] * d[2]
    return Matrix(rowCount: n[0] * d[0], columnCount: width) { target in
      rows.withUnsafeFloats { source in
        for row in 0..<rows.rowCount {
          let i = [row / (n[1] * n[2]), row / n[2] % n[1], row % n[2]]
          for column in 0..<rows.columnCount {
            let j = [column / (d[1] * d[2]), column / d[2] % d[1], column % d[2]]
            let place =
              (i[0] * d[0] + j[0]) * width + (i[1] * d[1] + j[1]) * n[2] * d[2] + i[2] * d[2] + j[2]
            target[place] = source[row * rows.columnCount + column]
          }
        }
      }
    }
  }

  /// The best product of an orthonormal matrix of so many columns and another.
  private static func split(_ matrix: Matrix, rank: Int, in run: RunContext) throws(BasisError) -> (
    left: Matrix, right: Matrix
  ) {
    let smaller = min(matrix.rowCount, matrix.columnCount)
    let kept = min(rank, smaller)
    let u =
      smaller <= 256
      ? try LinearAlgebra.thinSVD(matrix, in: run).u.prefix(columns: kept)
      : try RandomizedSVD(rank: kept, oversampling: 16, powerIterations: 4)
        .decompose(matrix, in: run).u
    return (u, try LinearAlgebra.product(u, matrix, transposingA: true, in: run))
  }
}

/// Rows as products along a chain of three tensors.
public struct TensorTrainMatrix: CompressedMatrix {
  public let rowCount: Int
  public let columnCount: Int
  let rowFactors: [Int]
  let columnFactors: [Int]
  /// `side₀ × R₁`, `R₁ side₁ × R₂`, `R₂ × side₂`.
  let cores: [Matrix]

  public var byteCount: Int { cores.reduce(0) { $0 + 4 * $1.rowCount * $1.columnCount } }
  /// The lengths of the two links of the chain.
  public var ranks: [Int] { [cores[0].columnCount, cores[2].rowCount] }

  public func rows(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    let (n, d) = (rowFactors, columnFactors)
    let (first, second) = (ranks[0], ranks[1])
    let side = n[1] * d[1]
    return Matrix(rowCount: range.count, columnCount: columnCount) { out in
      var link = [Float](repeating: 0, count: second)
      for row in range {
        let i = [row / (n[1] * n[2]), row / n[2] % n[1], row % n[2]]
        let target = (row - range.lowerBound) * columnCount
        for a in 0..<d[0] {
          for b in 0..<d[1] where (a * d[1] + b) * d[2] < columnCount {
            for index in link.indices { link[index] = 0 }
            cores[0].withRow(i[0] * d[0] + a) { weights in
              for index in 0..<first {
                cores[1].withRow(index * side + i[1] * d[1] + b) { values in
                  for place in 0..<second { link[place] += weights[index] * values[place] }
                }
              }
            }
            for c in 0..<d[2] {
              let column = (a * d[1] + b) * d[2] + c
              guard column < columnCount else { break }
              var sum: Float = 0
              for index in 0..<second { sum += link[index] * cores[2][index, i[2] * d[2] + c] }
              out[target + column] = sum
            }
          }
        }
      }
    }
  }

  private struct Header: Codable {
    var layout = 1
    var rowCount: Int
    var columnCount: Int
    var rowFactors: [Int]
    var columnFactors: [Int]
    var ranks: [Int]
  }

  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "tensor-train",
      json: Header(
        rowCount: rowCount, columnCount: columnCount, rowFactors: rowFactors,
        columnFactors: columnFactors, ranks: ranks))
    for (number, core) in cores.enumerated() {
      try writer.write(prefix + "core-\(number)", matrix: core)
    }
  }

  public init(from container: Container, prefix: String) throws(BasisError) {
    let header = try container.json(prefix + "tensor-train", as: Header.self)
    try container.requireLayout(header.layout, of: "tensor train")
    let (n, d) = (header.rowFactors, header.columnFactors)
    let limit = 1 << 31
    guard n.count == 3, d.count == 3, header.ranks.count == 2,
      (n + d + header.ranks).allSatisfy({ $0 >= 1 && $0 < limit }),
      n.reduce(1.0, { $0 * Double($1) }) >= Double(header.rowCount),
      d.reduce(1.0, { $0 * Double($1) }) >= Double(header.columnCount),
      header.rowCount >= 0, header.columnCount >= 0
    else {
      throw BasisError(.corruptFile, "\(container.path): a tensor train of impossible shape")
    }
    let third = n[2].multipliedReportingOverflow(by: d[2]).partialValue
    let cores = [
      try container.matrix(prefix + "core-0", columnCount: header.ranks[0]),
      try container.matrix(prefix + "core-1", columnCount: header.ranks[1]),
      try container.matrix(prefix + "core-2", columnCount: third),
    ]
    let wanted = [Double(n[0]) * Double(d[0]), Double(header.ranks[0]) * Double(n[1] * d[1])]
    guard Double(cores[0].rowCount) == wanted[0], Double(cores[1].rowCount) == wanted[1],
      cores[2].rowCount == header.ranks[1]
    else {
      throw BasisError(.corruptFile, "\(container.path): the cores of a tensor train do not fit")
    }
    self.init(
      rowCount: header.rowCount, columnCount: header.columnCount, rowFactors: n, columnFactors: d,
      cores: cores)
  }

  init(rowCount: Int, columnCount: Int, rowFactors: [Int], columnFactors: [Int], cores: [Matrix]) {
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.rowFactors = rowFactors
    self.columnFactors = columnFactors
    self.cores = cores
  }
}
