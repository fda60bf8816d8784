import BasisCore

/// How many rows each class shall have: `auto`, a number of per cent, or counts by class.
///
/// As JSON a string, a number, or an object such as `{"1": 300}`.
public enum ResamplingRatio: Hashable, Sendable {
  /// Every class as many as the largest has.
  case automatic
  /// Every class but the largest gets so many per cent of its own rows more, above 0.
  case percent(Double)
  /// These classes so many rows in the end, the others as many as they have.
  case counts([Int: Int])
}

extension ResamplingRatio: Codable {
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let percent = try? value.decode(Double.self) {
      self = .percent(percent)
    } else if let counts = try? value.decode([Int: Int].self) {
      self = .counts(counts)
    } else if (try? value.decode(String.self)) == "auto" {
      self = .automatic
    } else {
      throw DecodingError.dataCorruptedError(
        in: value,
        debugDescription: "a ratio is auto, a number of per cent, or counts such as {\"1\": 300}")
    }
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .automatic: try value.encode("auto")
    case .percent(let percent): try value.encode(percent)
    case .counts(let counts): try value.encode(counts)
    }
  }
}

/// The rows of each class, by class.
struct ClassMembers {
  /// Rising.
  let classes: [Int]
  let rows: [Int: [Int]]
  let largest: Int

  init(_ labels: [Int], for method: String) throws(BasisError) {
    var rows: [Int: [Int]] = [:]
    for (row, label) in labels.enumerated() { rows[label, default: []].append(row) }
    guard rows.count >= 2 else {
      throw BasisError(
        .badData,
        "\(method) needs rows of 2 classes at least; there \(rows.count == 1 ? "is 1" : "are none")"
      )
    }
    classes = rows.keys.sorted()
    self.rows = rows
    largest = rows.values.reduce(0) { max($0, $1.count) }
  }

  func members(_ label: Int) -> [Int] { rows[label] ?? [] }

  /// How many rows each class lacks, as ``classes`` has them.
  func missing(_ ratio: ResamplingRatio, for method: String) throws(BasisError) -> [Int] {
    switch ratio {
    case .automatic: return classes.map { largest - members($0).count }
    case .percent(let percent):
      guard percent > 0, percent <= 1e6 else {
        throw BasisError(
          .invalidArgument,
          "\(method): a ratio in per cent is above 0 and at most 1e6, not \(percent)")
      }
      return classes.map { label in
        let count = members(label).count
        return count < largest ? Int((Double(count) * percent / 100).rounded(.down)) : 0
      }
    case .counts(let counts):
      for label in counts.keys.sorted() {
        guard let own = rows[label] else {
          throw BasisError(
            .invalidArgument,
            "\(method): there is no class \(label); there are "
              + classes.prefix(20).map { "\($0)" }.joined(separator: ", "))
        }
        guard let count = counts[label], count >= own.count else {
          throw BasisError(
            .invalidArgument,
            "\(method): class \(label) has \(own.count) rows and cannot have "
              + "\(counts[label] ?? 0) by making more; thin it with 'under'")
        }
      }
      return classes.map { (counts[$0] ?? members($0).count) - members($0).count }
    }
  }
}
