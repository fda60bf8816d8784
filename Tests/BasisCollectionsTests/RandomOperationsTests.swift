import BasisCollections
import BasisCore
import BasisSearch
import BasisStorage
import Foundation
import Testing
import _BasisTestSupport

/// Random work on a collection, compared at each step with a plain dictionary that is searched
/// record by record.
@Suite struct RandomOperationsTests {
  static let isSlow = ProcessInfo.processInfo.environment["BASIS_SLOW_TESTS"] == "1"

  @Test(arguments: [UInt64(1), 2, 3])
  func `a collection is a dictionary that can be searched`(seed: UInt64) throws {
    var work = try RandomWork(seed: seed)
    for step in 0..<500 { try work.step(step) }
    try work.finish()
  }

  @Test(
    .enabled(if: RandomOperationsTests.isSlow, "20,000 operations: set BASIS_SLOW_TESTS=1"),
    arguments: [UInt64(11), 12, 13])
  func `twenty thousand operations later it still is`(seed: UInt64) throws {
    var work = try RandomWork(seed: seed)
    for step in 0..<20_000 { try work.step(step) }
    try work.finish()
    print("\(work.counts.sorted { $0.key < $1.key })")
  }
}

private struct RandomWork {
  struct Entry: Equatable {
    var vector: [Float]
    var words: Set<String>
    var size: Int?
    var section: String
    var payload: String
  }

  static let dimension = 8
  static let keyCount = 700
  static let sections = ["utils", "libs", "é", "日本"]

  let seed: UInt64
  let folder: TemporaryFolder
  let place: CollectionFolder
  var generator: RandomGenerator
  var model: [String: Entry] = [:]
  var collection: VectorCollection?
  /// An older state, and what it showed.
  var held: (snapshot: CollectionSnapshot, model: [String: Entry])?
  var counts: [String: Int] = [:]
  let run: RunContext

  init(seed: UInt64) throws {
    self.seed = seed
    generator = RandomGenerator(seed: seed)
    run = RunContext(seed: seed)
    folder = try TemporaryFolder()
    place = try CollectionFolder(name: "demo", in: folder.path)
    var settings = CollectionSettings(
      encoder: CollectionSettings.readyMade, segmentRowLimit: 96)
    settings.index.kind = IndexKind.allCases[Int(seed % 3)]
    let metric: Metric = seed.isMultiple(of: 2) ? .squaredEuclidean : .cosine
    let made = try VectorCollection.create(place, settings: settings)
    try made.store.addSpace(
      Space(id: .init(name: "vectors"), dimension: Self.dimension, metric: metric))
    collection = made
  }

  var open: VectorCollection {
    get throws { try #require(collection) }
  }

  mutating func step(_ number: Int) throws {
    let choice = generator.nextInt(below: 1000)
    switch choice {
    case ..<400: try write()
    case ..<520: try delete()
    case ..<530: try deleteByFilter()
    case ..<680: try searchDense(filtered: false)
    case ..<800: try searchDense(filtered: true)
    case ..<900: try searchWords()
    case ..<950: try seal()
    case ..<960: try maintain()
    case ..<968: try vacuum()
    case ..<985: try reopen()
    case ..<993: try look()
    default: try hold()
    }
    if number.isMultiple(of: 50) {
      #expect(try open.info().recordCount == model.count, "seed \(seed), step \(number)")
    }
  }

  private mutating func did(_ what: String) { counts[what, default: 0] += 1 }

  // MARK: Writing

  private mutating func entry() -> Entry {
    let vector = (0..<Self.dimension).map { _ in Float(generator.nextGaussian()) }
    let words = Set((0..<3).map { _ in "word\(generator.nextInt(below: 40))" })
    let size: Int? = generator.nextInt(below: 8) == 0 ? nil : generator.nextInt(below: 100)
    let section = Self.sections[generator.nextInt(below: Self.sections.count)]
    let text = words.sorted().joined(separator: " ")
    let number = size.map { ",\"size\":\($0)" } ?? ""
    return Entry(
      vector: vector, words: words, size: size, section: section,
      payload: "{\"text\":\"\(text)\",\"section\":\"\(section)\"\(number)}")
  }

  private mutating func write() throws {
    did("write")
    var batch: [String: Entry] = [:]
    for _ in 0...generator.nextInt(below: 12) {
      batch["k\(generator.nextInt(below: Self.keyCount))"] = entry()
    }
    let keys = batch.keys.sorted()
    let summary = try open.store.upsert(
      keys.map { key in
        Record(key: key, payload: batch[key]?.payload ?? "", vector: batch[key]?.vector)
      })
    #expect(summary.replaced == keys.count { model[$0] != nil })
    #expect(summary.inserted == keys.count { model[$0] == nil })
    model.merge(batch) { $1 }
  }

  private mutating func delete() throws {
    did("delete")
    let keys = Set(
      (0...generator.nextInt(below: 6)).map { _ in
        "k\(generator.nextInt(below: Self.keyCount))"
      })
    #expect(try open.store.delete(keys: keys) == keys.count { model[$0] != nil })
    for key in keys { model[key] = nil }
  }

  private mutating func deleteByFilter() throws {
    did("delete by filter")
    let bound = generator.nextInt(below: 100)
    let gone = model.filter { ($0.value.size ?? -1) == bound }.map(\.key)
    #expect(try open.delete(matching: Filter("size = \(bound)")) == gone.count)
    for key in gone { model[key] = nil }
  }

  // MARK: Searching

  private mutating func condition() -> (source: String, holds: (Entry) -> Bool) {
    let bound = generator.nextInt(below: 100)
    let section = Self.sections[generator.nextInt(below: Self.sections.count)]
    switch generator.nextInt(below: 6) {
    case 0: return ("size < \(bound)", { ($0.size ?? .max) < bound })
    case 1: return ("section = \"\(section)\"", { $0.section == section })
    case 2: return ("size is null", { $0.size == nil })
    case 3:
      return (
        "section = \"\(section)\" and not (size >= \(bound))",
        { $0.section == section && !(($0.size ?? -1) >= bound) }
      )
    case 4:
      return (
        "section starts with \"l\" or size in (\(bound), 3)",
        { $0.section.hasPrefix("l") || $0.size == bound || $0.size == 3 }
      )
    default: return ("absent = 3", { _ in false })
    }
  }

  private func score(_ a: [Float], _ b: [Float]) -> Double {
    func dot(_ x: [Float], _ y: [Float]) -> Double {
      zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    if seed.isMultiple(of: 2) {
      return Double(
        Metric.squaredEuclidean.similarity(
          distance: Float(dot(a, a) + dot(b, b) - 2 * dot(a, b))))
    }
    return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
  }

  private mutating func searchDense(filtered: Bool) throws {
    did(filtered ? "filtered search" : "dense search")
    let query = (0..<Self.dimension).map { _ in Float(generator.nextGaussian()) }
    var request = SearchRequest(.vector(query))
    request.mode = .dense
    request.k = 1 + generator.nextInt(below: 20)
    let isExact = generator.nextInt(below: 2) == 0
    request.effort = isExact ? .exact : .recall(0.9)
    var eligible = model
    if filtered {
      let (source, holds) = condition()
      request.filter = try Filter(source)
      eligible = model.filter { holds($0.value) }
    }
    let hits = try open.search(request, in: run).hits
    #expect(hits.count == min(request.k, eligible.count), "seed \(seed)")
    var last = Float.infinity
    for hit in hits {
      let entry = try #require(eligible[hit.key], "seed \(seed): \(hit.key) was answered")
      #expect(hit.payload == entry.payload)
      let own = score(query, entry.vector)
      #expect(abs(Double(hit.score) - own) < 1e-4 * max(1, abs(own)), "seed \(seed)")
      #expect(hit.score <= last)
      last = hit.score
    }
    #expect(Set(hits.map(\.key)).count == hits.count)
    guard isExact, let worst = hits.last else { return }
    // Nobody who was left out is nearer.
    let answered = Set(hits.map(\.key))
    for (key, entry) in eligible where !answered.contains(key) {
      let own = score(query, entry.vector)
      #expect(own <= Double(worst.score) + 1e-4 * max(1, abs(own)), "seed \(seed): \(key)")
    }
  }

  private mutating func searchWords() throws {
    did("lexical search")
    let word = "word\(generator.nextInt(below: 40))"
    var request = SearchRequest(.text(word))
    request.mode = .lexical
    request.k = Self.keyCount
    var wanted = model.filter { $0.value.words.contains(word) }
    if generator.nextInt(below: 2) == 0 {
      let (source, holds) = condition()
      request.filter = try Filter(source)
      wanted = wanted.filter { holds($0.value) }
    }
    let hits = try open.search(request, in: run).hits
    #expect(Set(hits.map(\.key)) == Set(wanted.keys), "seed \(seed): \(word)")
    #expect(hits.allSatisfy { wanted[$0.key]?.payload == $0.payload })
  }

  // MARK: Looking after it

  private mutating func seal() throws {
    did("seal")
    _ = try open.seal(all: false, in: run)
  }

  private mutating func maintain() throws {
    did("maintain")
    try open.maintain(in: run)
  }

  private mutating func vacuum() throws {
    did("vacuum")
    held = nil
    _ = try open.vacuum(in: run)
    #expect(
      try open.store.snapshot().parts.allSatisfy { $0.live == nil }, "dead rows after a vacuum")
  }

  private mutating func reopen() throws {
    did("restart")
    held = nil
    collection = nil
    collection = try VectorCollection(place, for: .write)
  }

  private mutating func look() throws {
    did("verify")
    #expect(try open.store.verify(in: run).damage.isEmpty)
    var seen: [String: String] = [:]
    try open.store.snapshot().forEachChunk { records in
      for record in records { seen[record.key] = record.payload }
    }
    #expect(seen == model.mapValues(\.payload))
  }

  /// What a snapshot showed it still shows.
  private mutating func hold() throws {
    did("snapshot")
    if let held {
      var seen: [String: String] = [:]
      try held.snapshot.forEachChunk { records in
        for record in records { seen[record.key] = record.payload }
      }
      #expect(seen == held.model.mapValues(\.payload))
      let matches = try held.snapshot.matches(Filter("size < 50"))
      #expect(matches.count == held.model.values.count { ($0.size ?? 99) < 50 })
    }
    held = (try open.store.snapshot(), model)
  }

  mutating func finish() throws {
    for _ in 0..<20 { try searchDense(filtered: false) }
    try vacuum()
    try reopen()
    try look()
    for _ in 0..<20 {
      try searchDense(filtered: true)
      try searchWords()
    }
    #expect(try open.info().recordCount == model.count)
  }
}
