public import BasisCore
public import BasisStorage
import Foundation

/// For programs that await: the same work, off the caller's executor.
///
/// Heavy work never blocks the cooperative pool: it runs on a queue of its own, a few at a time,
/// and cancelling the task cancels the run.
extension VectorCollection {
  /// Makes an empty collection and opens it for writing.
  ///
  /// - Throws: `.alreadyExists`; `.inputOutput` if the folder cannot be written;
  ///   `.missingDependency` with the remedy if the encoder is a model that is not installed.
  public static func create(
    _ folder: CollectionFolder, settings: CollectionSettings = CollectionSettings()
  ) throws(BasisError) -> VectorCollection {
    try EncoderCatalog.require(settings.encoder)
    let store = try CollectionStore.create(folder, settings: settings)
    try EncoderCatalog.addModelSpace(to: store)
    return VectorCollection(store)
  }

  /// Writes records in one transaction, and seals a segment when enough of them wait.
  ///
  /// - Returns: what happened to them; on return they are on disk.
  @discardableResult
  public func upsert(_ records: [Record]) async throws(BasisError) -> WriteSummary {
    try await offloaded { run throws(BasisError) in
      let summary = try self.store.upsert(records)
      _ = try self.seal(all: false, in: run)
      return summary
    }
  }

  /// Deletes the records with these keys; keys that are not there are ignored.
  ///
  /// - Returns: how many there were.
  @discardableResult
  public func delete(keys: [String]) async throws(BasisError) -> Int {
    try await offloaded { _ throws(BasisError) in try self.store.delete(keys: keys) }
  }

  /// The records that fit a query best. See ``search(_:in:)``.
  public func search(_ request: SearchRequest) async throws(BasisError) -> SearchResult {
    try await offloaded { run throws(BasisError) in try self.search(request, in: run) }
  }

  /// A view of the collection as it is now, which later writes do not change.
  public func snapshot() async throws(BasisError) -> CollectionSnapshot {
    try await offloaded { _ throws(BasisError) in try self.store.snapshot() }
  }

  private static let queue: OperationQueue = {
    let queue = OperationQueue()
    queue.name = "basis.collections"
    queue.maxConcurrentOperationCount = 2 * RunContext.processorCount
    return queue
  }()

  private func offloaded<T: Sendable>(
    _ work: @escaping @Sendable (RunContext) throws(BasisError) -> T
  ) async throws(BasisError) -> T {
    let run = RunContext()
    let result: Result<T, BasisError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        Self.queue.addOperation {
          do throws(BasisError) {
            try run.checkCancelled()
            continuation.resume(returning: .success(try work(run)))
          } catch {
            continuation.resume(returning: .failure(error))
          }
        }
      }
    } onCancel: {
      run.cancellation.cancel()
    }
    return try result.get()
  }
}
