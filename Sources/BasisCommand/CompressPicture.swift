import BasisCodecs
import BasisCore
import Foundation

extension CompressTable {
  /// Recall over bytes, a line a method, as an SVG image.
  var svg: String {
    let plot = Plot(rows.map { (Double($0.bytesPerVector), $0.recall) })
    let methods = rows.map(\.plan.method).reduce(into: [String]()) { list, name in
      if !list.contains(name) { list.append(name) }
    }
    var body = plot.axes
    for (number, method) in methods.enumerated() {
      let color = Self.colors[number % Self.colors.count]
      let own = rows.filter { $0.plan.method == method }
      body += plot.line(own.map { (Double($0.bytesPerVector), $0.recall) }, color)
      for row in own {
        let isBest = row.plan.label == rows[recommended].plan.label
        body += plot.point(
          Double(row.bytesPerVector), row.recall, color,
          title: "\(row.plan.label): \(row.bytesPerVector) bytes, recall \(decimal(row.recall, 3))",
          isMarked: isBest)
      }
      let y = 70 + 20 * Double(number)
      body += #"<circle cx="690" cy="\#(decimal(y - 4, 1))" r="5" fill="\#(color)"/>"#
      body += #"<text x="702" y="\#(decimal(y, 1))">\#(Self.escaped(method))</text>"# + "\n"
    }
    let best = rows[recommended]
    body += plot.label(
      Double(best.bytesPerVector), best.recall, Self.escaped(best.plan.label))
    let title =
      "\((input as NSString).lastPathComponent): \(grouped(comparison.rowCount)) × "
      + "\(comparison.dimension), \(comparison.metric.rawValue)"
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="820" height="480" viewBox="0 0 820 480" \
      font-family="sans-serif" font-size="13">
      <rect width="820" height="480" fill="#ffffff"/>
      <text x="70" y="30" font-size="16">\(Self.escaped(title))</text>
      \(body)</svg>

      """
  }

  /// Told apart without colour vision too (Okabe & Ito).
  private static let colors = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999",
  ]

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;")
  }

  /// Bytes on a logarithmic axis, recall on an even one.
  private struct Plot {
    let left = 70.0, right = 660.0, top = 50.0, bottom = 420.0
    let lowest: Double
    let bytes: (low: Double, high: Double)

    init(_ points: [(bytes: Double, recall: Double)]) {
      let recall = points.map(\.recall).min() ?? 0
      lowest = max(0, ((recall - 0.02) * 10).rounded(.down) / 10)
      let few = points.map(\.bytes).min() ?? 1
      let many = points.map(\.bytes).max() ?? 2
      bytes = (few / 1.2, max(many, few * 2) * 1.2)
    }

    func x(_ value: Double) -> Double {
      left + (right - left) * log(value / bytes.low) / log(bytes.high / bytes.low)
    }

    func y(_ recall: Double) -> Double {
      bottom - (bottom - top) * (recall - lowest) / (1 - lowest)
    }

    private func place(_ value: Double) -> String { decimal(value, 1) }

    var axes: String {
      var text = ""
      for step in stride(from: Int((lowest * 10).rounded()), through: 10, by: 1) {
        let height = place(y(Double(step) / 10))
        text += #"<path d="M\#(place(left)) \#(height)H\#(place(right))" stroke="gainsboro"/>"#
        text +=
          #"<text x="\#(place(left - 8))" y="\#(place(y(Double(step) / 10) + 4))" text-anchor="end">"#
        text += "\(decimal(Double(step) / 10, 1))</text>\n"
      }
      var tick = 1.0
      while tick <= bytes.high {
        if tick >= bytes.low {
          let across = place(x(tick))
          text += #"<path d="M\#(across) \#(place(top))V\#(place(bottom))" stroke="whitesmoke"/>"#
          text += #"<text x="\#(across)" y="\#(place(bottom + 18))" text-anchor="middle">"#
          text += "\(Int(tick))</text>\n"
        }
        tick *= 2
      }
      text += #"<text x="365" y="460" text-anchor="middle">bytes per vector</text>"#
      text +=
        #"<text transform="translate(22 235) rotate(-90)" text-anchor="middle">recall@10</text>"#
      return text + "\n"
    }

    func line(_ points: [(Double, Double)], _ color: String) -> String {
      guard points.count > 1 else { return "" }
      // Several settings of one size: the line goes along the best.
      let best = Dictionary(points, uniquingKeysWith: max).sorted { $0.key < $1.key }
      // Settings that take more and keep less do not pull it down.
      var highest = 0.0
      let rising = best.filter { point in
        defer { highest = max(highest, point.value) }
        return point.value > highest
      }
      let path = rising.map { "\(place(x($0.key))) \(place(y($0.value)))" }.joined(separator: "L")
      return #"<path d="M\#(path)" fill="none" stroke="\#(color)" stroke-width="2"/>"# + "\n"
    }

    func point(
      _ bytes: Double, _ recall: Double, _ color: String, title: String, isMarked: Bool
    ) -> String {
      let edge = isMarked ? #" stroke="black" stroke-width="2""# : ""
      return
        #"<circle cx="\#(place(x(bytes)))" cy="\#(place(y(recall)))" r="\#(isMarked ? 8 : 4)" "#
        + #"fill="\#(color)"\#(edge)><title>\#(title)</title></circle>"# + "\n"
    }

    /// Beside a point, on the side that has room.
    func label(_ bytes: Double, _ recall: Double, _ text: String) -> String {
      let isRight = x(bytes) > (left + right) / 2
      return
        #"<text x="\#(place(x(bytes) + (isRight ? -12 : 12)))" y="\#(place(y(recall) + 18))" "#
        + #"text-anchor="\#(isRight ? "end" : "start")" font-weight="bold">\#(text)</text>"# + "\n"
    }
  }
}
