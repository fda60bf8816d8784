public import BasisCore
public import BasisFormats

extension ResultPool {
  /// Results in a file: an object (or a row of a table) for each value, or one for each sample.
  ///
  /// Every record has `sample`, the id. A record of one value has `model` and `value`; one of a sample has
  /// `results`, an object of a value a model, null for none. `set`, `metric` (binary, ordinal or numeric;
  /// binary if it is not said and all values are 0 or 1, else numeric), `metadata` (an object), `text` and
  /// `answer` (go into the metadata), `vector` and `answer_vector` (lists of numbers) may be said once a
  /// sample.
  ///
  /// - Parameter source: JSON lines, CSV or TSV.
  /// - Throws: `.badData` naming the line of a record that is none, a value that is no number, or what
  ///   ``add(_:)`` and ``add(_:model:sample:)`` throw.
  public init(reading source: RecordSource) throws(BasisError) {
    var drafts: [Draft] = []
    var places: [String: Int] = [:]
    var reader = try source.makeReader()
    while let record = try reader.next() {
      do throws(BasisError) {
        guard let id = record.fields["sample"]?.stringValue, !id.isEmpty else {
          throw BasisError(
            .badData, "has no 'sample'; a result is {\"sample\", \"model\", \"value\"}")
        }
        let place = places[id] ?? drafts.count
        if place == drafts.count {
          places[id] = place
          drafts.append(Draft(id))
        }
        try drafts[place].take(record.fields)
      } catch { throw error.at("\(source.path):\(record.row)") }
    }
    self.init()
    do throws(BasisError) {
      for draft in drafts {
        try add(draft.sample)
        for (model, value) in draft.values { try add(value, model: model, sample: draft.id) }
      }
    } catch { throw error.at(source.path) }
  }

  /// What is known of a sample while its records come in.
  private struct Draft {
    let id: String
    var set: String?
    var metric: Metric?
    var metadata: [String: JSONValue] = [:]
    var vector: [Float] = []
    var answerVector: [Float] = []
    var values: [(model: String, value: Double)] = []

    init(_ id: String) { self.id = id }

    var sample: Sample {
      let isBinary = values.allSatisfy { $0.value == 0 || $0.value == 1 }
      return Sample(
        id, set: set ?? "", metric: metric ?? (isBinary ? .binary : .numeric),
        metadata: metadata.isEmpty ? .null : .object(metadata), vector: vector,
        answerVector: answerVector)
    }

    mutating func take(_ fields: JSONValue) throws(BasisError) {
      if let named = fields["set"]?.stringValue {
        guard set == nil || set == named else {
          throw BasisError(.badData, "sample '\(id)' is of set '\(set ?? "")' and of '\(named)'")
        }
        set = named
      }
      if let named = fields["metric"]?.stringValue {
        guard let known = Metric(rawValue: named), metric == nil || metric == known else {
          throw BasisError(
            .badData,
            "sample '\(id)': the metric '\(named)'; a sample has one, binary, ordinal or numeric")
        }
        metric = known
      }
      for name in ["text", "answer"] {
        if let text = fields[name]?.stringValue { metadata[name] = .string(text) }
      }
      if case .object(let more)? = fields["metadata"] { metadata.merge(more) { $1 } }
      if let values = try Self.vector(fields["vector"], id) { vector = values }
      if let values = try Self.vector(fields["answer_vector"], id) { answerVector = values }
      if case .object(let results)? = fields["results"] {
        for (model, value) in results.sorted(by: { $0.key < $1.key }) { try take(model, value) }
      }
      if let model = fields["model"]?.stringValue {
        guard let value = fields["value"] else {
          throw BasisError(.badData, "sample '\(id)', model '\(model)': there is no 'value'")
        }
        try take(model, value)
      }
    }

    private static func vector(_ field: JSONValue?, _ id: String) throws(BasisError) -> [Float]? {
      guard case .array(let items)? = field else { return nil }
      var values: [Float] = []
      for item in items {
        guard let value = item.doubleValue else {
          throw BasisError(.badData, "sample '\(id)': the vector has \(item.text)")
        }
        values.append(Float(value))
      }
      return values
    }

    private mutating func take(_ model: String, _ value: JSONValue) throws(BasisError) {
      switch value {
      case .null: return
      case .bool(let isRight): values.append((model, isRight ? 1 : 0))
      default:
        // Tables keep 0.50 as text, so that nothing of it is lost.
        guard let number = value.doubleValue ?? value.stringValue.flatMap({ Double($0) }) else {
          throw BasisError(
            .badData,
            "sample '\(id)', model '\(model)': \(value.text) is no number; leave a missing value out"
          )
        }
        values.append((model, number))
      }
    }
  }

  /// The pool as JSON lines, one a sample, that ``init(reading:)`` reads.
  ///
  /// - Parameter body: called with each line, its end included.
  public func forEachLine(_ body: (String) throws(BasisError) -> Void) throws(BasisError) {
    for (sample, own) in zip(samples, cells) {
      var results: [String: JSONValue] = [:]
      for cell in own { results[models[cell.model]] = .number(cell.value) }
      var fields: [String: JSONValue] = [
        "sample": .string(sample.id), "set": .string(sample.set),
        "metric": .string(sample.metric.rawValue), "results": .object(results),
      ]
      if sample.metadata != .null { fields["metadata"] = sample.metadata }
      for (name, vector) in [("vector", sample.vector), ("answer_vector", sample.answerVector)]
      where !vector.isEmpty {
        fields[name] = .array(vector.map { .number(Double($0)) })
      }
      try body(JSONValue.object(fields).serialized() + "\n")
    }
  }
}
