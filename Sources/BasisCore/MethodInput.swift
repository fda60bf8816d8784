import Foundation

/// What a person gave a method, before it is known what the method eats.
public struct MethodParts: Sendable {
  /// In the order they were given.
  public var matrices: [Matrix]
  /// What the matrices are called in messages: as many.
  public var names: [String]
  /// A class per row of the first matrix.
  public var labels: [Int]?
  /// Lists of texts, in the order they were given.
  public var texts: [[String]]
  /// Files of fitted models.
  public var models: [String] = []
  /// Whether the matrix has the dissimilarity of every pair, rather than rows.
  public var isPairwise = false
  /// Whether dissimilarities that differ across the diagonal are averaged rather than refused.
  public var isSymmetrized = false

  public init(
    _ matrices: [Matrix] = [], names: [String] = [], labels: [Int]? = nil, texts: [[String]] = []
  ) {
    self.matrices = matrices
    self.names = names + matrices.indices.dropFirst(names.count).map { "matrix \($0 + 1)" }
    self.labels = labels
    self.texts = texts
  }
}

/// What a method eats, taken from what a person gave.
public protocol MethodInput: Sendable {
  /// In words, for help and for messages: `a matrix and labels`.
  static var description: String { get }

  /// - Parameters:
  ///   - parts: what was given.
  ///   - method: the method's name, for messages.
  /// - Throws: `.invalidArgument` for parts that are missing or too many; `.dimensionMismatch` for
  ///   such as do not fit each other; `.badData` naming the row and column of a value that is not
  ///   finite.
  init(_ parts: MethodParts, for method: String) throws(BasisError)
}

extension MethodParts {
  /// Exactly so many matrices, all finite.
  package func matrices(_ count: Int, _ what: String, for method: String) throws(BasisError)
    -> [Matrix]
  {
    if let model = models.first {
      throw BasisError(
        .invalidArgument, "'\(method)' takes \(what), and no model such as \(model)")
    }
    guard matrices.count == count else {
      throw BasisError(
        .invalidArgument,
        "'\(method)' takes \(what); got \(matrices.count == 1 ? "1 matrix" : "\(matrices.count) matrices")"
      )
    }
    for (matrix, name) in zip(matrices, names) { try matrix.requireFinite(name) }
    return matrices
  }

  /// Exactly so many lists of texts, and no matrix.
  package func texts(_ count: Int, _ what: String, for method: String) throws(BasisError)
    -> [[String]]
  {
    guard texts.count == count, matrices.isEmpty else {
      throw BasisError(
        .invalidArgument,
        "'\(method)' takes \(what); got \(texts.count) of texts and \(matrices.count) of numbers")
    }
    return texts
  }
}

extension Matrix: MethodInput {
  public static var description: String { "a matrix" }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    self = try parts.matrices(1, Matrix.description, for: method)[0]
  }
}

/// Rows, and the class of each.
public struct LabeledRows: MethodInput {
  public static let description = "a matrix and labels"

  /// `n × d`, finite.
  public let rows: Matrix
  /// *n* classes, any whole numbers.
  public let labels: [Int]

  /// - Throws: `.dimensionMismatch` for another number of labels than of rows.
  public init(_ rows: Matrix, labels: [Int]) throws(BasisError) {
    guard labels.count == rows.rowCount else {
      throw BasisError(
        .dimensionMismatch,
        "there are \(labels.count) labels for \(rows.rowCount) rows; give one a row")
    }
    self.rows = rows
    self.labels = labels
  }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    let rows = try parts.matrices(1, Self.description, for: method)[0]
    guard let labels = parts.labels else {
      throw BasisError(.invalidArgument, "'\(method)' takes \(Self.description); give --labels")
    }
    try self.init(rows, labels: labels)
  }
}

/// Two representations of the same things: row *i* of one is row *i* of the other.
public struct PairedRows: MethodInput {
  public static let description = "two matrices with the same rows"

  /// `n × d₁`, finite.
  public let first: Matrix
  /// `n × d₂`, finite.
  public let second: Matrix

  /// - Throws: `.dimensionMismatch` for different numbers of rows.
  public init(_ first: Matrix, _ second: Matrix) throws(BasisError) {
    guard first.rowCount == second.rowCount else {
      throw BasisError(
        .dimensionMismatch,
        "the first matrix has \(first.rowCount) rows, the second \(second.rowCount); give the same "
          + "things in the same order")
    }
    self.first = first
    self.second = second
  }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    let both = try parts.matrices(2, Self.description, for: method)
    try self.init(both[0], both[1])
  }
}

extension Settings {
  /// These settings with some of them changed.
  ///
  /// - Parameters:
  ///   - options: a JSON object.
  ///   - method: whose settings they are, for messages.
  /// - Throws: `.invalidArgument` naming a setting that does not exist, or that has another type.
  public func changed(by options: String, in method: String) throws(BasisError) -> Self {
    let data = Data(options.utf8)
    guard let wanted = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw BasisError(
        .invalidArgument, "the settings of '\(method)' are a JSON object, not \(options)")
    }
    guard !wanted.isEmpty else { return self }
    do {
      let own = try JSONSerialization.jsonObject(with: JSONEncoder().encode(self))
      var values = own as? [String: Any] ?? [:]
      let known = try Self.names(of: self)
      for name in wanted.keys.sorted() where !known.contains(name) {
        throw BasisError(
          .invalidArgument,
          "'\(method)' has no setting '\(name)'; it has \(known.sorted().joined(separator: ", "))")
      }
      values.merge(wanted) { $1 }
      return try JSONDecoder().decode(
        Self.self, from: JSONSerialization.data(withJSONObject: values))
    } catch let error as BasisError {
      throw error
    } catch DecodingError.typeMismatch(_, let context), DecodingError.dataCorrupted(let context),
      DecodingError.valueNotFound(_, let context)
    {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw BasisError(
        .invalidArgument,
        "'\(method)': the setting '\(path)' cannot be that; \(context.debugDescription)")
    } catch {
      throw BasisError(
        .invalidArgument, "'\(method)': these settings do not fit: \(options)", cause: error)
    }
  }

  /// The stored properties, which the encoder leaves out where they are nil.
  private static func names(of settings: Self) throws -> Set<String> {
    Set(Mirror(reflecting: settings).children.compactMap(\.label))
  }
}
