public import BasisCore
import BasisNumerics

/// Every value of a vector by itself, in fewer bits.
///
/// Which kind when: `float16` where nothing may be lost (half the size), `int8` as the usual choice
/// (a quarter, recall about .99), `int4` where an eighth is wanted and product or bit quantisation
/// is too slow to fit. The stochastic kinds round up or down by chance, so that the mean over many
/// vectors is right; for finished vectors the others are better.
public struct ScalarQuantizer: VectorCodec {
  /// How a value is written.
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    /// As it is, 4 bytes.
    case float32
    /// IEEE binary16, 2 bytes; at most ±65,504.
    case float16
    /// The upper half of a float, 2 bytes.
    case bfloat16
    /// −127 … 127 times a number of the row's own (4 bytes more a row): its largest magnitude / 127.
    case int8
    /// The 16 odd numbers −15 … 15 times a number of the row's own (4 bytes more a row), chosen for
    /// the smallest squared error.
    case int4
    /// ⌊(x − middle) / step + U⌋ with U uniform in 0 ..< 1, cut to 8 bits; one step for all rows.
    case stochasticInt8
    /// The same, cut to 16 bits.
    case stochasticInt16

    /// Bytes of a code of `dimension` values.
    public func bytesPerVector(dimension: Int) -> Int {
      switch self {
      case .float32: 4 * dimension
      case .float16, .bfloat16, .stochasticInt16: 2 * dimension
      case .int8: dimension + 4
      case .int4: (dimension + 1) / 2 + 4
      case .stochasticInt8: dimension
      }
    }

    var isStochastic: Bool { self == .stochasticInt8 || self == .stochasticInt16 }
  }

  public var kind: Kind
  /// Of the stochastic kinds: what one is worth, above 0; nil takes the smallest step that reaches
  /// every value of the sample.
  public var step: Float?
  /// Of the stochastic kinds: the value that 0 stands for.
  public var middle: Float

  public init(_ kind: Kind = .int8, step: Float? = nil, middle: Float = 0) {
    self.kind = kind
    self.step = step
    self.middle = middle
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = ScalarQuantizer()
    kind = try values.decodeIfPresent(Kind.self, forKey: .kind) ?? defaults.kind
    step = try values.decodeIfPresent(Float.self, forKey: .step)
    middle = try values.decodeIfPresent(Float.self, forKey: .middle) ?? defaults.middle
  }

  /// - Complexity: O(*n* *d*).
  public func fit(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> FittedScalarQuantizer
  {
    try run.checkCancelled()
    try rows.requireSample("scalar quantiser")
    if let step, !(step > 0 && step.isFinite) {
      throw BasisError(.invalidArgument, "scalar quantiser: step must be above 0, not \(step)")
    }
    guard middle.isFinite else {
      throw BasisError(.invalidArgument, "scalar quantiser: middle must be finite, not \(middle)")
    }
    var fitted = self
    if kind.isStochastic && step == nil {
      let reach = rows.withUnsafeFloats { $0.reduce(0) { max($0, abs($1 - middle)) } }
      let highest: Float = kind == .stochasticInt8 ? 127 : 32_767
      fitted.step = reach > 0 ? reach / highest : 1
    }
    return FittedScalarQuantizer(
      settings: fitted, dimension: rows.columnCount, seed: run.seed)
  }
}
