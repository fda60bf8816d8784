import ArgumentParser
import BasisCore
import BasisFormats
import BasisGraphs
import Dispatch
import Foundation

struct GraphCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Nodes into vectors, and groups to come.",
    discussion: """
      EXAMPLES
        basis graph embed edges.txt --method fastrp --dimension 128 -o z.npy
        basis graph embed follows.csv --directed --weights 0,0,7.81,45.28 --plot degrees.svg -o z.npy
        basis graph closures simplicial-email-enron --plot closures.svg
        basis graph predict simplicial-email-enron --higher-order geometric --top 20
      """,
    subcommands: [GraphEmbed.self, GraphClosures.self, GraphPredict.self])
}

struct GraphEmbed: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed", abstract: "Give each node of a graph a vector.",
    discussion: """
      EXAMPLES
        basis graph embed edges.txt --method fastrp --dimension 128 -o z.npy
        basis graph embed edges.tsv --weights 0,0,7.81,45.28 --beta -0.628 --ids nodes.txt -o z.npy
        basis graph embed web.mtx --directed --picture spectrum --plot spectrum.svg -o z.npy
        basis graph embed friends.txt --format adjacency --method spectral -o z.npy

      EDGES is a list of links, two nodes a line and perhaps a weight, between commas, semicolons, tabs
      or spaces; an adjacency list; or a Matrix Market file; - is standard input. Rows of the matrix are
      in the order of the nodes' numbers, or of their first appearance where they have names: --ids
      writes what each row is. A list in which only some links come back looks directed, and is refused
      until --directed or --symmetrise says what it is.

      METHODS
      \(GraphCatalogue.entries.map { known in
        "  \(padded(known.descriptor.name, to: 10))\(known.descriptor.summary)"
      }.joined(separator: "\n"))
      """)

  @Argument(help: ArgumentHelp("A file of links.", valueName: "edges"))
  var input: String

  @Option(help: "How: one of the methods below.")
  var method = "fastrp"

  @Option(help: "Columns of the vectors (default: the method's own).")
  var dimension: Int?

  @Option(
    help: ArgumentHelp("fastrp: the weight of each hop, as 0,0,7.81,45.28.", valueName: "list"))
  var weights: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("fastrp: degrees count to this power, below 0 for less.", valueName: "β"))
  var beta: Double?

  @OptionGroup var graph: GraphOptions

  @Option(
    name: [.customShort("o"), .customLong("output-file"), .customLong("out")],
    help: ArgumentHelp("Write the vectors.", valueName: "file.npy"))
  var outputFile: String?

  @Option(help: ArgumentHelp("Write what each row is, a name a line.", valueName: "file"))
  var ids: String?

  @Option(
    help: ArgumentHelp("fastrp: keep what vectors of new nodes need.", valueName: "file"))
  var save: String?

  @Option(help: ArgumentHelp("Draw a picture.", valueName: "file.svg"))
  var plot: String?

  @Option(
    help: ArgumentHelp("degrees of the nodes, or spectrum of the vectors.", valueName: "which"))
  var picture = GraphPicture.degrees

  @Flag(help: "Overwrite files that are there.")
  var force = false

  @OptionGroup var changes: SettingsOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if let weights, weights.split(separator: ",").contains(where: { Double($0) == nil }) {
      throw ValidationError("--weights takes numbers as 0,0,7.81,45.28, not '\(weights)'")
    }
    if method != "fastrp", weights != nil || beta != nil || save != nil {
      throw ValidationError("--weights, --beta and --save are for fastrp, not for \(method)")
    }
    if picture != .degrees, plot == nil {
      throw ValidationError("--picture says which; say where by --plot FILE.svg")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let embedder = try GraphCatalogue.embedder(named: method, settings: ownSettings)
    for path in [outputFile, ids, save].compactMap({ $0 }) {
      try OutputFile.requireAbsent(path, force: force)
    }
    let drawing = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let links = try graph.read(input)

    let began = DispatchTime.now().uptimeNanoseconds
    let processor = clock()
    let found: NodeEmbedding
    if let save, let settings = embedder as? FastRP {
      let model = try settings.fit(links, in: context)
      found = model.embedding
      try model.save(to: save)
    } else {
      found = try embedder.embed(links, in: context)
    }
    let processorSeconds = Double(clock() - processor) / Double(CLOCKS_PER_SEC)
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
    let report = try GraphEmbedReport(
      found, links, method: method, processorSeconds: processorSeconds,
      picture: plot == nil ? nil : picture, in: context)
    line?.clear()
    if let outputFile { try NumPyArray(found.vectors).write(to: outputFile) }
    if let ids {
      let file = try OutputFile(ids, force: force)
      try file.write((0..<links.nodeCount).map { links.name(of: $0) + "\n" }.joined())
      try file.finish()
    }
    try report.tell(of: input, seconds: seconds, picture: drawing, output)
    for warning in found.warnings { output.remark(warning) }
    if outputFile == nil { output.remark("the vectors are in no file; say -o FILE.npy") }
  }

  private var ownSettings: String {
    var own: [String] = []
    if let dimension { own.append("dimension=\(dimension)") }
    if let weights { own.append("hopWeights=[\(weights)]") }
    if let beta { own.append("degreeExponent=\(beta)") }
    return changes.json(after: own)
  }
}

enum GraphPicture: String, ExpressibleByArgument, CaseIterable {
  case degrees, spectrum
}

extension LinkTable.Form: ExpressibleByArgument {}

/// What a file of links is.
struct GraphOptions: ParsableArguments {
  @Option(help: "edges or adjacency; Matrix Market files say themselves what they are.")
  var format = LinkTable.Form.edges

  @Option(help: ArgumentHelp("The nodes are the numbers below this.", valueName: "number"))
  var nodes: Int?

  @Flag(help: "Links go from the first node to the second.")
  var directed = false

  @Flag(
    name: [.customLong("symmetrise"), .customLong("symmetrize")],
    help: "Drop the links' directions.")
  var symmetrise = false

  func validate() throws {
    if directed, symmetrise {
      throw ValidationError("--directed keeps directions and --symmetrise drops them; give one")
    }
    if let nodes, nodes < 0 || nodes >= Int(Int32.max) {
      throw ValidationError("--nodes is a number of nodes, not \(nodes)")
    }
  }

  func read(_ path: String) throws(BasisError) -> CSRGraph {
    let table = try LinkTable(path: path, form: format, nodeCount: nodes)
    do throws(BasisError) {
      return try CSRGraph(
        table, direction: directed ? .directed : symmetrise ? .symmetrized : .undirected)
    } catch {
      throw error.at(path == "-" ? "standard input" : path)
    }
  }
}
