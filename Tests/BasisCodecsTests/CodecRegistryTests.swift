import BasisCodecs
import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct CodecRegistryTests {
  private let rows = gaussianMatrix(rowCount: 300, columnCount: 32, seed: 6)

  @Test func `every plan costs what it says, and comes back from a file`() throws {
    let folder = try TemporaryFolder()
    var methods: Set<String> = []
    for bytes in [1, 5, 8, 12, 16, 24, 36, 64, 128] {
      for plan in try CodecRegistry.plans(bytes: bytes, dimension: 32) {
        methods.insert(plan.method)
        let codec: any FittedCodec = try plan.settings.fit(rows, in: RunContext())
        #expect(codec.bytesPerVector == plan.bytesPerVector, "\(plan.label)")
        #expect(codec.sharedBytes == plan.sharedBytes, "\(plan.label)")
        #expect(plan.bytesPerVector <= bytes, "\(plan.label)")
        let codes = try codec.encode(rows, in: RunContext())
        let path = folder.path + "/\(plan.label)-\(bytes)"
        try CompressedVectors(codec: codec, codes: codes, metric: .cosine).write(to: path)
        let read = try CompressedVectors(contentsOf: path)
        #expect(read.metric == .cosine && type(of: read.codec) == type(of: codec))
        #expect(
          try read.codec.decode(read.codes, in: RunContext())
            == codec.decode(codes, in: RunContext()), "\(plan.label)")
        // Codes, tables, and a header that does not grow.
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        #expect(abs(size - plan.totalBytes(rowCount: 300)) <= 2048, "\(plan.label): \(size)")
      }
    }
    #expect(methods == Set(CodecRegistry.entries.map(\.name)))
    expectError(.invalidArgument, "'lzma'", "recurrent") {
      try CodecRegistry.plans(bytes: 8, dimension: 32, method: "lzma")
    }
  }

  @Test func `a ratio counts the tables`() throws {
    for entry in CodecRegistry.entries {
      let plans = try CodecRegistry.plans(
        ratio: 0.3, rowCount: 5000, dimension: 32, method: entry.name)
      for plan in plans {
        #expect(plan.totalBytes(rowCount: 5000) <= Int(0.3 * 5000 * 128), "\(plan.label)")
      }
    }
    // A rotation of 32 × 32 floats alone is more than a tenth of 60 rows.
    expectError(.invalidArgument, "recurrent", "0.01", "smallest") {
      try CodecRegistry.plans(ratio: 0.01, rowCount: 60, dimension: 32, method: "recurrent")
    }
    for ratio in [0, -1, .nan] as [Double] {
      expectError(.invalidArgument, "ratio") {
        try CodecRegistry.plans(ratio: ratio, rowCount: 60, dimension: 32, method: "binary")
      }
    }
  }

  @Test func `files that were cut or changed are errors`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/codes"
    let codec = try RecurrentBinaryCodec().fit(rows)
    try CompressedVectors(codec: codec, codes: codec.encode(rows), metric: .cosine).write(to: path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for place in stride(from: 0, to: whole.count, by: 97) {
      var changed = whole
      changed[place] ^= 0x41
      try changed.write(to: URL(fileURLWithPath: path))
      // An error, or padding that holds nothing; never a trap.
      if let read = try? CompressedVectors(contentsOf: path) {
        _ = try? read.codec.decode(read.codes, in: RunContext())
      }
      try whole.prefix(place).write(to: URL(fileURLWithPath: path))
      expectError(.corruptFile) { try CompressedVectors(contentsOf: path) }
    }
    expectError(.notFound) { try CompressedVectors(contentsOf: folder.path + "/none") }
  }

  @Test func `a comparison finds what a codec keeps`() throws {
    let queries = gaussianMatrix(rowCount: 9, columnCount: 32, seed: 7)
    let comparison = try CodecComparison(rows, queries: queries, metric: .cosine)
    let rows = try CodecRegistry.plans(bytes: 36, dimension: 32).map { try comparison.measure($0) }
    for row in rows {
      #expect(row.recall > 0.15 && row.recall <= 1, "\(row.plan.label)")
      #expect(row.totalBytesPerVector >= Double(row.bytesPerVector))
      #expect(row.scanRate > 0 && row.encodeRate > 0)
    }
    let int8 = try #require(rows.first { $0.plan.label == "scalar-int8" })
    #expect(int8.recall > 0.95 && int8.relativeError < 1e-4)
    let best = try #require(CodecComparison.recommended(rows, target: 0.9))
    #expect(rows[best].recall >= 0.9)
    #expect(
      rows.allSatisfy {
        $0.recall < 0.9 || $0.totalBytesPerVector >= rows[best].totalBytesPerVector
      })
    let most = try #require(CodecComparison.recommended(rows, target: 1.1))
    #expect(rows.allSatisfy { $0.recall <= rows[most].recall })
    #expect(CodecComparison.recommended([]) == nil)
    expectError(.unsupported) {
      let plan = try CodecRegistry.plans(bytes: 8, dimension: 32, method: "recurrent")[0]
      _ = try CodecComparison(self.rows, queries: queries, metric: .innerProduct).measure(plan)
    }
    expectError(.dimensionMismatch) {
      try CodecComparison(self.rows, queries: Matrix(rowCount: 1, columnCount: 3), metric: .cosine)
    }
  }
}
