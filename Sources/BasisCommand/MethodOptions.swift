import ArgumentParser
import BasisCollections
import BasisCore
import BasisFormats
import BasisStorage
import Foundation

/// What differs from a method's defaults.
struct SettingsOptions: ParsableArguments {
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("A setting that differs from its default.", valueName: "name=value"))
  var settings: [String] = []

  func validate() throws {
    for setting in settings where !setting.dropFirst().contains("=") {
      throw ValidationError("--set takes name=value, not '\(setting)'")
    }
  }

  /// The settings as a JSON object.
  ///
  /// - Parameter own: what other options say, such as `name=value`; --set comes later, and counts.
  func json(after own: [String] = []) -> String { settingsObject(own + settings) }
}

/// What the verbs that run a method have in common: where rows, labels and settings come from.
struct MethodOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A class per row: npy, csv or text.", valueName: "file"))
  var labels: String?

  @OptionGroup var changes: SettingsOptions
  @OptionGroup var data: DataOptions

  var settings: [String] { changes.settings }

  /// What a method may eat of the named files and collections.
  func parts(_ names: [String], in run: RunContext) throws(BasisError) -> MethodParts {
    var matrices: [Matrix] = []
    for name in names { matrices.append(try rows(name, in: run)) }
    return MethodParts(
      matrices, names: names,
      labels: try labels.map { path throws(BasisError) in try MatrixSource(path: path).integers() })
  }

  func rows(_ name: String, in run: RunContext) throws(BasisError) -> Matrix {
    try data.rows(name, in: run)
  }

  func keyedRows(_ name: String, in run: RunContext) throws(BasisError) -> (
    rows: Matrix, keys: [String], metric: Metric?
  ) {
    try data.keyedRows(name, in: run)
  }

  /// As ``SettingsOptions/json(after:)``.
  func json(after own: [String] = []) -> String { changes.json(after: own) }
}

extension DataOptions {
  /// The rows of a file, or the vectors of a collection in its present space.
  func rows(_ name: String, in run: RunContext) throws(BasisError) -> Matrix {
    try keyedRows(name, in: run).rows
  }

  /// The same with the keys of a collection's records and how its space compares them; a file says
  /// neither.
  func keyedRows(_ name: String, in run: RunContext) throws(BasisError) -> (
    rows: Matrix, keys: [String], metric: Metric?
  ) {
    let folder = try? self.folder(name)
    guard name != "-", !FileManager.default.fileExists(atPath: name), let folder,
      FileManager.default.fileExists(atPath: folder.path)
    else { return (try Matrix(contentsOf: name), [], nil) }
    let reader = try VectorCollection(folder, for: .read).vectorReader(in: run)
    var chunks: [Matrix] = []
    var keys: [String] = []
    try reader.snapshot.forEachChunk { records throws(BasisError) in
      chunks.append(try reader.vectors(of: records.map(\.sequence)))
      keys += records.map(\.key)
    }
    let count = chunks.reduce(0) { $0 + $1.rowCount }
    let dimension = reader.space.dimension
    let rows = Matrix(rowCount: count, columnCount: dimension) { out in
      var place = 0
      for chunk in chunks {
        chunk.withUnsafeFloats { floats in
          for value in floats {
            out[place] = value
            place += 1
          }
        }
      }
    }
    return (rows, keys, reader.space.metric)
  }
}

/// Settings such as `name=value` as a JSON object: numbers, words and lists as they are, all else as
/// text.
func settingsObject(_ settings: [String]) -> String {
  let parts = settings.map { setting in
    let name = setting.prefix { $0 != "=" }
    let value = String(setting.dropFirst(name.count + 1))
    let isJSON = (try? JSONValue(parsing: value)) != nil
    let text = isJSON ? value : JSONValue.string(value).serialized(pretty: false)
    return "\(JSONValue.string(String(name)).serialized(pretty: false)): \(text)"
  }
  return "{\(parts.joined(separator: ", "))}"
}
