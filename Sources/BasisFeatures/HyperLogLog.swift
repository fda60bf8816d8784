import BasisCore

/// Counts different values in 4 KiB, however many there are, to about 1.6 %.
///
/// Flajolet, Fusy, Gandouet & Meunier, *HyperLogLog*, AofA 2007, with the estimator of Ertl, *New cardinality
/// estimation algorithms for HyperLogLog sketches*, arXiv:1702.01284, algorithm 6, which needs no correction of
/// small or large counts.
public struct HyperLogLog: Sendable, Hashable {
  private static let precision = 12
  private static let largest = 64 - precision + 1
  private var registers = [UInt8](repeating: 0, count: 1 << HyperLogLog.precision)

  public init() {}

  /// - Parameter hash: 64 bits of the value, such as ``KeyedHash`` gives.
  public mutating func add(hash: UInt64) {
    let register = Int(hash >> UInt64(64 - Self.precision))
    let rest = hash << UInt64(Self.precision)
    let rank = UInt8(min(rest.leadingZeroBitCount, 64 - Self.precision) + 1)
    if rank > registers[register] { registers[register] = rank }
  }

  /// Adds all that another has seen.
  public mutating func merge(_ other: HyperLogLog) {
    for place in registers.indices {
      registers[place] = max(registers[place], other.registers[place])
    }
  }

  /// How many different values there were; the standard error is 1.6 % of it.
  public var estimate: Double {
    let m = Double(registers.count)
    var histogram = [Double](repeating: 0, count: Self.largest + 1)
    for register in registers { histogram[Int(register)] += 1 }
    if histogram[0] == m { return 0 }
    var z = m * Self.tau(1 - histogram[Self.largest] / m)
    for rank in stride(from: Self.largest - 1, through: 1, by: -1) {
      z = 0.5 * (z + histogram[rank])
    }
    z += m * Self.sigma(histogram[0] / m)
    return m * m / (2 * logarithm(2.0) * z)
  }

  private static func sigma(_ share: Double) -> Double {
    if share == 1 { return .infinity }
    var (x, y, z, before) = (share, 1.0, share, -1.0)
    while z != before {
      before = z
      x *= x
      z += x * y
      y += y
    }
    return z
  }

  private static func tau(_ share: Double) -> Double {
    if share == 0 || share == 1 { return 0 }
    var (x, y, z, before) = (share, 1.0, 1 - share, -1.0)
    while z != before {
      before = z
      x = x.squareRoot()
      y *= 0.5
      z -= (1 - x) * (1 - x) * y
    }
    return z / 3
  }
}
