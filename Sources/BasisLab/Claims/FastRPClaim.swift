public import BasisCore
import BasisFormats
import BasisGraphs
import BasisNumerics
import Foundation

/// Vectors of a few sparse products tell groups of nodes nearly as well as singular vectors.
public struct FastRPClaim: Claim {
  /// The graph.
  public enum Source: String, Sendable, Hashable, Codable {
    /// Groups that link more within, of nodes with very different numbers of links; made by the claim.
    case blocks
    /// BlogCatalog, from the folder `graph-blogcatalog` of the data sets (`BASIS_DATA`).
    case blogCatalog
    /// Citations between papers of seven subjects, from the folder `graph-cora`: 20 papers a subject are
    /// known, 1,000 asked.
    case cora
    /// Proteins that act on each other, from the folder `graph-ppi`.
    case proteins
    /// Words that stand together, with their parts of speech, from the folder `graph-wikipedia-pos`.
    case words
  }

  public static let statement = ClaimStatement(
    id: 174,
    title:
      "a random walk's first steps through a sparse random projection tell groups of nodes far better "
      + "than their numbers of links do, and give new nodes their vectors without a new run",
    paper:
      "F1 of 10 % labels on BlogCatalog as DeepWalk's, 4,000 times faster (tables 3 and 4); the "
      + "authors' notebook has a macro-F1 of 0.2315 in 512 columns, our trial 0.194 in 128",
    baseline:
      "numbers of links alone; and singular vectors, which take about ten times as long and win",
    data:
      "1,200 nodes of 12 groups, 40 % of the links between groups, numbers of links by a power law",
    seedCount: 5, breaking: "`rewires`: links end at nodes of any group")

  public var source = Source.blocks
  /// Whether groups say nothing of links.
  public var rewires = false
  public var nodeCount = 1200
  public var groupCount = 12
  /// Links for each node.
  public var linkShare = 8
  /// Of the links, those that stay in a group.
  public var within = 0.6
  public var dimension = 128

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.nodeCount, claim.groupCount, claim.dimension) = (240, 4, 16)
    return claim
  }

  public var broken: FastRPClaim {
    var copy = self
    copy.rewires = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    let isBlogs = source == .blogCatalog
    let isReal = source != .blocks
    var all: [ClaimExpectation] = [
      isBlogs
        ? .reported("macro_f1", "macro-F1 of 10 % labels", 0.194, within: 0.02)
        : .init("macro_f1", "macro-F1 of 10 % labels"),
      .init("micro_f1", "micro-F1 of the same", reported: isBlogs ? 0.35 : nil),
      .init(
        "above_degree", "macro-F1 above that of numbers of links alone",
        .above(isBlogs ? 0.02 : isReal ? 0 : 0.5)
      ),
      .init(
        "below_spectral", "macro-F1 of singular vectors above ours",
        reported: isBlogs ? 0.031 : nil,
        source == .blocks || isBlogs ? .below(0.1) : nil),
      .init("below_walks", "macro-F1 of DeepWalk's factorisation above ours"),
      .init(
        "normalised", "macro-F1 above that of hops whose rows keep their lengths",
        reported: isBlogs ? 0.024 : nil, isBlogs ? .above(0.01) : nil),
      .init("no_exponent", "macro-F1 with β = 0 above ours", reported: isBlogs ? 0 : nil),
      .init("gaussian", "macro-F1 of a dense projection above ours", reported: isBlogs ? 0 : nil),
      .init(
        "new_nodes",
        "median cosine of vectors by the rule for new nodes, 5 % of all, to the full run's",
        .above(0.9)),
    ]
    if isBlogs {
      all.append(.reported("macro_f1_512", "macro-F1 in 512 columns", 0.2315, within: 0.02))
    }
    return all
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    let task = try task(in: run)
    var settings = FastRP(dimension: dimension)
    func macro(_ settings: FastRP) throws(BasisError) -> Double {
      try task.quality(settings.embed(task.graph, in: run).vectors, in: run).macro
    }
    let own = try task.quality(settings.embed(task.graph, in: run).vectors, in: run)
    let degree = try task.quality(DegreeEmbedder().embed(task.graph, in: run).vectors, in: run)
    var spectral = try SpectralEmbedder(dimension: dimension).embed(task.graph, in: run).vectors
    spectral = try spectral.standardized(in: run)
    let singular = try task.quality(spectral, in: run)
    var numbers = [
      "macro_f1": own.macro, "micro_f1": own.micro, "above_degree": own.macro - degree.macro,
      "below_spectral": singular.macro - own.macro,
    ]
    let walks = try NetMF(dimension: dimension).embed(task.graph, in: run).vectors
    numbers["below_walks"] =
      try task.quality(walks.standardized(in: run), in: run).macro - own.macro
    settings.normalizesHops = false
    numbers["normalised"] = try own.macro - macro(settings)
    settings = FastRP(dimension: dimension, degreeExponent: 0)
    numbers["no_exponent"] = try macro(settings) - own.macro
    settings = FastRP(dimension: dimension, projection: .gaussian)
    numbers["gaussian"] = try macro(settings) - own.macro
    numbers["new_nodes"] = try newNodes(task.graph, in: run)
    if source == .blogCatalog { numbers["macro_f1_512"] = try macro(FastRP(dimension: 512)) }
    return numbers
  }

  private func task(in run: RunContext) throws(BasisError) -> NodeTask {
    switch source {
    case .blocks: try made(in: run)
    case .blogCatalog: try .blogCatalog()
    case .cora: try .cora()
    case .proteins: try .communities(in: "graph-ppi")
    case .words: try .communities(in: "graph-wikipedia-pos")
    }
  }

  /// Leaves nodes out, and has them come back.
  private func newNodes(_ graph: CSRGraph, in run: RunContext) throws(BasisError) -> Double {
    let n = graph.nodeCount
    var generator = run.generator("nodes left out")
    let left = generator.sample(n / 20, of: n)
    let isLeft = Set(left)
    var (sources, targets): ([Int32], [Int32]) = ([], [])
    for node in 0..<n where !isLeft.contains(node) {
      for other in graph.neighbors(of: node) where other <= node && !isLeft.contains(Int(other)) {
        sources.append(Int32(node))
        targets.append(other)
      }
    }
    let rest = try CSRGraph(
      nodeCount: n, sources: sources, targets: targets, names: graph.names)
    let settings = FastRP(dimension: dimension, standardizes: false)
    let whole = try settings.embed(graph, in: run).vectors
    let model = try settings.fit(rest, in: run)
    let links = left.map { node in
      graph.neighbors(of: node).filter { !isLeft.contains(Int($0)) }.map {
        (node: Int($0), weight: 1.0)
      }
    }
    let found = try model.vectors(linkedTo: links, in: run)
    var cosines: [Double] = []
    for (place, node) in left.enumerated() where !links[place].isEmpty {
      func product(_ x: [Float], _ y: [Float]) -> Double {
        zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
      let (a, b) = (found.row(place), whole.row(node))
      // A node may have nothing but neighbours that lost all of theirs.
      let length = (product(a, a) * product(b, b)).squareRoot()
      if length > 0 { cosines.append(product(a, b) / length) }
    }
    return Statistics.quantile(cosines, 0.5)
  }

  /// A block model whose nodes differ in how often they are chosen. Karrer & Newman, Physical Review E 83
  /// (2011), doi:10.1103/PhysRevE.83.016107.
  private func made(in run: RunContext) throws(BasisError) -> NodeTask {
    var generator = run.generator("block model")
    // Sums of each group's and of all popularities, to choose by.
    let popularity = (0..<nodeCount).map { _ in
      min(30, power(1 - generator.nextDouble(), -1 / 1.5))
    }
    func sums(_ nodes: [Int]) -> [Double] {
      var sum = 0.0
      return nodes.map { node in
        sum += popularity[node]
        return sum
      }
    }
    let groups = (0..<groupCount).map { group in
      (0..<nodeCount).filter { $0 % groupCount == group }
    }
    let everybody = Array(0..<nodeCount)
    let (groupSums, allSums) = (groups.map(sums), sums(everybody))
    func choose(_ nodes: [Int], _ sums: [Double]) -> Int {
      let goal = generator.nextDouble() * (sums.last ?? 0)
      var (low, high) = (0, sums.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if sums[middle] <= goal { low = middle + 1 } else { high = middle }
      }
      return nodes[low]
    }
    var (sources, targets): ([Int32], [Int32]) = ([], [])
    for node in 0..<nodeCount * linkShare {
      // Everybody has a link, and then the popular have more.
      let first = node < nodeCount ? node : choose(everybody, allSums)
      let stays = !rewires && generator.nextDouble() < within
      let group = first % groupCount
      let second =
        stays ? choose(groups[group], groupSums[group]) : choose(everybody, allSums)
      guard first != second else { continue }
      sources.append(Int32(first))
      targets.append(Int32(second))
    }
    return NodeTask(
      graph: try CSRGraph(
        nodeCount: nodeCount, sources: sources, targets: targets, direction: .symmetrized),
      labels: (0..<nodeCount).map { [$0 % groupCount] }, classCount: groupCount)
  }
}

/// A graph whose nodes have labels, any number each.
struct NodeTask: Sendable {
  var graph: CSRGraph
  var labels: [[Int]]
  var classCount: Int
  /// Whose labels are known, and whose are asked for; nil where chance divides the labelled nodes.
  var split: (known: [Int], asked: [Int])?

  /// Where data sets are.
  private static func folder(_ name: String) -> String {
    (ProcessInfo.processInfo.environment["BASIS_DATA"] ?? "../shared/data") + "/" + name
  }

  /// Cora, with the division of Yang, Cohen & Salakhutdinov, ICML 2016.
  ///
  /// - Throws: `.notFound` where the data sets are not.
  static func cora() throws(BasisError) -> NodeTask {
    let folder = folder("graph-cora")
    let graph = try CSRGraph(LinkTable(path: folder + "/edges.tsv.gz", nodeCount: 2_708))
    var labels = [[Int]](repeating: [], count: graph.nodeCount)
    for (node, words) in try words(of: folder + "/labels.tsv").enumerated() {
      if let label = words.last.flatMap({ Int($0) }), label >= 0 { labels[node] = [label] }
    }
    var split: (known: [Int], asked: [Int]) = ([], [])
    for words in try words(of: folder + "/split.tsv") {
      guard let node = words.first.flatMap({ Int($0) }) else { continue }
      if words.last == "train" { split.known.append(node) }
      if words.last == "test" { split.asked.append(node) }
    }
    return NodeTask(graph: graph, labels: labels, classCount: 7, split: split)
  }

  /// A graph with a file of communities, a line each.
  ///
  /// - Throws: `.notFound` where the data sets are not.
  static func communities(in name: String) throws(BasisError) -> NodeTask {
    let folder = folder(name)
    let graph = try CSRGraph(LinkTable(path: folder + "/edges.txt.gz"))
    let nodes = Dictionary(
      uniqueKeysWithValues: graph.names.enumerated().map { ($1, $0) })
    var labels = [[Int]](repeating: [], count: graph.nodeCount)
    let lines = try words(of: folder + "/labels.txt.gz")
    for (label, words) in lines.enumerated() {
      for word in words { if let node = nodes[word] { labels[node].append(label) } }
    }
    return NodeTask(graph: graph, labels: labels, classCount: lines.count)
  }

  /// The words of each line.
  private static func words(of path: String) throws(BasisError) -> [[String]] {
    var lines: [[String]] = []
    var reader = try RecordSource(path: path, format: .text, recordLimit: 1 << 24).makeReader()
    while let record = try reader.next() {
      guard case .object(let fields) = record.fields, case .string(let text)? = fields["text"]
      else { continue }
      lines.append(text.split { $0 == " " || $0 == "\t" }.map(String.init))
    }
    return lines
  }

  /// BlogCatalog.
  ///
  /// - Throws: `.notFound` where the data sets are not.
  static func blogCatalog() throws(BasisError) -> NodeTask {
    let folder = folder("graph-blogcatalog")
    let graph = try CSRGraph(LinkTable(path: folder + "/edges.tsv.gz", nodeCount: 10_312))
    let groups = try LinkTable(path: folder + "/groups.tsv.gz", nodeCount: 10_312)
    var labels = [[Int]](repeating: [], count: graph.nodeCount)
    for (node, group) in zip(groups.sources, groups.targets) {
      labels[Int(node)].append(Int(group))
    }
    return NodeTask(
      graph: graph, labels: labels, classCount: Int(groups.targets.max() ?? -1) + 1)
  }

  /// F1 of a logistic regression a label, trained on the known nodes, *C* = 0.1; every other node is
  /// given as many labels as it has, those of the highest decision values. Perozzi, Al-Rfou & Skiena, KDD
  /// 2014, doi:10.1145/2623330.2623732.
  func quality(_ vectors: Matrix, in run: RunContext) throws(BasisError) -> (
    macro: Double, micro: Double
  ) {
    let (known, asked) = split ?? divided(in: run)
    let (train, test) = (vectors.selecting(rows: known), vectors.selecting(rows: asked))
    let decisions = try parallelMap(classCount, grain: 1, in: run) {
      (label, _) throws(BasisError) -> [Double] in
      try run.checkCancelled()
      let isPositive = known.map { labels[$0].contains(label) }
      guard isPositive.contains(true) else {
        return [Double](repeating: -.infinity, count: asked.count)
      }
      return PenalizedLogistic(train, isPositive, strength: 0.1).decisions(test)
    }
    var counts = [(right: Int, given: Int, wanted: Int)](
      repeating: (0, 0, 0), count: classCount)
    for (place, node) in asked.enumerated() {
      let order = (0..<classCount).sorted { decisions[$0][place] > decisions[$1][place] }
      for label in order.prefix(labels[node].count) {
        counts[label].given += 1
        if labels[node].contains(label) { counts[label].right += 1 }
      }
      for label in labels[node] { counts[label].wanted += 1 }
    }
    func score(_ count: (right: Int, given: Int, wanted: Int)) -> Double {
      count.given + count.wanted > 0
        ? 2 * Double(count.right) / Double(count.given + count.wanted) : 0
    }
    let total = counts.reduce((right: 0, given: 0, wanted: 0)) {
      ($0.right + $1.right, $0.given + $1.given, $0.wanted + $1.wanted)
    }
    return (Statistics.mean(counts.map(score)), score(total))
  }
}

extension NodeTask {
  /// A tenth of the labelled nodes, and the others.
  private func divided(in run: RunContext) -> (known: [Int], asked: [Int]) {
    let labelled = labels.indices.filter { !labels[$0].isEmpty }
    var generator = run.generator("labelled nodes")
    let chosen = Set(generator.sample(labelled.count / 10, of: labelled.count).map { labelled[$0] })
    return (labelled.filter { chosen.contains($0) }, labelled.filter { !chosen.contains($0) })
  }
}

extension Matrix {
  /// Columns of mean 0 and deviation 1; constant ones become zero.
  fileprivate func standardized(in run: RunContext) throws(BasisError) -> Matrix {
    let moments = try Statistics.columnMoments(of: self, in: run)
    let scales = moments.map { moment in
      let deviation = moment.populationVariance.squareRoot()
      return deviation > 0 ? 1 / deviation : 0
    }
    return Matrix(rowCount: rowCount, columnCount: columnCount) { out in
      for row in 0..<rowCount {
        withRow(row) { values in
          for column in values.indices {
            let value = (Double(values[column]) - moments[column].mean) * scales[column]
            out[row * columnCount + column] = Float(value)
          }
        }
      }
    }
  }
}
