public import BasisCore
import BasisFormats

/// A condition on what is known of a sample: `set.eq=scifact`, `year.ge=2020`, `title.contains=model`.
///
/// The field is `id`, `set`, `metric`, or a path into the metadata with dots; the operations are `eq`,
/// `ne`, `gt`, `ge`, `lt`, `le`, `contains` (of a text, or a member of a list) and `length` (of either). Two
/// numbers compare as numbers, all else as text. A sample without the field fails all but `ne`.
public struct PoolFilter: Sendable, Hashable {
  public enum Operation: String, Sendable, Hashable, CaseIterable {
    case eq, ne, gt, ge, lt, le, contains, length
  }

  public var field: String
  public var operation: Operation
  public var value: String

  public init(_ field: String, _ operation: Operation, _ value: String) {
    self.field = field
    self.operation = operation
    self.value = value
  }

  /// - Throws: `.invalidArgument` for what is not `field.operation=value`.
  public init(parsing text: String) throws(BasisError) {
    let name = text.prefix { $0 != "=" }
    let dot = name.lastIndex(of: ".")
    guard name.count < text.count, let dot, dot > name.startIndex,
      let operation = Operation(rawValue: String(name[name.index(after: dot)...]))
    else {
      throw BasisError(
        .invalidArgument,
        "a filter is field.operation=value, as set.eq=scifact, not '\(text)'; operations are "
          + Operation.allCases.map(\.rawValue).joined(separator: ", "))
    }
    self.init(String(name[..<dot]), operation, String(text.dropFirst(name.count + 1)))
  }

  /// Whether a sample is let through.
  public func accepts(_ sample: ResultPool.Sample) -> Bool {
    guard let own = value(of: sample), own != .null else { return operation == .ne }
    switch operation {
    case .eq: return order(own) == 0
    case .ne: return order(own) != 0
    case .gt: return order(own) > 0
    case .ge: return order(own) >= 0
    case .lt: return order(own) < 0
    case .le: return order(own) <= 0
    case .contains:
      if case .array(let members) = own { return members.contains { Self.text($0) == value } }
      return Self.text(own).contains(value)
    case .length:
      let length: Int
      if case .array(let members) = own {
        length = members.count
      } else {
        length = Self.text(own).count
      }
      return Double(value) == Double(length)
    }
  }

  private func value(of sample: ResultPool.Sample) -> JSONValue? {
    switch field {
    case "id": .string(sample.id)
    case "set": .string(sample.set)
    case "metric": .string(sample.metric.rawValue)
    default: sample.metadata.value(at: field)
    }
  }

  private static func text(_ value: JSONValue) -> String { value.stringValue ?? value.text }

  private func order(_ own: JSONValue) -> Int {
    if let number = own.doubleValue ?? Double(Self.text(own)), let wanted = Double(value) {
      return number < wanted ? -1 : number > wanted ? 1 : 0
    }
    let text = Self.text(own)
    return text < value ? -1 : text > value ? 1 : 0
  }
}

extension ResultPool {
  /// The places of the samples that all filters let through.
  public func places(_ filters: [PoolFilter]) -> [Int] {
    samples.indices.filter { place in filters.allSatisfy { $0.accepts(samples[place]) } }
  }
}
