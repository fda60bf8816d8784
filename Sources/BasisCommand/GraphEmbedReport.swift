import BasisCore
import BasisFormats
import BasisGraphs
import BasisNumerics
import Foundation

/// What is told about vectors of nodes: as text, as JSON, as a picture.
struct GraphEmbedReport: MethodReport {
  private let found: NodeEmbedding
  private let graph: CSRGraph
  private let method: String
  private let processorSeconds: Double
  private let degrees: [Int]
  /// Of the vectors; nil where it is not drawn.
  private let spectrum: Spectrum?

  init(
    _ found: NodeEmbedding, _ graph: CSRGraph, method: String, processorSeconds: Double,
    picture: GraphPicture?, in run: RunContext
  ) throws(BasisError) {
    self.found = found
    self.graph = graph
    self.method = method
    self.processorSeconds = processorSeconds
    degrees = graph.degrees.sorted()
    spectrum = picture == .spectrum ? try Spectrum(of: found.vectors, in: run) : nil
  }

  private var mean: Double {
    degrees.isEmpty ? 0 : Double(degrees.reduce(0, +)) / Double(degrees.count)
  }

  private var median: Int { degrees.isEmpty ? 0 : degrees[degrees.count / 2] }

  func json(seconds: Double) -> JSONValue {
    .object([
      "method": .string(method), "nodes": .integer(Int64(graph.nodeCount)),
      "links": .integer(Int64(graph.linkCount)), "directed": .bool(graph.isDirected),
      "repeated": .integer(Int64(graph.repeatedCount)),
      "isolated": .integer(Int64(found.isolatedNodes.count)),
      "dimension": .integer(Int64(found.vectors.columnCount)),
      "degree": .object([
        "mean": .number(mean), "median": .integer(Int64(median)),
        "largest": .integer(Int64(degrees.last ?? 0)),
      ]),
      "seconds": .number(seconds), "cpu_seconds": .number(processorSeconds),
      "warnings": .array(found.warnings.map { .string($0) }),
    ])
  }

  func text(_ input: String, seconds: Double) -> String {
    var text = "\(input): \(grouped(graph.nodeCount)) nodes, \(grouped(graph.linkCount)) "
    text += graph.isDirected ? "directed links" : "links"
    text += " in \(found.vectors.columnCount) columns by \(method)   \(decimal(seconds, 2)) s\n"
    text += "links a node: mean \(decimal(mean, 1))   median \(grouped(median))   largest "
    text += "\(grouped(degrees.last ?? 0))   none \(grouped(found.isolatedNodes.count))\n"
    if graph.repeatedCount > 0 {
      text += "\(grouped(graph.repeatedCount)) links were named again\n"
    }
    return text
  }

  func chart(_ input: String) -> Chart {
    let name = (input as NSString).lastPathComponent
    if let spectrum { return Self.chart(spectrum, "\(name): \(method)") }
    // The share of nodes with at least so many links: a line for many kinds of networks.
    var points: [Chart.Point] = []
    for (place, degree) in degrees.enumerated()
    where degree > 0 && (place == 0 || degrees[place - 1] < degree) {
      let share = Double(degrees.count - place) / Double(degrees.count)
      points.append(
        .init(
          Double(degree), share, title: "\(degrees.count - place) nodes have \(degree) or more"))
    }
    return Chart(
      "\(name): links a node", x: .init("links", scale: .logarithmic),
      y: .init("share of nodes with as many or more", scale: .logarithmic),
      series: [.init("", points, style: points.count > 200 ? .line : .linePoints)])
  }

  private static func chart(_ spectrum: Spectrum, _ title: String) -> Chart {
    let squares = spectrum.singularValues.map { $0 * $0 }
    let total = max(squares.reduce(0, +), .leastNormalMagnitude)
    var sum = 0.0
    var points: [Chart.Point] = []
    for (place, square) in squares.enumerated() {
      sum += square
      points.append(.init(Double(place + 1), sum / total))
    }
    let even = squares.indices.map {
      Chart.Point(Double($0 + 1), Double($0 + 1) / Double(squares.count))
    }
    return Chart(
      title, x: .init("directions, the largest first"),
      y: .init("share of the vectors' variance", range: 0...1),
      series: [.init("vectors", points, style: .line), .init("all alike", even, style: .line)])
  }
}
