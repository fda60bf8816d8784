import BasisCore
import BasisStorage
import Testing

@Suite struct CollectionFolderTests {
  @Test(arguments: ["demo", "a", "2024-notes_v1.2"])
  func `takes plain names`(name: String) throws {
    #expect(try CollectionFolder(name: name, in: "/data").path == "/data/\(name).basis")
  }

  @Test(arguments: ["", ".", "..", "a/b", "../a", ".hidden", "-k", "a b", "é"])
  func `refuses names that could leave the folder or confuse a shell`(name: String) {
    let error = #expect(throws: BasisError.self) { try CollectionFolder(name: name, in: "/data") }
    #expect(error?.code == .invalidArgument)
    #expect(error?.message.contains("'\(name)' cannot name a collection") == true)
  }
}
