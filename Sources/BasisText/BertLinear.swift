import BasisCore
import CBasisKernels

/// How the linear layers of an encoder are computed.
public enum EncoderPrecision: String, Sendable, Hashable, Codable, CaseIterable {
  /// Floats of 32 bits.
  case float32
  /// Weights and activations rounded to 16-bit numbers, with a scale for each row: sums are exact,
  /// and half the memory goes by. Twice as fast where the processor has VNNI.
  case fixed16

  /// The faster one here.
  public static var fastest: EncoderPrecision {
    EncoderKernels.table.prefers_fixed != 0 ? .fixed16 : .float32
  }
}

/// The C kernels of the encoders.
enum EncoderKernels {
  // Unsafe to the compiler, which does not know that nobody writes the table.
  nonisolated(unsafe) static let table = basis_encoder_kernels().pointee
}

/// Memory at a 64-byte boundary.
///
/// Unchecked: written only while it is made, or by the one thread that holds it.
final class AlignedBuffer<T: BitwiseCopyable>: @unchecked Sendable {
  let base: UnsafeMutablePointer<T>
  let count: Int

  init(count: Int) {
    let bytes = max(count, 1) * MemoryLayout<T>.stride
    base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      .bindMemory(to: T.self, capacity: max(count, 1))
    self.count = count
  }

  deinit { UnsafeMutableRawPointer(base).deallocate() }
}

/// `x · weightsᵀ + bias`, with the weights packed once.
struct BertLinear: Sendable {
  let inputCount: Int
  let outputCount: Int
  private let bias: AlignedBuffer<Float>
  private let weights: Weights

  private enum Weights: Sendable {
    case float32(AlignedBuffer<Float>)
    case fixed16(AlignedBuffer<Int16>, scales: AlignedBuffer<Float>)
  }

  /// - Parameters:
  ///   - parts: matrices of `outputs × inputs` with their biases, one below the other.
  init(_ parts: [(weights: Matrix, bias: [Float])], precision: EncoderPrecision) {
    inputCount = parts[0].weights.columnCount
    outputCount = parts.reduce(0) { $0 + $1.weights.rowCount }
    bias = AlignedBuffer(count: outputCount)
    let stacked: Matrix
    if parts.count == 1 {
      stacked = parts[0].weights
    } else {
      stacked = Matrix(rowCount: outputCount, columnCount: inputCount) { target in
        var start = 0
        for part in parts {
          part.weights.withUnsafeFloats { floats in
            for (index, value) in floats.enumerated() { target[start + index] = value }
            start += floats.count
          }
        }
      }
    }
    var row = 0
    for part in parts {
      for value in part.bias {
        bias.base[row] = value
        row += 1
      }
    }
    let panel = EncoderKernels.table.panel
    let (n, k) = (outputCount, inputCount)
    weights = stacked.withUnsafeFloats { floats in
      switch precision {
      case .float32:
        let packed = AlignedBuffer<Float>(count: basis_packed_f32_count(n, k, panel))
        basis_pack_f32(floats.baseAddress, n, k, panel, packed.base)
        return .float32(packed)
      case .fixed16:
        let packed = AlignedBuffer<Int16>(count: basis_packed_i16_count(n, k, panel))
        let scales = AlignedBuffer<Float>(count: n)
        basis_pack_i16(floats.baseAddress, n, k, panel, packed.base, scales.base)
        return .fixed16(packed, scales: scales)
      }
    }
  }

  /// - Parameters:
  ///   - x: `rowCount × inputCount`, contiguous.
  ///   - out: `rowCount × outputCount`.
  ///   - work: memory for `rowCount × inputCount` fixed-point numbers and their scales.
  func apply(
    _ x: UnsafePointer<Float>, rowCount: Int, activation: basis_activation = BASIS_ACTIVATION_NONE,
    into out: UnsafeMutablePointer<Float>, work: borrowing BertWorkspace
  ) {
    let table = EncoderKernels.table
    switch weights {
    case .float32(let packed):
      table.linear_f32(
        x, inputCount, rowCount, packed.base, inputCount, outputCount, bias.base, activation, out,
        outputCount)
    case .fixed16(let packed, let scales):
      table.quantize(
        x, inputCount, rowCount, inputCount, work.fixed.base, work.fixedScales.base)
      table.linear_i16(
        work.fixed.base, work.fixedScales.base, rowCount, packed.base, scales.base, inputCount,
        outputCount, bias.base, activation, out, outputCount)
    }
  }
}

/// What one thread needs for a forward pass over at most ``rowLimit`` tokens.
struct BertWorkspace: ~Copyable, Sendable {
  let rowLimit: Int
  /// Tokens at a time in the wide layer, so that its values stay near.
  static let wideRows = 112

  let hidden: AlignedBuffer<Float>
  let projected: AlignedBuffer<Float>
  let context: AlignedBuffer<Float>
  let wide: AlignedBuffer<Float>
  let fixed: AlignedBuffer<Int16>
  let fixedScales: AlignedBuffer<Float>
  let attention: AlignedBuffer<Float>

  init(_ network: BertDescription.Network, rowLimit: Int, textLimit: Int) {
    self.rowLimit = rowLimit
    let (h, i) = (network.hiddenSize, network.intermediateSize)
    hidden = AlignedBuffer(count: rowLimit * h)
    projected = AlignedBuffer(count: rowLimit * 3 * h)
    context = AlignedBuffer(count: rowLimit * h)
    wide = AlignedBuffer(count: Self.wideRows * i)
    fixed = AlignedBuffer(count: max(rowLimit * (h + 1), Self.wideRows * (i + 1)))
    fixedScales = AlignedBuffer(count: max(rowLimit, Self.wideRows))
    attention = AlignedBuffer(
      count: basis_attention_scratch(textLimit, h / network.headCount))
  }
}
