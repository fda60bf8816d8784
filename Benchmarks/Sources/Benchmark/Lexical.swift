import BasisCore
import BasisFormats
import BasisSearch
import BasisText
import Foundation

extension Benchmark {
  /// BM25 over texts whose words are split at blanks and taken as they are: `build` makes the index
  /// anew, `search` asks every query.
  static func lexical(_ arguments: [String]) throws {
    guard arguments.count == 4, let k = Int(arguments[2]) else { throw usage }
    func lines(_ path: String) throws -> [String] {
      try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }
    let texts = try lines(arguments[0])
    let analyzer = Analyzer(stopWords: .none, stemming: .none)
    let run = RunContext(threadLimit: 1)
    func build() -> LexicalIndex {
      var builder = LexicalIndexBuilder(analyzer: analyzer)
      for text in texts { builder.add(text) }
      return builder.makeIndex()
    }
    let index = build()
    let queries = try lines(arguments[1]).map { LexicalQuery($0, analyzer: analyzer) }
    try write(try index.search(queries, k: k, allowing: nil, in: run), to: arguments[3])
    try serve { round in
      try seconds {
        if round == "build" {
          _ = build()
        } else {
          for query in queries {
            _ = try index.search([query], k: k, allowing: nil, in: run)
          }
        }
      }
    }
  }
}
