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
    let expectations = claim.expectations
    var (ours, theirs): ([Chart.Point], [Chart.Point]) = ([], [])
    for (place, number) in entry.numbers.enumerated() {
      if let mean = number.mean {
        ours.append(
          .init(
            Double(place), mean, interval: number.interval,
            title: "\(number.name): \(ClaimNumber.text(mean))"))
      }
      if let reported = expectations.first(where: { $0.name == number.name })?.reported {
        theirs.append(
          .init(
            Double(place), reported, title: "\(number.name): \(ClaimNumber.text(reported))"))
      }
    }
    return Chart(
      "claim \(entry.id): \(entry.verdict.rawValue)",
      x: .init("", names: entry.numbers.map(\.name)), y: .init("mean over the seeds, 95 %"),
      series: [
        .init("reported", theirs, style: .points), .init("measured", ours, style: .points),
      ])
  }
}
