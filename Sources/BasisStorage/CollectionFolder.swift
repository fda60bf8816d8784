public import BasisCore
import Foundation

/// Where a collection lives on disk: `NAME.basis/` with its catalogue, segments and models.
public struct CollectionFolder: Sendable, Hashable {
  public let name: String
  /// The folder itself.
  public let path: String

  /// - Parameters:
  ///   - name: letters, digits, `.`, `_` and `-`; at most 100 characters, not starting with `.`.
  ///   - home: the folder that holds the collections.
  /// - Throws: `.invalidArgument` for a name that could leave `home` or confuse a shell.
  public init(name: String, in home: String) throws(BasisError) {
    let allowed = name.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "_" || $0 == "-")
    }
    guard allowed, !name.isEmpty, name.count <= 100, name.first != ".", name.first != "-" else {
      throw BasisError(
        .invalidArgument,
        "'\(name)' cannot name a collection; use letters, digits, '.', '_' and '-', "
          + "beginning with a letter or digit")
    }
    self.name = name
    path = home + "/" + name + CollectionFolder.suffix
  }

  static let suffix = ".basis"

  package var catalogPath: String { path + "/catalog.sqlite" }
  package var segmentsPath: String { path + "/segments" }
  package var modelsPath: String { path + "/models" }
  package var lockPath: String { path + "/lock" }

  public var exists: Bool { FileManager.default.fileExists(atPath: catalogPath) }

  /// The names of the collections in a folder, in alphabetical order; empty if there is none.
  public static func names(in home: String) -> [String] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: home)) ?? []
    return entries.filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }
      .map { String($0.dropLast(suffix.count)) }
      .filter { (try? CollectionFolder(name: $0, in: home))?.exists ?? false }
      .sorted()
  }

  /// The size of all files of the collection.
  public var byteCount: Int {
    guard let files = FileManager.default.enumerator(atPath: path) else { return 0 }
    var sum = 0
    while files.nextObject() != nil { sum += files.fileAttributes?[.size] as? Int ?? 0 }
    return sum
  }

  /// - Throws: `.notFound` with the nearest names and how to make the collection.
  public func requireExists() throws(BasisError) {
    guard !exists else { return }
    let home = String(path.dropLast(name.count + CollectionFolder.suffix.count + 1))
    let others = CollectionFolder.names(in: home)
    let near = others.map { (name: $0, distance: editDistance($0, name)) }
      .filter { $0.distance <= max(2, name.count / 3) || $0.name.hasPrefix(name) }
      .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map { "'\($0.name)'" }
    let hint =
      if !near.isEmpty {
        "did you mean \(near.joined(separator: " or "))?"
      } else if others.isEmpty {
        "there is none yet; make one with 'basis ingest \(name) FILE'"
      } else {
        "there are \(others.prefix(8).map { "'\($0)'" }.joined(separator: ", "))"
      }
    throw BasisError(.notFound, "no collection '\(name)' in \(home); \(hint)")
  }
}

/// Insertions, deletions and substitutions that turn one text into the other.
private func editDistance(_ a: String, _ b: String) -> Int {
  let x = Array(a)
  let y = Array(b)
  var row = Array(0...y.count)
  for i in x.indices {
    var diagonal = row[0]
    row[0] = i + 1
    for j in y.indices {
      let substitution = diagonal + (x[i] == y[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substitution, diagonal + 1, row[j] + 1)
    }
  }
  return row[y.count]
}
