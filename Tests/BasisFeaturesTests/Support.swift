import BasisCore
import BasisFeatures
import Foundation
import Testing

func fixture<T: Decodable>(_ name: String, _ type: T.Type) throws -> T {
  let url = try #require(
    Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Fixtures"))
  return try JSONDecoder().decode(type, from: Data(contentsOf: url))
}

/// Columns of whole numbers and a target, by name.
func labeled(_ columns: [(String, [Int])], _ target: [Int]) throws -> LabeledColumns {
  try LabeledColumns(
    columns.map { CategoricalColumn($0.0, numbers: $0.1) },
    target: CategoricalColumn("label", numbers: target))
}

/// Uniform values below `bound`.
func draws(_ n: Int, below bound: Int, _ generator: inout RandomGenerator) -> [Int] {
  (0..<n).map { _ in generator.nextInt(below: bound) }
}
