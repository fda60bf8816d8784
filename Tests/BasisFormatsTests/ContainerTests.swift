import BasisCore
import BasisFormats
import Dispatch
import Foundation
import Synchronization
import Testing
import _BasisTestSupport

private struct Manifest: Codable, Equatable {
  var name = "demo"
  var counts = [1, 2, 3]
}

@Suite struct ContainerTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path + "/a.seg"
  }

  /// A block of each sort.
  private func writeSmall() throws {
    let writer = try ContainerWriter(path: path, kind: "segment", version: 3)
    try writer.write("floats", [1.5, -2, .infinity] as [Float])
    try writer.write("longs", [Int64.min, 0, .max])
    try writer.write("none", [] as [Double])
    try writer.write("manifest", json: Manifest())
    try writer.begin("bytes")
    for byte: UInt8 in 0..<70 { try withUnsafeBytes(of: byte) { try writer.append($0) } }
    try writer.end()
    try writer.finish()
  }

  @Test func `every block comes back as it was written`() throws {
    let matrix = gaussianMatrix(rowCount: 7, columnCount: 33, seed: 1)
    let writer = try ContainerWriter(path: path, kind: "segment", version: 3)
    try writer.write("bytes", [1, 2, 255] as [UInt8])
    try writer.write("shorts", [Int16.min, 7])
    try writer.write("ints", [1, -1] as [Int32])
    try writer.write("longs", [UInt64.max])
    try writer.write("floats", [0.5, .nan] as [Float])
    try writer.write("doubles", [Double.pi])
    try writer.write("pairs", [SIMD2<Int32>(1, 2), SIMD2(3, 4)])
    try writer.write("none", [] as [Float])
    try writer.write("matrix", matrix: matrix)
    try writer.write("empty matrix", matrix: Matrix(rowCount: 0, columnCount: 5))
    try writer.write("json", json: Manifest())
    let large = (0..<600_000).map { Int32(truncatingIfNeeded: $0 &* 7919) }
    try writer.write("large", large)
    try writer.begin("streamed")
    for start in stride(from: 0, to: large.count, by: 9_999) {
      try large[start..<min(start + 9_999, large.count)].withUnsafeBytes { try writer.append($0) }
    }
    try writer.end()
    #expect(!FileManager.default.fileExists(atPath: path))
    try writer.finish()
    #expect(try folder.names == ["a.seg"])

    let container = try Container(path: path, kind: "segment", maximumVersion: 3)
    #expect(container.version == 3)
    #expect(container.path == path)
    #expect(container.byteCount == (try contents(of: path)).count)
    #expect(
      container.blockNames == [
        "bytes", "shorts", "ints", "longs", "floats", "doubles", "pairs", "none", "matrix",
        "empty matrix", "json", "large", "streamed",
      ])
    #expect(container.contains("ints") && !container.contains("Ints"))
    #expect(container.verify().isEmpty)
    #expect(Array(try container.array("bytes", of: UInt8.self)) == [1, 2, 255])
    #expect(Array(try container.array("shorts", of: Int16.self)) == [.min, 7])
    #expect(Array(try container.array("ints", of: Int32.self)) == [1, -1])
    #expect(Array(try container.array("longs", of: UInt64.self)) == [.max])
    let floats = try container.array("floats", of: Float.self)
    #expect(floats.count == 2 && floats[0] == 0.5 && floats[1].isNaN)
    #expect(Array(try container.array("doubles", of: Double.self)) == [.pi])
    #expect(
      Array(try container.array("pairs", of: SIMD2<Int32>.self)) == [SIMD2(1, 2), SIMD2(3, 4)])
    #expect(try container.array("none", of: Float.self).isEmpty)
    #expect(try container.matrix("matrix", columnCount: 33) == matrix)
    #expect(try container.matrix("empty matrix", columnCount: 5).rowCount == 0)
    #expect(try container.json("json", as: Manifest.self) == Manifest())
    #expect(try container.array("large", of: Int32.self).elementsEqual(large))
    #expect(try container.array("streamed", of: Int32.self).elementsEqual(large))
    try container.array("large", of: Int32.self).withUnsafeBufferPointer { elements in
      #expect(UInt(bitPattern: elements.baseAddress) % 64 == 0)
    }
  }

  @Test func `values outlive the container and the file`() throws {
    try writeSmall()
    let (array, matrix) = try {
      let container = try Container(path: path, kind: "segment", maximumVersion: 3)
      return (
        try container.array("longs", of: Int64.self),
        try container.matrix("floats", columnCount: 3)
      )
    }()
    try FileManager.default.removeItem(atPath: path)
    #expect(Array(array) == [.min, 0, .max])
    #expect(matrix.row(0) == [1.5, -2, .infinity])
  }

  @Test func `the same blocks give the same bytes`() throws {
    try writeSmall()
    let first = try contents(of: path)
    try writeSmall()
    #expect(try contents(of: path) == first)
  }

  @Test func `the layout is the documented one`() throws {
    let writer = try ContainerWriter(path: path, kind: "k", version: 2)
    try writer.write("ab", [0x0102] as [UInt16])
    try writer.finish()
    let bytes = try contents(of: path)
    #expect(bytes.count == 64 + 64 + 26)
    #expect(bytes[..<8] == [0x89, 0x42, 0x41, 0x53, 0x49, 0x53, 0x0D, 0x0A])
    #expect(bytes[8..<16] == [3, 0, 0, 0, 4, 3, 2, 1])
    #expect(bytes[16..<32] == [0x6B, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])
    #expect(bytes[32..<40] == [128, 0, 0, 0, 0, 0, 0, 0])
    #expect(bytes[40..<48] == [26, 0, 0, 0, 0, 0, 0, 0])
    #expect(bytes[48..<56] == [154, 0, 0, 0, 0, 0, 0, 0])
    #expect(bytes[64..<66] == [2, 1] && bytes[66..<128].allSatisfy { $0 == 0 })
    #expect(bytes[128..<144] == [64, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])
    #expect(bytes[148..<154] == [2, 0, 2, 0, 0x61, 0x62])
    for (place, range) in [(60, 0..<60), (56, 128..<154), (144, 64..<128)] {
      let stored = bytes[place..<place + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
      #expect(stored == checksum(bytes[range]), "checksum at \(place)")
    }
  }

  /// What the file says now: all blocks right, or errors of the two kinds that damage may give.
  private func expectDamageIsSeen(_ what: String) {
    do {
      let container = try Container(path: path, kind: "segment", maximumVersion: 3)
      let damaged = container.verify()
      #expect(damaged.count == 1, "\(what)")
      #expect(damaged.allSatisfy { $0.code == .corruptFile && $0.message.contains("the block '") })
      func unlessDamaged<T: Equatable>(_ name: String, _ wanted: T, _ read: () throws -> T) throws {
        do {
          #expect(try read() == wanted, "\(what)")
        } catch let error as BasisError {
          #expect(damaged.map(\.message) == [error.message], "\(what)")
          #expect(error.message.contains("'\(name)'"))
        }
      }
      try unlessDamaged("floats", [1.5, -2, .infinity]) {
        Array(try container.array("floats", of: Float.self))
      }
      try unlessDamaged("longs", [.min, 0, .max]) {
        Array(try container.array("longs", of: Int64.self))
      }
      try unlessDamaged("none", []) { Array(try container.array("none", of: Double.self)) }
      try unlessDamaged("manifest", Manifest()) {
        try container.json("manifest", as: Manifest.self)
      }
      try unlessDamaged("bytes", Array(0..<70)) {
        Array(try container.array("bytes", of: UInt8.self))
      }
    } catch let error as BasisError {
      #expect(error.code == .corruptFile && error.message.hasPrefix("\(path): "), "\(what)")
    } catch {
      Issue.record(error)
    }
  }

  @Test func `a file cut at any byte is an error`() throws {
    try writeSmall()
    let whole = try contents(of: path)
    for count in 0..<whole.count {
      _ = try folder.write("a.seg", Array(whole[..<count]))
      let error = #expect(throws: BasisError.self, "cut at \(count)") {
        try Container(path: path, kind: "segment", maximumVersion: 3)
      }
      #expect(error?.code == .corruptFile)
    }
    _ = try folder.write("a.seg", Array(whole + [0]))
    let error = #expect(throws: BasisError.self) {
      try Container(path: path, kind: "segment", maximumVersion: 3)
    }
    #expect(
      error?.message
        == "\(path): has \(whole.count + 1) bytes and should have \(whole.count); "
        + "restore the file from a backup or make it again")
  }

  @Test func `a flipped bit anywhere is an error and never a wrong value`() throws {
    try writeSmall()
    let whole = try contents(of: path)
    for index in whole.indices {
      var bytes = whole
      bytes[index] ^= 1 << UInt8(index % 8)
      _ = try folder.write("a.seg", bytes)
      expectDamageIsSeen("byte \(index)")
    }
  }

  @Test func `a file made to deceive is an error`() throws {
    try writeSmall()
    let whole = try contents(of: path)
    let table = whole[32..<40].reversed().reduce(0) { $0 << 8 | Int($1) }
    for place in [32, 40, 48, table, table + 8] {
      for number in [
        65, 1 << 32, UInt64(Int.max), UInt64(Int.max) - 63, UInt64(Int.max) - 127, 1 << 63, .max,
        .max - 63,
      ] {
        var bytes = whole
        withUnsafeBytes(of: number.littleEndian) {
          bytes.replaceSubrange(place..<place + 8, with: $0)
        }
        reseal(&bytes, table: table)
        _ = try folder.write("a.seg", bytes)
        let error = #expect(throws: BasisError.self, "\(number) at \(place)") {
          try Container(path: path, kind: "segment", maximumVersion: 3)
        }
        #expect(error?.code == .corruptFile)
      }
    }

    var generator = RandomGenerator(seed: 7)
    for round in 0..<3000 {
      var bytes = whole
      // Numbers of the header or the table become others, with right checksums over them.
      let place =
        round % 2 == 0
        ? 8 + generator.nextInt(below: 48) : table + generator.nextInt(below: whole.count - table)
      for offset in 0..<min(8, bytes.count - place) where generator.nextInt(below: 2) == 0 {
        bytes[place + offset] = [0, 1, 0x7F, 0x80, 0xFF, 0x40][generator.nextInt(below: 6)]
      }
      reseal(&bytes, table: table)
      _ = try folder.write("a.seg", bytes)
      do {
        let container = try Container(path: path, kind: "segment", maximumVersion: 3)
        _ = container.verify()
        for name in container.blockNames {
          _ = try? container.array(name, of: UInt8.self).reduce(0) { $0 &+ Int($1) }
          _ = try? container.array(name, of: Double.self).count
          _ = try? container.matrix(name, columnCount: 3)
          _ = try? container.json(name, as: Manifest.self)
        }
      } catch {
        #expect([.corruptFile, .newerFormat, .unsupported].contains(error.code))
      }
    }
  }

  @Test func `only the chunks that are touched are verified`() throws {
    let writer = try ContainerWriter(path: path, kind: "segment", version: 3)
    try writer.write("small", [1, 2, 3] as [Int32])
    try writer.write("large", (0..<100_000).map { Int32($0) })
    try writer.finish()
    let chunk = 1 << 12
    do {
      let container = try Container(path: path, kind: "segment", maximumVersion: 3)
      let (array, guardian) = try container.unverifiedArray("large", of: Int32.self)
      #expect(container.verifiedByteCount == 0)
      try guardian.verify(5..<6)
      #expect(container.verifiedByteCount == chunk)
      // Again, then across an edge, then records on both sides of the last chunk's start.
      try guardian.verify(0..<chunk)
      #expect(container.verifiedByteCount == chunk)
      try guardian.verify(chunk - 1..<chunk + 1)
      #expect(container.verifiedByteCount == 2 * chunk)
      let last = 400_000 / chunk * chunk
      let ids = [UInt32(last / 8 - 1), UInt32(last / 8)]
      ids.withUnsafeBufferPointer { guardian.touch(records: $0, stride: 8) }
      try guardian.check()
      #expect(container.verifiedByteCount == 3 * chunk + (400_000 - last))
      #expect(try container.array("large", of: Int32.self).elementsEqual(array))
      #expect(container.verifiedByteCount == 400_000)
      #expect(Array(try container.array("small", of: Int32.self)) == [1, 2, 3])
      #expect(container.verifiedByteCount == 400_064)
    }

    var bytes = try contents(of: path)
    bytes[128 + 3 * chunk + 77] ^= 4
    _ = try folder.write("a.seg", bytes)
    let container = try Container(path: path, kind: "segment", maximumVersion: 3)
    let (_, guardian) = try container.unverifiedArray("large", of: Int32.self)
    try guardian.verify(0..<3 * chunk)
    try guardian.verify(4 * chunk..<400_000)
    #expect(container.verify().count == 1)
    // Once found, damage stays.
    for _ in 0..<2 {
      let error = #expect(throws: BasisError.self) {
        try guardian.verify(3 * chunk..<3 * chunk + 1)
      }
      #expect(
        error?.message
          == "\(path): the block 'large' fails its checksum; restore the file from a backup or "
          + "make it again")
    }
    #expect(throws: BasisError.self) { try guardian.verify(0..<1) }
    #expect(throws: BasisError.self) { try container.array("large", of: Int32.self) }
    #expect(Array(try container.array("small", of: Int32.self)) == [1, 2, 3])
  }

  @Test func `a file of the second layout has larger chunks`() throws {
    let writer = try ContainerWriter(path: path, kind: "segment", version: 3)
    try writer.write("large", (0..<40_000).map { Int32($0) })
    try writer.finish()
    // The same block with a checksum for each 64 KiB in place of each 4 KiB.
    var bytes = try contents(of: path)
    let (table, length, chunk) = (64 + 160_000, 24 + 5 + 3 * 4, 1 << 16)
    bytes.removeSubrange((table + 24 + 5)...)
    for start in stride(from: 64, to: table, by: chunk) {
      let sum = checksum(bytes[start..<min(start + chunk, table)])
      withUnsafeBytes(of: sum.littleEndian) { bytes += $0 }
    }
    bytes[8] = 2
    for (place, number) in [(40, length), (48, table + length)] {
      withUnsafeBytes(of: number.littleEndian) {
        bytes.replaceSubrange(place..<place + 8, with: $0)
      }
    }
    reseal(&bytes, table: table)
    _ = try folder.write("a.seg", bytes)
    let container = try Container(path: path, kind: "segment", maximumVersion: 3)
    #expect(container.verify().isEmpty)
    let (array, guardian) = try container.unverifiedArray("large", of: Int32.self)
    let before = container.verifiedByteCount
    try guardian.verify(chunk..<chunk + 4)
    #expect(container.verifiedByteCount - before == chunk)
    #expect(array.elementsEqual(0..<40_000))
  }

  /// CRC-32C by its definition, bit by bit.
  private func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }
    return ~crc
  }

  private func reseal(_ bytes: inout [UInt8], table: Int) {
    for (place, range) in [(56, table..<bytes.count), (60, 0..<60)] {
      withUnsafeBytes(of: checksum(bytes[range]).littleEndian) {
        bytes.replaceSubrange(place..<place + 4, with: $0)
      }
    }
  }

  @Test func `what cannot be opened is said with its reason`() throws {
    func message(kind: String = "segment", version: UInt32 = 3, _ path: String) -> String? {
      #expect(throws: BasisError.self) {
        try Container(path: path, kind: kind, maximumVersion: version)
      }?.message
    }
    try writeSmall()
    #expect(message("\(path)x") == "\(path)x: no such file")
    #expect(
      message(folder.path) == "\(folder.path): is a folder or a device, not a segment file")
    #expect(message(kind: "model", path) == "\(path): is a 'segment' file, not a 'model' file")
    #expect(
      message(version: 2, path)
        == "\(path): was written by a later version of the program (segment 3, this one reads up "
        + "to 2); update the program")
    let text = try folder.write("text", "hello")
    #expect(message(text) == "\(text): is not a segment file of this program")

    var bytes = try contents(of: path)
    bytes[8] = 4
    reseal(&bytes, table: bytes[32..<40].reversed().reduce(0) { $0 << 8 | Int($1) })
    let newer = try folder.write("newer", bytes)
    #expect(
      message(newer)
        == "\(newer): was written by a later version of the program (layout 4, this one reads up "
        + "to 3); update the program")
    bytes[9] = 9
    let damaged = try folder.write("damaged", bytes)
    #expect(
      message(damaged)
        == "\(damaged): the header fails its checksum; restore the file from a backup or make it "
        + "again")
  }

  @Test func `a block that is asked for wrongly is an error`() throws {
    try writeSmall()
    let container = try Container(path: path, kind: "segment", maximumVersion: 3)
    func message(_ body: () throws -> Void) -> String? {
      #expect(throws: BasisError.self, performing: body)?.message
    }
    #expect(
      message { _ = try container.array("absent", of: Float.self) }
        == "\(path): has no block 'absent'")
    #expect(
      message { _ = try container.array("floats", of: Double.self) }
        == "\(path): the block 'floats' holds 12 bytes in elements of 4, not elements of 8; "
        + "restore the file from a backup or make it again")
    #expect(
      message { _ = try container.matrix("floats", columnCount: 2) }
        == "\(path): the block 'floats' holds 3 floats, not rows of 2; "
        + "restore the file from a backup or make it again")
    #expect(
      message { _ = try container.json("manifest", as: [Int].self) }
        == "\(path): the block 'manifest' is not the JSON of a Array<Int>")
  }

  @Test func `a writer that is dropped or fails leaves the old file and nothing else`() throws {
    try writeSmall()
    let before = try contents(of: path)
    do {
      let writer = try ContainerWriter(path: path, kind: "segment", version: 4)
      try writer.write("x", [Float](repeating: 1, count: 1 << 20))
      #expect(try folder.names.count == 2)
      #expect(try folder.names.contains { $0.hasPrefix("a.seg.") && $0.hasSuffix(".tmp") })
    }
    #expect(try folder.names == ["a.seg"])
    #expect(try contents(of: path) == before)

    let error = #expect(throws: BasisError.self) {
      try ContainerWriter(path: "\(folder.path)/absent/a.seg", kind: "segment", version: 1)
    }
    #expect(error?.code == .notFound)
    #expect(
      error?.message
        == "\(folder.path)/absent/a.seg: cannot create the file: its folder does not exist; "
        + "make it first")

    let writer = try ContainerWriter(path: folder.path, kind: "segment", version: 1)
    let moved = #expect(throws: BasisError.self) { try writer.finish() }
    #expect(moved?.code == .inputOutput)
    #expect(moved?.message.hasPrefix("\(folder.path): cannot write: ") == true)
    let again = #expect(throws: BasisError.self) { try writer.write("x", [1]) }
    #expect(again?.message == moved?.message)

    let nan = try ContainerWriter(path: path, kind: "segment", version: 1)
    #expect(throws: BasisError.self) { try nan.write("x", json: [Double.nan]) }
  }

  @Test func `a write past the limit names the file and the remedy`() async throws {
    await #expect(processExitsWith: .success) {
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 1 << 20, rlim_max: rlim_t.max)
      #if canImport(Glibc)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      #else
        setrlimit(RLIMIT_FSIZE, &limit)
      #endif
      let folder = try TemporaryFolder()
      let path = folder.path + "/big"
      let writer = try ContainerWriter(path: path, kind: "segment", version: 1)
      let error = #expect(throws: BasisError.self) {
        try writer.write("x", [Float](repeating: 1, count: 1 << 20))
      }
      #expect(error?.code == .inputOutput)
      #expect(
        error?.message
          == "\(path): cannot write: File too large; raise the limit on file sizes (ulimit -f) "
          + "and try again")
      #expect(try folder.names == [])
      #expect(throws: BasisError.self) { try writer.finish() }
    }
  }

  @Test func `a broken promise of the caller stops the program`() async {
    // The child's folder is the parent's: a stopped program cleans nothing up.
    await #expect(processExitsWith: .failure) { [path = path as String] in
      let writer = try ContainerWriter(path: path, kind: "k", version: 1)
      try writer.write("x", [1])
      try writer.write("x", [2])
    }
    await #expect(processExitsWith: .failure) { [path = path as String] in
      let writer = try ContainerWriter(path: path, kind: "k", version: 1)
      try writer.write("x", [1])
      try writer.finish()
      let array = try Container(path: path, kind: "k", maximumVersion: 1).array("x", of: Int.self)
      _ = array[1]
    }
  }

  @Test func `threads may ask for the same blocks at the same time`() throws {
    try writeSmall()
    let container = try Container(path: path, kind: "segment", maximumVersion: 3)
    let right = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: 64) { _ in
      let longs = (try? container.array("longs", of: Int64.self)).map(Array.init)
      let manifest = try? container.json("manifest", as: Manifest.self)
      if longs == [.min, 0, .max], manifest == Manifest() { right.withLock { $0 += 1 } }
    }
    #expect(right.withLock { $0 } == 64)
  }
}
