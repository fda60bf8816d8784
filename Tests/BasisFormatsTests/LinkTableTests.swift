import BasisCore
import BasisFormats
import Testing
import _BasisTestSupport

@Suite struct LinkTableTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func table(
    _ text: String, _ form: LinkTable.Form = .edges, nodeCount: Int? = nil
  ) throws -> LinkTable {
    try LinkTable(path: folder.write("links", text), form: form, nodeCount: nodeCount)
  }

  @Test(arguments: [
    "0 1\n0 2\n7 1\n", "# a remark\n\n0\t1\n0\t2\n\n7\t1", "0,1\r\n0,2\r\n7,1\r\n",
    "u,v\n0,1\n0,2\n7,1\n", "\u{FEFF}source;target\n0;1\n0;2\n7;1", "  0   1 \n 0 2\n7 1\n",
  ])
  func `an edge list in any of its forms`(text: String) throws {
    let links = try table(text)
    #expect(links.names == ["0", "1", "2", "7"])
    #expect(links.sources == [0, 0, 3] && links.targets == [1, 2, 1])
    #expect(links.weights.isEmpty && links.isSymmetric == nil)
  }

  @Test func `weights, names, and numbers far apart`() throws {
    let links = try table("from to w\nb a 0.5\na 07 2e3\n")
    #expect(links.names == ["b", "a", "07"] && links.weights == [0.5, 2000])
    #expect(links.sources == [0, 1] && links.targets == [1, 2])
    let far = try table("900000000000 3\n3 5\n")
    #expect(far.names == ["3", "5", "900000000000"])
    #expect(far.sources == [2, 0] && far.targets == [0, 1])
    // Numbers become names when the first name comes.
    let late = try table("4 2\n2 x\n4 4\n")
    #expect(late.names == ["4", "2", "x"])
    #expect(late.sources == [0, 1, 0] && late.targets == [1, 2, 0])
    #expect(
      try table("first node,second node\na b,c\n").names == [
        "first node", "second node", "a b", "c",
      ])
    let all = try table("0 1\n4 1\n", nodeCount: 6)
    #expect(all.names.count == 6 && all.sources == [0, 4])
    #expect(try table("").names.isEmpty)
  }

  @Test func `an adjacency list, lone nodes too`() throws {
    let links = try table("1 2 3\n2 1\n9\n", .adjacency)
    #expect(links.names == ["1", "2", "3", "9"])
    #expect(links.sources == [0, 0, 1] && links.targets == [1, 2, 0])
  }

  @Test func `Matrix Market says sizes and symmetry`() throws {
    let head = "%%MatrixMarket matrix coordinate "
    let real = try table(head + "real symmetric\n% remark\n4 4 2\n2 1 0.5\n4 4 3\n")
    #expect(real.names == ["1", "2", "3", "4"] && real.isSymmetric == true)
    #expect(real.sources == [1, 3] && real.targets == [0, 3] && real.weights == [0.5, 3])
    #expect(try table(head + "pattern general\n2 2 1\n1 2\n").isSymmetric == false)
    expectError(.dimensionMismatch, "2 × 3") { try table(head + "real general\n2 3 0\n") }
    expectError(.badData, ":3", "1 ... 2") { try table(head + "pattern general\n2 2 1\n1 3\n") }
    expectError(.badData, "2 entries", "1 are there") {
      try table(head + "pattern general\n2 2 2\n1 2\n")
    }
    expectError(.unsupported, "complex") { try table(head + "complex general\n1 1 0\n") }
    expectError(.unsupported, "array") { try table("%%MatrixMarket matrix array real general\n") }
  }

  @Test func `what is no link names its line`() throws {
    expectError(.badData, "links:2", "1 cells") { try table("1 2\n3\n") }
    expectError(.badData, "links:2", "4 cells") { try table("1 2\n3 4 5 6\n") }
    expectError(.badData, "links:2", "'heavy'") { try table("1 2 3\n3 4 heavy\n") }
    expectError(.badData, "links:2", "all or none") { try table("1 2\n3 4 5\n") }
    expectError(.badData, "links:2", "all or none") { try table("1 2 5\n3 4\n") }
    expectError(.badData, "links:2", "'5'", "0 ..< 5") { try table("1 2\n3 5\n", nodeCount: 5) }
    expectError(.badData, "links:1", "'x'") { try table("1 x\n", nodeCount: 5) }
    expectError(.badData, "links:1", "without a name") { try table("a,\n") }
    expectError(.notFound) { try LinkTable(path: folder.path + "/none") }
  }

  @Test func `whole numbers of any size, a line each`() throws {
    let path = try folder.write("times", "1020\n-3\n 930000000000001 \n\n7")
    #expect(try WholeNumberList(contentsOf: path).values == [1020, -3, 930_000_000_000_001, 7])
    for wrong in ["1.5", "x", "1 2", "-", "99999999999999999999"] {
      let path = try folder.write("wrong", "1\n\(wrong)\n")
      expectError(.badData, "wrong:2", "'\(wrong)'") { try WholeNumberList(contentsOf: path) }
    }
  }
}
