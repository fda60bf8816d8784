import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

private struct SafetensorsFixture: Decodable {
  struct Tensor: Decodable {
    var name: String
    var type: TensorType
    var shape: [Int]
    var values: [String]

    var doubles: [Double] { values.map { Double($0) ?? .nan } }
    var floats: [Float] { doubles.map { Float($0) } }
  }
  var file: String
  var tensors: [Tensor]

  static func read() throws -> (bytes: [UInt8], tensors: [Tensor]) {
    let url = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/safetensors.json")
    let fixture = try JSONDecoder().decode(SafetensorsFixture.self, from: Data(contentsOf: url))
    return (Array(try #require(Data(base64Encoded: fixture.file))), fixture.tensors)
  }
}

/// A file from a header's text and the bytes after it.
private func file(_ header: String, _ body: [UInt8] = []) -> [UInt8] {
  withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + header.utf8 + body
}

private func same(_ a: [Float], _ b: [Float]) -> Bool {
  a.count == b.count
    && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }
}

@Suite struct SafetensorsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func read(_ bytes: [UInt8]) throws -> Safetensors {
    try Safetensors(path: folder.write("a.safetensors", bytes))
  }

  @Test func `a file of the reference comes back`() throws {
    let (bytes, tensors) = try SafetensorsFixture.read()
    let found = try read(bytes)
    #expect(found.metadata == ["made by": "Basis", "ünï": "«code»"])
    #expect(found.tensors.count == tensors.count)
    for wanted in tensors {
      let tensor = try #require(found[wanted.name])
      #expect(tensor.type == wanted.type && tensor.shape == wanted.shape)
      #expect(same(try found.floats(wanted.name), wanted.floats), "\(wanted.name)")
      if wanted.doubles.allSatisfy({ $0 == $0.rounded() }), wanted.type != .float32,
        wanted.type != .float16
      {
        #expect(try found.integers(wanted.name).map(Double.init) == wanted.doubles)
      }
      guard wanted.shape.count == 2 else { continue }
      let matrix = try found.matrix(wanted.name, rowCount: wanted.shape[0])
      #expect(same(matrix.withUnsafeFloats { Array($0) }, wanted.floats))
      #expect(matrix.columnCount == wanted.shape[1])
    }
  }

  /// The file is left where BASIS_SAFETENSORS_OUT says, for the reference to read.
  @Test func `what is written comes back, and is the same in any order`() throws {
    let (_, tensors) = try SafetensorsFixture.read()
    func write(_ tensors: [SafetensorsFixture.Tensor], to path: String) throws {
      var writer = SafetensorsWriter(metadata: ["made by": "Basis", "ünï": "«code»"])
      for tensor in tensors {
        func add<T: TensorElement & FixedWidthInteger>(_ type: T.Type) throws {
          try writer.add(tensor.name, shape: tensor.shape, tensor.doubles.map { T($0) })
        }
        switch tensor.type {
        case .bool: try writer.add(tensor.name, shape: tensor.shape, tensor.doubles.map { $0 != 0 })
        case .uint8: try add(UInt8.self)
        case .int8: try add(Int8.self)
        case .uint16: try add(UInt16.self)
        case .int16: try add(Int16.self)
        case .uint32: try add(UInt32.self)
        case .int32: try add(Int32.self)
        case .uint64: try add(UInt64.self)
        case .int64: try add(Int64.self)
        case .float64: try writer.add(tensor.name, shape: tensor.shape, tensor.doubles)
        default:
          try writer.add(tensor.name, shape: tensor.shape, tensor.floats, as: tensor.type)
        }
      }
      try writer.write(to: path)
    }
    let path = folder.path + "/out.safetensors"
    try write(tensors, to: path)
    let found = try Safetensors(path: path)
    for wanted in tensors {
      #expect(found[wanted.name]?.type == wanted.type)
      #expect(same(try found.floats(wanted.name), wanted.floats), "\(wanted.name)")
    }
    let bytes = try contents(of: path)
    if let out = ProcessInfo.processInfo.environment["BASIS_SAFETENSORS_OUT"] {
      try Data(bytes).write(to: URL(filePath: out))
    }
    try write(tensors.reversed(), to: path)
    #expect(try contents(of: path) == bytes)
    #expect(try folder.names == ["out.safetensors"])
  }

  @Test func `halves round to the nearest, ties to even`() throws {
    var writer = SafetensorsWriter()
    // 2049 lies between 2048 and 2050, 2051 between 2050 and 2052: both go to the even step.
    let values: [Float] = [
      2049, 2051, 65519, 65520, -70000, 0x1p-25, 0x1.8p-25, 0x1.FFFFFEp-15, 1e-30, -0.0, .nan,
    ]
    try writer.add("half", shape: [11], values, as: .float16)
    try writer.add("brain", shape: [3], [1 + 0x1p-8, 1 + 0x3p-8, .infinity], as: .bfloat16)
    let path = folder.path + "/h.safetensors"
    try writer.write(to: path)
    let found = try Safetensors(path: path)
    #expect(
      same(
        try found.floats("half"),
        [2048, 2052, 65504, .infinity, -.infinity, 0, 0x1p-24, 0x1p-14, 0, -0.0, .nan]))
    #expect(same(try found.floats("brain"), [1, 1 + 0x4p-8, .infinity]))
    // Every half but the NaNs survives the way through a float.
    var all = SafetensorsWriter()
    let halves = (UInt16.min...UInt16.max).filter { $0 & 0x7C00 != 0x7C00 || $0 & 0x3FF == 0 }
    let bytes = halves.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    let header =
      #"{"h":{"dtype":"F16","shape":[\#(halves.count)],"data_offsets":[0,\#(bytes.count)]}}"#
    let floats = try read(file(header, bytes)).floats("h")
    try all.add("h", shape: [halves.count], floats, as: .float16)
    try all.write(to: path)
    try Safetensors(path: path).withBytes(of: "h") { (raw) throws(BasisError) in
      #expect(Array(raw) == bytes)
    }
  }

  @Test func `hostile headers are refused with the file and the tensor`() throws {
    let huge = "9223372036854775807"
    let cases: [(String, [UInt8], String)] = [
      ("", [], "JSON"), ("[]", [], "object"), ("{", [], "JSON"),
      (#"{"a":1}"#, [], "'a'"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, [], "'a'"),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, [0, 0, 0, 0], "'a'"),
      (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, [0, 0, 0, 0], "'a'"),
      (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, [0, 0, 0, 0], "'a'"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, [0, 0, 0, 0], "'a'"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, [0, 0, 0, 0], "'a'"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, [0, 0, 0, 0], "'a'"),
      (#"{"a":{"dtype":"F32","shape":[\#(huge),4],"data_offsets":[0,4]}}"#, [0, 0, 0, 0], "'a'"),
      (#"{"a":{"dtype":"F32","shape":[\#(huge)],"data_offsets":[0,4]}}"#, [0, 0, 0, 0], "'a'"),
      (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,\#(huge)]}}"#, [0, 0, 0, 0], "'a'"),
      (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, [0, 0], "'a'"),
      (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, [0, 0], "end at"),
      (
        #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
        [0, 0], "'b'"
      ),
      (#"{"__metadata__":{"x":1}}"#, [], "'x'"),
      (#"{"a":{},"a":{}}"#, [], "twice"),
    ]
    for (header, body, text) in cases {
      expectError(.corruptFile, "a.safetensors", text) { try read(file(header, body)) }
    }
    expectError(.unsupported, "a.safetensors", "'a'", "'F3'") {
      try read(file(#"{"a":{"dtype":"F3","shape":[0],"data_offsets":[0,0]}}"#))
    }
    for bytes in [[], [1, 2, 3], Array(repeating: 0xFF, count: 20)] as [[UInt8]] {
      expectError(.corruptFile, "a.safetensors") { try read(bytes) }
    }
    expectError(.notFound) { try Safetensors(path: folder.path + "/none") }
    expectError(.corruptFile, "folder") { try Safetensors(path: folder.path) }
  }

  @Test func `asking for what is not there says what is`() throws {
    let header =
      #"{"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"b":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[4,5]}}"#
    let found = try read(file(header, [0, 0, 0x80, 0x3F, 7]))
    #expect(try found.matrix("a").row(0) == [1])
    expectError(.badData, "a.safetensors", "'c'", "'a'") { try found.floats("c") }
    expectError(.dimensionMismatch, "'a'", "1 × 1", "any × 3") {
      try found.matrix("a", columnCount: 3)
    }
    expectError(.dimensionMismatch, "'a'") { try found.vector("a", count: 1) }
    expectError(.badData, "'a'", "F32") { try found.integers("a") }
    expectError(.unsupported, "'b'", "F8_E4M3") { try found.floats("b") }
  }

  @Test func `a matrix outlives the file that it lies in`() throws {
    var writer = SafetensorsWriter()
    let matrix = gaussianMatrix(rowCount: 5, columnCount: 3, seed: 3)
    try writer.add("m", matrix)
    let path = folder.path + "/m.safetensors"
    try writer.write(to: path)
    let found = try { try Safetensors(path: path).matrix("m", rowCount: 5, columnCount: 3) }()
    try FileManager.default.removeItem(atPath: path)
    #expect(found == matrix)
  }

  @Test func `the writer refuses what makes no file`() throws {
    var writer = SafetensorsWriter()
    try writer.add("a", shape: [2], [1, 2] as [Float])
    expectError(.alreadyExists, "'a'") { try writer.add("a", shape: [], [1] as [Float]) }
    expectError(.dimensionMismatch, "'b'") { try writer.add("b", shape: [3], [1] as [Int32]) }
    expectError(.dimensionMismatch, "'b'") { try writer.add("b", shape: [-1, -1], [1] as [Int32]) }
    expectError(.dimensionMismatch, "'b'") {
      try writer.add("b", shape: [.max, .max], [1] as [Int32])
    }
    expectError(.unsupported, "'b'", "I8") {
      try writer.add("b", shape: [1], [1] as [Float], as: .int8)
    }
    expectError(.invalidArgument) { try writer.add("__metadata__", shape: [1], [1] as [Float]) }
    expectError(.notFound, "/none/a") { try writer.write(to: folder.path + "/none/a") }
  }

  @Test func `cut and changed files are read or refused, never worse`() throws {
    let (bytes, tensors) = try SafetensorsFixture.read()
    let headerEnd = 8 + Int(bytes[0]) + Int(bytes[1]) << 8
    for length in 0..<bytes.count {
      #expect(throws: BasisError.self) { try read(Array(bytes[..<length])) }
    }
    var generator = RandomGenerator(seed: 1)
    let alphabet = Array("{}[]\",:0123456789-eE.FIUBL_".utf8)
    var refused = 0
    for round in 0..<3000 {
      var changed = bytes
      if round < 8 * headerEnd {
        changed[round / 8 % headerEnd] ^= 1 << UInt8(round % 8)
      } else {
        changed = mutated(bytes, &generator, from: alphabet)
      }
      do {
        let found = try read(changed)
        for tensor in found.tensors where tensor.type != .float8E4M3 && tensor.type != .float8E5M2 {
          #expect(try found.floats(tensor.name).count == tensor.count)
        }
      } catch let error as BasisError {
        refused += 1
        #expect(error.message.contains("a.safetensors"))
      }
    }
    #expect(refused > 1000 && !tensors.isEmpty)
  }
}
