public import BasisCore
public import BasisFormats

/// What many models made of many samples, one value a sample and model, most of them missing: any part of
/// it is a benchmark.
///
/// Append-only: a cell that is there stays; the same value again is no error, another one is. A value type,
/// and Codable.
///
/// Ghosh et al., *ONEBench to Test Them All: Sample-Level Benchmarking Over Open-Ended Capabilities*,
/// arXiv:2412.06745, section 2.
public struct ResultPool: Sendable, Hashable, Codable {
  /// How a sample's values are meant.
  public enum Metric: String, Sendable, Hashable, Codable, CaseIterable {
    /// 0 or 1.
    case binary
    /// Grades: only their order counts.
    case ordinal
    /// Any finite number, larger is better.
    case numeric
  }

  public struct Sample: Sendable, Hashable, Codable {
    /// Unique in the pool.
    public var id: String
    /// The benchmark that it was taken from.
    public var set: String
    public var metric: Metric
    /// Of filters: an object, or null.
    public var metadata: JSONValue
    /// Of its question, for queries; empty for none.
    public var vector: [Float]
    /// Of its right answer; empty for none.
    public var answerVector: [Float]

    public init(
      _ id: String, set: String = "", metric: Metric = .binary, metadata: JSONValue = .null,
      vector: [Float] = [], answerVector: [Float] = []
    ) {
      self.id = id
      self.set = set
      self.metric = metric
      self.metadata = metadata
      self.vector = vector
      self.answerVector = answerVector
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      id = try values.decode(String.self, forKey: .id)
      set = try values.decode(String.self, forKey: .set)
      metric = try values.decode(Metric.self, forKey: .metric)
      metadata = try values.decode(JSONValue.self, forKey: .metadata)
      vector = try values.decode([Float].self, forKey: .vector)
      answerVector = try values.decodeIfPresent([Float].self, forKey: .answerVector) ?? []
    }
  }

  /// What of a sample a query is compared with.
  public enum Side: String, Sendable, Hashable, Codable, CaseIterable {
    case question, answer
  }

  /// What one model made of a sample.
  public struct Cell: Sendable, Hashable, Codable {
    /// The model's place in ``ResultPool/models``.
    public var model: Int
    public var value: Double

    public init(model: Int, value: Double) {
      self.model = model
      self.value = value
    }
  }

  /// In the order in which they came.
  public private(set) var models: [String] = []
  /// In the order in which they came.
  public private(set) var samples: [Sample] = []
  /// Of each sample, by rising model.
  public private(set) var cells: [[Cell]] = []
  private var modelNumbers: [String: Int] = [:]
  private var sampleNumbers: [String: Int] = [:]

  public init() {}

  private enum CodingKeys: String, CodingKey { case models, samples, cells }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let models = try values.decode([String].self, forKey: .models)
    let samples = try values.decode([Sample].self, forKey: .samples)
    let cells = try values.decode([[Cell]].self, forKey: .cells)
    guard samples.count == cells.count else {
      throw DecodingError.dataCorruptedError(
        forKey: .cells, in: values,
        debugDescription: "\(cells.count) rows of cells for \(samples.count) samples")
    }
    for name in models { _ = number(ofModel: name) }
    for (sample, own) in zip(samples, cells) {
      try add(sample)
      for cell in own {
        guard models.indices.contains(cell.model) else {
          throw DecodingError.dataCorruptedError(
            forKey: .cells, in: values, debugDescription: "there is no model \(cell.model)")
        }
        _ = try add(cell.value, model: models[cell.model], sample: sample.id)
      }
    }
  }

  public var sampleCount: Int { samples.count }
  public var modelCount: Int { models.count }
  /// Values that are there.
  public var cellCount: Int { cells.reduce(0) { $0 + $1.count } }
  /// The share of cells that are not there, `0 ... 1`; NaN for none.
  public var missingShare: Double {
    1 - Double(cellCount) / (Double(sampleCount) * Double(modelCount))
  }

  private mutating func number(ofModel name: String) -> Int {
    if let known = modelNumbers[name] { return known }
    modelNumbers[name] = models.count
    models.append(name)
    return models.count - 1
  }

  /// Adds a sample, without values.
  ///
  /// - Throws: `.badData` for an empty id, a vector that is not finite, or a sample of that id which is
  ///   of another set or metric. Metadata and vector of the one that is there stay unless it had none.
  public mutating func add(_ sample: Sample) throws(BasisError) {
    guard !sample.id.isEmpty else {
      throw BasisError(.badData, "a sample without an id; give each one of its own")
    }
    for vector in [sample.vector, sample.answerVector] {
      if let place = vector.firstIndex(where: { !$0.isFinite }) {
        throw BasisError(
          .badData, "sample '\(sample.id)': its vector has \(vector[place]) at \(place)")
      }
    }
    guard let known = sampleNumbers[sample.id] else {
      sampleNumbers[sample.id] = samples.count
      samples.append(sample)
      cells.append([])
      return
    }
    let old = samples[known]
    guard old.set == sample.set, old.metric == sample.metric else {
      throw BasisError(
        .badData,
        "sample '\(sample.id)' is \(old.metric.rawValue) of set '\(old.set)' in the pool, and "
          + "\(sample.metric.rawValue) of set '\(sample.set)' here; a sample has one metric and one set"
      )
    }
    if old.metadata == .null { samples[known].metadata = sample.metadata }
    if old.vector.isEmpty { samples[known].vector = sample.vector }
    if old.answerVector.isEmpty { samples[known].answerVector = sample.answerVector }
  }

  /// Adds what a model made of a sample that is there.
  ///
  /// - Parameters:
  ///   - value: finite; 0 or 1 for a binary sample.
  ///   - model: any name; new ones are added.
  ///   - sample: the id of a sample that is there.
  /// - Returns: whether it is new.
  /// - Throws: `.notFound` for another sample; `.badData` for a value that the metric does not have, or
  ///   that differs from the one that is there.
  @discardableResult
  public mutating func add(_ value: Double, model: String, sample: String) throws(BasisError)
    -> Bool
  {
    guard let row = sampleNumbers[sample] else {
      throw BasisError(.notFound, "the pool has no sample '\(sample)'")
    }
    guard value.isFinite else {
      throw BasisError(
        .badData, "sample '\(sample)', model '\(model)': the value is \(value); leave the cell out")
    }
    guard samples[row].metric != .binary || value == 0 || value == 1 else {
      throw BasisError(
        .badData,
        "sample '\(sample)', model '\(model)': \(value) is no binary value; say 0 or 1, or call the "
          + "sample ordinal or numeric")
    }
    guard !model.isEmpty else {
      throw BasisError(.badData, "sample '\(sample)': a value of a model without a name")
    }
    let column = number(ofModel: model)
    let place = cells[row].firstIndex { $0.model >= column } ?? cells[row].count
    if place < cells[row].count, cells[row][place].model == column {
      guard cells[row][place].value == value else {
        throw BasisError(
          .badData,
          "sample '\(sample)', model '\(model)': the pool has \(cells[row][place].value), not "
            + "\(value); results are added and never changed")
      }
      return false
    }
    cells[row].insert(Cell(model: column, value: value), at: place)
    return true
  }

  /// Adds all samples and values of another pool.
  ///
  /// - Returns: how many values are new.
  /// - Throws: as ``add(_:)`` and ``add(_:model:sample:)``; nothing is added then.
  public mutating func merge(_ other: ResultPool) throws(BasisError) -> Int {
    var grown = self
    var count = 0
    for (sample, own) in zip(other.samples, other.cells) {
      try grown.add(sample)
      for cell in own
      where try grown.add(cell.value, model: other.models[cell.model], sample: sample.id) {
        count += 1
      }
    }
    self = grown
    return count
  }

  /// The pool of some of the samples, in this order; all models stay.
  ///
  /// - Precondition: places are in `0 ..< sampleCount`, each once.
  public func selecting(samples chosen: some Collection<Int>) -> ResultPool {
    var result = self
    result.samples = chosen.map { samples[$0] }
    result.cells = chosen.map { cells[$0] }
    result.sampleNumbers = [:]
    for (place, sample) in result.samples.enumerated() { result.sampleNumbers[sample.id] = place }
    return result
  }

  /// The places of samples whose vectors have the largest inner product with one.
  ///
  /// - Parameters:
  ///   - vector: as long as the samples' own.
  ///   - side: whether questions' vectors are compared, or answers'.
  ///   - count: at most so many; nil for no limit.
  ///   - threshold: at least such a product; nil for any.
  /// - Returns: best first; samples without a vector are left out.
  /// - Throws: `.dimensionMismatch` for a sample with a vector of another length.
  public func nearest(
    to vector: [Float], side: Side = .question, count: Int? = nil, threshold: Float? = nil
  ) throws(BasisError) -> [Int] {
    var found: [(place: Int, product: Float)] = []
    for (place, sample) in samples.enumerated() {
      let own = side == .question ? sample.vector : sample.answerVector
      guard !own.isEmpty else { continue }
      guard own.count == vector.count else {
        throw BasisError(
          .dimensionMismatch,
          "sample '\(sample.id)' has a vector of \(own.count) values, the query one of "
            + "\(vector.count)")
      }
      let product = zip(own, vector).reduce(Float(0)) { $0 + $1.0 * $1.1 }
      if product >= threshold ?? -.infinity { found.append((place, product)) }
    }
    found.sort { ($0.product, -$0.place) > ($1.product, -$1.place) }
    return found.prefix(count ?? found.count).map(\.place)
  }
}
