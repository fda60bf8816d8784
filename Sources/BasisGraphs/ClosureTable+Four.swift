import BasisCore

/// Sets of four that all met two by two, by the strengths of their four triangles, rising, at
/// 27 w₁ + 9 w₂ + 3 w₃ + w₄; and by edge, its triangles of each strength.
private struct FourCounts: Sendable {
  var all = [Int](repeating: 0, count: 81)
  var open = [Int](repeating: 0, count: 81)
  /// Of each strength: triangles, and what their nodes' degrees add up to.
  var triangles = [0, 0, 0]
  var degrees = [0, 0, 0]

  mutating func add(_ other: FourCounts) {
    for key in 0..<81 {
      all[key] += other.all[key]
      open[key] += other.open[key]
    }
    for strength in 0..<3 {
      triangles[strength] += other.triangles[strength]
      degrees[strength] += other.degrees[strength]
    }
  }
}

extension SimplicialComplex {
  /// The key of four ranks, nil without a triangle among them.
  func triangleKey(_ set: SIMD4<Int32>) -> [Int]? {
    let (a, b, c, d) = (set[0], set[1], set[2], set[3])
    let (ab, ac, ad) = (weight(a, b) > 0, weight(a, c) > 0, weight(a, d) > 0)
    let (bc, bd, cd) = (weight(b, c) > 0, weight(b, d) > 0, weight(c, d) > 0)
    let edges = [ab, ac, ad, bc, bd, cd].count { $0 }
    guard ab && ac && bc || ab && ad && bd || ac && ad && cd || bc && bd && cd else { return nil }
    var key = [strength(a, b, c), strength(a, b, d), strength(a, c, d), strength(b, c, d)]
      .map { Int($0) }.sorted()
    // Two triangles are missing with five edges, three with fewer.
    for place in 0..<(edges == 6 ? 0 : edges == 5 ? 2 : 3) { key[place] = edges - 6 }
    return key
  }

  /// - Parameter closed: the sets of four that simplices have.
  func openTetrahedra(_ closed: Set<SIMD4<Int32>>, in run: RunContext) throws(BasisError)
    -> OpenCounts
  {
    let parts = try parallelMap(nodeCount, grain: 16, in: run) {
      (_, range) throws(BasisError) -> FourCounts in
      var counts = FourCounts()
      for a in range {
        try run.checkCancelled()
        addTetrahedra(of: a, closed, to: &counts)
      }
      return counts
    }
    var four = FourCounts()
    for part in parts { four.add(part) }
    return result(four)
  }

  private func addTetrahedra(of a: Int, _ closed: Set<SIMD4<Int32>>, to counts: inout FourCounts) {
    // Whether a rank is a neighbour of a and of b, and how often it met both, by place among a's.
    let own = starts[a]..<starts[a + 1]
    var isNear: Set<Int32> = []
    isNear.reserveCapacity(own.count)
    for edge in own { isNear.insert(targets[edge]) }
    for ab in own {
      let b = targets[ab]
      let common = (starts[Int(b)]..<starts[Int(b) + 1]).filter { isNear.contains(targets[$0]) }
      for (place, bc) in common.enumerated() {
        let c = targets[bc]
        let abc = Int(strength(Int32(a), b, c))
        counts.triangles[abc] += 1
        counts.degrees[abc] += degree(Int32(a)) + degree(b) + degree(c)
        for bd in common[(place + 1)...] {
          let d = targets[bd]
          guard edge(c, d) != nil else { continue }
          let set = SIMD4(Int32(a), b, c, d)
          var key = [
            abc, Int(strength(set[0], b, d)), Int(strength(set[0], c, d)), Int(strength(b, c, d)),
          ]
          key.sort()
          let number = 27 * key[0] + 9 * key[1] + 3 * key[2] + key[3]
          counts.all[number] += 1
          if key[0] == 0 || !closed.contains(set) { counts.open[number] += 1 }
        }
      }
    }
  }

  /// Five, four and three edges: counted around edges and triangles, less what larger sets have of them.
  private func result(_ four: FourCounts) -> OpenCounts {
    var result = OpenCounts()
    result.openTriangles = four.triangles[0]
    result.closedTriangles = four.triangles[1] + four.triangles[2]
    var five = [Int](repeating: 0, count: 9)
    var pairs = [Int](repeating: 0, count: 3 * edgeCount)
    forEachTriangle(in: 0..<nodeCount) { triangle in
      for edge in [triangle.ab, triangle.ac, triangle.bc] {
        pairs[3 * Int(edge) + Int(triangle.strength)] += 1
      }
    }
    for edge in 0..<edgeCount {
      for i in 0..<3 {
        let own = pairs[3 * edge + i]
        five[4 * i] += own * (own - 1) / 2
        for j in (i + 1)..<max(i + 1, 3) { five[3 * i + j] += own * pairs[3 * edge + j] }
      }
    }
    var (tails, alone) = (four.degrees, four.triangles)
    for strength in 0..<3 {
      tails[strength] -= 6 * four.triangles[strength]
      alone[strength] *= presentCount - 3
    }
    for number in 0..<81 {
      let key = [number / 27, number / 9 % 3, number / 3 % 3, number % 3]
      guard key == key.sorted() else { continue }
      result.counts[key] = four.open[number]
      let count = four.all[number]
      for i in 0..<4 {
        tails[key[i]] -= 3 * count
        alone[key[i]] -= count
        for j in (i + 1)..<max(i + 1, 4) { five[3 * key[i] + key[j]] -= count }
      }
    }
    for i in 0..<3 {
      for j in i..<3 {
        let count = five[3 * i + j]
        result.counts[[-1, -1, i, j]] = count
        for strength in [i, j] {
          tails[strength] -= 2 * count
          alone[strength] -= count
        }
      }
    }
    for strength in 0..<3 {
      result.counts[[-2, -2, -2, strength]] = tails[strength]
      result.counts[[-3, -3, -3, strength]] = alone[strength] - tails[strength]
    }
    return result
  }
}
