import Foundation

extension Chart {
  /// Where values lie in the picture.
  struct Frame {
    private let left = 70.0, right = 640.0, top = 50.0, bottom = 420.0
    private let chart: Chart
    private let xs: ClosedRange<Double>
    private let ys: ClosedRange<Double>
    private let cellWidth: Double?
    private let cellHeight: Double?

    init(_ chart: Chart) {
      self.chart = chart
      let points = chart.series.flatMap(\.points)
      let isBars = chart.series.contains { $0.style == .bars }
      (cellWidth, cellHeight) = (Self.least(chart, \.x), Self.least(chart, \.y))
      xs = Self.range(
        chart.x, points.map(\.x),
        margin: cellWidth.map { $0 / 2 } ?? (isBars || !chart.x.names.isEmpty ? 0.6 : nil))
      var heights = points.flatMap { [$0.y, $0.interval?.lowerBound, $0.interval?.upperBound] }
        .compactMap { $0 }
      heights += chart.references.map(\.y)
      let isFilled = isBars || chart.series.contains { $0.style == .area }
      if isFilled, chart.y.scale == .linear { heights.append(0) }
      ys = Self.range(chart.y, heights, margin: cellHeight.map { $0 / 2 })
    }

    /// The least gap between places of cells; nil where there are no cells.
    private static func least(_ chart: Chart, _ place: KeyPath<Point, Double>) -> Double? {
      let cells = chart.series.filter { $0.style == .cells }
      guard !cells.isEmpty else { return nil }
      let places = Set(cells.flatMap { $0.points.map { $0[keyPath: place] } }).sorted()
      return zip(places, places.dropFirst()).map { $1 - $0 }.min() ?? 1
    }

    /// All values, and some room around them.
    private static func range(_ axis: Axis, _ values: [Double], margin: Double?)
      -> ClosedRange<Double>
    {
      if let range = axis.range, range.upperBound > range.lowerBound { return range }
      let shown = values.filter { $0.isFinite && (axis.scale == .linear || $0 > 0) }
      guard let low = shown.min(), let high = shown.max() else {
        return axis.scale == .linear ? 0...1 : 1...10
      }
      if let margin { return low - margin...high + margin }
      switch axis.scale {
      case .logarithmic: return low / 1.15...max(high, low * 1.5) * 1.15
      case .linear:
        let room = high > low ? (high - low) * 0.05 : max(abs(high) * 0.1, 0.5)
        // Zero is a better edge than a little below it.
        return (low >= 0 && low < room ? 0 : low - room)...high + room
      }
    }

    private func share(_ value: Double, _ range: ClosedRange<Double>, _ scale: Scale) -> Double? {
      guard value.isFinite else { return nil }
      switch scale {
      case .linear: return (value - range.lowerBound) / (range.upperBound - range.lowerBound)
      case .logarithmic:
        guard value > 0, range.lowerBound > 0 else { return nil }
        return log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
      }
    }

    private func across(_ value: Double) -> Double? {
      share(value, xs, chart.x.scale).map { left + (right - left) * $0 }
    }

    private func down(_ value: Double) -> Double? {
      share(value, ys, chart.y.scale).map { bottom - (bottom - top) * $0 }
    }

    private func place(_ point: Point) -> (x: Double, y: Double)? {
      guard let x = across(point.x), let y = down(point.y) else { return nil }
      return (x, min(max(y, top - 10), bottom + 10))
    }

    // MARK: Axes

    /// Values at even steps of 1, 2 or 5 times a power of ten.
    static func ticks(_ range: ClosedRange<Double>, _ scale: Scale) -> [Double] {
      switch scale {
      case .linear:
        let rough = (range.upperBound - range.lowerBound) / 6
        let power = pow(10, floor(log10(rough)))
        let step =
          [1.0, 2, 5, 10].first { $0 * power >= rough * 0.999 }.map { $0 * power } ?? rough
        let first = (range.lowerBound / step).rounded(.up)
        let last = (range.upperBound / step).rounded(.down)
        guard last >= first, last - first < 100 else { return [] }
        return stride(from: first, through: last, by: 1).map { $0 * step }
      case .logarithmic:
        guard range.lowerBound > 0 else { return [] }
        let decades = log10(range.upperBound / range.lowerBound)
        let steps = decades > 3 ? [1.0] : decades > 1.2 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8]
        var ticks: [Double] = []
        for power in Int(
          log10(range.lowerBound).rounded(.down))...Int(
            log10(range.upperBound).rounded(.up))
        {
          ticks += steps.map { $0 * pow(10, Double(power)) }.filter { range.contains($0) }
        }
        return ticks
      }
    }

    var grid: String {
      var text = ""
      let names = chart.y.names
      let ticks =
        names.isEmpty ? Self.ticks(ys, chart.y.scale) : names.indices.map { Double($0) }
      for (number, tick) in ticks.enumerated() {
        guard let y = down(tick) else { continue }
        text += #"<path d="M\#(at(left)) \#(at(y))H\#(at(right))" stroke="gainsboro"/>"#
        text += #"<text x="\#(at(left - 8))" y="\#(at(y + 4))" text-anchor="end">"#
        text += "\(names.isEmpty ? Chart.short(tick) : Chart.escaped(names[number]))</text>\n"
      }
      if chart.x.names.isEmpty {
        for tick in Self.ticks(xs, chart.x.scale) {
          guard let x = across(tick) else { continue }
          text += #"<path d="M\#(at(x)) \#(at(top))V\#(at(bottom))" stroke="whitesmoke"/>"#
          text += label(Chart.short(tick), x)
        }
      } else {
        let room = (right - left) / Double(max(1, chart.x.names.count))
        let isTurned = chart.x.names.contains { Double($0.count) * 7 > room }
        for (number, name) in chart.x.names.enumerated() {
          guard let x = across(Double(number)) else { continue }
          text += isTurned ? turned(name, x) : label(name, x)
        }
      }
      text += #"<path d="M\#(at(left)) \#(at(bottom))H\#(at(right))" stroke="dimgray"/>"#
      let (middle, height) = ((left + right) / 2, (top + bottom) / 2)
      text += #"<text x="\#(at(middle))" y="468" text-anchor="middle">"#
      text += "\(Chart.escaped(chart.x.label))</text>"
      text += #"<text transform="translate(20 \#(at(height))) rotate(-90)" text-anchor="middle">"#
      return text + "\(Chart.escaped(chart.y.label))</text>\n"
    }

    private func label(_ text: String, _ x: Double) -> String {
      #"<text x="\#(at(x))" y="\#(at(bottom + 18))" text-anchor="middle">"#
        + "\(Chart.escaped(text))</text>\n"
    }

    private func turned(_ text: String, _ x: Double) -> String {
      #"<text transform="translate(\#(at(x + 4)) \#(at(bottom + 14))) rotate(-25)" "#
        + #"text-anchor="end" font-size="11">\#(Chart.escaped(text))</text>"# + "\n"
    }

    // MARK: Series

    func legend(_ name: String, _ color: String, row: Int) -> String {
      let y = top + 20 + 20 * Double(row)
      return #"<circle cx="658" cy="\#(at(y - 4))" r="5" fill="\#(color)"/>"#
        + #"<text x="670" y="\#(at(y))">\#(Chart.escaped(name))</text>"# + "\n"
    }

    func reference(_ name: String, _ value: Double, row: Int) -> String {
      guard let y = down(value) else { return "" }
      let text = top + 20 + 20 * Double(row)
      let dashes = ##"stroke="#555555" stroke-dasharray="5 4""##
      return #"<path d="M\#(at(left)) \#(at(y))H\#(at(right))" \#(dashes)/>"#
        + #"<path d="M650 \#(at(text - 4))h16" \#(dashes)/>"#
        + #"<text x="670" y="\#(at(text))">\#(Chart.escaped(name))</text>"# + "\n"
    }

    func line(_ series: Series, _ color: String) -> String {
      let places = series.points.prefix(series.lineCount).compactMap(place)
      guard places.count > 1 else { return "" }
      let path = places.map { "\(at($0.x)) \(at($0.y))" }.joined(separator: "L")
      return #"<path d="M\#(path)" fill="none" stroke="\#(color)" stroke-width="2"/>"# + "\n"
    }

    func area(_ series: Series, _ color: String) -> String {
      let places = series.points.prefix(series.lineCount).compactMap(place)
      guard let first = places.first, let last = places.last, places.count > 1 else { return "" }
      let floor = at(down(max(0, ys.lowerBound)) ?? bottom)
      let path = places.map { "\(at($0.x)) \(at($0.y))" }.joined(separator: "L")
      return #"<path d="M\#(at(first.x)) \#(floor)L\#(path)L\#(at(last.x)) \#(floor)Z" "#
        + #"fill="\#(color)"><title>\#(Chart.escaped(series.name))</title></path>"# + "\n"
    }

    func points(_ series: Series, _ color: String) -> String {
      var text = ""
      for point in series.points {
        guard let (x, y) = place(point) else { continue }
        text += whisker(point, x, color)
        let isMarked = !point.label.isEmpty
        let edge = isMarked ? #" stroke="black" stroke-width="2""# : ""
        let radius = isMarked ? "8" : series.points.count > 200 ? "2" : "4"
        text += #"<circle cx="\#(at(x))" cy="\#(at(y))" r="\#(radius)" fill="\#(color)"\#(edge)>"#
        text += "<title>\(Chart.escaped(point.title))</title></circle>\n"
        guard isMarked else { continue }
        // On the side that has room.
        let isRight = x > (left + right) / 2
        text += #"<text x="\#(at(x + (isRight ? -12 : 12)))" y="\#(at(y + 18))" "#
        text += #"text-anchor="\#(isRight ? "end" : "start")" font-weight="bold" "#
        text += #"stroke="white" stroke-width="3" paint-order="stroke">"#
        text += "\(Chart.escaped(point.label))</text>\n"
      }
      return text
    }

    func bars(_ series: Series, _ color: String, number: Int, of count: Int) -> String {
      let places = Set(chart.series.filter { $0.style == .bars }.flatMap { $0.points.map(\.x) })
      let slot = (right - left) / (xs.upperBound - xs.lowerBound)
      let sorted = places.sorted()
      let gap = zip(sorted, sorted.dropFirst()).map { $1 - $0 }.min() ?? 1
      let width = max(0.5, slot * gap * 0.8 / Double(max(1, count)))
      let floor = down(max(0, ys.lowerBound)) ?? bottom
      var text = ""
      for point in series.points {
        guard let (x, y) = place(point) else { continue }
        let start = x + width * (Double(number) - Double(count) / 2)
        text += #"<rect x="\#(at(start))" y="\#(at(min(y, floor)))" width="\#(at(width * 0.94))" "#
        text += #"height="\#(at(abs(floor - y)))" fill="\#(color)">"#
        text += "<title>\(Chart.escaped(point.title))</title></rect>\n"
        text += whisker(point, start + width / 2, "black")
      }
      return text
    }

    /// From almost white to the first colour.
    private static func shade(_ share: Double) -> String {
      let ends = [(236.0, 0.0), (242.0, 76.0), (247.0, 140.0)]
      return "rgb("
        + ends.map { "\(Int($0.0 + ($0.1 - $0.0) * min(1, max(0, share))))" }.joined(separator: ",")
        + ")"
    }

    func cells(_ series: Series) -> String {
      let values = series.points.compactMap(\.value).filter(\.isFinite)
      guard let low = values.min(), let high = values.max(), let cellWidth, let cellHeight else {
        return ""
      }
      let width = cellWidth * (right - left) / (xs.upperBound - xs.lowerBound)
      let height = cellHeight * (bottom - top) / (ys.upperBound - ys.lowerBound)
      var text = ""
      for point in series.points {
        guard let (x, y) = place(point), let value = point.value, value.isFinite else { continue }
        let fill = Self.shade(high > low ? (value - low) / (high - low) : 0.5)
        let edge = point.label.isEmpty ? "" : #" stroke="black" stroke-width="2""#
        text += #"<rect x="\#(at(x - width / 2))" y="\#(at(y - height / 2))" "#
        text += #"width="\#(at(width - 1))" height="\#(at(height - 1))" fill="\#(fill)"\#(edge)>"#
        text += "<title>\(Chart.escaped(point.title))</title></rect>\n"
      }
      for step in 0..<10 {
        let y = top + 40 + 16 * Double(9 - step)
        text += #"<rect x="658" y="\#(at(y))" width="16" height="16" "#
        text += #"fill="\#(Self.shade(Double(step) / 9))"/>"#
      }
      text += #"<text x="658" y="\#(at(top + 28))">\#(Chart.escaped(series.name))</text>"#
      for (value, y) in [(high, top + 50), (low, top + 198)] {
        text += #"<text x="682" y="\#(at(y))">\#(Chart.short(value))</text>"#
      }
      return text + "\n"
    }

    private func whisker(_ point: Point, _ x: Double, _ color: String) -> String {
      guard let interval = point.interval, let low = down(interval.lowerBound),
        let high = down(interval.upperBound)
      else { return "" }
      return #"<path d="M\#(at(x)) \#(at(low))V\#(at(high))M\#(at(x - 4)) \#(at(low))h8"#
        + #"M\#(at(x - 4)) \#(at(high))h8" stroke="\#(color)" fill="none"/>"# + "\n"
    }

    private func at(_ value: Double) -> String { String(format: "%.1f", value) }
  }

  /// A number as short as it stays apart from its neighbours on an axis: `20k`, `0.05`.
  public static func short(_ value: Double) -> String {
    switch abs(value) {
    case 1e9...: String(format: "%g", value / 1e9) + "G"
    case 1e6...: String(format: "%g", value / 1e6) + "M"
    case 1e4...: String(format: "%g", value / 1e3) + "k"
    case 1e-9...: String(format: "%.4g", value)
    default: "0"
    }
  }
}
