import BasisCore

/// A candidate, the medoid it would replace best, and what the loss would change by.
struct Swap: Sendable {
  var change: Double
  var slot: Int
  var candidate: Int
}

/// What one thread evaluates candidates with.
final class SwapScratch {
  let row: UnsafeMutablePointer<Float>
  let hits: UnsafeMutablePointer<UInt32>
  let gains: UnsafeMutablePointer<Double>

  init(count: Int, clusterCount: Int) {
    row = .allocate(capacity: count)
    hits = .allocate(capacity: count)
    gains = .allocate(capacity: clusterCount)
  }

  deinit {
    row.deallocate()
    hits.deallocate()
    gains.deallocate()
  }
}

/// The nearest and second nearest medoid of everything, kept up to date from swap to swap.
///
/// A medoid is its own nearest, also where another is at distance 0. Arrays apart rather than a
/// struct a thing: the loop over a row of dissimilarities reads two of them, and the rest only where
/// it finds something, about 2 *n* / *k* times.
///
/// Unchecked: swaps are made by one thread, while no other evaluates.
final class SwapState: @unchecked Sendable {
  let reader: DissimilarityReader
  let count: Int
  private(set) var medoids: [Int]
  private(set) var loss = 0.0

  private let near: UnsafeMutablePointer<Float>
  private let second: UnsafeMutablePointer<Float>
  private let nearSlot: UnsafeMutablePointer<UInt32>
  private let secondSlot: UnsafeMutablePointer<UInt32>
  /// What the loss grows by without a medoid.
  private let removal: UnsafeMutablePointer<Double>
  /// From everything to each medoid, `n × k`: who is second now is looked up here, not in rows of
  /// the matrix that lie far apart.
  private let table: UnsafeMutablePointer<Float>
  private let scratch: SwapScratch

  private static let none = UInt32.max

  /// - Parameter medoids: at least 2, different, in `0 ..< reader.count`.
  /// - Complexity: O(*n* *k*).
  init(_ reader: DissimilarityReader, medoids: [Int]) {
    self.reader = reader
    self.medoids = medoids
    count = reader.count
    let k = medoids.count
    near = .allocate(capacity: count)
    second = .allocate(capacity: count)
    nearSlot = .allocate(capacity: count)
    secondSlot = .allocate(capacity: count)
    removal = .allocate(capacity: k)
    table = .allocate(capacity: count * k)
    scratch = SwapScratch(count: count, clusterCount: k)
    second.initialize(repeating: .infinity, count: count)
    secondSlot.initialize(repeating: Self.none, count: count)
    near.initialize(repeating: .infinity, count: count)
    nearSlot.initialize(repeating: Self.none, count: count)
    for (slot, medoid) in medoids.enumerated() {
      let row = reader.row(medoid, scratch.row)
      for item in 0..<count { admit(slot, item, row[item], isOwn: item == medoid) }
    }
    updateRemoval()
  }

  deinit {
    near.deallocate()
    second.deallocate()
    nearSlot.deallocate()
    secondSlot.deallocate()
    removal.deallocate()
    table.deallocate()
  }

  private func admit(_ slot: Int, _ item: Int, _ distance: Float, isOwn: Bool) {
    table[item * medoids.count + slot] = distance
    // Distances that have overflowed are below nothing.
    if distance < near[item] || isOwn || nearSlot[item] == Self.none {
      second[item] = near[item]
      secondSlot[item] = nearSlot[item]
      near[item] = distance
      nearSlot[item] = UInt32(slot)
    } else if distance < second[item] || secondSlot[item] == Self.none {
      second[item] = distance
      secondSlot[item] = UInt32(slot)
    }
  }

  func isMedoid(_ item: Int) -> Bool { medoids[Int(nearSlot[item])] == item }

  var assignments: [Int] { (0..<count).map { Int(nearSlot[$0]) } }

  var medoidSilhouette: Double {
    KMedoids.medoidSilhouette(
      UnsafeBufferPointer(start: near, count: count),
      UnsafeBufferPointer(start: second, count: count))
  }

  /// The medoid without which the loss grows least.
  var leastNeeded: Int {
    (0..<medoids.count).min { removal[$0] < removal[$1] } ?? 0
  }

  // MARK: Gains

  /// What the loss would change by for each medoid that the candidate may replace.
  ///
  /// Schubert & Rousseeuw 2021, algorithm 3: the part that no removal changes is one number, and
  /// what a removal costs was added up before. Only what is nearer to the candidate than to its
  /// second medoid counts, so a vector comparison finds it.
  ///
  /// - Returns: the part that all share; the other is in `scratch.gains`.
  /// - Complexity: O(*n* + *k*).
  @inline(__always)
  func gains(of candidate: Int, _ scratch: SwapScratch) -> Double {
    let row = reader.row(candidate, scratch.row)
    let gains = scratch.gains
    gains.update(from: removal, count: medoids.count)
    // second − row is at least the smallest float above 0 just where row < second.
    let found = Kernels.positions(
      of: UnsafePointer(second), minus: row, count: count, notBelow: .leastNonzeroMagnitude,
      into: scratch.hits)
    var shared = 0.0
    for hit in 0..<found {
      let item = Int(scratch.hits[hit])
      let distance = row[item]
      let nearest = near[item]
      shared += Double(min(distance, nearest)) - Double(nearest)
      gains[Int(nearSlot[item])] += Double(max(distance, nearest)) - Double(second[item])
    }
    return shared
  }

  /// The best that a candidate can do; the first medoid of equals.
  func bestSwap(_ candidate: Int, _ scratch: SwapScratch) -> Swap {
    let shared = gains(of: candidate, scratch)
    let gains = scratch.gains
    let k = medoids.count
    // Which one matters only if it is an improvement.
    var lanes = SIMD4<Double>(repeating: gains[0])
    var slot = 0
    while slot + 4 <= k {
      let four = SIMD4(gains[slot], gains[slot + 1], gains[slot + 2], gains[slot + 3])
      lanes = pointwiseMin(lanes, four)
      slot += 4
    }
    var least = lanes.min()
    while slot < k {
      least = min(least, gains[slot])
      slot += 1
    }
    var best = 0
    if least + shared < 0 { while gains[best] > least { best += 1 } }
    return Swap(change: least + shared, slot: best, candidate: candidate)
  }

  /// What replacing one medoid would change the loss by.
  func change(replacing slot: Int, with candidate: Int, _ scratch: SwapScratch) -> Double {
    gains(of: candidate, scratch) + scratch.gains[slot]
  }

  /// The best swap of a candidate as PAM finds it: every medoid on its own, O(*n* *k*).
  func bestSwapOneByOne(_ candidate: Int, _ scratch: SwapScratch) -> Swap {
    let row = reader.row(candidate, scratch.row)
    var best = Swap(change: .infinity, slot: 0, candidate: candidate)
    for slot in 0..<medoids.count {
      var change = 0.0
      for item in 0..<count {
        let (distance, nearest) = (row[item], near[item])
        if nearSlot[item] == UInt32(slot) {
          change += Double(min(distance, second[item])) - Double(nearest)
        } else if distance < nearest {
          change += Double(distance) - Double(nearest)
        }
      }
      if change < best.change { best = Swap(change: change, slot: slot, candidate: candidate) }
    }
    return best
  }

  // MARK: Swaps

  /// Makes a swap.
  ///
  /// - Complexity: O(*n*) and O(*k*) for each thing whose nearest or second was replaced, about
  ///   2 *n* / *k* of them.
  func make(_ swap: Swap) {
    let row = reader.row(swap.candidate, scratch.row)
    let (slot, k) = (UInt32(swap.slot), medoids.count)
    medoids[swap.slot] = swap.candidate
    for item in 0..<count {
      let distance = row[item]
      table[item * k + swap.slot] = distance
      let isTouched =
        (distance < second[item]) || (nearSlot[item] == slot) || (secondSlot[item] == slot)
      if isTouched { repair(item, distance, slot, isOwn: item == swap.candidate) }
    }
    updateRemoval()
  }

  private func repair(_ item: Int, _ distance: Float, _ slot: UInt32, isOwn: Bool) {
    if isOwn {
      if nearSlot[item] != slot { (second[item], secondSlot[item]) = (near[item], nearSlot[item]) }
      (near[item], nearSlot[item]) = (0, slot)
    } else if nearSlot[item] == slot {
      if distance < second[item] {
        near[item] = distance
      } else {
        (near[item], nearSlot[item]) = (second[item], secondSlot[item])
        findSecond(item, distance, slot)
      }
    } else if distance < near[item] {
      (second[item], secondSlot[item]) = (near[item], nearSlot[item])
      (near[item], nearSlot[item]) = (distance, slot)
    } else if distance < second[item] {
      (second[item], secondSlot[item]) = (distance, slot)
    } else if secondSlot[item] == slot {
      findSecond(item, distance, slot)
    }
  }

  private func findSecond(_ item: Int, _ distance: Float, _ slot: UInt32) {
    let k = medoids.count
    let distances = table + item * k
    let own = Int(nearSlot[item])
    var (least, place) = (distance, Int(slot))
    for other in 0..<k where distances[other] < least && other != own {
      (least, place) = (distances[other], other)
    }
    (second[item], secondSlot[item]) = (least, UInt32(place))
  }

  private func updateRemoval() {
    removal.initialize(repeating: 0, count: medoids.count)
    var sum = 0.0
    for item in 0..<count {
      let nearest = Double(near[item])
      removal[Int(nearSlot[item])] += Double(second[item]) - nearest
      sum += nearest
    }
    loss = sum
  }

  // MARK: For tests

  /// Where what is kept differs from what a fresh start with these medoids finds; nil if nowhere.
  var inconsistency: String? {
    let fresh = SwapState(reader, medoids: medoids)
    for item in 0..<count {
      let kept = (near[item], second[item])
      let wanted = (fresh.near[item], fresh.second[item])
      let slots = (Int(nearSlot[item]), Int(secondSlot[item]))
      guard kept == wanted, reader.distance(item, medoids[slots.0]) == kept.0,
        reader.distance(item, medoids[slots.1]) == kept.1, slots.0 != slots.1
      else { return "thing \(item) has \(kept) of \(slots), not \(wanted)" }
    }
    return nil
  }
}
