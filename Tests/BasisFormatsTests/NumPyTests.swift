import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

/// What NumPy wrote: see `Scripts/oracles/npy.py`.
struct NumPyFixture: Decodable {
  struct Case: Decodable {
    var type: String
    var order: String
    var axes: String
    var version: Int
    var shape: [Int]
    var file: Data
    var values: [Float]
  }

  var cases: [Case]
  var stored: Data
  var deflated: Data
  var unsupported: [String: Data]

  static func load() throws -> NumPyFixture {
    let url = Bundle.module.resourceURL?.appending(path: "Fixtures/npy.json")
    return try JSONDecoder().decode(
      NumPyFixture.self, from: Data(contentsOf: try #require(url)))
  }

  /// The matrix and the labels of both archives.
  static let matrix = Matrix(rowCount: 8, columnCount: 5) { target in
    for index in 0..<40 { target[index] = Float(index) / 8 - 2 }
  }
  static let labels = (0..<9).map { $0 * 3 - 4 }
}

@Suite struct NumPyTests {
  private let folder: TemporaryFolder
  private let fixture: NumPyFixture

  init() throws {
    folder = try TemporaryFolder()
    fixture = try NumPyFixture.load()
  }

  private func write(_ data: Data, _ name: String = "a.npy") throws -> String {
    try folder.write(name, Array(data))
  }

  @Test func `every type, order and version is read as NumPy reads it`() throws {
    for item in fixture.cases {
      let path = try write(item.file)
      let note = Comment(rawValue: "\(item.order)\(item.type) \(item.axes) \(item.version)")
      let array = try NumPyArray(contentsOf: path)
      #expect(array.shape == item.shape && array.element.rawValue == item.type, note)
      #expect(array.count == item.values.count, note)
      if item.shape.count == 2 {
        let matrix = try array.matrix()
        #expect([matrix.rowCount, matrix.columnCount] == item.shape, note)
        #expect(matrix.withUnsafeFloats { Array($0) } == item.values, note)
        #expect(try Matrix(contentsOf: path) == matrix, note)
      } else {
        #expect(try array.vector() == item.values, note)
      }
      let isWhole = item.values.allSatisfy { $0 == $0.rounded() }
      if isWhole, item.shape.filter({ $0 != 1 }).count <= 1 {
        #expect(try array.integers() == item.values.map { Int($0) }, note)
      }
      // Compressed, and by another name.
      let gzipped = try folder.write("b.bin", gzipped(Array(item.file)))
      #expect(try NumPyArray(contentsOf: gzipped).shape == item.shape, note)
    }
  }

  @Test func `what is written is what NumPy writes, byte for byte`() throws {
    var compared = 0
    for item in fixture.cases where item.version == 1 {
      let path = try write(item.file)
      // As it was, whatever its order.
      let copy = folder.path + "/copy.npy"
      try NumPyArray(contentsOf: path).write(to: copy)
      #expect(try contents(of: copy) == Array(item.file))
      guard item.order == "<", item.axes == "C", item.shape.count == 2,
        let element = NumPyElement(rawValue: item.type), element.isFloatingPoint
      else { continue }
      let matrix = try Matrix(
        rowCount: item.shape[0], columnCount: item.shape[1], values: item.values)
      try NumPyArray(matrix, as: element).write(to: copy)
      #expect(try contents(of: copy) == Array(item.file))
      let writer = try NumPyWriter(path: copy, columnCount: matrix.columnCount, as: element)
      for row in 0..<matrix.rowCount { try writer.append(matrix.selecting(rows: [row])) }
      try writer.finish()
      #expect(try contents(of: copy) == Array(item.file))
      compared += 1
    }
    #expect(compared >= 5)
    #expect(try Set(folder.names) == ["a.npy", "copy.npy"])
  }

  @Test func `archives are read and written as NumPy does`() throws {
    let arrays = [
      (name: "x", array: try NumPyArray(NumPyFixture.matrix)),
      (name: "y", array: NumPyArray(NumPyFixture.labels)),
    ]
    for (data, compresses) in [(fixture.stored, false), (fixture.deflated, true)] {
      let path = try write(data, "a.npz")
      let own = folder.path + "/own.npz"
      try NumPyArchive.write(arrays, to: own, compressing: compresses)
      if !compresses { #expect(try contents(of: own) == Array(data)) }
      for path in [path, own] {
        let archive = try NumPyArchive(contentsOf: path)
        #expect(archive.names == ["x", "y"])
        #expect(try archive.array("x").matrix() == NumPyFixture.matrix)
        #expect(try archive.array("y").integers() == NumPyFixture.labels)
        #expect(
          try MatrixSource(path: path, name: "x").matrix() == NumPyFixture.matrix)
        expectError(.invalidArgument, "holds 2 arrays; name one of x, y") {
          try MatrixSource(path: path)
        }
        expectError(.notFound, "no array 'z' (there are: x, y)") { try archive.array("z") }
      }
    }
    expectError(.invalidArgument, "'x' comes twice") {
      try NumPyArchive.write([arrays[0], arrays[0]], to: folder.path + "/twice.npz")
    }
  }

  @Test func `elements that are no numbers are refused with the remedy`() throws {
    let words = [
      "complex": "holds complex numbers", "texts": "holds texts",
      "records": "records of several fields", "objects": "holds Python objects",
    ]
    for (name, data) in fixture.unsupported {
      let path = try write(data)
      expectError(.unsupported, path, "byte ", try #require(words[name])) {
        try NumPyArray(contentsOf: path)
      }
    }
  }

  @Test func `every cut and every flipped bit is an error or another array, never a trap`() throws {
    for data in [fixture.cases[0].file, fixture.stored, fixture.deflated] {
      let bytes = Array(data)
      for count in 0..<bytes.count {
        let path = try folder.write("cut", Array(bytes[..<count]))
        let error = #expect(throws: BasisError.self) { try readWhole(path) }
        #expect(error?.message.hasPrefix(path) == true, "\(error?.message ?? "")")
      }
      for place in bytes.indices {
        for bit in [0, 6] as [UInt8] {
          var flipped = bytes
          flipped[place] ^= 1 << bit
          let path = try folder.write("flipped", flipped)
          do {
            try readWhole(path)
          } catch let error as BasisError {
            #expect(error.message.hasPrefix(path), "\(error.message)")
          }
        }
      }
    }
  }

  @Test(arguments: 0..<20) func `mangled files are errors or arrays`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    let files =
      [fixture.stored, fixture.deflated] + fixture.cases.map(\.file)
    let alphabet: [UInt8] = [
      0, 1, 0x27, 0x28, 0x29, 0x2C, 0x30, 0x39, 0x3C, 0x50, 0x7F, 0x80, 0xFF,
    ]
    for _ in 0..<150 {
      let file = files[generator.nextInt(below: files.count)]
      let path = try folder.write("x", mutated(Array(file), &generator, from: alphabet))
      do { try readWhole(path) } catch is BasisError {}
    }
  }

  /// Everything that can be asked of a file.
  private func readWhole(_ path: String) throws {
    let start = try contents(of: path).prefix(2)
    if start == [0x50, 0x4B] {
      let archive = try NumPyArchive(contentsOf: path)
      for name in archive.names { _ = try archive.array(name).count }
      // A flip may only hide a member by its name.
      return
    }
    let source = try MatrixSource(path: path)
    _ = try? source.integers()
    _ = try? source.vector()
    _ = try source.matrix(requiringFinite: false).firstNonFinite()
  }

  private func header(_ text: String, version: UInt8 = 1, length: Int? = nil) -> [UInt8] {
    let count = length ?? text.utf8.count
    var bytes: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, version, 0]
    for place in 0..<(version == 1 ? 2 : 4) {
      bytes.append(UInt8(truncatingIfNeeded: count >> (8 * place)))
    }
    return bytes + text.utf8
  }

  @Test(arguments: [
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", "byte 67: [2, 3] elements"),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
      "byte 60: a shape of"
    ),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296)}", "so long"),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 9, 0)}",
      "more than fits any memory"
    ),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "too large"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "at least 0"),
    ("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", "cannot have"),
    ("{'descr': '<f4', 'shape': (1,)}", "does not say"),
    ("{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}", "comes twice"),
    ("{'descr': '<f4'", "'}' is missing"),
    ("", "'{' is missing"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "text after"),
    ("{'descr': '<f4, 'fortran_order': False, 'shape': (1,)}", "missing"),
  ])
  func `headers that cannot be are named with their byte`(text: String, message: String) throws {
    let path = try folder.write("a.npy", header(text))
    expectError(.badData, path, "byte ", message) { try NumPyArray(contentsOf: path) }
  }

  @Test func `headers of old and odd writers are read`() throws {
    for text in [
      "{'shape': (2L,), 'fortran_order': False, 'descr': '<i2'}",
      "{\"descr\":\"<i2\",\"fortran_order\":True,\"shape\":(2,)}\n",
      "{ 'descr' : '=i2' , 'fortran_order' : False , 'shape' : ( 2 , ) , }",
    ] {
      for version in 1...3 as ClosedRange<UInt8> {
        let path = try folder.write("a.npy", header(text, version: version) + [1, 0, 255, 255])
        #expect(try NumPyArray(contentsOf: path).integers() == [1, -1])
      }
    }
    let long = try folder.write("a.npy", header("{}", version: 2, length: 0xFFFF_FFFF))
    expectError(.badData, "byte 8") { try NumPyArray(contentsOf: long) }
    let newer = try folder.write("a.npy", header("{}", version: 4))
    expectError(.unsupported, "byte 6", "4.0") { try NumPyArray(contentsOf: newer) }
    let scalar = try folder.write(
      "a.npy", header("{'descr': '<i2', 'fortran_order': False, 'shape': ()}") + [7, 0])
    #expect(try NumPyArray(contentsOf: scalar).integers() == [7])
    expectError(.badData, "two dimensions") { try NumPyArray(contentsOf: scalar).matrix() }
    expectError(.badData, "one vector") { try NumPyArray(contentsOf: scalar).vector() }
  }

  @Test func `bytes behind an array are an error, not passed over`() throws {
    let path = try write(fixture.cases[0].file + Data([0]))
    expectError(.badData, path, "byte \(fixture.cases[0].file.count)", "after its header") {
      try NumPyArray(contentsOf: path)
    }
  }

  @Test func `a bomb is refused before it is unpacked`() throws {
    let zeros = try NumPyArray(Matrix(rowCount: 1000, columnCount: 1000))
    let path = folder.path + "/bomb.npz"
    try NumPyArchive.write([("x", zeros)], to: path, compressing: true)
    var bytes = try contents(of: path)
    #expect(bytes.count < 6000)
    // The table's entry says 4 GiB: more than deflate can make of it.
    let entry = try #require(
      bytes.indices.last { bytes[$0...].starts(with: [0x50, 0x4B, 1, 2]) })
    for place in 0..<4 { bytes[entry + 24 + place] = place == 3 ? 0xF0 : 0 }
    let bomb = try folder.write("bomb.npz", bytes)
    expectError(.badData, "more than they may") {
      try NumPyArchive(contentsOf: bomb).array("x")
    }
    // A little less than there is: unpacking stops there.
    for place in 0..<4 { bytes[entry + 24 + place] = place == 2 ? 0x10 : 0 }
    let short = try folder.write("short.npz", bytes)
    expectError(.badData, "more than 1048576 bytes") {
      try NumPyArchive(contentsOf: short).array("x")
    }
  }

  @Test func `values that cannot be used are named`() throws {
    var matrix = Matrix(rowCount: 3, columnCount: 2)
    matrix[1, 1] = .nan
    let path = folder.path + "/nan.npy"
    try NumPyArray(matrix).write(to: path)
    expectError(.badData, path, "nan at row 1, column 1") { try Matrix(contentsOf: path) }
    #expect(try MatrixSource(path: path).matrix(requiringFinite: false).rowCount == 3)
    try NumPyArray(Matrix(rows: [[1, 2.5]])).write(to: path)
    expectError(.badData, "2.5 at position 1") { try NumPyArray(contentsOf: path).integers() }
    expectError(.badData, "[3, 2]") { try NumPyArray(matrix).integers() }
    expectError(.badData, "[3, 2]") { try NumPyArray(matrix).vector() }
    expectError(.invalidArgument, "i4") { try NumPyArray(matrix, as: .int32) }
    expectError(.notFound) { try NumPyArray(matrix).write(to: "/nowhere/at/all.npy") }
    expectError(.notFound, "absent.npy") { try Matrix(contentsOf: "absent.npy") }
  }

  @Test func `a plain file is mapped and outlives its name`() throws {
    let path = folder.path + "/a.npy"
    try NumPyArray(NumPyFixture.matrix).write(to: path)
    var matrix = try Matrix(contentsOf: path)
    try FileManager.default.removeItem(atPath: path)
    #expect(matrix == NumPyFixture.matrix)
    // A change makes a copy; the mapping cannot be written.
    matrix[0, 0] = 9
    #expect(matrix[0, 0] == 9)
  }

  /// Leaves files for `Scripts/oracles/npy.py FOLDER` to read back.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["BASIS_NPY_FOLDER"] != nil))
  func `files for NumPy to read`() throws {
    let place = try #require(ProcessInfo.processInfo.environment["BASIS_NPY_FOLDER"])
    for element in [NumPyElement.float16, .float32, .float64] {
      try NumPyArray(NumPyFixture.matrix, as: element)
        .write(to: "\(place)/\(element.rawValue).npy")
    }
    let arrays = [
      (name: "x", array: try NumPyArray(NumPyFixture.matrix)),
      (name: "y", array: NumPyArray(NumPyFixture.labels)),
    ]
    try NumPyArchive.write(arrays, to: "\(place)/stored.npz")
    try NumPyArchive.write(arrays, to: "\(place)/deflated.npz", compressing: true)
    try VectorFile.write(NumPyFixture.matrix, to: "\(place)/x.fvecs", as: .float32)
  }
}
