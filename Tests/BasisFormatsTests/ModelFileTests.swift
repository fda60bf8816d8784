import BasisCore
import BasisFormats
import Testing
import _BasisTestSupport

/// Two tensors and a manifest, as a model would have.
private struct Line: FittedModel, Equatable {
  struct Manifest: Codable { var unit: String }
  static let modelName = "line"
  var slope: [Double]
  var unit: String

  init(slope: [Double], unit: String) { (self.slope, self.unit) = (slope, unit) }

  func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(Manifest(unit: unit))
    try file.tensors.add("slope", shape: [slope.count], slope.map { Float($0) })
  }

  init(from file: ModelFile) throws(BasisError) {
    unit = try file.manifest(Manifest.self).unit
    slope = try file.tensors.floats("slope").map { Double($0) }
  }
}

private struct Curve: FittedModel {
  static let modelName = "curve"
  static let modelVersion = 2
  func write(to file: inout ModelWriter) throws(BasisError) {}
  init() {}
  init(from file: ModelFile) throws(BasisError) { _ = try file.tensors.floats("bend") }
}

/// A line of a later program.
private struct LaterLine: FittedModel {
  static let modelName = "line"
  static let modelVersion = 7
  func write(to file: inout ModelWriter) throws(BasisError) {}
  init() {}
  init(from file: ModelFile) throws(BasisError) {}
}

@Suite struct ModelFileTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path + "/model"
  }

  @Test func keepsTensorsAndManifest() throws {
    let line = Line(slope: [0.5, -2], unit: "m/s")
    try line.save(to: path)
    #expect(try Line(contentsOf: path) == line)
    let file = try ModelFile(path: path)
    #expect(file.name == "line" && file.version == 1)
    #expect(try file.model(among: [Curve.self, Line.self]) as? Line == line)
  }

  @Test func saysWhatAFileHoldsInstead() throws {
    try Line(slope: [1], unit: "m").save(to: path)
    #expect {
      try Curve(contentsOf: path)
    } throws: {
      ($0 as? BasisError)?.code == .badData && "\($0)".contains("of 'line', not of 'curve'")
    }
    #expect {
      try ModelFile(path: path).model(among: [Curve.self])
    } throws: {
      "\($0)".contains("known here: 'curve'")
    }
  }

  @Test func refusesWhatItCannotRead() throws {
    try SafetensorsWriter(metadata: ["format": "pt"]).write(to: path)
    #expect(throws: BasisError.self) { try ModelFile(path: path) }
    try LaterLine().save(to: path)
    #expect {
      try Line(contentsOf: path)
    } throws: {
      ($0 as? BasisError)?.code == .newerFormat && "\($0)".contains("version 7")
    }
    // A manifest that is missing, and a tensor.
    try Curve().save(to: path)
    #expect {
      try ModelFile(path: path).manifest(Line.Manifest.self)
    } throws: {
      ($0 as? BasisError)?.code == .corruptFile && "\($0)".contains(path)
    }
    #expect {
      try Curve(contentsOf: path)
    } throws: {
      "\($0)".contains("no tensor 'bend'")
    }
    #expect {
      try Line(slope: [1], unit: "m").save(to: folder.path + "/none/model")
    } throws: {
      ($0 as? BasisError)?.code == .notFound
    }
  }

  @Test func refusesAManifestThatJSONLacks() {
    var writer = ModelWriter()
    #expect(throws: BasisError.self) { try writer.setManifest(["slope": Double.nan]) }
  }
}
