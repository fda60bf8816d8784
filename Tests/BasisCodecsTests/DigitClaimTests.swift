import BasisCodecs
import BasisCore
import Testing
import _BasisTestSupport

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
      #expect(whole >= symmetric, "\(rotation)")
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

  @Test(arguments: [(16, 0.23, 0.70), (64, 0.59, 0.94), (128, 0.79, 0.975)])
  func `prefixes, as they are and of principal directions`(
    dimensions: Int, plain: Double, rotated: Double
  ) throws {
    let own = try Digits.recall(MatryoshkaCodec(dimensions: dimensions))
    let principal = try Digits.recall(PCARotationCodec(dimensions: dimensions))
    print("prefix \(dimensions): \(own), principal \(principal)")
    // Which values come first is chance here, so that few of them keep more or less.
    #expect(abs(own - plain) <= 0.12)
    #expect(abs(principal - rotated) <= 0.035)
    #expect(principal > own + 0.1)
  }

  @Test func `at a quarter: bytes, then singular vectors, then the largest values`() throws {
    guard let rows = Digits.embeddings?.rows else { throw BasisError(.notFound, "digits") }
    func singular(_ ratio: Double) throws -> Double {
      let rank = SVDCodec.rank(ratio: ratio, rowCount: rows.rowCount, dimension: 256)
      return try Digits.recall(SVDCodec(rank: rank))
    }
    func largest(_ ratio: Double) throws -> Double {
      try Digits.recall(
        ofDecoded: PruneCodec(ratio: ratio, columnBytes: 4).compress(rows).decoded())
    }
    let bytes = try Digits.recall(ScalarQuantizer(.int8))
    let (quarter, tenth) = (try singular(0.25), try singular(0.1))
    let (pruned, prunedTenth) = (try largest(0.25), try largest(0.1))
    print("int8 \(bytes), svd \(quarter) \(tenth), pruned \(pruned) \(prunedTenth)")
    #expect(bytes > quarter + 0.02 && quarter > pruned + 0.1)
    #expect(tenth > prunedTenth + 0.2)
    // Reported: .93, .77, .67 and .38.
    #expect(abs(quarter - 0.93) <= 0.035 && abs(tenth - 0.77) <= 0.08)
  }
}
