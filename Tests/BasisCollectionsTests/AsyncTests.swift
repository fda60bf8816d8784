import BasisCollections
import BasisCore
import BasisStorage
import Testing
import _BasisTestSupport

@Suite struct AsyncTests {
  @Test func `tasks write and search side by side`() async throws {
    let folder = try TemporaryFolder()
    let place = try CollectionFolder(name: "demo", in: folder.path)
    let collection = try VectorCollection.create(place)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for row in 0..<10 {
            let text = "task\(letters(task))q row\(letters(row))q"
            try await collection.upsert([
              Record(key: "\(task)-\(row)", payload: #"{"text":"\#(text)"}"#)
            ])
            // What a task has written it finds, whatever the others do.
            var request = SearchRequest(.text("task\(letters(task))q"))
            request.mode = .lexical
            request.k = 100
            #expect(try await collection.search(request).hits.count == row + 1)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await collection.delete(keys: ["0-0", "7-9", "none"]) == 2)
    #expect(try await collection.snapshot().recordCount == 78)
  }

  @Test func `a cancelled task stops the work`() async throws {
    let folder = try TemporaryFolder()
    let collection = try VectorCollection.create(
      CollectionFolder(name: "demo", in: folder.path))
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await collection.upsert([Record(key: "a", payload: "{}")])
    }
    let error = await #expect(throws: BasisError.self) { try await task.value }
    #expect(error?.code == .cancelled)
    #expect(try await collection.snapshot().recordCount == 0)
  }
}
