import BasisCore

/// Which things k-medoids begins with.
public enum MedoidStart: String, Sendable, Hashable, Codable, CaseIterable {
  /// Drawn uniformly: good enough where swaps are cheap.
  case random
  /// One after another what lowers the loss most (Kaufman & Rousseeuw 1987): the best start, and
  /// O(*n*²) for the first and then a part of it for each.
  case build
  /// As `build`, each time among 10 + ⌈√*n*⌉ things and judged by them alone: O(*n* *k*).
  /// Schubert & Rousseeuw 2019, algorithm 4.
  case lab
  /// The first *k* things.
  case firstK = "first-k"
  /// Drawn with a probability that grows with the distance from those drawn before.
  case plusPlus = "plus-plus"
}

extension MedoidStart {
  /// - Parameter k: in `1 ... reader.count`.
  /// - Returns: `k` different things.
  func medoids(_ k: Int, _ reader: DissimilarityReader, in run: RunContext) throws(BasisError)
    -> [Int]
  {
    var generator = run.generator("k-medoids start")
    switch self {
    case .firstK: return Array(0..<k)
    case .random:
      var chosen = generator.sample(k, of: reader.count)
      generator.shuffle(&chosen)
      return chosen
    case .build: return try Self.build(k, reader, in: run)
    case .lab: return try Self.lab(k, reader, &generator, in: run)
    case .plusPlus: return try Self.spread(k, reader, &generator, in: run)
    }
  }

  // MARK: BUILD

  /// The greedy start. What a thing would save can only fall as others are chosen, so that those
  /// are passed over that saved too little before: the choice is that of looking at all.
  private static func build(_ k: Int, _ reader: DissimilarityReader, in run: RunContext)
    throws(BasisError) -> [Int]
  {
    let n = reader.count
    let sums = try KMedoids.sums(reader, in: run)
    let first = sums.indices.min { sums[$0] < sums[$1] } ?? 0
    var chosen = [first]
    let scratch = SwapScratch(count: n, clusterCount: 1)
    var near = [Float](repeating: 0, count: n)
    let start = reader.row(first, scratch.row)
    for item in 0..<n { near[item] = start[item] }
    var isChosen = [Bool](repeating: false, count: n)
    isChosen[first] = true

    var savings = [Double](repeating: .infinity, count: n)
    while chosen.count < k {
      try run.checkCancelled()
      run.report("choosing a start", chosen.count, of: k)
      let best = try bestSaving(&savings, near, isChosen, reader, scratch, in: run)
      isChosen[best] = true
      chosen.append(best)
      let row = reader.row(best, scratch.row)
      for item in 0..<n { near[item] = min(near[item], row[item]) }
    }
    return chosen
  }

  private static func bestSaving(
    _ savings: inout [Double], _ near: [Float], _ isChosen: [Bool],
    _ reader: DissimilarityReader, _ scratch: SwapScratch, in run: RunContext
  ) throws(BasisError) -> Int {
    let n = reader.count
    if savings[0] == .infinity {
      savings = try parallelMap(n, grain: 32, in: run) { (_, range) -> [Double] in
        let own = SwapScratch(count: n, clusterCount: 1)
        return range.map { isChosen[$0] ? -1 : saving($0, near, reader, own) }
      }.flatMap { $0 }
      return first(savings, isChosen)
    }
    var isFresh = [Bool](repeating: false, count: n)
    while true {
      let best = first(savings, isChosen)
      if isFresh[best] { return best }
      savings[best] = saving(best, near, reader, scratch)
      isFresh[best] = true
    }
  }

  /// The first of the largest among those not chosen.
  private static func first(_ savings: [Double], _ isChosen: [Bool]) -> Int {
    var best = -1
    var most = -Double.infinity
    for item in savings.indices where savings[item] > most && !isChosen[item] {
      best = item
      most = savings[item]
    }
    return best
  }

  private static func saving(
    _ candidate: Int, _ near: [Float], _ reader: DissimilarityReader, _ scratch: SwapScratch
  ) -> Double {
    let row = reader.row(candidate, scratch.row)
    return near.withUnsafeBufferPointer { near -> Double in
      guard let base = near.baseAddress else { return 0 }
      let found = Kernels.positions(
        of: base, minus: row, count: near.count, notBelow: .leastNonzeroMagnitude,
        into: scratch.hits)
      var sum = 0.0
      for hit in 0..<found {
        let item = Int(scratch.hits[hit])
        sum += Double(near[item]) - Double(row[item])
      }
      return sum
    }
  }

  // MARK: LAB

  private static func lab(
    _ k: Int, _ reader: DissimilarityReader, _ generator: inout RandomGenerator, in run: RunContext
  ) throws(BasisError) -> [Int] {
    let n = reader.count
    let size = 10 + Int(Double(n).squareRoot().rounded(.up))
    // Those not chosen; the chosen are behind the end.
    var pool = Array(0..<n)
    var rest = n
    var near = [Float](repeating: .infinity, count: n)
    var known = [Int](repeating: 0, count: n)
    var chosen: [Int] = []
    while chosen.count < k {
      try run.checkCancelled()
      let sample = min(size, rest)
      for place in 0..<sample {
        pool.swapAt(place, place + generator.nextInt(below: rest - place))
      }
      for place in 0..<sample {
        let item = pool[place]
        for medoid in chosen[known[item]...] {
          near[item] = min(near[item], reader.distance(item, medoid))
        }
        known[item] = chosen.count
      }
      let best = bestOfSample(pool[..<sample], near, reader)
      chosen.append(pool[best])
      rest -= 1
      pool.swapAt(best, rest)
    }
    return chosen
  }

  /// The place in the sample of what lowers its loss most; the first where nothing does.
  private static func bestOfSample(
    _ sample: ArraySlice<Int>, _ near: [Float], _ reader: DissimilarityReader
  ) -> Int {
    var (best, least) = (0, Double.infinity)
    let isFirst = sample.allSatisfy { near[$0] == .infinity }
    for (place, candidate) in sample.enumerated() {
      // At distance 0 from a medoid: nothing to save that another would not.
      if near[candidate] == 0 { continue }
      var change = 0.0
      for item in sample {
        let distance = reader.distance(candidate, item)
        if isFirst {
          change += Double(distance)
        } else if distance < near[item] {
          change += Double(distance) - Double(near[item])
        }
      }
      if change < least { (best, least) = (place, change) }
    }
    return best
  }

  // MARK: Spread

  private static func spread(
    _ k: Int, _ reader: DissimilarityReader, _ generator: inout RandomGenerator, in run: RunContext
  ) throws(BasisError) -> [Int] {
    let n = reader.count
    let scratch = SwapScratch(count: n, clusterCount: 1)
    var near = [Float](repeating: .infinity, count: n)
    var isChosen = [Bool](repeating: false, count: n)
    var chosen: [Int] = []
    var next = generator.nextInt(below: n)
    while true {
      try run.checkCancelled()
      chosen.append(next)
      isChosen[next] = true
      guard chosen.count < k else { return chosen }
      let row = reader.row(next, scratch.row)
      var total = 0.0
      for item in 0..<n {
        near[item] = isChosen[item] ? 0 : min(near[item], row[item])
        total += Double(near[item])
      }
      var rest = generator.nextDouble() * total
      // Where all that is left is at distance 0, the first that is left.
      next = isChosen.firstIndex(of: false) ?? 0
      for item in 0..<n where near[item] > 0 {
        next = item
        rest -= Double(near[item])
        if rest < 0 { break }
      }
    }
  }
}
