public import BasisCore
public import BasisFormats
import Foundation

/// The last verdict of each claim, with its numbers: what `make claims` writes to `Claims/ledger.json`.
public struct ClaimLedger: Sendable, Hashable {
  /// What a claim came to.
  public struct Entry: Sendable, Hashable {
    /// The paper's number.
    public var id: Int
    public var verdict: Verdict
    /// The commit that was measured; empty where nobody said.
    public var commit: String
    /// As ``Claim/configuration(seeds:)``: an entry of another configuration is out of date.
    public var configuration: String
    public var seedCount: Int
    public var numbers: [Number]
  }

  /// A number of a claim, rounded to five digits, so that machines agree on most of them.
  public struct Number: Sendable, Hashable {
    public var name: String
    /// Nil where it is not finite.
    public var mean: Double?
    /// 95 %; nil for one seed.
    public var interval: ClosedRange<Double>?
    public var verdict: Verdict?
  }

  /// By rising number.
  public private(set) var entries: [Entry]

  public init(_ entries: [Entry] = []) { self.entries = entries.sorted { $0.id < $1.id } }

  /// The entry of a claim, or nil.
  public subscript(id: Int) -> Entry? { entries.first { $0.id == id } }

  /// Puts a result in the place of what was there.
  ///
  /// - Parameters:
  ///   - result: of the claim as it is, on its own data.
  ///   - commit: what was measured.
  public mutating func record(_ result: ClaimResult, commit: String) {
    let numbers = result.numbers.map { number in
      Number(
        name: number.name, mean: Self.rounded(number.mean),
        interval: number.interval.flatMap { interval in
          guard let low = Self.rounded(interval.lowerBound),
            let high = Self.rounded(interval.upperBound)
          else { return nil }
          return low...high
        }, verdict: number.verdict)
    }
    entries.removeAll { $0.id == result.id }
    entries.append(
      Entry(
        id: result.id, verdict: result.verdict, commit: commit,
        configuration: result.configuration, seedCount: result.seeds.count, numbers: numbers))
    entries.sort { $0.id < $1.id }
  }

  private static func rounded(_ value: Double) -> Double? {
    value.isFinite ? Double(String(format: "%.5g", value)) : nil
  }

  // MARK: The file

  /// Opens a ledger.
  ///
  /// - Throws: `.notFound`; `.badData` where the file is no ledger.
  public init(contentsOf path: String) throws(BasisError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw BasisError(
        .notFound, "\(path): there is no ledger; basis lab run --all --ledger \(path) writes one")
    }
    do throws(BasisError) {
      let value = try JSONValue(parsing: Array(data))
      guard case .array(let list)? = value["claims"] else {
        throw BasisError(.badData, "it has no list 'claims'")
      }
      self.init(try list.map { value throws(BasisError) in try Entry(value) })
    } catch {
      throw BasisError(error.code, "\(path): \(error.message)")
    }
  }

  /// As the file has it, a member a line.
  public var json: JSONValue { .object(["claims": .array(entries.map(\.json))]) }
}

extension ClaimLedger.Entry {
  fileprivate init(_ value: JSONValue) throws(BasisError) {
    guard let id = value["id"]?.doubleValue, let word = value["verdict"]?.stringValue,
      let verdict = Verdict(rawValue: word), let seeds = value["seeds"]?.doubleValue,
      let configuration = value["configuration"]?.stringValue,
      case .array(let numbers)? = value["numbers"]
    else { throw BasisError(.badData, "an entry lacks its number, verdict, seeds or numbers") }
    self.init(
      id: Int(id), verdict: verdict, commit: value["commit"]?.stringValue ?? "",
      configuration: configuration, seedCount: Int(seeds),
      numbers: numbers.map(ClaimLedger.Number.init))
  }

  fileprivate var json: JSONValue {
    .object([
      "id": .integer(Int64(id)), "verdict": .string(verdict.rawValue), "commit": .string(commit),
      "configuration": .string(configuration), "seeds": .integer(Int64(seedCount)),
      "numbers": .array(numbers.map(\.json)),
    ])
  }
}

extension ClaimLedger.Number {
  fileprivate init(_ value: JSONValue) {
    name = value["name"]?.stringValue ?? ""
    mean = value["mean"]?.doubleValue
    verdict = value["verdict"]?.stringValue.flatMap(Verdict.init)
    interval = nil
    if case .array(let ends)? = value["interval"], ends.count == 2,
      let low = ends[0].doubleValue, let high = ends[1].doubleValue, low <= high
    {
      interval = low...high
    }
  }

  fileprivate var json: JSONValue {
    .object([
      "name": .string(name), "mean": mean.map { .number($0) } ?? .null,
      "interval": interval.map { .array([.number($0.lowerBound), .number($0.upperBound)]) }
        ?? .null,
      "verdict": verdict.map { .string($0.rawValue) } ?? .null,
    ])
  }
}
