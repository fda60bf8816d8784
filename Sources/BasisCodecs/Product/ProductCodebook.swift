package import BasisCore
import BasisNumerics
import CBasisKernels

/// The words of a product quantiser: for each of some equal parts of a vector, the vectors that may
/// stand for it.
package struct ProductCodebook: Sendable {
  /// How many parts, and how many values each has.
  package let parts: Int
  package let width: Int
  /// Words of a part: 16 or 256.
  package let size: Int
  /// `parts × width × size`: first values of all words of a part, second values...
  package private(set) var words: [Float]

  package var dimension: Int { parts * width }

  package init(parts: Int, width: Int, size: Int, words: [Float]) {
    precondition(words.count == parts * width * size && size % 16 == 0)
    self.parts = parts
    self.width = width
    self.size = size
    self.words = words
  }

  /// How a code is chosen beside the plain nearest words.
  ///
  /// Errors along a row's own direction change its products with queries near it more than errors
  /// across: they weigh 1 + `excess` times as much. Guo et al., *Accelerating large-scale inference
  /// with anisotropic vector quantization*, ICML 2020, Theorem 3.2: for a threshold *T* on the
  /// cosine, the ratio of the weights is (*d* − 1) *T*² / (1 − *T*²).
  package struct Anisotropy: Sendable {
    /// Unit rows, or zeros.
    package var directions: Matrix
    package var excess: Float

    package init(directions: Matrix, excess: Float) {
      self.directions = directions
      self.excess = excess
    }

    package static func excess(threshold: Float, dimension: Int) -> Float {
      let square = threshold * threshold
      return max(0, Float(dimension - 1) * square / (1 - square) - 1)
    }
  }

  /// Learns words from rows: k-means++ and Lloyd's iterations in every part at once.
  package static func train(
    _ rows: Matrix, parts: Int, width: Int, size: Int, anisotropy: Anisotropy? = nil,
    iterations: Int, in run: RunContext
  ) throws(BasisError) -> ProductCodebook {
    precondition(rows.columnCount == parts * width)
    let seeds = try parallelMap(parts, grain: 1, in: run) { (_, range) -> [Float] in
      spreadWords(of: rows, part: range.lowerBound, width, size, in: run)
    }
    var book = ProductCodebook(
      parts: parts, width: width, size: size, words: seeds.flatMap { $0 })
    for iteration in 0..<iterations {
      // Plain words first: the other loss has a good start then.
      let loss = iteration < iterations / 2 ? nil : anisotropy
      let codes = try book.encode(rows, anisotropy: loss, in: run)
      try book.update(rows, codes, loss, in: run)
    }
    return book
  }

  private static func spreadWords(
    of rows: Matrix, part: Int, _ width: Int, _ size: Int, in run: RunContext
  ) -> [Float] {
    var generator = run.generator("words", chunk: part)
    // Some rows are enough to start from.
    let sample = generator.sample(min(rows.rowCount, 64 * size), of: rows.rowCount)
    let stride = rows.columnCount
    var words = [Float](repeating: 0, count: width * size)
    guard !sample.isEmpty else { return words }
    rows.withUnsafeFloats { floats in
      var distances = [Float](repeating: .infinity, count: sample.count)
      var next = sample[generator.nextInt(below: sample.count)]
      for word in 0..<size {
        let start = next * stride + part * width
        for column in 0..<width { words[column * size + word] = floats[start + column] }
        var total = 0.0
        for (index, row) in sample.enumerated() {
          let other = row * stride + part * width
          var distance: Float = 0
          for column in 0..<width {
            let difference = floats[start + column] - floats[other + column]
            distance += difference * difference
          }
          distances[index] = min(distances[index], distance)
          total += Double(distances[index])
        }
        var rest = generator.nextDouble() * total
        next = sample[generator.nextInt(below: sample.count)]
        guard total > 0, total.isFinite else { continue }
        for (index, row) in sample.enumerated() where distances[index] > 0 {
          rest -= Double(distances[index])
          next = row
          if rest < 0 { break }
        }
      }
    }
    return words
  }

  /// For each row the number of a word per part: `n × parts` bytes.
  package func encode(_ rows: Matrix, anisotropy: Anisotropy? = nil, in run: RunContext)
    throws(BasisError) -> [UInt8]
  {
    precondition(rows.columnCount == dimension)
    var codes = [UInt8](repeating: 0, count: rows.rowCount * parts)
    try codes.withUnsafeMutableBufferPointer { (codes) throws(BasisError) in
      guard let base = codes.baseAddress else { return }
      let out = SharedPointer(base)
      try parallelFor(rows.rowCount, grain: 1024, in: run) { (_, range) in
        rows.withUnsafeFloats { floats in
          guard let start = floats.baseAddress else { return }
          let first = range.lowerBound * dimension
          if let anisotropy {
            anisotropy.directions.withUnsafeFloats {
              encode(
                start + first, directions: $0.baseAddress.map { $0 + first }, count: range.count,
                excess: anisotropy.excess, into: out.base + range.lowerBound * parts)
            }
          } else {
            encode(
              start + first, count: range.count, into: out.base + range.lowerBound * parts)
          }
        }
      }
    }
    return codes
  }

  package func encode(
    _ rows: UnsafePointer<Float>, directions: UnsafePointer<Float>? = nil, count: Int,
    excess: Float = 0, into codes: UnsafeMutablePointer<UInt8>
  ) {
    basis_scan_kernels().pointee.encode(
      rows, directions, count, parts, width, words, size, excess, 10, codes)
  }

  /// The vector that a code stands for.
  package func decode(_ code: UnsafePointer<UInt8>, into out: UnsafeMutablePointer<Float>) {
    for part in 0..<parts {
      for column in 0..<width {
        let index = part * width + column
        out[index] = words[index * size + Int(code[part])]
      }
    }
  }

  /// Each part's products with its words, negated: `parts × size`.
  package func products(with x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
    basis_scan_kernels().pointee.products(x, parts, width, words, size, out)
  }

  /// Words that make the loss of these codes least; a word without rows splits the commonest one.
  private mutating func update(
    _ rows: Matrix, _ codes: [UInt8], _ anisotropy: Anisotropy?, in run: RunContext
  ) throws(BasisError) {
    let book = self
    guard let anisotropy else {
      let fresh = try parallelMap(parts, grain: 1, in: run) { (_, range) -> [Float] in
        book.means(part: range.lowerBound, rows, codes)
      }
      words = fresh.flatMap { $0 }
      return
    }
    // What each row's error has along its direction. One part after the other: all parts at once
    // would each make good for the whole of it.
    var shadows = book.shadows(rows, codes, anisotropy)
    for part in 0..<parts {
      try run.checkCancelled()
      let fresh = weightedMeans(part: part, rows, codes, anisotropy, shadows: shadows)
      let start = part * width * size
      anisotropy.directions.withUnsafeFloats { directions in
        for row in 0..<rows.rowCount {
          let word = Int(codes[row * parts + part])
          for column in 0..<width {
            let index = column * size + word
            shadows[row] +=
              (words[start + index] - fresh[index])
              * directions[row * dimension + part * width + column]
          }
        }
      }
      words.replaceSubrange(start..<start + width * size, with: fresh)
    }
  }

  private func means(part: Int, _ rows: Matrix, _ codes: [UInt8]) -> [Float] {
    var sums = [Double](repeating: 0, count: width * size)
    var counts = [Int](repeating: 0, count: size)
    rows.withUnsafeFloats { floats in
      for row in 0..<rows.rowCount {
        let word = Int(codes[row * parts + part])
        counts[word] += 1
        let start = row * dimension + part * width
        for column in 0..<width { sums[column * size + word] += Double(floats[start + column]) }
      }
    }
    for word in 0..<size where counts[word] > 0 {
      for column in 0..<width { sums[column * size + word] /= Double(counts[word]) }
    }
    return filled(sums.map { Float($0) }, counts)
  }

  private func filled(_ words: [Float], _ counts: [Int]) -> [Float] {
    var (words, counts) = (words, counts)
    for empty in 0..<size where counts[empty] == 0 {
      guard let largest = counts.indices.max(by: { counts[$0] < counts[$1] }), counts[largest] > 1
      else { continue }
      for column in 0..<width {
        let value = words[column * size + largest]
        words[column * size + empty] = value * (1 + 0x1p-7)
        words[column * size + largest] = value * (1 - 0x1p-7)
      }
      counts[empty] = counts[largest] / 2
      counts[largest] -= counts[empty]
    }
    return words
  }

  private func shadows(_ rows: Matrix, _ codes: [UInt8], _ anisotropy: Anisotropy) -> [Float] {
    (0..<rows.rowCount).map { row in
      rows.withRow(row) { x in
        anisotropy.directions.withRow(row) { u in
          var sum: Float = 0
          for part in 0..<parts {
            let word = Int(codes[row * parts + part])
            for index in part * width..<(part + 1) * width {
              sum += (x[index] - words[index * size + word]) * u[index]
            }
          }
          return sum
        }
      }
    }
  }

  /// Solves, for each word w, Σ (1 + excess · u uᵀ) w = Σ x + excess · u (u·x + the other parts'
  /// shadow), over the rows that have it.
  private func weightedMeans(
    part: Int, _ rows: Matrix, _ codes: [UInt8], _ anisotropy: Anisotropy, shadows: [Float]
  ) -> [Float] {
    let excess = Double(anisotropy.excess)
    var systems = [Double](repeating: 0, count: size * width * width)
    var targets = [Double](repeating: 0, count: size * width)
    var counts = [Int](repeating: 0, count: size)
    let offset = part * width
    rows.withUnsafeFloats { floats in
      anisotropy.directions.withUnsafeFloats { directions in
        for row in 0..<rows.rowCount {
          let word = Int(codes[row * parts + part])
          counts[word] += 1
          let start = row * dimension + offset
          var old = 0.0
          for column in 0..<width {
            old +=
              Double(words[(offset + column) * size + word]) * Double(directions[start + column])
          }
          // This part's error is x − w: what it adds to the shadow is taken out of it, less x's.
          let others = Double(shadows[row]) + old
          for i in 0..<width {
            let u = Double(directions[start + i])
            targets[word * width + i] += Double(floats[start + i]) + excess * u * others
            for j in 0..<width {
              systems[(word * width + i) * width + j] += excess * u * Double(directions[start + j])
            }
          }
        }
      }
    }
    var fresh = [Float](repeating: 0, count: width * size)
    for word in 0..<size where counts[word] > 0 {
      var system = Array(systems[word * width * width..<(word + 1) * width * width])
      for i in 0..<width { system[i * width + i] += Double(counts[word]) }
      let solution = Self.solve(system, Array(targets[word * width..<(word + 1) * width]))
      for column in 0..<width { fresh[column * size + word] = Float(solution[column]) }
    }
    return filled(fresh, counts)
  }

  /// `a x = b` for a symmetric, well-conditioned, positive definite `a`, by elimination.
  private static func solve(_ a: [Double], _ b: [Double]) -> [Double] {
    let n = b.count
    var (a, x) = (a, b)
    for pivot in 0..<n {
      for row in (pivot + 1)..<max(n, pivot + 1) {
        let factor = a[row * n + pivot] / a[pivot * n + pivot]
        for column in pivot..<n { a[row * n + column] -= factor * a[pivot * n + column] }
        x[row] -= factor * x[pivot]
      }
    }
    for row in (0..<n).reversed() {
      for column in (row + 1)..<max(n, row + 1) { x[row] -= a[row * n + column] * x[column] }
      x[row] /= a[row * n + row]
    }
    return x
  }
}
