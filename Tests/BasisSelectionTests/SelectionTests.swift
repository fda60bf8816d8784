import BasisCore
import BasisSelection
import Foundation
import Testing
import _BasisTestSupport

func fixture<T: Decodable>(_ name: String, _ type: T.Type) throws -> T {
  let url = try #require(
    Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Fixtures"))
  return try JSONDecoder().decode(type, from: Data(contentsOf: url))
}

@Suite struct SelectionTests {
  /// What a method eats.
  private static func parts(_ name: String, rowCount: Int, seed: UInt64) -> MethodParts {
    guard name != "zipfit" else {
      let texts = (0..<rowCount).map { row in
        String(repeating: "\(row % 11) words ", count: 1 + row % 5) + "of \(seed)"
      }
      return MethodParts(texts: [texts, ["7 words of 7 words", "3 words"]])
    }
    let rows = gaussianMatrix(rowCount: rowCount, columnCount: 5, seed: seed)
    guard name != "tarot" else {
      return MethodParts(
        [rows, gaussianMatrix(rowCount: rowCount, columnCount: 5, seed: seed + 100)])
    }
    return MethodParts(
      [rows],
      labels: (0..<rowCount).map { $0 % 7 % 3 })
  }

  @Test(arguments: SelectionCatalogue.entries.map(\.descriptor.name))
  func `a method keeps to what all methods do`(name: String) throws {
    let entry = try SelectionCatalogue.entry(named: name)
    let parts = Self.parts(name, rowCount: 70, seed: 1)
    // What is drawn, is drawn by number.
    try checkMethod(entry, parts, isOfRows: false) { found in
      found.indices.map { Double($0) } + found.weights
        + (found.synthetic?.rows.withUnsafeFloats { $0.map { Double($0) } } ?? [])
    }
    let names = SelectionCatalogue.entries.map(\.descriptor.name)
    #expect(Set(names).count == names.count)
    expectError(.invalidArgument, "'luck'", "smote") {
      try SelectionCatalogue.entry(named: "luck")
    }
  }

  @Test(arguments: SelectionCatalogue.entries.map(\.descriptor.name), 0..<5 as Range<UInt64>)
  func `a selection adds up`(name: String, seed: UInt64) throws {
    let entry = try SelectionCatalogue.entry(named: name)
    let found = try entry.run(
      Self.parts(name, rowCount: 90, seed: seed), in: RunContext(seed: seed))
    if found.values.isEmpty {
      #expect(found.indices == found.indices.sorted())
    } else {
      #expect(found.values.count == found.indices.count)
      #expect(found.values == found.values.sorted(by: >))
    }
    #expect(Set(found.indices).count == found.indices.count)
    #expect(found.indices.allSatisfy { (0..<90).contains($0) })
    #expect(found.groups.reduce(0) { $0 + $1.count } == 90)
    #expect(found.groups.reduce(0) { $0 + $1.keptCount } == found.indices.count)
    #expect(found.groups.reduce(0) { $0 + $1.madeCount } == found.synthetic?.labels.count ?? 0)
    #expect(found.weights.isEmpty || found.weights.count == found.indices.count)
  }
}
