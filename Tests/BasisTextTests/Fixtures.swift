import Foundation

/// The JSON of a fixture of this room.
func fixture<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
  let url = Bundle.module.resourceURL?.appending(path: "Fixtures/\(name).json")
  return try JSONDecoder().decode(type, from: Data(contentsOf: url ?? URL(filePath: name)))
}

/// A path for a file of one test.
func temporaryPath(_ name: String) -> String {
  FileManager.default.temporaryDirectory.appending(path: "basis-\(UUID())-\(name)").path()
}
