import Foundation
import Testing

/// What some tests need and a machine may lack.
enum Installed {
  /// The folder of all-MiniLM-L6-v2, nil where it is not installed.
  static let minilm: String? = {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["XDG_CACHE_HOME"] ?? (environment["HOME"] ?? "") + "/.cache"
    let folder = (environment["BASIS_MODELS"] ?? cache + "/basis/models") + "/minilm"
    return FileManager.default.fileExists(atPath: folder + "/model.safetensors") ? folder : nil
  }()

  static let comment: Comment = "no model; install it with 'basis models install minilm'"

  /// Whether loops run at their proper speed.
  static let isOptimized: Bool = {
    #if DEBUG
      false
    #else
      true
    #endif
  }()

  /// The folder of the data sets, which are never copied here.
  static func dataPath(_ name: String) -> String {
    if let given = ProcessInfo.processInfo.environment["BASIS_DATA"] { return given + "/" + name }
    // Tests/BasisTextTests/this file, then up to the package and beside it.
    var root = URL(filePath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    return root.appending(path: "shared/data/\(name)").path()
  }

  static func hasData(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: dataPath(name))
  }
}
