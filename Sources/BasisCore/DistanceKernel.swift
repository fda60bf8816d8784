import CBasisKernels

/// A distance or product of two vectors, for the elements that a kernel exists for: chosen once
/// before a scan, and then called for pairs, blocks of rows, or rows by number.
///
/// A pair gives the same bits in all three. Half-size elements are widened, which is exact, and
/// give the bits that their widened vectors would; results of `Int8` and of bits are exact for up
/// to 33,025 elements and 2²⁵ − 1 words. See `basis_kernels.h`.
///
/// Pointers must reach as far as counts and strides say; nothing is checked.
package struct DistanceKernel<Query, Row, Value>: Sendable {
  private let one: One
  private let rows: Rows
  private let gathered: Gathered

  // None of these closures captures anything: a kernel costs no allocation.
  fileprivate typealias One =
    @Sendable (_ a: UnsafePointer<Query>, _ b: UnsafePointer<Row>, _ dimension: Int) -> Value
  fileprivate typealias Rows =
    @Sendable (
      _ query: UnsafePointer<Query>, _ rows: UnsafePointer<Row>, _ rowCount: Int, _ stride: Int,
      _ dimension: Int, _ out: UnsafeMutablePointer<Value>
    ) -> Void
  fileprivate typealias Gathered =
    @Sendable (
      _ query: UnsafePointer<Query>, _ rows: UnsafePointer<Row>, _ ids: UnsafePointer<UInt32>?,
      _ idCount: Int, _ stride: Int, _ dimension: Int, _ out: UnsafeMutablePointer<Value>
    ) -> Void

  fileprivate init(_ one: @escaping One, _ rows: @escaping Rows, _ gathered: @escaping Gathered) {
    self.one = one
    self.rows = rows
    self.gathered = gathered
  }

  /// Of two vectors of `dimension` elements.
  package func callAsFunction(
    _ a: UnsafePointer<Query>, _ b: UnsafePointer<Row>, dimension: Int
  ) -> Value {
    one(a, b, dimension)
  }

  /// Of a query and `rowCount` rows, `stride` elements apart.
  package func callAsFunction(
    _ query: UnsafePointer<Query>, rows start: UnsafePointer<Row>, rowCount: Int, stride: Int,
    dimension: Int, into out: UnsafeMutablePointer<Value>
  ) {
    rows(query, start, rowCount, stride, dimension, out)
  }

  /// Of a query and the rows with these numbers; row `i` is `i · stride` elements after `start`.
  package func callAsFunction(
    _ query: UnsafePointer<Query>, rows start: UnsafePointer<Row>,
    ids: UnsafeBufferPointer<UInt32>, stride: Int, dimension: Int,
    into out: UnsafeMutablePointer<Value>
  ) {
    gathered(query, start, ids.baseAddress, ids.count, stride, dimension, out)
  }
}

extension DistanceKernel where Query == Float, Row == Float, Value == Float {
  /// Σ aᵢ bᵢ.
  package static var dot: Self {
    Self(
      { Kernels.table.dot_f32($0, $1, $2) },
      { Kernels.table.dot_f32_rows($0, $1, $2, $3, $4, $5) },
      { Kernels.table.dot_f32_gathered($0, $1, $2, $3, $4, $5, $6) })
  }

  /// Σ (aᵢ − bᵢ)².
  package static var squaredDistance: Self {
    Self(
      { Kernels.table.l2_f32($0, $1, $2) },
      { Kernels.table.l2_f32_rows($0, $1, $2, $3, $4, $5) },
      { Kernels.table.l2_f32_gathered($0, $1, $2, $3, $4, $5, $6) })
  }
}

extension DistanceKernel where Query == Float, Row == Float16, Value == Float {
  /// Σ aᵢ bᵢ.
  package static var dot: Self {
    Self(
      { Kernels.table.dot_f32_f16($0, bits($1), $2) },
      { Kernels.table.dot_f32_f16_rows($0, bits($1), $2, $3, $4, $5) },
      { Kernels.table.dot_f32_f16_gathered($0, bits($1), $2, $3, $4, $5, $6) })
  }

  /// Σ (aᵢ − bᵢ)².
  package static var squaredDistance: Self {
    Self(
      { Kernels.table.l2_f32_f16($0, bits($1), $2) },
      { Kernels.table.l2_f32_f16_rows($0, bits($1), $2, $3, $4, $5) },
      { Kernels.table.l2_f32_f16_gathered($0, bits($1), $2, $3, $4, $5, $6) })
  }
}

extension DistanceKernel where Query == Float16, Row == Float16, Value == Float {
  /// Σ aᵢ bᵢ.
  package static var dot: Self {
    Self(
      { Kernels.table.dot_f16(bits($0), bits($1), $2) },
      { Kernels.table.dot_f16_rows(bits($0), bits($1), $2, $3, $4, $5) },
      { Kernels.table.dot_f16_gathered(bits($0), bits($1), $2, $3, $4, $5, $6) })
  }

  /// Σ (aᵢ − bᵢ)².
  package static var squaredDistance: Self {
    Self(
      { Kernels.table.l2_f16(bits($0), bits($1), $2) },
      { Kernels.table.l2_f16_rows(bits($0), bits($1), $2, $3, $4, $5) },
      { Kernels.table.l2_f16_gathered(bits($0), bits($1), $2, $3, $4, $5, $6) })
  }
}

extension DistanceKernel where Query == Float, Row == BFloat16, Value == Float {
  /// Σ aᵢ bᵢ.
  package static var dot: Self {
    Self(
      { Kernels.table.dot_f32_bf16($0, bits($1), $2) },
      { Kernels.table.dot_f32_bf16_rows($0, bits($1), $2, $3, $4, $5) },
      { Kernels.table.dot_f32_bf16_gathered($0, bits($1), $2, $3, $4, $5, $6) })
  }

  /// Σ (aᵢ − bᵢ)².
  package static var squaredDistance: Self {
    Self(
      { Kernels.table.l2_f32_bf16($0, bits($1), $2) },
      { Kernels.table.l2_f32_bf16_rows($0, bits($1), $2, $3, $4, $5) },
      { Kernels.table.l2_f32_bf16_gathered($0, bits($1), $2, $3, $4, $5, $6) })
  }
}

extension DistanceKernel where Query == BFloat16, Row == BFloat16, Value == Float {
  /// Σ aᵢ bᵢ.
  package static var dot: Self {
    Self(
      { Kernels.table.dot_bf16(bits($0), bits($1), $2) },
      { Kernels.table.dot_bf16_rows(bits($0), bits($1), $2, $3, $4, $5) },
      { Kernels.table.dot_bf16_gathered(bits($0), bits($1), $2, $3, $4, $5, $6) })
  }

  /// Σ (aᵢ − bᵢ)².
  package static var squaredDistance: Self {
    Self(
      { Kernels.table.l2_bf16(bits($0), bits($1), $2) },
      { Kernels.table.l2_bf16_rows(bits($0), bits($1), $2, $3, $4, $5) },
      { Kernels.table.l2_bf16_gathered(bits($0), bits($1), $2, $3, $4, $5, $6) })
  }
}

extension DistanceKernel where Query == Int8, Row == Int8, Value == Int32 {
  /// Σ aᵢ bᵢ, exact.
  package static var dot: Self {
    Self(
      { Kernels.table.dot_i8($0, $1, $2) },
      { Kernels.table.dot_i8_rows($0, $1, $2, $3, $4, $5) },
      { Kernels.table.dot_i8_gathered($0, $1, $2, $3, $4, $5, $6) })
  }

  /// Σ (aᵢ − bᵢ)², exact.
  package static var squaredDistance: Self {
    Self(
      { Kernels.table.l2_i8($0, $1, $2) },
      { Kernels.table.l2_i8_rows($0, $1, $2, $3, $4, $5) },
      { Kernels.table.l2_i8_gathered($0, $1, $2, $3, $4, $5, $6) })
  }
}

/// Vectors of bits, 64 a word; `dimension` and `stride` count words.
extension DistanceKernel where Query == UInt64, Row == UInt64, Value == Int32 {
  /// How many bits differ.
  package static var hamming: Self {
    Self(
      { Kernels.table.hamming_bits($0, $1, $2) },
      { Kernels.table.hamming_bits_rows($0, $1, $2, $3, $4, $5) },
      { Kernels.table.hamming_bits_gathered($0, $1, $2, $3, $4, $5, $6) })
  }

  /// How many bits both have.
  package static var commonBits: Self {
    Self(
      { Kernels.table.and_bits($0, $1, $2) },
      { Kernels.table.and_bits_rows($0, $1, $2, $3, $4, $5) },
      { Kernels.table.and_bits_gathered($0, $1, $2, $3, $4, $5, $6) })
  }
}

// C knows both half-size types as their bits. The kernels, being compiled apart, read them as such.
func bits(_ pointer: UnsafePointer<Float16>) -> UnsafePointer<UInt16> {
  UnsafeRawPointer(pointer).assumingMemoryBound(to: UInt16.self)
}

func bits(_ pointer: UnsafePointer<BFloat16>) -> UnsafePointer<UInt16> {
  UnsafeRawPointer(pointer).assumingMemoryBound(to: UInt16.self)
}

func bits(_ pointer: UnsafeMutablePointer<Float16>) -> UnsafeMutablePointer<UInt16> {
  UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: UInt16.self)
}

func bits(_ pointer: UnsafeMutablePointer<BFloat16>) -> UnsafeMutablePointer<UInt16> {
  UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: UInt16.self)
}
