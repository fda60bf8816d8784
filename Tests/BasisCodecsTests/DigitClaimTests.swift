import BasisCodecs
import BasisCore
import Testing

/// What codecs keep of the ten nearest by the cosine, on 8,485 × 256 digit embeddings. Reported
/// values are those of the methods' descriptions; .03 is what 250 queries and other random features
/// leave open.
@Suite(.serialized, Digits.isFast) struct DigitClaimTests {
  @Test(arguments: [(1, 0.70), (2, 0.84), (3, 0.91), (4, 0.94)])
  func `recurrent codes without training, queries cut to bits too`(
    bits: Int, reported: Double
  ) throws {
    for rotation in [Rotation.random, .iterative] {
      let symmetric = try Digits.recall(
        RecurrentBinaryCodec(bits: bits, rotation: rotation, isSymmetric: true))
      let whole = try Digits.recall(RecurrentBinaryCodec(bits: bits, rotation: rotation))
      print("recurrent \(bits) \(rotation.rawValue): \(symmetric), whole queries \(whole)")
      #expect(abs(symmetric - reported) <= 0.035, "\(rotation)")
      // "+.01 … +.08" from two bits on; a single sign keeps no length to be precise about.
      #expect(whole >= symmetric + 0.005, "\(rotation)")
    }
  }

  @Test func `signs, bytes and residual bits`() throws {
    let sign = try Digits.recall(BinaryQuantizer(rotation: .random, isSymmetric: true))
    let eight = try Digits.recall(ScalarQuantizer(.int8))
    let four = try Digits.recall(ScalarQuantizer(.int4))
    let residual = try (1...4).map { try Digits.recall(ResidualBitQuantizer(bits: $0)) }
    print("signs \(sign), int8 \(eight), int4 \(four), residual bits \(residual)")
    #expect(abs(sign - 0.72) <= 0.035)
    #expect(eight >= 0.985)
    #expect(four >= 0.9 && four < eight)
    #expect(zip(residual, residual.dropFirst()).allSatisfy { $0 < $1 })
    #expect(residual[0] >= sign)
  }
}
