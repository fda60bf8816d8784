/// A row found by a search.
public struct Neighbor: Sendable, Hashable, Comparable {
  /// The row's number in whatever was searched.
  public var id: Int
  /// Smaller is closer.
  public var distance: Float

  public init(id: Int, distance: Float) {
    self.id = id
    self.distance = distance
  }

  /// Nearer first; ties by smaller id.
  public static func < (a: Neighbor, b: Neighbor) -> Bool {
    a.distance != b.distance ? a.distance < b.distance : a.id < b.id
  }
}

/// The `k` nearest of the neighbours offered, whatever the order of offering.
///
/// A bounded heap with the worst kept neighbour on top.
/// - Complexity: O(log *k*) for an offer that is kept, O(1) for one that is not.
public struct TopK: Sendable {
  public let k: Int
  private var heap: [Neighbor] = []

  /// - Precondition: `k` is at least 0.
  public init(k: Int) {
    precondition(k >= 0, "k must be at least 0")
    self.k = k
    heap.reserveCapacity(min(k, 1024))
  }

  public var count: Int { heap.count }

  /// What an offer must not exceed to have a chance: the worst kept distance, or infinity while
  /// there is room.
  public var threshold: Float {
    heap.count < k ? .infinity : (heap.first?.distance ?? -.infinity)
  }

  /// Keeps the neighbour if it is among the best `k` so far. Distances that are NaN are dropped.
  public mutating func offer(_ neighbor: Neighbor) {
    if heap.count < k {
      guard !neighbor.distance.isNaN else { return }
      heap.append(neighbor)
      siftUp()
    } else if let worst = heap.first, neighbor < worst {
      heap[0] = neighbor
      siftDown()
    }
  }

  /// What was kept, nearest first.
  public consuming func sorted() -> [Neighbor] { heap.sorted() }

  private mutating func siftUp() {
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[parent] < heap[child] else { return }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  private mutating func siftDown() {
    var parent = 0
    while true {
      let left = 2 * parent + 1
      guard left < heap.count else { return }
      let right = left + 1
      let child = right < heap.count && heap[left] < heap[right] ? right : left
      guard heap[parent] < heap[child] else { return }
      heap.swapAt(parent, child)
      parent = child
    }
  }
}
