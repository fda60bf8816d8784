/// What is known of a method: where it comes from, how it is called, and what proves it.
///
/// The catalogue of methods, `METHODS.md`, `basis methods` and the claims are all made from these.
public struct MethodDescriptor: Sendable, Hashable, Codable {
  /// What a method is.
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Computes an answer.
    case engine
    /// Trains something.
    case recipe
    /// Compares methods.
    case study
  }

  /// What a method was read in.
  public struct Paper: Sendable, Hashable, Codable {
    public var title: String
    /// Family names; `et al.` from the fourth on.
    public var authors: String
    public var year: Int
    /// A DOI or an arXiv number; empty where there is none.
    public var identifier: String

    public init(_ title: String, by authors: String, _ year: Int, _ identifier: String = "") {
      self.title = title
      self.authors = authors
      self.year = year
      self.identifier = identifier
    }
  }

  /// The number that methods and claims share, one a paper; nil for a baseline that others are
  /// compared with.
  public var id: Int?
  /// What follows `--method` or `--measure`; unique within its verb.
  public var name: String
  /// What it does, in one line.
  public var summary: String
  public var paper: Paper
  /// The module that it lives in.
  public var room: String
  public var kind: Kind
  /// The Swift type of its settings.
  public var type: String
  /// The verb of the program that runs it; empty for what only the library offers.
  public var verb: String
  /// The script or the closed form that its numbers are checked against.
  public var oracle: String
  /// Where it fails, or departs from its paper.
  public var limits: String

  /// - Parameters:
  ///   - id: the paper's number, or nil.
  ///   - name: unique within the verb.
  ///   - summary: one line.
  ///   - paper: what it was read in.
  ///   - kind: what it is.
  ///   - type: of its settings; the module that it is declared in is the room.
  ///   - verb: of the program; empty for none.
  ///   - oracle: a script, or a closed form in words.
  ///   - limits: where it fails.
  public init(
    id: Int?, name: String, summary: String, paper: Paper, kind: Kind = .engine, type: Any.Type,
    verb: String, oracle: String, limits: String = ""
  ) {
    self.id = id
    self.name = name
    self.summary = summary
    self.paper = paper
    self.kind = kind
    let qualified = String(reflecting: type).split(separator: ".")
    room = String(qualified[0])
    self.type = qualified.dropFirst().joined(separator: ".")
    self.verb = verb
    self.oracle = oracle
    self.limits = limits
  }
}

/// A method in its room's catalogue: what is known of it, and how it runs on whatever a person
/// gives.
public struct MethodEntry<Output: Sendable>: Sendable {
  public let descriptor: MethodDescriptor
  /// What it eats, in words: `a matrix and labels`.
  public let input: String
  /// The defaults.
  public let settings: any Settings
  private let body: @Sendable (MethodParts, String, RunContext) throws(BasisError) -> Output

  /// - Parameters:
  ///   - descriptor: what is known of it.
  ///   - settings: the defaults.
  ///   - body: runs it.
  public init<S: Settings, Input: MethodInput>(
    _ descriptor: MethodDescriptor, _ settings: S,
    _ body: @escaping @Sendable (S, Input, RunContext) throws(BasisError) -> Output
  ) {
    self.descriptor = descriptor
    input = Input.description
    self.settings = settings
    self.body = { (parts, options, run) throws(BasisError) -> Output in
      try run.checkCancelled()
      let settings = try settings.changed(by: options, in: descriptor.name)
      return try body(settings, Input(parts, for: descriptor.name), run)
    }
  }

  /// Runs the method.
  ///
  /// - Parameters:
  ///   - parts: the matrices, labels and so on that there are.
  ///   - settings: a JSON object with the settings that differ from the defaults.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.invalidArgument` for a setting that does not exist or is of another type;
  ///   `.invalidArgument` where a part that it needs is missing; and what the method throws.
  public func run(
    _ parts: MethodParts, settings: String = "{}", in run: RunContext = RunContext()
  )
    throws(BasisError) -> Output
  {
    try body(parts, settings, run)
  }
}

extension Array {
  /// The method of this name.
  ///
  /// - Parameters:
  ///   - name: what follows `--method` or `--measure`.
  ///   - kind: what the methods are, for the message: `measure`.
  /// - Throws: `.invalidArgument` with the names that there are.
  package func method<Output>(named name: String, kind: String) throws(BasisError)
    -> MethodEntry<Output> where Element == MethodEntry<Output>
  {
    guard let entry = first(where: { $0.descriptor.name == name }) else {
      throw BasisError(
        .invalidArgument,
        "there is no \(kind) '\(name)'; there are "
          + map(\.descriptor.name).joined(separator: ", "))
    }
    return entry
  }
}
