public import BasisCore

/// Values cut to a range, and the range into 2ᵇⁱᵗˢ − 1 equal steps.
///
/// q = ⌊(x − lower) · (2ᵇ − 1) / (upper − lower)⌋ for x cut to lower … upper; x̂ = q / scale + lower.
/// Truncation and not rounding, so that results can be compared with those that others report.
///
/// Gao et al., *Feature coding in the era of large models: dataset, test conditions, and benchmark*,
/// arXiv:2412.04307, section 4.
public struct FeatureQuantizer: Settings {
  public var lower: Float
  public var upper: Float
  /// Bits of a value, 1 to 16.
  public var bits: Int

  public init(lower: Float = -5, upper: Float = 5, bits: Int = 10) {
    self.lower = lower
    self.upper = upper
    self.bits = bits
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = FeatureQuantizer()
    lower = try values.decodeIfPresent(Float.self, forKey: .lower) ?? defaults.lower
    upper = try values.decodeIfPresent(Float.self, forKey: .upper) ?? defaults.upper
    bits = try values.decodeIfPresent(Int.self, forKey: .bits) ?? defaults.bits
  }

  /// - Throws: `.invalidArgument` where `upper` is not above `lower`, or bits are not 1 to 16.
  public func check() throws(BasisError) {
    guard upper > lower, lower.isFinite, upper.isFinite, (upper - lower).isFinite else {
      throw BasisError(
        .invalidArgument, "a feature's range must rise: \(lower) to \(upper) does not")
    }
    guard (1...16).contains(bits) else {
      throw BasisError(.invalidArgument, "features take 1 to 16 bits, not \(bits)")
    }
  }

  private var steps: Float { Float((1 << bits) - 1) }

  /// - Precondition: the settings pass ``check()``; `x` is finite.
  public func quantized(_ x: Float) -> UInt16 {
    let cut = min(upper, max(lower, x))
    return UInt16(((cut - lower) * steps / (upper - lower)).rounded(.down))
  }

  /// - Precondition: the settings pass ``check()``.
  public func value(_ level: UInt16) -> Float {
    Float(level) / (steps / (upper - lower)) + lower
  }
}
