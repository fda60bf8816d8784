import BasisCodecs
import BasisCore
import BasisFormats
import Testing
import _BasisTestSupport

/// What codecs keep of the ten nearest on some digits. How much on all of them, against what papers
/// report, is what `basis lab run 79 122 186` measures.
@Suite struct DigitRecallTests {
  @Test func `each bit of residual codes keeps more, and one no less than a sign`() throws {
    let pixels = try Matrix(contentsOf: DigitEmbeddings.path).selecting(rows: 0..<240)
    let data = DigitEmbeddings(pixels: pixels, dimension: 64)
    let comparison = try CodecComparison(data.rows, queries: data.queries, metric: .cosine)
    func recall(_ codec: some VectorCodec) throws -> Double {
      try comparison.measure(CodecPlan(codec, detail: "", bytesPerVector: 0, sharedBytes: 0)).recall
    }
    let residual = try (1...4).map { try recall(ResidualBitQuantizer(bits: $0)) }
    #expect(zip(residual, residual.dropFirst()).allSatisfy { $0 < $1 }, "\(residual)")
    #expect(try residual[0] >= recall(BinaryQuantizer(rotation: .random, isSymmetric: true)))
  }
}
