import BasisCore
import BasisFormats
import BasisSearch

extension Benchmark {
  /// Exact search by the inner product: `single` asks one query after another, `batch` all at once.
  static func flat(_ arguments: [String]) throws {
    guard arguments.count == 4, let k = Int(arguments[2]) else { throw usage }
    let mapped = try Matrix(contentsOf: arguments[0])
    // In memory, as the peers have it.
    let base = mapped.selecting(rows: 0..<mapped.rowCount)
    let index = try FlatIndex(base, metric: .innerProduct)
    let queries = try Matrix(contentsOf: arguments[1])
    let run = RunContext(threadLimit: 1)
    let all = try index.search(queries, k: k, in: run)
    try write(all, to: arguments[3])
    let singles = (0..<min(50, queries.rowCount)).map { queries.selecting(rows: [$0]) }
    for (query, expected) in zip(singles, all) {
      guard try index.search(query, k: k, in: run) == [expected] else {
        throw BasisError(.badData, "a query alone and in a batch found different rows")
      }
    }
    try serve { round in
      try seconds {
        if round == "single" {
          for query in singles { _ = try index.search(query, k: k, in: run) }
        } else {
          _ = try index.search(queries, k: k, in: run)
        }
      }
    }
  }
}
