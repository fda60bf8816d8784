import BasisCore

extension KMedoids {
  // MARK: The first improvement

  /// Swaps at once, until a pass comes round to the last swap.
  func swapEagerly(_ state: SwapState, in run: RunContext) throws(BasisError) -> FoundMedoids {
    let n = state.count
    var order = Array(0..<n)
    if isShuffled {
      var generator = run.generator("k-medoids order")
      generator.shuffle(&order)
    }
    let scan = CandidateScan(state, order, in: run)
    var (iterations, swaps, isConverged) = (0, 0, false)
    // Where in the order the last swap was made.
    var last = n
    while iterations < maxIterations && !isConverged {
      iterations += 1
      let (swapsBefore, lossBefore) = (swaps, state.loss)
      var place = 0
      var end = last
      while let (found, swap) = try scan.firstImprovement(place..<end, in: run) {
        state.make(swap)
        swaps += 1
        last = found
        place = found + 1
        end = n
      }
      isConverged = swaps == swapsBefore || state.loss >= lossBefore
      run.report("clustering", iterations, unit: "passes")
    }
    return FoundMedoids(
      state, iterationCount: iterations, swapCount: swaps, isConverged: isConverged)
  }

  // MARK: The best improvement

  /// Makes the best of all swaps, until none is an improvement.
  func swapBest(_ state: SwapState, in run: RunContext) throws(BasisError) -> FoundMedoids {
    var (iterations, swaps, isConverged) = (0, 0, false)
    while iterations < maxIterations && !isConverged {
      iterations += 1
      let before = state.loss
      if let best = try bestSwap(state, in: run) {
        state.make(best)
        swaps += 1
        // Rounding may hide that nothing was gained.
        isConverged = state.loss >= before
      } else {
        isConverged = true
      }
      run.report("clustering", iterations, unit: "swaps")
    }
    return FoundMedoids(
      state, iterationCount: iterations, swapCount: swaps, isConverged: isConverged)
  }

  /// The best swap, the first of equals; nil if none lowers the loss.
  private func bestSwap(_ state: SwapState, in run: RunContext) throws(BasisError) -> Swap? {
    let isOneByOne = variant == .pam
    let n = state.count
    let found = try parallelMap(n, grain: max(16, n / 64), in: run) {
      (_, range) throws(BasisError) -> Swap? in
      let scratch = SwapScratch(count: n, clusterCount: state.medoids.count)
      var best: Swap?
      for candidate in range where !state.isMedoid(candidate) {
        if isOneByOne { try run.checkCancelled() }
        let swap =
          isOneByOne
          ? state.bestSwapOneByOne(candidate, scratch) : state.bestSwap(candidate, scratch)
        if swap.change < best?.change ?? 0 { best = swap }
      }
      return best
    }
    return found.reduce(nil as Swap?) { best, swap in
      guard let swap, swap.change < best?.change ?? 0 else { return best }
      return swap
    }
  }

  // MARK: In turns

  /// Assigns everything to the nearest, and then takes the middle of each group.
  func alternate(_ start: [Int], _ reader: DissimilarityReader, in run: RunContext)
    throws(BasisError) -> FoundMedoids
  {
    var medoids = start
    var (iterations, isConverged) = (0, false)
    var found = Self.assign(medoids, reader)
    while iterations < maxIterations && !isConverged {
      iterations += 1
      var members = [[Int]](repeating: [], count: medoids.count)
      for (item, slot) in found.assignments.enumerated() { members[slot].append(item) }
      let (old, groups) = (medoids, members)
      medoids = try parallelMap(old.count, grain: 1, in: run) { (slot, _) -> Int in
        Self.middle(of: groups[slot], old[slot], reader)
      }
      isConverged = medoids == old
      if !isConverged { found = Self.assign(medoids, reader) }
      run.report("clustering", iterations, unit: "passes")
    }
    (found.iterationCount, found.isConverged) = (iterations, isConverged)
    return found
  }

  /// Of a group, what has the least sum to the others; the old one of equals.
  private static func middle(of members: [Int], _ old: Int, _ reader: DissimilarityReader) -> Int {
    let scratch = SwapScratch(count: reader.count, clusterCount: 1)
    func sum(_ item: Int) -> Double {
      let row = reader.row(item, scratch.row)
      return members.reduce(0) { $0 + Double(row[$1]) }
    }
    var (best, least) = (old, sum(old))
    for item in members where item != old {
      let own = sum(item)
      if own < least { (best, least) = (item, own) }
    }
    return best
  }

  /// The nearest medoid of everything, the first of equals, a medoid's own itself.
  static func assign(_ medoids: [Int], _ reader: DissimilarityReader) -> FoundMedoids {
    let n = reader.count
    let scratch = SwapScratch(count: n, clusterCount: 1)
    var near = [Float](repeating: .infinity, count: n)
    var second = near
    var slots = [Int](repeating: 0, count: n)
    for (slot, medoid) in medoids.enumerated() {
      let row = reader.row(medoid, scratch.row)
      for item in 0..<n {
        if row[item] < near[item] || item == medoid {
          second[item] = near[item]
          near[item] = row[item]
          slots[item] = slot
        } else {
          second[item] = min(second[item], row[item])
        }
      }
    }
    return FoundMedoids(
      medoids: medoids, assignments: slots, loss: near.reduce(0) { $0 + Double($1) },
      iterationCount: 0, swapCount: 0, isConverged: false,
      medoidSilhouette: medoids.count < 2 ? 0 : medoidSilhouette(near, second))
  }

  /// The mean of 1 − nearest / second nearest; 1 where something is at 0.
  static func medoidSilhouette(_ near: some Collection<Float>, _ second: some Collection<Float>)
    -> Double
  {
    var sum = 0.0
    for (nearest, next) in zip(near, second) where nearest > 0 {
      sum += Double(nearest) / Double(next)
    }
    return 1 - sum / Double(near.count)
  }
}

/// Looks for the first candidate whose best swap is an improvement.
///
/// With several threads it looks ahead: blocks that grow as long as nothing is found. What was
/// looked at behind a find is thrown away, so that the answer is that of one thread.
private final class CandidateScan {
  private let state: SwapState
  private let order: [Int]
  private let scratch: SwapScratch
  private let isParallel: Bool
  private static let chunk = 32

  init(_ state: SwapState, _ order: [Int], in run: RunContext) {
    self.state = state
    self.order = order
    scratch = SwapScratch(count: state.count, clusterCount: state.medoids.count)
    isParallel = run.threadLimit > 1 && state.count >= 1024
  }

  /// - Returns: where in the order it is, and the swap.
  func firstImprovement(_ range: Range<Int>, in run: RunContext) throws(BasisError)
    -> (place: Int, swap: Swap)?
  {
    var place = range.lowerBound
    var width = Self.chunk
    while place < range.upperBound {
      try run.checkCancelled()
      let block = place..<min(range.upperBound, place + width)
      if isParallel && block.count > Self.chunk {
        if let found = try look(block, in: run) { return found }
      } else if let found = Self.look(block, order, state, scratch) {
        return found
      }
      place = block.upperBound
      width = min(2 * width, 4096)
    }
    return nil
  }

  private func look(_ block: Range<Int>, in run: RunContext) throws(BasisError)
    -> (place: Int, swap: Swap)?
  {
    let (state, order) = (state, order)
    let found = try parallelMap(block.count, grain: Self.chunk, in: run) {
      (_, range) -> (Int, Swap)? in
      let scratch = SwapScratch(count: state.count, clusterCount: state.medoids.count)
      let own = block.lowerBound + range.lowerBound..<block.lowerBound + range.upperBound
      return Self.look(own, order, state, scratch)
    }
    return found.lazy.compactMap { $0 }.first.map { (place: $0.0, swap: $0.1) }
  }

  private static func look(
    _ block: Range<Int>, _ order: [Int], _ state: SwapState, _ scratch: SwapScratch
  ) -> (place: Int, swap: Swap)? {
    for place in block where !state.isMedoid(order[place]) {
      let swap = state.bestSwap(order[place], scratch)
      if swap.change < 0 { return (place, swap) }
    }
    return nil
  }
}
