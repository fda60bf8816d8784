import BasisCollections
import BasisCore
import BasisStorage
import Foundation

extension Benchmark {
  /// Records into a collection made anew, encoder and indexes included.
  static func ingest(_ arguments: [String]) throws {
    guard arguments.count == 2 else { throw usage }
    let place = try CollectionFolder(name: "benchmark", in: arguments[1])
    try serve { _ in
      if place.exists { _ = try VectorCollection.destroy(place) }
      var count = 0
      let taken = try seconds {
        count =
          try VectorCollection.ingest(
            files: [arguments[0]], into: place, options: IngestOptions(), in: RunContext()
          ).summary.total
      }
      guard try VectorCollection(place, for: .read).info().recordCount == count, count > 0 else {
        throw BasisError(.badData, "the collection does not hold what was read")
      }
      return taken
    }
  }
}
