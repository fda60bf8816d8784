public import BasisCore
public import Testing

/// A search of queries by their numbers; what ``checkSearchIndex(rowCount:queryCount:make:sourceLocation:)``
/// asks of an index.
public typealias SearchByNumber = (
  _ queries: [Int], _ k: Int, _ allowed: Bitmap?, _ run: RunContext
) throws -> [[Neighbor]]

/// What every search index promises: order, ties, shapes, filters, independence of threads, of the
/// batch and of the order of rows.
///
/// - Parameters:
///   - rowCount: at least 20.
///   - queryCount: at least 2.
///   - make: an index of the rows with these numbers, in this order, and a way to ask it. Two calls
///     use the same rows and queries.
public func checkSearchIndex(
  rowCount: Int, queryCount: Int,
  sourceLocation: SourceLocation = #_sourceLocation,
  make: (_ order: [Int]) throws -> SearchByNumber
) throws {
  let at = sourceLocation
  let order = Array(0..<rowCount)
  let queries = Array(0..<queryCount)
  let single = RunContext(threadLimit: 1)
  let search = try make(order)
  let everything = try search(queries, rowCount, nil, single)

  #expect(everything.count == queryCount, sourceLocation: at)
  for (query, ranking) in everything.enumerated() {
    let note = Comment(rawValue: "query \(query)")
    #expect(ranking == ranking.sorted(), note, sourceLocation: at)
    #expect(Set(ranking.map(\.id)).count == ranking.count, note, sourceLocation: at)
    #expect(
      ranking.allSatisfy { $0.id >= 0 && $0.id < rowCount && !$0.distance.isNaN }, note,
      sourceLocation: at)
    for k in [0, 1, 5, rowCount - 1, rowCount + 7] {
      let found = try search([query], k, nil, single)
      #expect(found == [Array(ranking.prefix(k))], "query \(query), k \(k)", sourceLocation: at)
    }

    var filter = Bitmap(count: rowCount)
    for row in order where row % 3 == query % 3 { filter[row] = true }
    let filtered = try search([query], 7, filter, single)
    let expected = ranking.filter { filter[$0.id] }.prefix(7)
    #expect(filtered == [Array(expected)], "a filter, query \(query)", sourceLocation: at)
  }
  #expect(try search([], 3, nil, single) == [], sourceLocation: at)
  #expect(
    try search(queries, 3, Bitmap(count: rowCount), single)
      == Array(repeating: [], count: queryCount), "nothing allowed", sourceLocation: at)
  #expect(
    try search(queries, rowCount, Bitmap(count: rowCount, all: true), single) == everything,
    "everything allowed", sourceLocation: at)

  for threads in [2, 5] {
    let found = try search(queries, rowCount, nil, RunContext(threadLimit: threads))
    #expect(found == everything, "\(threads) threads", sourceLocation: at)
  }
  // A batch large enough to be worth another way of computing.
  let repeated = (0..<40).map { $0 % queryCount }
  let batch = try search(repeated, 9, nil, RunContext(threadLimit: 2))
  #expect(
    batch == repeated.map { Array(everything[$0].prefix(9)) }, "a batch of 40",
    sourceLocation: at)

  var permuted = order
  var generator = RandomGenerator(seed: 99)
  generator.shuffle(&permuted)
  let other = try make(permuted)(queries, rowCount, nil, single)
  for (a, b) in zip(everything, other) {
    #expect(a.count == b.count, "rows in another order", sourceLocation: at)
    let distances = Dictionary(uniqueKeysWithValues: a.map { ($0.id, $0.distance) })
    #expect(
      b.allSatisfy { distances[permuted[$0.id]] == $0.distance }, "rows in another order",
      sourceLocation: at)
  }

  expectError(.invalidArgument, sourceLocation: at) { try search([0], -1, nil, single) }
  expectError(.dimensionMismatch, sourceLocation: at) {
    try search([0], 1, Bitmap(count: rowCount + 1), single)
  }
  let cancelled = RunContext(threadLimit: 1)
  cancelled.cancellation.cancel()
  expectError(.cancelled, sourceLocation: at) { try search([0], 1, nil, cancelled) }
}

/// Expects a ``BasisError`` of one kind, with each of these texts in its message.
public func expectError<R>(
  _ code: BasisError.Code, _ texts: String..., sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> R
) {
  do {
    _ = try body()
    Issue.record("no error, expected: \(code)", sourceLocation: sourceLocation)
  } catch let error as BasisError {
    #expect(error.code == code, "\(error.message)", sourceLocation: sourceLocation)
    for text in texts {
      #expect(error.message.contains(text), "\(error.message)", sourceLocation: sourceLocation)
    }
  } catch {
    Issue.record("\(error), expected: \(code)", sourceLocation: sourceLocation)
  }
}
