import BasisCore
import BasisFormats
import Foundation
import _BasisTestSupport

/// The built program, run as a person would run it, in a folder of its own.
struct Program {
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String

    /// Standard output as JSON.
    func json() throws -> JSONValue { try JSONValue(parsing: output) }
  }

  let folder: TemporaryFolder
  var home: String { folder.path + "/home" }

  init() throws { folder = try TemporaryFolder() }

  /// Beside the test bundle, where the build puts products.
  static var url: URL {
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    while folder.path != "/" {
      let candidate = folder.appendingPathComponent("basis")
      if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
      folder.deleteLastPathComponent()
    }
    return URL(fileURLWithPath: "basis")
  }

  func make(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = Self.url
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    var environment = ProcessInfo.processInfo.environment
    environment["BASIS_HOME"] = home
    environment["BASIS_MODELS"] = folder.path + "/models"
    environment["COLUMNS"] = "80"
    process.environment = environment
    return process
  }

  /// Runs to the end. Output goes through files, which never fill up as a pipe does.
  func run(_ arguments: String..., input: String = "") throws -> Outcome {
    try run(arguments, input: input)
  }

  func run(_ arguments: [String], input: String = "") throws -> Outcome {
    let process = make(arguments)
    let name = UUID().uuidString
    let output = URL(fileURLWithPath: folder.path + "/\(name).out")
    let errors = URL(fileURLWithPath: folder.path + "/\(name).err")
    for file in [output, errors] { try Data().write(to: file) }
    let source = try folder.write("\(name).in", input)
    process.standardInput = FileHandle(forReadingAtPath: source)
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus,
      output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
  }
}

/// The numbers of a JSON array, -1 for what is none; nothing if it is no array.
func numbers(_ value: JSONValue?) -> [Int] {
  guard case .array(let items)? = value else { return [] }
  return items.map { $0.doubleValue.map { Int($0) } ?? -1 }
}
