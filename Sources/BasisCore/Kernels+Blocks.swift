import CBasisKernels

extension Kernels {
  // MARK: Products of half-size elements

  /// `c = a · bᵀ` as for floats, where `b` is stored in half the size.
  ///
  /// The same bits as the product of the widened rows.
  package static func product(
    _ a: UnsafePointer<Float>, aStride: Int, aCount: Int,
    _ b: UnsafePointer<Float16>, bStride: Int, bCount: Int, dimension: Int,
    into c: UnsafeMutablePointer<Float>, cStride: Int, scratch: borrowing ProductScratch
  ) {
    table.product_f32_f16(
      a, aStride, aCount, bits(b), bStride, bCount, dimension, c, cStride, scratch.base)
  }

  /// `c = a · bᵀ` as for floats, where both are stored in half the size.
  ///
  /// The same bits as the product of the widened rows.
  package static func product(
    _ a: UnsafePointer<Float16>, aStride: Int, aCount: Int,
    _ b: UnsafePointer<Float16>, bStride: Int, bCount: Int, dimension: Int,
    into c: UnsafeMutablePointer<Float>, cStride: Int, scratch: borrowing ProductScratch
  ) {
    table.product_f16(
      bits(a), aStride, aCount, bits(b), bStride, bCount, dimension, c, cStride, scratch.base)
  }

  /// `c = a · bᵀ` as for floats, where `b` is stored in half the size.
  ///
  /// The same bits as the product of the widened rows.
  package static func product(
    _ a: UnsafePointer<Float>, aStride: Int, aCount: Int,
    _ b: UnsafePointer<BFloat16>, bStride: Int, bCount: Int, dimension: Int,
    into c: UnsafeMutablePointer<Float>, cStride: Int, scratch: borrowing ProductScratch
  ) {
    table.product_f32_bf16(
      a, aStride, aCount, bits(b), bStride, bCount, dimension, c, cStride, scratch.base)
  }

  /// `c = a · bᵀ` as for floats, where both are stored in half the size.
  ///
  /// The same bits as the product of the widened rows.
  package static func product(
    _ a: UnsafePointer<BFloat16>, aStride: Int, aCount: Int,
    _ b: UnsafePointer<BFloat16>, bStride: Int, bCount: Int, dimension: Int,
    into c: UnsafeMutablePointer<Float>, cStride: Int, scratch: borrowing ProductScratch
  ) {
    table.product_bf16(
      bits(a), aStride, aCount, bits(b), bStride, bCount, dimension, c, cStride, scratch.base)
  }

  // MARK: Every row against every row

  /// `c[i, j] = aᵢ · bⱼ`, exact; the parameters are those of a product of floats.
  package static func dots(
    _ a: UnsafePointer<Int8>, aStride: Int, aCount: Int,
    _ b: UnsafePointer<Int8>, bStride: Int, bCount: Int, dimension: Int,
    into c: UnsafeMutablePointer<Int32>, cStride: Int
  ) {
    table.dot_i8_pairs(a, aStride, aCount, b, bStride, bCount, dimension, c, cStride)
  }

  /// `c[i, j] = ‖aᵢ − bⱼ‖²`, exact; the parameters are those of a product of floats.
  package static func squaredDistances(
    _ a: UnsafePointer<Int8>, aStride: Int, aCount: Int,
    _ b: UnsafePointer<Int8>, bStride: Int, bCount: Int, dimension: Int,
    into c: UnsafeMutablePointer<Int32>, cStride: Int
  ) {
    table.l2_i8_pairs(a, aStride, aCount, b, bStride, bCount, dimension, c, cStride)
  }

  /// `c[i, j]` = how many bits of `aᵢ` and `bⱼ` differ; strides of `a` and `b` count words.
  package static func hammingDistances(
    _ a: UnsafePointer<UInt64>, aStride: Int, aCount: Int,
    _ b: UnsafePointer<UInt64>, bStride: Int, bCount: Int, wordCount: Int,
    into c: UnsafeMutablePointer<Int32>, cStride: Int
  ) {
    table.hamming_bits_pairs(a, aStride, aCount, b, bStride, bCount, wordCount, c, cStride)
  }

  /// `c[i, j]` = how many bits `aᵢ` and `bⱼ` both have; strides of `a` and `b` count words.
  package static func commonBits(
    _ a: UnsafePointer<UInt64>, aStride: Int, aCount: Int,
    _ b: UnsafePointer<UInt64>, bStride: Int, bCount: Int, wordCount: Int,
    into c: UnsafeMutablePointer<Int32>, cStride: Int
  ) {
    table.and_bits_pairs(a, aStride, aCount, b, bStride, bCount, wordCount, c, cStride)
  }

  // MARK: Conversions

  /// The nearest of half the size, ties to even; too large becomes infinity, and a NaN stays one.
  package static func convert(
    _ x: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float16>
  ) {
    table.f16_from_f32(x, count, bits(out))
  }

  /// The nearest of half the size, ties to even; too large becomes infinity, and a NaN stays one.
  package static func convert(
    _ x: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<BFloat16>
  ) {
    table.bf16_from_f32(x, count, bits(out))
  }

  /// Exact.
  package static func convert(
    _ x: UnsafePointer<Float16>, count: Int, into out: UnsafeMutablePointer<Float>
  ) {
    table.f32_from_f16(bits(x), count, out)
  }

  /// Exact.
  package static func convert(
    _ x: UnsafePointer<BFloat16>, count: Int, into out: UnsafeMutablePointer<Float>
  ) {
    table.f32_from_bf16(bits(x), count, out)
  }
}
