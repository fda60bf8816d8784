import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

/// The commands of `WALKTHROUGH.md`, as they stand there.
@Suite struct WalkthroughTests {
  private static let data = ProcessInfo.processInfo.environment["BASIS_DATA"] ?? "../shared/data"
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  private static let folder = URL(
    fileURLWithPath: data, relativeTo: root.appendingPathComponent("x")
  ).standardizedFileURL.path
  private static let isHere = ["retrieval-scifact", "text-movie-review-polarity"].allSatisfy {
    FileManager.default.fileExists(atPath: "\(folder)/\($0)")
  }

  /// What stands between ```sh and ```.
  private func blocks() throws -> [String] {
    let page = try String(
      contentsOf: Self.root.appendingPathComponent("WALKTHROUGH.md"), encoding: .utf8)
    return page.components(separatedBy: "```sh\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
  }

  @Test(.enabled(if: isHere, "the walk-through needs SciFact and film reviews in BASIS_DATA"))
  func `the page works as written`() throws {
    let program = try Program()
    let blocks = try blocks()
    #expect(blocks.count == 6)
    let process = program.make([])
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-e", "-c", blocks.joined(separator: "\n")]
    var environment = process.environment ?? [:]
    environment["PATH"] =
      Program.url.deletingLastPathComponent().path + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
    environment["BASIS_DATA"] = Self.folder
    environment["ROWS"] = "250"
    process.environment = environment
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(said)")

    func json(_ name: String) throws -> JSONValue {
      try JSONValue(
        parsing: String(contentsOfFile: "\(program.folder.path)/\(name)", encoding: .utf8))
    }
    let assignments = numbers(try json("groups.json")["assignments"])
    #expect(assignments.count == 280)
    // Most films are in one group, in which there is little else.
    let films = assignments.suffix(30)
    let theirs = try #require(
      Dictionary(grouping: films) { $0 }.max { $0.value.count < $1.value.count })
    #expect(theirs.value.count >= 20)
    #expect(assignments.prefix(250).count { $0 == theirs.key } <= 20)
    #expect(numbers(try json("kept.json")["indices"]).count == 84)
    let strangers = try json("strangers.json")
    guard case .array(let scores)? = strangers["scores"] else {
      Issue.record("no scores: \(strangers)")
      return
    }
    #expect(scores.count == 280)
    for picture in ["spectrum.svg", "silhouettes.svg"] {
      let text = try String(
        contentsOfFile: "\(program.folder.path)/\(picture)", encoding: .utf8)
      #expect(text.contains("<svg"))
    }
  }
}
