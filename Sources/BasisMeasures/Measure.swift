public import BasisCore

/// One number about a representation or a network, and what it is made of.
public protocol Measure: Settings {
  associatedtype Input: MethodInput

  /// - Parameters:
  ///   - input: finite.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` for input that has no such
  ///   number, with the reason; `.cancelled`.
  func measure(_ input: Input, in run: RunContext) throws(BasisError) -> MeasuredValue
}

/// What a ``Measure`` found.
public struct MeasuredValue: Sendable, Hashable, Codable {
  /// A line to draw: what the number is a summary of.
  public struct Curve: Sendable, Hashable, Codable {
    public var title: String
    public var x: String
    public var y: String
    /// Whether both axes are best drawn by factors.
    public var isLogarithmic: Bool
    /// x and y of each.
    public var points: [[Double]]

    public init(
      _ title: String, x: String, y: String, isLogarithmic: Bool = false,
      points: [(x: Double, y: Double)]
    ) {
      self.title = title
      self.x = x
      self.y = y
      self.isLogarithmic = isLogarithmic
      self.points = points.map { [$0.x, $0.y] }
    }
  }

  /// A number beside the first, by its name.
  public struct Part: Sendable, Hashable, Codable {
    public var name: String
    public var value: Double

    public init(_ name: String, _ value: Double) {
      self.name = name
      self.value = value
    }
  }

  public var value: Double
  /// What the value counts or lies between: `dimensions`, `−∞ … 0, lower is more uniform`.
  public var unit: String
  /// Where the value of all rows like these would lie, at 95 %; nil where that is not known.
  public var interval: ClosedRange<Double>?
  public var parts: [Part]
  public var curve: Curve?
  /// What to keep in mind, a sentence each.
  public var warnings: [String]

  public init(
    _ value: Double, unit: String, interval: ClosedRange<Double>? = nil, parts: [Part] = [],
    curve: Curve? = nil, warnings: [String] = []
  ) {
    self.value = value
    self.unit = unit
    self.interval = interval
    self.parts = parts
    self.curve = curve
    self.warnings = warnings
  }
}
