import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct MatrixSourceTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private let matrix = Matrix(rowCount: 6, columnCount: 3) { target in
    for index in target.indices { target[index] = Float(index * 7 % 11) }
  }

  @Test func `vectors come back from each kind of file`() throws {
    for element in VectorFile.Element.allCases {
      let path = folder.path + "/a.\(element.rawValue)"
      try VectorFile.write(matrix, to: path, as: element)
      let file = try VectorFile(contentsOf: path, element: element)
      #expect(file.rowCount == 6 && file.columnCount == 3)
      #expect(file.matrix() == matrix)
      #expect(try Matrix(contentsOf: path) == matrix)
      let bytes = try contents(of: path)
      #expect(Array(bytes[..<4]) == [3, 0, 0, 0])
      let packed = try folder.write("b.\(element.rawValue).gz", gzipped(bytes))
      #expect(try Matrix(contentsOf: packed) == matrix)
      if element != .float32 {
        #expect(try file.integers()[1] == matrix.row(1).map { Int($0) })
      }
      for count in 1..<bytes.count where !count.isMultiple(of: bytes.count / 6) {
        let cut = try folder.write("cut", Array(bytes[..<count]))
        expectError(.badData, "cut: byte", "cut off") {
          try VectorFile(contentsOf: cut, element: element)
        }
      }
      for place in bytes.indices {
        var flipped = bytes
        flipped[place] ^= 0x81
        let path = try folder.write("flipped", flipped)
        do {
          _ = try VectorFile(contentsOf: path, element: element).matrix()
        } catch {
          #expect(error.message.hasPrefix(path + ": byte"), "\(error.message)")
        }
      }
    }
  }

  @Test func `numbers that a file cannot hold are named`() throws {
    var values = matrix
    values[4, 2] = 300
    expectError(.badData, "300.0 at row 4, column 2", "bvecs") {
      try VectorFile.write(values, to: folder.path + "/a.bvecs", as: .uint8)
    }
    values[4, 2] = 0.5
    expectError(.badData, "0.5 at row 4, column 2", "ivecs") {
      try VectorFile.write(values, to: folder.path + "/a.ivecs", as: .int32)
    }
    expectError(.invalidArgument, "rows of 0 values") {
      try VectorFile.write(
        Matrix(rowCount: 2, columnCount: 0), to: folder.path + "/a.fvecs", as: .float32)
    }
    #expect(try folder.names.isEmpty)
    let empty = try folder.write("empty.fvecs", [])
    #expect(try Matrix(contentsOf: empty).rowCount == 0)
    for length in [0, -5] as [Int32] {
      let bytes = withUnsafeBytes(of: length) { Array($0) }
      let path = try folder.write("bad.fvecs", bytes)
      expectError(.badData, "byte 0", "has \(length) elements") { try Matrix(contentsOf: path) }
    }
  }

  @Test func `the content says what a file is, not its name`() throws {
    let numbers = try folder.write("numbers", "")
    try NumPyArray(matrix).write(to: numbers)
    #expect(try MatrixSource(path: numbers).format == .npy)
    try NumPyArchive.write([("m", NumPyArray(matrix))], to: numbers)
    #expect(try MatrixSource(path: numbers).format == .npz)
    #expect(try Matrix(contentsOf: numbers) == matrix)
    try VectorFile.write(matrix, to: numbers, as: .float32)
    #expect(try MatrixSource(path: numbers).format == .fvecs)
    #expect(try Matrix(contentsOf: numbers) == matrix)
    _ = try folder.write("numbers", [7, 0, 0, 1, 0, 9])
    expectError(.badData, numbers, "byte 1", "neither text nor") { try Matrix(contentsOf: numbers) }
    expectError(.badData, "is a folder") { try Matrix(contentsOf: folder.path) }
  }

  @Test(arguments: [
    "1,2.5,-3e2\n4,5,6\n", "a,b,c\r\n1,2.5,-300\r\n4,5,6", "1;2.5;-3e2\n\n4;5;6",
    "1\t2.5\t-300\n4\t5\t6",
    "  1  2.5 -300\n 4 5 6 ", "\u{FEFF}\"x\",\"y\",\"z\"\n 1, 2.5,-300\n\"4\",5,6",
  ])
  func `tables of numbers`(text: String) throws {
    let path = try folder.write("a.csv", text)
    let source = try MatrixSource(path: path)
    #expect(source.format == .csv)
    #expect(try source.matrix() == Matrix(rows: [[1, 2.5, -300], [4, 5, 6]]))
    let packed = try folder.write("b", gzipped(Array(text.utf8)))
    #expect(try Matrix(contentsOf: packed) == source.matrix())
  }

  @Test(arguments: [
    ("1,2\n3\n", ":2: has 1 numbers, the first line has 2"),
    ("1,2\n3,x\n", ":2: 'x' in column 2 is not a number"),
    ("1,x\n3,4\n", ":1: 'x' in column 2"),
    ("1,2\n3,nan\n", "nan at row 1, column 1"),
    ("1,2\n3,\n", ":2: '' in column 2"),
  ])
  func `tables that are no matrices`(text: String, message: String) throws {
    let path = try folder.write("a.csv", text)
    expectError(.badData, path, message) { try Matrix(contentsOf: path) }
  }

  @Test func `lists in JSON`() throws {
    let rows = try folder.write("a.json", " [[1, 2.5], [3, -4e1]]\n")
    #expect(try MatrixSource(path: rows).format == .json)
    #expect(try Matrix(contentsOf: rows) == Matrix(rows: [[1, 2.5], [3, -40]]))
    let row = try folder.write("b.json", "[1, 2.5]")
    #expect(try MatrixSource(path: row).vector() == [1, 2.5])
    for (text, message) in [
      ("[1, null]", "null at position 1 is not a number"), ("[[1], [2, 3]]", "row 1 has 2 values"),
      ("[1,", "b.json"), ("[1e300]", "inf at row 0, column 0"), ("[[1], 2]", "2 is neither a list"),
    ] {
      let path = try folder.write("b.json", text)
      expectError(.badData, path, message) { try MatrixSource(path: path).vector() }
    }
  }

  @Test func `lines of JSON`() throws {
    let wanted = try Matrix(rows: [[1, 2.5], [3, -40]])
    for text in [
      "[1, 2.5]\n[3, -4e1]", "\n[1, 2.5]\r\n\n[3, -40]\n",
      #"{"id": "a", "tags": ["x"], "vector": [1, 2.5]}"# + "\n"
        + #"{"vector": [3, -40], "more": [1, 2, 3]}"# + "\n",
    ] {
      let path = try folder.write("a.jsonl", text)
      #expect(try MatrixSource(path: path).format == .jsonl)
      #expect(try Matrix(contentsOf: path) == wanted)
      let packed = try folder.write("a.gz", gzipped(contents(of: path)))
      #expect(try Matrix(contentsOf: packed) == wanted)
    }
    let one = try folder.write("a", #"{"v": [4, 5]}"#)
    #expect(try MatrixSource(path: one).vector() == [4, 5])
    for (text, message) in [
      ("[1, 2]\n[3]\n", ":2: row 1 has 1 values, row 0 has 2"),
      ("[1, 2]\n3\n", ":2: 3 is neither a list of numbers nor an object"),
      ("[1, 2]\n\n[3, 4\n", ":3: "),
      (#"{"a": 1}"#, ":1: the object has no list of numbers"),
      (
        #"{"b": [1], "a": [2]}"#, "several lists of numbers (a, b); leave one of them (jq -c '{a}')"
      ),
      (#"{"a": [1]}"# + "\n" + #"{"b": [1]}"#, ":2: the object has no list 'a'"),
      (#"{"a": [1, "x"]}"#, #":1: "x" at position 1 is not a number"#),
    ] {
      let path = try folder.write("b.jsonl", text)
      expectError(.badData, path, message) { try Matrix(contentsOf: path) }
    }
  }

  @Test func `the matrix of a safetensors file`() throws {
    let path = folder.path + "/a.safetensors"
    func write(_ names: [String]) throws {
      var writer = SafetensorsWriter()
      for name in names { try writer.add(name, matrix) }
      try writer.write(to: path)
    }
    try write(["rows"])
    #expect(try MatrixSource(path: path).format == .safetensors)
    #expect(try Matrix(contentsOf: path) == matrix)
    try write(["a", "b"])
    #expect(try MatrixSource(path: path, name: "b").matrix() == matrix)
    expectError(.invalidArgument, path, "2 matrices (a, b)") { try Matrix(contentsOf: path) }
    try write([])
    expectError(.invalidArgument, path, "no tensor of two dimensions") {
      try Matrix(contentsOf: path)
    }
  }

  @Test func `labels and single vectors`() throws {
    let path = try folder.write("a.csv", "label\n3\n-1\n2\n")
    #expect(try MatrixSource(path: path).integers() == [3, -1, 2])
    expectError(.badData, "has 3 rows") { try MatrixSource(path: path).vector() }
    let row = try folder.write("b.csv", "3 -1 0.5")
    #expect(try MatrixSource(path: row).vector() == [3, -1, 0.5])
    expectError(.badData, "0.5 at position 2") { try MatrixSource(path: row).integers() }
    let array = folder.path + "/y.npy"
    try NumPyArray([5, 6]).write(to: array)
    #expect(try MatrixSource(path: array).integers() == [5, 6])
    #expect(try MatrixSource(path: array).vector() == [5, 6])
    for one in [array, path, row] {
      #expect(try MatrixSource(path: one).numbers().count == (one == array ? 2 : 3))
    }
    let square = try folder.write("c.csv", "1 2\n3 4\n")
    expectError(.badData, "2 × 2 values; give one column") {
      try MatrixSource(path: square).numbers()
    }
    expectError(.badData, "x.reshape(1, -1)") { try Matrix(contentsOf: array) }
  }
}
