import BasisFormats
import Foundation
import Testing

@Suite struct ChartTests {
  private func chart(_ series: [Chart.Series], x: Chart.Scale = .linear) -> Chart {
    Chart("A & B", x: .init("x < 1", scale: x), y: .init("y"), series: series)
  }

  /// The numbers of an attribute, in order.
  private func numbers(_ name: String, of element: String, in svg: String) -> [Double] {
    svg.components(separatedBy: "<\(element) ").dropFirst().compactMap { part in
      let tag = part.prefix { $0 != ">" }
      guard let start = tag.range(of: "\(name)=\"") else { return nil }
      return Double(tag[start.upperBound...].prefix { $0 != "\"" })
    }
  }

  @Test func `places grow with values, on both kinds of axes`() {
    for scale in [Chart.Scale.linear, .logarithmic] {
      let points = [1.0, 10, 100].map { Chart.Point($0, $0) }
      let svg = chart([.init("", points, style: .points)], x: scale).svg
      let across = numbers("cx", of: "circle", in: svg)
      let down = numbers("cy", of: "circle", in: svg)
      #expect(across.count == 3 && across == across.sorted() && down == down.sorted().reversed())
      let first = across[1] - across[0]
      let second = across[2] - across[1]
      // Equal factors are equal ways on a logarithmic axis.
      #expect(scale == .logarithmic ? abs(first - second) < 0.2 : second > 5 * first)
      #expect(across.allSatisfy { (70...640).contains($0) })
    }
  }

  @Test func `cells are squares that touch, darker for more`() {
    var cells: [Chart.Point] = []
    for place in 0..<6 {
      let (x, y) = (Double(place % 3) / 10, Double(place / 3))
      let label = place == 5 ? "best" : ""
      cells.append(Chart.Point(x, y, title: "\(place)", label: label, value: Double(place)))
    }
    var picture = chart([.init("share", cells, style: .cells)])
    picture.y.names = ["low", "high"]
    let svg = picture.svg
    let across = numbers("x", of: "rect", in: svg)
    // The first is what all lies on.
    let width = Array(numbers("width", of: "rect", in: svg).dropFirst())
    var fills: [Int] = []
    for part in svg.components(separatedBy: "fill=\"rgb(").dropFirst() {
      fills.append(Int(part.prefix { $0 != "," }) ?? -1)
    }
    // Six cells and the ten steps of the scale.
    #expect(fills.count == 16 && across.count == 16)
    let shades = Array(fills.prefix(6))
    #expect(shades == shades.sorted(by: >))
    #expect(shades[0] == 236 && shades[5] == 0)
    let step: Double = across[1] - across[0]
    #expect(abs(step - width[0] - 1) < 0.11)
    #expect(across[0] >= 70)
    #expect(across[2] + width[2] <= 640.1)
    #expect(svg.contains("low</text>") && svg.contains("<title>4</title>"))
    #expect(svg.components(separatedBy: "stroke=\"black\"").count == 2)
    #expect(!chart([.init("none", [], style: .cells)]).svg.contains("rgb"))
  }

  @Test func `what is written in it stays text`() {
    let series = Chart.Series("<s>", [.init(1, 2, title: "a\u{1}\"b\"", label: "& more")])
    let svg = chart([series]).svg
    #expect(svg.contains("A &amp; B") && svg.contains("x &lt; 1") && svg.contains("&lt;s&gt;"))
    #expect(svg.contains("a &quot;b&quot;") && svg.contains("&amp; more"))
    #expect(!svg.contains("<s>") && !svg.contains("\u{1}"))
  }

  @Test(arguments: [Chart.Style.line, .points, .linePoints, .bars, .area])
  func `nothing, one point and what cannot be drawn`(style: Chart.Style) {
    let odd = [Chart.Point(.nan, 1), .init(1, .infinity), .init(-1, 5), .init(0, 0)]
    for points in [[], [Chart.Point(3, 3)], odd] {
      for scale in [Chart.Scale.linear, .logarithmic] {
        let svg = chart([.init("s", points, style: style)], x: scale).svg
        #expect(!svg.contains("nan") && !svg.contains("inf"))
        #expect(svg.hasSuffix("</svg>\n"))
      }
    }
  }

  @Test func `areas reach down to zero, under the lines they are compared with`() throws {
    var chart = chart([.init("one", [.init(0, 2), .init(1, -1)], style: .area)])
    chart.references = [("mean", 1)]
    let svg = chart.svg
    let area = try #require(svg.range(of: "Z\" fill"))
    let line = try #require(svg.range(of: "stroke-dasharray"))
    #expect(area.lowerBound < line.lowerBound)
    let path = try #require(numbersOfArea(svg))
    // From the axis over both points and back to the axis.
    #expect(path.count == 4 && path[0].y == path[3].y && path[0].x < path[3].x)
    #expect(path[1].y < path[0].y && path[2].y > path[0].y)
  }

  private func numbersOfArea(_ svg: String) -> [(x: Double, y: Double)]? {
    guard let end = svg.range(of: "Z\" fill"),
      let start = svg[..<end.lowerBound].range(of: "<path d=\"M", options: .backwards)
    else { return nil }
    return svg[start.upperBound..<end.lowerBound].split(separator: "L").compactMap { part in
      let pair = part.split(separator: " ").compactMap { Double($0) }
      return pair.count == 2 ? (pair[0], pair[1]) : nil
    }
  }

  @Test func `bars stand on the axis, whiskers show intervals`() {
    var chart = chart([
      .init("one", [.init(0, 2, interval: 1...3), .init(1, 4)], style: .bars),
      .init("two", [.init(0, 3), .init(1, 1)], style: .bars),
    ])
    chart.x.names = ["first", "second"]
    chart.references = [("chance", 1.5)]
    let svg = chart.svg
    let (tops, heights) = (
      numbers("y", of: "rect", in: svg), numbers("height", of: "rect", in: svg).dropFirst()
    )
    #expect(heights.count == 4 && tops.count == 4)
    let feet = zip(tops, heights).map(+)
    #expect(feet.allSatisfy { abs($0 - feet[0]) < 0.2 })
    #expect(abs(heights.dropFirst().first! / heights.first! - 2) < 0.02)
    #expect(svg.contains("first") && svg.contains("chance") && svg.contains("h8"))
  }
}
