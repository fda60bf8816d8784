public import BasisCore
public import BasisFormats

/// The codecs by the names that files and commands call them: what makes settings that fit so many
/// bytes, and what opens a codec that a file holds. A line of ``entries`` adds a codec.
public enum CodecRegistry {
  /// One kind of codec.
  public struct Entry: Sendable {
    /// What files and commands call it.
    public let name: String
    /// A line for people.
    public let summary: String
    let plans: @Sendable (_ bytes: Int, _ dimension: Int) -> [CodecPlan]
    let open: @Sendable (Container, String) throws(BasisError) -> any FittedCodec
    let holds: @Sendable (any FittedCodec) -> Bool

    /// - Parameters:
    ///   - name: lower case, unique.
    ///   - summary: a line.
    ///   - type: what a file holds.
    ///   - plans: settings whose codes have at most so many bytes; none where there are none. At
    ///     most a handful, the most promising.
    public init<Fitted: FittedCodec>(
      _ name: String, _ summary: String, _ type: Fitted.Type,
      plans: @escaping @Sendable (_ bytes: Int, _ dimension: Int) -> [CodecPlan]
    ) {
      self.name = name
      self.summary = summary
      self.plans = { bytes, dimension in
        plans(bytes, dimension).map {
          var plan = $0
          plan.method = name
          return plan
        }
      }
      open = { (container, prefix) throws(BasisError) in
        try Fitted(from: container, prefix: prefix)
      }
      holds = { $0 is Fitted }
    }
  }

  /// - Throws: `.invalidArgument` naming those that there are.
  public static func entry(_ name: String) throws(BasisError) -> Entry {
    if let entry = entries.first(where: { $0.name == name }) { return entry }
    throw BasisError(
      .invalidArgument,
      "there is no codec '\(name)'; there are: \(entries.map(\.name).joined(separator: ", "))")
  }

  /// Settings whose codes have at most so many bytes, of one codec or of all.
  ///
  /// - Parameters:
  ///   - bytes: of one vector's code, at least 1.
  ///   - dimension: of the vectors.
  ///   - method: a name of ``entries``, or nil for all.
  /// - Throws: `.invalidArgument` for a name that there is not.
  public static func plans(bytes: Int, dimension: Int, method: String? = nil) throws(BasisError)
    -> [CodecPlan]
  {
    let wanted = try method.map { (name) throws(BasisError) in [try entry(name)] } ?? entries
    return wanted.flatMap { $0.plans(bytes, dimension) }.filter { $0.bytesPerVector <= bytes }
  }

  /// Settings of one codec that keep codes and what they share within a share of the matrix's bytes.
  ///
  /// - Parameters:
  ///   - ratio: of `4 · rowCount · dimension` bytes, above 0.
  ///   - rowCount: at least 1.
  ///   - dimension: at least 1.
  ///   - method: a name of ``entries``.
  /// - Returns: at least one.
  /// - Throws: `.invalidArgument` for another name, a ratio out of range, or one that cannot be
  ///   reached, with the smallest that can.
  /// - Complexity: O(*dimension*) plans.
  public static func plans(ratio: Double, rowCount: Int, dimension: Int, method: String)
    throws(BasisError) -> [CodecPlan]
  {
    guard ratio > 0, ratio.isFinite, rowCount > 0, dimension > 0 else {
      throw BasisError(
        .invalidArgument,
        "a ratio must be above 0, of at least one value; got \(ratio) of \(rowCount) × \(dimension)"
      )
    }
    let entry = try entry(method)
    let whole = 4 * Double(rowCount) * Double(dimension)
    var smallest = Double.infinity
    for bytes in stride(
      from: max(1, Int(min(4, ratio) * 4 * Double(dimension))), through: 1, by: -1)
    {
      let plans = entry.plans(bytes, dimension)
      let fitting = plans.filter {
        let size = Double($0.totalBytes(rowCount: rowCount)) / whole
        smallest = min(smallest, size)
        return size <= ratio
      }
      if !fitting.isEmpty { return fitting }
    }
    for bytes in 1...max(4 * dimension, 64) + 16 where smallest == .infinity {
      for plan in entry.plans(bytes, dimension) {
        smallest = min(smallest, Double(plan.totalBytes(rowCount: rowCount)) / whole)
      }
    }
    throw BasisError(
      .invalidArgument,
      "\(method) cannot bring \(rowCount) × \(dimension) values to \(ratio) of their bytes, tables "
        + "included; the smallest ratio it reaches is \(Float(smallest))")
  }

  /// Writes a codec so that ``read(from:prefix:)`` finds out what it is.
  ///
  /// - Parameters:
  ///   - codec: of a kind that ``entries`` has.
  ///   - writer: where the blocks go.
  ///   - prefix: starts each block's name.
  /// - Throws: `.unsupported` for another kind; `.inputOutput`.
  public static func write(
    _ codec: any FittedCodec, to writer: ContainerWriter, prefix: String
  ) throws(BasisError) {
    guard let entry = entries.first(where: { $0.holds(codec) }) else {
      throw BasisError(.unsupported, "\(type(of: codec)) has no name in the registry of codecs")
    }
    try writer.write(prefix + "kind", json: Name(name: entry.name))
    try codec.write(to: writer, prefix: prefix)
  }

  /// Opens the codec that a file holds.
  ///
  /// - Parameters:
  ///   - container: where the blocks are.
  ///   - prefix: what it was written with.
  /// - Throws: `.corruptFile`; `.newerFormat` for a codec that this program does not know.
  public static func read(from container: Container, prefix: String) throws(BasisError)
    -> any FittedCodec
  {
    let name = try container.json(prefix + "kind", as: Name.self).name
    guard let entry = entries.first(where: { $0.name == name }) else {
      throw BasisError(
        .newerFormat, "\(container.path): this program knows no codec '\(name)'; update it")
    }
    return try entry.open(container, prefix)
  }

  private struct Name: Codable { var name: String }
}

/// Settings of a codec, and what they will cost before anything is fitted.
public struct CodecPlan: Sendable {
  /// The registry's name for the codec.
  public internal(set) var method = ""
  /// The settings in short, such as `2x384`: bits and dimensions.
  public let detail: String
  public let settings: any VectorCodec
  public let bytesPerVector: Int
  public let sharedBytes: Int

  public init(
    _ settings: any VectorCodec, detail: String, bytesPerVector: Int, sharedBytes: Int
  ) {
    self.settings = settings
    self.detail = detail
    self.bytesPerVector = bytesPerVector
    self.sharedBytes = sharedBytes
  }

  /// Codec and settings, such as `recurrent-2x384`.
  public var label: String { detail.isEmpty ? method : "\(method)-\(detail)" }

  /// Bytes of the codes of so many vectors and of what they share.
  public func totalBytes(rowCount: Int) -> Int { rowCount * bytesPerVector + sharedBytes }
}
