/// What went wrong, in a form that programs branch on (``code``) and people read (``message``).
///
/// Every failure that can come from data, a file, a flag or the network is one of these. Messages
/// name the operation, what it got and what it wanted, and the remedy where there is one.
public struct BasisError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure. A struct, so that new kinds do not break `switch`es.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    private init(_ description: String) { self.description = description }

    /// An argument or setting is outside its documented range.
    public static let invalidArgument = Code("invalid argument")
    /// Two shapes that must agree do not.
    public static let dimensionMismatch = Code("dimension mismatch")
    /// Vectors of two different spaces were about to be compared.
    public static let spaceMismatch = Code("space mismatch")
    /// The named file, collection, key or encoder does not exist.
    public static let notFound = Code("not found")
    /// What was to be made is already there.
    public static let alreadyExists = Code("already exists")
    /// Input can be read but its content cannot be used.
    public static let badData = Code("bad data")
    /// A file of ours fails its checksum or its structure.
    public static let corruptFile = Code("corrupt file")
    /// A file of ours was written by a later version.
    public static let newerFormat = Code("newer format")
    /// The request is meaningful but this build or this value cannot serve it.
    public static let unsupported = Code("unsupported")
    /// A library or model that the operation needs is not installed.
    public static let missingDependency = Code("missing dependency")
    /// Another process holds what the operation needs.
    public static let busy = Code("busy")
    /// The operating system refused to read or write.
    public static let inputOutput = Code("input/output")
    /// The caller cancelled the run.
    public static let cancelled = Code("cancelled")
  }

  public var code: Code
  public var message: String
  public var cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  public var description: String { message }

  /// The same error with `place: ` before its message, for a caller that knows the file or row.
  public func at(_ place: String) -> BasisError {
    BasisError(code, "\(place): \(message)", cause: cause)
  }
}
