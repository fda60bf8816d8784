import BasisCodecs
import BasisCore
import BasisFormats
import Testing
import _BasisTestSupport

@Suite struct CodesTests {
  @Test func codesComeBackFromAFile() throws {
    let folder = try TemporaryFolder()
    let codes = Codes(count: 3, bytesPerVector: 2, bytes: [1, 2, 3, 4, 5, 6])
    let writer = try ContainerWriter(path: folder.path + "/codes", kind: "test", version: 1)
    try codes.write(to: writer, "codes")
    try writer.finish()
    let container = try Container(path: folder.path + "/codes", kind: "test", maximumVersion: 1)
    let read = try Codes(from: container, "codes", bytesPerVector: 2)
    #expect(read.count == 3)
    #expect((0..<3).map { read[$0] } == [[1, 2], [3, 4], [5, 6]])
    expectError(.corruptFile) { try Codes(from: container, "codes", bytesPerVector: 4) }
    expectError(.corruptFile) { try Codes(from: container, "other", bytesPerVector: 2) }
  }
}
