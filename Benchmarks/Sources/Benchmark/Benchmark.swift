import BasisCore
import BasisFormats
import Dispatch

/// One side of each comparison that `peers.py` makes: prepares itself, and then does one round for
/// every line of standard input, answering with the seconds that it took. So the peers take turns,
/// and what else the machine does hits all alike.
@main struct Benchmark {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard let name = arguments.first else { throw usage }
    let rest = Array(arguments.dropFirst())
    switch name {
    case "flat": try flat(rest)
    case "lexical": try lexical(rest)
    case "ingest": try ingest(rest)
    case "neighbors": try neighbors(rest)
    case "filters": try filters(rest)
    case "clusters": try clusters(rest)
    case "methods": try MethodBenchmark.serve(rest)
    default: throw usage
    }
  }

  static var usage: BasisError {
    BasisError(
      .invalidArgument,
      """
      Benchmark flat BASE.npy QUERIES.npy K IDS.ivecs
      Benchmark lexical TEXTS.txt QUERIES.txt K IDS.ivecs
      Benchmark ingest RECORDS.jsonl FOLDER
      Benchmark filters BASE.npy QUERIES.npy RECALL K batch|single
      Benchmark neighbors BASE.npy QUERIES.npy graph|lists|quantized K IDS.ivecs
      Benchmark clusters fasterpam|fastpam1|pam|alternating|kmeans MATRIX.npy START.npy
      Benchmark methods \(MethodBenchmark.kinds.keys.sorted().joined(separator: "|")) FOLDER …
      """)
  }

  static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = DispatchTime.now().uptimeNanoseconds
    try body()
    return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
  }

  /// Says that it is ready, and answers each line with the seconds of one round of that name.
  static func serve(_ round: (String) throws -> Double) throws {
    say("ready")
    while let line = readLine() { say("\(try round(line))") }
  }

  static func say(_ text: String) {
    print(text)
    flushOutput()
  }

  /// A row of ids for each query, so that the peer can compare them with its own.
  static func write(_ found: [[Neighbor]], to path: String) throws {
    let width = found.map(\.count).max() ?? 0
    let rows = found.map { list in
      (0..<width).map { $0 < list.count ? Float(list[$0].id) : -1 }
    }
    try VectorFile.write(try Matrix(rows: rows), to: path, as: .int32)
  }
}
