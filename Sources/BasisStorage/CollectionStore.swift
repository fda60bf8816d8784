public import BasisCore
public import BasisFormats
import BasisSearch
import Foundation
import GRDB
import Synchronization

/// A collection on disk: a catalogue of records and the immutable segments beside it.
///
/// Isolation: one process writes, guarded by the kernel's lock; any number of processes and
/// threads read, each from a ``CollectionSnapshot`` that never changes. A call that writes returns
/// when its effect is on disk: losing power at any instant loses nothing that was returned.
public final class CollectionStore: Sendable {
  public enum Access: Sendable {
    case read
    case write
  }

  public let folder: CollectionFolder
  public let settings: CollectionSettings
  let pool: DatabasePool
  private let lock: WriterLock?
  private let openSegments = Mutex<[Int64: Segment]>([:])

  /// Makes an empty collection and opens it for writing.
  ///
  /// The folder appears under its name only when it is complete.
  /// - Throws: `.alreadyExists`; `.inputOutput` if the folder cannot be written.
  public static func create(_ folder: CollectionFolder, settings: CollectionSettings)
    throws(BasisError) -> CollectionStore
  {
    guard !folder.exists else {
      throw BasisError(.alreadyExists, "there is a collection '\(folder.name)' already")
    }
    let home = (folder.path as NSString).deletingLastPathComponent
    let partial = "\(home)/\(partialPrefix(folder))\(getpid())"
    try makeFolder(home)
    removeAbandonedCreations(of: folder)
    try? FileManager.default.removeItem(atPath: partial)
    do throws(BasisError) {
      for path in [partial, partial + "/segments", partial + "/models"] { try makeFolder(path) }
      try Catalog.create(at: partial + "/catalog.sqlite", settings: settings)
      guard rename(partial, folder.path) == 0 else {
        throw systemError("cannot make the collection folder \(folder.path)")
      }
      try syncFolder(home)
    } catch {
      try? FileManager.default.removeItem(atPath: partial)
      throw error
    }
    return try CollectionStore(folder, for: .write)
  }

  /// Opens an existing collection.
  ///
  /// - Throws: `.notFound` with the nearest names; `.busy` if somebody else writes;
  ///   `.newerFormat`; `.corruptFile`.
  public init(_ folder: CollectionFolder, for access: Access) throws(BasisError) {
    try folder.requireExists()
    self.folder = folder
    lock =
      access == .write
      ? try WriterLock(path: folder.lockPath, collection: folder.name) : nil
    let pool = try Catalog.open(folder.catalogPath, writable: access == .write)
    self.pool = pool
    settings = try translating("read the settings of '\(folder.name)'") {
      try pool.read { try Catalog.settings($0) }
    }
    if access == .write { removeLeftovers() }
  }

  // MARK: Spaces

  /// The spaces of the collection, oldest first.
  public func spaces() throws(BasisError) -> [StoredSpace] {
    try reading("read the spaces") { try StoredSpace.fetchAll($0, in: self.folder) }
  }

  /// Adds a space whose vectors later segments will hold.
  ///
  /// - Parameter writeModel: writes the encoder's model, if it has one, into a file of the
  /// - Parameter space: whose vectors they are; its name and version must be new.
  ///   collection; the space is named in the catalogue only when the file is on disk.
  /// - Throws: `.alreadyExists` for a name and version that are taken.
  public func addSpace(
    _ space: Space, writeModel: ((ContainerWriter) throws(BasisError) -> Void)? = nil
  ) throws(BasisError) {
    var file: String?
    if let writeModel {
      let name = "\(space.id).model"
      let writer = try ContainerWriter(
        path: folder.modelsPath + "/" + name, kind: StoredSpace.modelKind,
        version: StoredSpace.modelFormatVersion)
      try writeModel(writer)
      try writer.finish()
      file = name
    }
    try writing("add the space \(space.id)") { db in
      let taken = try Bool.fetchOne(
        db, sql: "SELECT EXISTS (SELECT 1 FROM spaces WHERE name = ? AND version = ?)",
        arguments: [space.id.name, space.id.version])
      guard taken == false else {
        throw BasisError(.alreadyExists, "the collection has a space \(space.id) already")
      }
      try db.execute(
        sql: "INSERT INTO spaces (name, version, definition, model) VALUES (?, ?, ?, ?)",
        arguments: [space.id.name, space.id.version, try Catalog.encodeJSON(space), file])
    }
  }

  // MARK: Access to the database

  /// How far a commit waits for the disk.
  package enum Durability: Int, Sendable {
    case off
    case normal
    case full
    case extra
  }

  /// What SQLite says of the connection that writes.
  package func durability() throws(BasisError) -> Durability? {
    try translating("read the durability") {
      try pool.writeWithoutTransaction { db in
        Durability(rawValue: try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1)
      }
    }
  }

  /// Counts the writes: as long as it stays, a snapshot taken before shows the present.
  public func generation() throws(BasisError) -> Int {
    try reading("read the generation") { try Catalog.generation($0) }
  }

  func writing<T>(_ action: String, _ body: (Database) throws -> T) throws(BasisError) -> T {
    guard lock != nil else {
      throw BasisError(
        .unsupported, "cannot \(action): the collection '\(folder.name)' was opened for reading")
    }
    return try translating("\(action) in '\(folder.name)'") {
      try pool.write { db in
        let result = try body(db)
        try db.execute(sql: "UPDATE meta SET value = value + 1 WHERE name = 'generation'")
        return result
      }
    }
  }

  func reading<T>(_ action: String, _ body: (Database) throws -> T) throws(BasisError) -> T {
    try translating("\(action) of '\(folder.name)'") { try pool.read(body) }
  }

  /// Replaces the model of a space, as when words of deleted records are taken out of it.
  ///
  /// - Parameters:
  ///   - space: a space of the collection with a model.
  ///   - writeModel: writes the new model.
  public func replaceModel(
    of space: Space.Identifier, writeModel: (ContainerWriter) throws(BasisError) -> Void
  ) throws(BasisError) {
    let name = try reading("read the spaces") { db in
      try String.fetchOne(
        db, sql: "SELECT model FROM spaces WHERE name = ? AND version = ?",
        arguments: [space.name, space.version])
    }
    // Two names in turn: the old file stays until the catalogue names the new one.
    let first = "\(space).model"
    let next = name == first ? "\(space).b.model" : first
    let writer = try ContainerWriter(
      path: folder.modelsPath + "/" + next, kind: StoredSpace.modelKind,
      version: StoredSpace.modelFormatVersion)
    try writeModel(writer)
    try writer.finish()
    try writing("replace the model of \(space)") { db in
      try db.execute(
        sql: "UPDATE spaces SET model = ? WHERE name = ? AND version = ?",
        arguments: [next, space.name, space.version])
    }
    if let name { try? FileManager.default.removeItem(atPath: folder.modelsPath + "/" + name) }
  }

  /// Closes segments that are no more and removes their files; readers that hold them keep them.
  func remove(segments: [(id: Int64, file: String)]) {
    openSegments.withLock { open in for segment in segments { open[segment.id] = nil } }
    for segment in segments {
      try? FileManager.default.removeItem(atPath: folder.segmentsPath + "/" + segment.file)
    }
  }

  /// The segment, opened once and shared.
  func segment(id: Int64, file: String) throws(BasisError) -> Segment {
    if let open = openSegments.withLock({ $0[id] }) { return open }
    let segment = try Segment(id: id, path: folder.segmentsPath + "/" + file)
    openSegments.withLock { $0[id] = segment }
    return segment
  }

  private static func partialPrefix(_ folder: CollectionFolder) -> String {
    ".\(folder.name).partial-"
  }

  /// Removes what processes that are no more left of a creation.
  private static func removeAbandonedCreations(of folder: CollectionFolder) {
    let home = (folder.path as NSString).deletingLastPathComponent
    let prefix = partialPrefix(folder)
    for entry in (try? FileManager.default.contentsOfDirectory(atPath: home)) ?? [] {
      guard entry.hasPrefix(prefix), let process = Int32(entry.dropFirst(prefix.count)),
        kill(process, 0) != 0, errno == ESRCH
      else { continue }
      try? FileManager.default.removeItem(atPath: home + "/" + entry)
    }
  }

  /// Removes files that a killed writer left and no catalogue names.
  private func removeLeftovers() {
    CollectionStore.removeAbandonedCreations(of: folder)
    let named = try? reading("list the files") { db in
      (
        segments: try Set(String.fetchAll(db, sql: "SELECT file FROM segments")),
        models: try Set(String.fetchAll(db, sql: "SELECT model FROM spaces WHERE model NOT NULL"))
      )
    }
    guard let named else { return }
    for (path, known) in [(folder.segmentsPath, named.segments), (folder.modelsPath, named.models)]
    {
      for file in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      where !known.contains(file) {
        try? FileManager.default.removeItem(atPath: path + "/" + file)
      }
    }
  }
}

/// A space of a collection and where its encoder's model lies.
public struct StoredSpace: Sendable, Hashable {
  static let modelKind = "encoder"
  static let modelFormatVersion: UInt32 = 1

  public let space: Space
  /// The model's file; nil for an encoder without one.
  public let modelPath: String?

  /// The encoder's model; nil for an encoder without one.
  ///
  /// - Throws: `.notFound`, `.corruptFile`, `.newerFormat`.
  public func openModel() throws(BasisError) -> Container? {
    guard let modelPath else { return nil }
    return try Container(
      path: modelPath, kind: StoredSpace.modelKind,
      maximumVersion: StoredSpace.modelFormatVersion)
  }

  static func fetchAll(_ db: Database, in folder: CollectionFolder) throws -> [StoredSpace] {
    try Row.fetchAll(db, sql: "SELECT definition, model FROM spaces ORDER BY id").map { row in
      StoredSpace(
        space: try JSONDecoder().decode(Space.self, from: Data((row[0] as String).utf8)),
        modelPath: (row[1] as String?).map { folder.modelsPath + "/" + $0 })
    }
  }
}

private func makeFolder(_ path: String) throws(BasisError) {
  do {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  } catch {
    throw BasisError(
      .inputOutput,
      "cannot make the folder \(path); check its permissions or choose another with --data",
      cause: error)
  }
}

/// Makes a rename in the folder durable.
func syncFolder(_ path: String) throws(BasisError) {
  let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { throw systemError("cannot open the folder \(path)") }
  defer { close(descriptor) }
  guard fsync(descriptor) == 0 else { throw systemError("cannot sync the folder \(path)") }
}
