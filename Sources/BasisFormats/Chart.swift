/// A picture of curves, points and bars over two axes, as SVG.
///
/// One look for all that the package draws: colours that are told apart without colour vision too
/// (Okabe & Ito), a legend beside the axes, and a title on each point that browsers show.
public struct Chart: Sendable {
  public enum Scale: Sendable, Hashable {
    case linear
    /// Of positive values only; others are left out.
    case logarithmic
  }

  /// How a series is drawn.
  public enum Style: Sendable, Hashable {
    case line, points, linePoints
    /// A line, and all between it and the axis filled.
    case area
    /// From the axis up, series side by side; `x` is a place on the axis.
    case bars
    /// A square around each point, darker where its `value` is larger; a scale stands beside the axes.
    case cells
  }

  public struct Point: Sendable, Hashable {
    public var x: Double
    public var y: Double
    /// What is known of `y`, drawn as a whisker.
    public var interval: ClosedRange<Double>?
    /// Shown where a pointer rests.
    public var title: String
    /// Written beside the point, which is drawn larger.
    public var label: String
    /// What a cell's colour says.
    public var value: Double?

    public init(
      _ x: Double, _ y: Double, interval: ClosedRange<Double>? = nil, title: String = "",
      label: String = "", value: Double? = nil
    ) {
      self.x = x
      self.y = y
      self.interval = interval
      self.title = title
      self.label = label
      self.value = value
    }
  }

  public struct Series: Sendable, Hashable {
    public var name: String
    public var points: [Point]
    public var style: Style
    /// A line goes through so many of the points.
    public var lineCount: Int

    public init(
      _ name: String, _ points: [Point], style: Style = .linePoints, lineCount: Int? = nil
    ) {
      self.name = name
      self.points = points
      self.style = style
      self.lineCount = lineCount ?? points.count
    }
  }

  public struct Axis: Sendable, Hashable {
    public var label: String
    public var scale: Scale
    /// What is shown; nil for all that the series have.
    public var range: ClosedRange<Double>?
    /// In place of numbers: names of 0, 1, 2 …
    public var names: [String]

    public init(
      _ label: String, scale: Scale = .linear, range: ClosedRange<Double>? = nil,
      names: [String] = []
    ) {
      self.label = label
      self.scale = scale
      self.range = range
      self.names = names
    }
  }

  public var title: String
  public var x: Axis
  public var y: Axis
  public var series: [Series]
  /// Horizontal lines to compare with, by name.
  public var references: [(name: String, y: Double)]

  public init(
    _ title: String, x: Axis, y: Axis, series: [Series],
    references: [(name: String, y: Double)] = []
  ) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
    self.references = references
  }

  /// The picture, 820 × 480.
  public var svg: String {
    let frame = Frame(self)
    var body = frame.grid
    // What is filled lies under what it is compared with.
    for (number, series) in series.enumerated() where series.style == .area {
      body += frame.area(series, Self.colors[number % Self.colors.count])
    }
    for (number, reference) in references.enumerated() {
      body += frame.reference(reference.name, reference.y, row: series.count + number)
    }
    let bars = series.count { $0.style == .bars }
    var bar = 0
    for (number, series) in series.enumerated() {
      let color = Self.colors[number % Self.colors.count]
      switch series.style {
      case .bars:
        body += frame.bars(series, color, number: bar, of: bars)
        bar += 1
      case .line: body += frame.line(series, color)
      case .area: break
      case .cells: body += frame.cells(series)
      case .points: body += frame.points(series, color)
      case .linePoints: body += frame.line(series, color) + frame.points(series, color)
      }
      if !series.name.isEmpty, series.style != .cells {
        body += frame.legend(series.name, color, row: number)
      }
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="820" height="480" viewBox="0 0 820 480" \
      font-family="sans-serif" font-size="13">
      <rect width="820" height="480" fill="#ffffff"/>
      <text x="70" y="30" font-size="16">\(Self.escaped(title))</text>
      \(body)</svg>

      """
  }

  private static let colors = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999",
  ]

  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      // No others are allowed in XML, not even as entities.
      case _ where scalar.value < 32 || (0xFFFE...0xFFFF).contains(scalar.value): out += " "
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
