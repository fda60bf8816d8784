public import BasisFormats
import Foundation

/// The claims of a ledger as a page, with a picture each: our numbers beside those that were reported.
public struct ClaimReport: Sendable {
  private let ledger: ClaimLedger

  /// - Parameter ledger: entries whose claims this program does not know are left out.
  public init(_ ledger: ClaimLedger) { self.ledger = ledger }

  private var known: [(entry: ClaimLedger.Entry, claim: any Claim)] {
    ledger.entries.compactMap { entry in
      ClaimCatalogue.find(entry.id).map { (entry, $0) }
    }
  }

  /// The name of a claim's picture.
  public static func pictureName(_ id: Int) -> String { "claim-\(id).svg" }

  /// The page, which shows pictures that lie beside it.
  public var markdown: String {
    let count = { (verdict: Verdict) in known.count { $0.entry.verdict == verdict } }
    var text = """
      # Claims

      What papers say, measured: \(count(.pass)) hold, \(count(.fail)) do not, \
      \(count(.inconclusive)) are open. A rule is kept where the whole 95 % interval of the mean over
      the seeds keeps it, and broken where the whole interval breaks it. Numbers without a rule are
      shown only.

      | | verdict | claim | seeds | measured at |
      |---|---|---|---|---|

      """
    for (entry, claim) in known {
      let statement = type(of: claim).statement
      let commit = entry.commit.isEmpty ? "" : "`\(entry.commit.prefix(12))`"
      text +=
        "| \(entry.id) | **\(entry.verdict.rawValue)** | \(statement.title) | \(entry.seedCount) "
        + "| \(commit) |\n"
    }
    for (entry, claim) in known { text += section(entry, claim) }
    return text
  }

  private func section(_ entry: ClaimLedger.Entry, _ claim: any Claim) -> String {
    let statement = type(of: claim).statement
    var text = """

      ## \(entry.id): \(entry.verdict.rawValue)

      \(Self.sentence(statement.title))

      - Reported: \(statement.paper).
      - Against: \(statement.baseline).
      - Data: \(statement.data).
      - Fails where: \(statement.breaking).

      ![The numbers of claim \(entry.id)](\(Self.pictureName(entry.id)))

      | number | what it is | reported | measured | 95 % | rule | |
      |---|---|---|---|---|---|---|

      """
    let expectations = Dictionary(
      claim.expectations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for number in entry.numbers {
      let expectation = expectations[number.name]
      let interval = number.interval.map {
        "\(ClaimNumber.text($0.lowerBound)) … \(ClaimNumber.text($0.upperBound))"
      }
      let cells = [
        "`\(number.name)`", expectation?.meaning ?? "",
        expectation?.reported.map(ClaimNumber.text) ?? "",
        number.mean.map(ClaimNumber.text) ?? "none", interval ?? "", expectation?.rule?.text ?? "",
        number.verdict?.rawValue ?? "",
      ]
      text += "| \(cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")) |\n"
    }
    return text
  }

  private static func sentence(_ title: String) -> String {
    title.prefix(1).uppercased() + title.dropFirst() + "."
  }

  /// A picture for each claim, by the name of its file.
  public var pictures: [(name: String, chart: Chart)] {
    known.map { (Self.pictureName($0.entry.id), Self.chart($0.entry, $0.claim)) }
  }

  private static func chart(_ entry: ClaimLedger.Entry, _ claim: any Claim) -> Chart {
    let expectations = Dictionary(
      claim.expectations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let shown = shown(entry.numbers)
    var (ours, theirs, bounds): ([Chart.Point], [Chart.Point], [Chart.Point]) = ([], [], [])
    for (place, number) in shown.enumerated() {
      let x = Double(place)
      if let mean = number.mean {
        ours.append(
          .init(
            x, mean, interval: number.interval, title: "\(number.name): \(ClaimNumber.text(mean))"))
      }
      let expectation = expectations[number.name]
      if let reported = expectation?.reported {
        theirs.append(
          .init(x - 0.2, reported, title: "\(number.name): \(ClaimNumber.text(reported))"))
      }
      if let rule = expectation?.rule {
        let title = "\(number.name): \(rule.text)"
        switch rule {
        case .above(let bound), .below(let bound):
          bounds.append(.init(x + 0.2, bound, title: title))
        case .within(let range):
          bounds.append(
            .init(
              x + 0.2, (range.lowerBound + range.upperBound) / 2, interval: range, title: title))
        }
      }
    }
    return Chart(
      "claim \(entry.id): \(entry.verdict.rawValue)",
      x: .init("", names: shown.map(\.name)), y: .init("mean over the seeds, 95 %"),
      series: [
        .init("reported", theirs, style: .points), .init("measured", ours, style: .points),
        .init("wanted", bounds, style: .points),
      ])
  }

  /// Those that one axis holds: where shares stand beside counts, the counts are in the table only.
  private static func shown(_ numbers: [ClaimLedger.Number]) -> [ClaimLedger.Number] {
    let measured = numbers.filter { $0.mean != nil }
    let small = measured.filter { abs($0.mean ?? 0) <= 1.5 }
    return small.count >= 3 ? small : measured
  }
}
