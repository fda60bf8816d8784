import BasisCore

/// Which beam gives which recall, measured with rows that the graph did not hold then, as they are
/// and as ``CalibrationQueries`` draws them towards each other.
struct GraphCalibration: Codable, Hashable, Sendable {
  struct Point: Codable, Hashable, Sendable {
    var width: Int
    var recall: Double
  }

  /// For each `k` of ``depths``, rising in both.
  var points: [[Point]]

  static let depths = [10, 100]

  /// - Parameters:
  ///   - index: without the rows that are held out, though its matrix has them.
  ///   - heldOut: their numbers.
  ///   - isHeld: the same, as a bitmap.
  ///   - run: threads and cancellation.
  init(_ index: GraphIndex, heldOut: [Int], isHeld: Bitmap, in run: RunContext)
    throws(BasisError)
  {
    var generator = run.generator("graph.between")
    var others = heldOut
    generator.shuffle(&others)
    let plain = index.rows.selecting(rows: heldOut)
    let between = CalibrationQueries.between(
      plain, index.rows.selecting(rows: others), metric: index.metric, &generator)
    var present = isHeld
    present.invert()
    let deepest = Self.depths.last ?? 1
    let exact = try index.flat.get()
    let kinds = try [plain, between].map { queries throws(BasisError) in
      (queries, try exact.search(queries, k: deepest, allowing: present, in: run))
    }
    points = []
    for depth in Self.depths {
      var measured: [Point] = []
      var width = depth
      while width < index.count {
        var recall = 1.0
        for (queries, truth) in kinds {
          let found = try index.search(queries, k: depth, effort: .candidates(width), in: run)
          recall = min(recall, Self.recall(found, truth, depth))
        }
        measured.append(Point(width: width, recall: max(recall, measured.last?.recall ?? 0)))
        if recall >= 0.9995 || width > 4096 { break }
        width += max(2, width / 3)
      }
      points.append(measured)
    }
  }

  private static func recall(_ found: [[Neighbor]], _ truth: [[Neighbor]], _ k: Int) -> Double {
    var hits = 0
    var wanted = 0
    for (found, truth) in zip(found, truth) {
      let truth = truth.prefix(k)
      wanted += truth.count
      hits += NeighborRecall.count(of: truth, in: found)
    }
    return wanted == 0 ? 1 : Double(hits) / Double(wanted)
  }

  /// The beam for a recall, or nil where no beam that was measured reaches it.
  func width(for target: Double, k: Int) -> Int? {
    guard target < 1 else { return nil }
    // A fifth of what may be missed is kept for what the sample does not tell.
    let aim = target + 0.2 * (1 - target)
    let widths = points.map { Self.width($0, for: aim) }
    guard points.count == Self.depths.count, let near = widths[0] else { return nil }
    let (low, high) = (Self.depths[0], Self.depths[1])
    if k <= low { return max(k, near) }
    guard let far = widths[1] else { return nil }
    // Beyond what was measured, a tenth more than in proportion.
    if k > high { return Int((1.1 * Double(far) * Double(k) / Double(high)).rounded(.up)) }
    let share = Double(k - low) / Double(high - low)
    return max(k, Int((Double(near) + share * Double(far - near)).rounded(.up)))
  }

  /// About which recall a beam gives, or nil where none was measured.
  func recall(of width: Int, k: Int) -> Double? {
    guard points.count == Self.depths.count else { return nil }
    // Beams in proportion to what they are to hold.
    let depth = k <= Self.depths[0] ? 0 : 1
    let measured = points[depth]
    let scaled = k > Self.depths[1] ? width * Self.depths[1] / k : width
    return (measured.last { $0.width <= scaled } ?? measured.first)?.recall
  }

  private static func width(_ points: [Point], for aim: Double) -> Int? {
    guard let index = points.firstIndex(where: { $0.recall >= aim }) else { return nil }
    guard index > 0 else { return points[0].width }
    let (a, b) = (points[index - 1], points[index])
    let share = b.recall > a.recall ? (aim - a.recall) / (b.recall - a.recall) : 1
    return a.width + Int((share * Double(b.width - a.width)).rounded(.up))
  }

  /// What a file may say, and searches rely on.
  var isSound: Bool {
    points.count == Self.depths.count
      && points.allSatisfy { list in
        list.allSatisfy { $0.width >= 1 && $0.width <= 1 << 30 && (0...1).contains($0.recall) }
      }
  }
}
