import BasisAlignment
import BasisClassification
import BasisClustering
import BasisCodecs
public import BasisCore
import BasisDetection
import BasisEvaluation
import BasisFeatures
import BasisGraphs
public import BasisMeasures
import BasisSearch
import BasisSelection
import BasisText

/// Every method of every room.
public enum MethodCatalogue {
  /// By room, and then as the room has them.
  public static let methods: [MethodDescriptor] = [
    CodecCatalogue.methods,
    TextCatalogue.methods,
    SearchCatalogue.methods,
    MeasureCatalogue.entries.map(\.descriptor),
    ClusteringCatalogue.entries.map(\.descriptor),
    SelectionCatalogue.methods,
    DetectionCatalogue.entries.map(\.descriptor),
    ClassificationCatalogue.methods,
    FeatureCatalogue.entries.map(\.descriptor),
    GraphCatalogue.methods,
    AlignmentCatalogue.entries.map(\.descriptor),
    EvaluationCatalogue.methods,
    StudyCatalogue.methods,
  ].flatMap { $0 }

  /// Every measure, of whatever room: what `basis judge --measure NAME` runs.
  public static let measures: [MethodEntry<MeasuredValue>] =
    MeasureCatalogue.entries + ClassificationCatalogue.measures

  /// - Throws: `.invalidArgument` with the names that there are.
  public static func measure(named name: String) throws(BasisError) -> MethodEntry<MeasuredValue> {
    try measures.method(named: name, kind: "measure")
  }

  /// The rooms that have methods, in order.
  public static var rooms: [String] {
    methods.reduce(into: []) { rooms, method in
      if !rooms.contains(method.room) { rooms.append(method.room) }
    }
  }

  /// The methods of a room, or of all.
  ///
  /// - Parameter room: with or without `Basis`, in any case; nil for all.
  /// - Throws: `.invalidArgument` with the rooms that there are.
  public static func methods(in room: String?) throws(BasisError) -> [MethodDescriptor] {
    guard let room else { return methods }
    let wanted = room.lowercased()
    let found = methods.filter {
      [$0.room.lowercased(), "\($0.room.dropFirst("Basis".count))".lowercased()].contains(wanted)
    }
    guard !found.isEmpty else {
      throw BasisError(
        .invalidArgument,
        "no room '\(room)' has methods; there are "
          + rooms.map { "\($0.dropFirst("Basis".count))".lowercased() }.joined(separator: ", "))
    }
    return found
  }

  /// The catalogue as a page.
  public static var markdown: String {
    var text = """
      # Methods

      Made by `make methods` from the rooms' catalogues. A number is a paper's; methods without one are
      what others are compared with.

      """
    for room in rooms {
      text += "\n## \(room)\n\n"
      text += "| | method | what it does | type | run by | paper | checked against | limits |\n"
      text += "|---|---|---|---|---|---|---|---|\n"
      for method in methods where method.room == room {
        let paper = method.paper
        let source = [
          "*\(paper.title)*", paper.authors, "\(paper.year)", paper.identifier,
        ].filter { !$0.isEmpty }.joined(separator: ", ")
        let cells = [
          method.id.map { "\($0)" } ?? "", method.name, method.summary, "`\(method.type)`",
          method.verb.isEmpty ? "the library" : "`basis \(method.verb)`", source, method.oracle,
          method.limits,
        ]
        text += "| \(cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")) |\n"
      }
    }
    return text
  }
}
