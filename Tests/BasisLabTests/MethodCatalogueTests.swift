import BasisCore
import BasisLab
import Foundation
import Testing
import _BasisTestSupport

@Suite struct MethodCatalogueTests {
  private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  @Test func `the page of methods is what the catalogue says`() throws {
    let page = try String(contentsOf: root.appendingPathComponent("METHODS.md"), encoding: .utf8)
    #expect(page == MethodCatalogue.markdown, "run make methods")
  }

  @Test func `names are unique within a verb, and oracles exist`() {
    let names = MethodCatalogue.methods.map { "\($0.verb) \($0.name)" }
    #expect(Set(names).count == names.count)
    for method in MethodCatalogue.methods {
      #expect(method.room.hasPrefix("Basis"), "\(method.name)")
      let source = root.appendingPathComponent("Sources/\(method.room)").path
      #expect(FileManager.default.fileExists(atPath: source), "\(method.room)")
      guard method.oracle.hasPrefix("Scripts/") else { continue }
      let script = root.appendingPathComponent(method.oracle).path
      #expect(FileManager.default.fileExists(atPath: script), "\(method.oracle)")
    }
  }

  @Test func `rooms are found by either name`() throws {
    #expect(try MethodCatalogue.methods(in: "measures").count >= 10)
    #expect(
      try MethodCatalogue.methods(in: "BasisMeasures") == MethodCatalogue.methods(in: "Measures"))
    #expect(try MethodCatalogue.methods(in: nil) == MethodCatalogue.methods)
    expectError(.invalidArgument, "'cellar'", "codecs", "measures") {
      try MethodCatalogue.methods(in: "cellar")
    }
  }
}
