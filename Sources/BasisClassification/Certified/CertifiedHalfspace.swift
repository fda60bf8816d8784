public import BasisCore
public import BasisFormats

/// A plane between two classes with the certificate that it came with.
public struct CertifiedHalfspace: FittedClassifier, Hashable {
  public static let modelName = "certified halfspace"

  /// The plane, in the units of the rows.
  public let plane: LinearClassifierModel
  /// On the rows that the search did not see.
  public let error: Double
  /// Above its true error with a confidence of 95 %, for rows like those that were tested.
  public let errorBound: Double
  /// All that was tested.
  public let checks: [HalfspaceVerdict.Check]
  /// What labels were flipped by, as was assumed.
  public let noise: TesterLearner.Noise
  /// Whether rows were whitened before they were tested.
  public let isWhitened: Bool
  /// Rows of the tests.
  public let testCount: Int

  public var classes: [Int] { plane.classes }
  public var columnCount: Int { plane.columnCount }
  public var warnings: [String] { plane.warnings }

  /// - Parameter verdict: of ``TesterLearner/certify(_:in:)``; there is no halfspace for one that refuses.
  public init?(_ verdict: HalfspaceVerdict) {
    guard verdict.isAccepted else { return nil }
    plane = verdict.model
    error = verdict.error
    errorBound = verdict.errorBound
    checks = verdict.checks
    noise = verdict.noise
    isWhitened = verdict.isWhitened
    testCount = verdict.testCount
  }

  /// What is certified, in a sentence.
  public var statement: String { noise.statement }

  /// The class on whose side a row is, with the share of rows that the plane was right about when it was
  /// tested: the same for every row.
  ///
  /// - Parameters:
  ///   - rows: `m × d`, finite.
  ///   - run: threads and cancellation.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  /// - Complexity: O(*m* *d*).
  public func probabilities(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> Matrix
  {
    let scores = try plane.scores(rows, in: run)
    return Matrix(rowCount: rows.rowCount, columnCount: 2) { out in
      for row in 0..<rows.rowCount {
        let isSecond = scores[2 * row + 1] > scores[2 * row]
        out[2 * row] = Float(isSecond ? error : 1 - error)
        out[2 * row + 1] = Float(isSecond ? 1 - error : error)
      }
    }
  }

  /// The class on whose side each row is.
  public func predict(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> [Int]
  {
    try plane.predict(rows, in: run)
  }

  // MARK: Files

  private struct Manifest: Codable {
    var linear: LinearClassifierModel.Manifest
    var error: Double
    var errorBound: Double
    var checks: [HalfspaceVerdict.Check]
    var noise: TesterLearner.Noise
    var isWhitened: Bool
    var testCount: Int
  }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(
      Manifest(
        linear: plane.manifest, error: error, errorBound: errorBound, checks: checks, noise: noise,
        isWhitened: isWhitened, testCount: testCount))
    try plane.addTensors(to: &file)
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(Manifest.self)
    plane = try LinearClassifierModel(tensorsOf: file, manifest.linear)
    (error, errorBound) = (manifest.error, manifest.errorBound)
    (checks, noise) = (manifest.checks, manifest.noise)
    (isWhitened, testCount) = (manifest.isWhitened, manifest.testCount)
    guard plane.classes.count == 2, (0...1).contains(error), checks.allSatisfy(\.passes) else {
      throw BasisError(.corruptFile, "\(file.path): this is no plane that was certified")
    }
  }
}

extension TesterLearner.Noise {
  /// What a certificate says.
  var statement: String {
    switch self {
    case .massart: "certified: no plane is much better, if labels are flipped by chance"
    case .adversarial:
      "certified: the best plane's error is at least a fixed share of this one's, whoever flipped labels"
    }
  }
}
