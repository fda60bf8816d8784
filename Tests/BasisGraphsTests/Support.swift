import BasisCore
import BasisGraphs
import Foundation
import Testing

func fixture<T: Decodable>(_ name: String, _ type: T.Type) throws -> T {
  let url = try #require(
    Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Fixtures"))
  return try JSONDecoder().decode(type, from: Data(contentsOf: url))
}

/// A folder of the data sets, or nil with its reason printed.
func dataSet(_ name: String) -> String? {
  let root =
    ProcessInfo.processInfo.environment["BASIS_DATA"]
    ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/data")
    .path
  let folder = "\(root)/\(name)"
  guard FileManager.default.fileExists(atPath: folder) else {
    print("skipped: there is no \(folder); set BASIS_DATA to where the data sets are")
    return nil
  }
  return folder
}

/// Every pair linked with some probability, of random weight or of weight 1.
func randomGraph(
  _ n: Int, density: Double, weighted: Bool = true, seed: UInt64, names: [String] = []
) throws -> CSRGraph {
  var generator = RandomGenerator(seed: seed)
  var (sources, targets, weights): ([Int32], [Int32], [Float]) = ([], [], [])
  for a in 0..<n {
    for b in 0..<a where generator.nextDouble() < density {
      sources.append(Int32(a))
      targets.append(Int32(b))
      weights.append(Float(1 + generator.nextInt(below: 8)) / 4)
    }
  }
  return try CSRGraph(
    nodeCount: n, sources: sources, targets: targets, weights: weighted ? weights : [],
    names: names)
}

/// `groups` of equal size, linked more within than between.
func blockGraph(_ n: Int, groups: Int, within: Double, between: Double, seed: UInt64) throws
  -> CSRGraph
{
  var generator = RandomGenerator(seed: seed)
  var (sources, targets): ([Int32], [Int32]) = ([], [])
  for a in 0..<n {
    for b in 0..<a
    where generator.nextDouble() < (a % groups == b % groups ? within : between) {
      sources.append(Int32(a))
      targets.append(Int32(b))
    }
  }
  return try CSRGraph(nodeCount: n, sources: sources, targets: targets)
}

func links(of graph: CSRGraph, _ node: Int) -> [(node: Int, weight: Double)] {
  graph.neighbors(of: node).map { (Int($0), Double(graph[node, Int($0)])) }
}
