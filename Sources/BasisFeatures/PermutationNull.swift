import BasisCore

/// Mean and spread of the mutual information of two columns when one of them is put into random order:
/// what two columns of these counts tell about each other by chance.
///
/// With row totals *a*, column totals *b* and μ = *ab* / *n*, *n* times the mutual information is the sum of
/// ψ(*k*) = *k* ln(*k* / μ) − *k* + μ over the cells, and each cell is hypergeometric: that gives the mean, as
/// for adjusted mutual information (Vinh, Epps & Bailey, *Information theoretic measures for clusterings
/// comparison*, JMLR 11 (2010), theorem 1).
///
/// The spread needs the covariance of any two cells. A cell's count is |*A* ∩ π*B*| for a random permutation
/// π; ψ of it is a sum of orthonormal (Hahn) polynomials of degree *d*, each a matrix coefficient of the
/// representation (*n* − *d*, *d*) of the symmetric group. By Schur's orthogonality, different degrees do not
/// correlate, and those of one degree do by the product of what the rows have in common and what the columns
/// have: 1 for the same, (−1)ᵈ h(*a*) h(*a*′) for disjoint sets with h(*a*)² = C(*a*, *d*) / C(*n* − *a*, *d*).
/// So the variance is a sum of a few quadratic forms over the different totals. It is exact up to degree 16,
/// beyond which cells are held to be independent; what is left there is below rounding.
struct PermutationNull: Sendable {
  /// Nats.
  let mean: Double
  /// Nats, squared.
  let variance: Double

  static let maximumDegree = 16

  /// - Parameters:
  ///   - rows: totals of one column, of *n* rows together.
  ///   - columns: totals of the other, of as many.
  /// - Complexity: O(different row totals · different column totals · (width of a cell's distribution) · 16).
  init(rows: [Total], columns: [Total], n: Int) {
    let width = columns.count
    var cells: [CellMoments] = []
    cells.reserveCapacity(rows.count * width)
    var degree = 0
    var (mean, rest, scale) = (0.0, 0.0, 0.0)
    for row in rows {
      for column in columns {
        let cell = CellMoments(row.rowCount, column.rowCount, of: n)
        let weight = Double(row.valueCount) * Double(column.valueCount)
        mean += weight * cell.mean
        rest += weight * cell.rest
        scale += weight * cell.variance
        degree = max(degree, cell.coefficients.count)
        cells.append(cell)
      }
    }
    var variance = rest
    var coefficients = [Double](repeating: 0, count: cells.count)
    for d in stride(from: 1, through: degree, by: 1) {
      for (place, cell) in cells.enumerated() {
        coefficients[place] = d <= cell.coefficients.count ? cell.coefficients[d - 1] : 0
      }
      variance += Self.form(
        coefficients, DegreeForm(rows, d, of: n), DegreeForm(columns, d, of: n))
    }
    // What is fixed by the totals has no spread, and rounding gives it one.
    if variance < 1e-13 * scale { variance = 0 }
    self.mean = mean / Double(n)
    self.variance = variance / (Double(n) * Double(n))
  }

  /// The variance that polynomials of one degree have together.
  private static func form(_ c: [Double], _ rows: DegreeForm, _ columns: DegreeForm) -> Double {
    let width = columns.counts.count
    var light = [Double](repeating: 0, count: width)
    var (own, lightOwn) = (0.0, 0.0)
    for row in rows.counts.indices {
      let vector = c[row * width..<(row + 1) * width]
      let square = columns.product(vector, vector)
      own += rows.counts[row] * square
      guard row != rows.heavy else { continue }
      let h = rows.h[row]
      lightOwn += rows.counts[row] * h * h * square
      for (column, value) in vector.enumerated() {
        light[column] += rows.counts[row] * h * value
      }
    }
    var cross = columns.product(light[...], light[...]) - lightOwn
    if let heavy = rows.heavy {
      let vector = c[heavy * width..<(heavy + 1) * width]
      cross += 2 * rows.h[heavy] * columns.product(vector, light[...])
    }
    return own + rows.sign * cross
  }
}

/// How polynomials of one degree correlate along one side of a table.
private struct DegreeForm {
  /// (−1)ᵈ.
  let sign: Double
  /// Values of each total.
  let counts: [Double]
  /// √(C(*a*, *d*) / C(*n* − *a*, *d*)), 0 where there is none.
  let h: [Double]
  /// The total of more than half of all rows, of which there is at most one: its h may be large, and is
  /// kept out of sums that would cancel.
  let heavy: Int?

  init(_ totals: [Total], _ degree: Int, of n: Int) {
    sign = degree % 2 == 0 ? 1 : -1
    counts = totals.map { Double($0.valueCount) }
    heavy = totals.lastIndex { 2 * $0.rowCount > n }
    h = totals.map { total in
      let a = total.rowCount
      guard degree <= n - a, degree <= a else { return 0 }
      var square = 1.0
      for step in 0..<degree { square *= Double(a - step) / Double(n - a - step) }
      return square.squareRoot()
    }
  }

  /// The sum over all pairs of values.
  func product(_ x: ArraySlice<Double>, _ y: ArraySlice<Double>) -> Double {
    var (own, lightOwn, sumX, sumY) = (0.0, 0.0, 0.0, 0.0)
    for place in counts.indices {
      let (a, b, count) = (x[x.startIndex + place], y[y.startIndex + place], counts[place])
      own += count * a * b
      guard place != heavy else { continue }
      let weight = count * h[place]
      lightOwn += weight * h[place] * a * b
      sumX += weight * a
      sumY += weight * b
    }
    var cross = sumX * sumY - lightOwn
    if let heavy {
      cross += h[heavy] * (x[x.startIndex + heavy] * sumY + y[y.startIndex + heavy] * sumX)
    }
    return own + sign * cross
  }
}

/// ψ of a hypergeometric count: its mean, its variance, and its coefficients in the orthonormal polynomials
/// of the count.
struct CellMoments: Sendable {
  let mean: Double
  let variance: Double
  /// Of degrees 1, 2 …
  let coefficients: [Double]
  /// The variance that the coefficients leave.
  let rest: Double

  init(_ a: Int, _ b: Int, of n: Int) {
    let (low, weights) = Self.hypergeometric(a, b, of: n)
    let expected = Double(a) / Double(n) * Double(b)
    let terms = EntropyTerms.shared
    let logarithmOfExpected = logarithm(expected)
    var values = [Double](repeating: 0, count: weights.count)
    for place in weights.indices {
      let k = Double(low + place)
      values[place] = terms.value(low + place) - k * logarithmOfExpected - k + expected
    }
    var mean = 0.0
    for place in weights.indices { mean += weights[place] * values[place] }
    var variance = 0.0
    for place in weights.indices {
      values[place] -= mean
      variance += weights[place] * values[place] * values[place]
    }
    self.mean = mean
    self.variance = variance
    let spread =
      (expected * (1 - Double(a) / Double(n)) * Double(n - b) / Double(max(n - 1, 1)))
      .squareRoot()
    let degree = min(
      PermutationNull.maximumDegree, weights.count - 1, min(a, b), min(n - a, n - b))
    guard degree >= 1, spread > 0 else {
      coefficients = []
      rest = 0
      return
    }
    let places = weights.indices.map { (Double(low + $0) - expected) / spread }
    (coefficients, rest) = Self.coefficients(of: values, at: places, weights, variance, degree)
  }

  /// By Stieltjes' procedure: each polynomial from the two before it.
  private static func coefficients(
    of values: [Double], at places: [Double], _ weights: [Double], _ variance: Double,
    _ degree: Int
  ) -> ([Double], rest: Double) {
    var result: [Double] = []
    var rest = variance
    var before = [Double](repeating: 0, count: values.count)
    var current = [Double](repeating: 1, count: values.count)
    var beta = 0.0
    for _ in 0..<degree {
      var alpha = 0.0
      for place in places.indices {
        alpha += weights[place] * places[place] * current[place] * current[place]
      }
      var square = 0.0
      for place in places.indices {
        let next = (places[place] - alpha) * current[place] - beta * before[place]
        before[place] = current[place]
        current[place] = next
        square += weights[place] * next * next
      }
      beta = square.squareRoot()
      // All that the count can be is used up.
      guard beta > 1e-9 else { break }
      var coefficient = 0.0
      for place in places.indices {
        current[place] /= beta
        coefficient += weights[place] * values[place] * current[place]
      }
      result.append(coefficient)
      rest -= coefficient * coefficient
      if rest < 1e-14 * variance { break }
    }
    return (result, max(0, rest))
  }

  /// The probabilities of the counts from `low` on, without those below 10⁻¹⁸ of the largest.
  static func hypergeometric(_ a: Int, _ b: Int, of n: Int) -> (low: Int, weights: [Double]) {
    let (least, most) = (max(0, a + b - n), min(a, b))
    let middle = (Double(a) + 1) * (Double(b) + 1) / (Double(n) + 2)
    let mode = min(max(Int(middle), least), most)
    var below: [Double] = []
    var weight = 1.0
    var k = mode
    while k > least {
      weight *=
        Double(k) * Double(n - a - b + k) / (Double(a - k + 1) * Double(b - k + 1))
      guard weight > 1e-18 else { break }
      below.append(weight)
      k -= 1
    }
    var weights = Array(below.reversed())
    let low = mode - below.count
    weights.append(1)
    weight = 1
    k = mode
    while k < most {
      weight *= Double(a - k) * Double(b - k) / (Double(k + 1) * Double(n - a - b + k + 1))
      guard weight > 1e-18 else { break }
      weights.append(weight)
      k += 1
    }
    let sum = weights.reduce(0, +)
    for place in weights.indices { weights[place] /= sum }
    return (low, weights)
  }
}
