import BasisCore
import BasisFormats
import Foundation
import Testing

/// Judged collections of the literature, opened where and as they lie.
@Suite struct PublishedDatasetTests {
  static var folder: String {
    if let given = ProcessInfo.processInfo.environment["BASIS_DATA"] { return given }
    var root = URL(filePath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    return root.appending(path: "shared/data").path()
  }

  static let isThere = FileManager.default.fileExists(atPath: folder + "/retrieval-cisi")

  struct Published: Sendable {
    var name: String
    var documents: Int
    var queries: Int
    var judgments: Int
    /// A document with a title, and how that begins.
    var title: (id: String, start: String)?
  }

  @Test(
    .enabled(if: isThere, "no data in \(folder); BASIS_DATA names the folder"),
    arguments: [
      Published(
        name: "scifact", documents: 5183, queries: 300, judgments: 339,
        title: ("4983", "Microstructural development")),
      Published(name: "nfcorpus", documents: 3395, queries: 323, judgments: 12334),
      Published(
        name: "cranfield", documents: 1400, queries: 225, judgments: 1837,
        title: ("3", "the boundary layer in simple shear flow")),
      Published(name: "vaswani", documents: 11429, queries: 93, judgments: 2083),
      Published(name: "cacm", documents: 3204, queries: 52, judgments: 796),
      Published(
        name: "cisi", documents: 1460, queries: 76, judgments: 3114,
        title: ("1", "18 Editions of the Dewey Decimal")),
    ])
  func `published collections open as they are`(published: Published) throws {
    let dataset = try RetrievalDataset(Self.folder + "/retrieval-" + published.name)
    #expect(dataset.queries.count == published.queries)
    #expect(dataset.queries.allSatisfy { !$0.text.isEmpty })
    #expect(dataset.judgments.values.reduce(0) { $0 + $1.count } == published.judgments)
    #expect(dataset.untexted == 0)
    var reader = try dataset.makeDocumentReader()
    var ids: Set<String> = []
    var count = 0
    while let record = try reader.next() {
      count += 1
      let id = try #require(record.fields["id"]?.stringValue)
      ids.insert(id)
      if let title = published.title, title.id == id {
        #expect(record.fields["title"]?.stringValue?.hasPrefix(title.start) == true)
      }
    }
    #expect(count == published.documents && ids.count == count)
    let judged = Set(dataset.judgments.values.flatMap(\.keys))
    #expect(judged.subtracting(ids).isEmpty, "judged documents that are not there")
  }
}
