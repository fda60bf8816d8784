import BasisCore
import Dispatch
import Foundation
import Synchronization

/// One line on a terminal that says how far a run is, how fast it goes and how long it will take.
///
/// Shows nothing where standard error is not a terminal, and nothing for runs under two seconds.
final class ProgressLine: Sendable {
  private struct State {
    var phase = ""
    var start = DispatchTime.now().uptimeNanoseconds
    var lastShown: UInt64 = 0
    var isVisible = false
  }

  private let began = DispatchTime.now().uptimeNanoseconds
  private let state = Mutex(State())

  /// Nil where nobody would see it.
  init?(quiet: Bool) {
    guard !quiet, isatty(STDERR_FILENO) == 1 else { return nil }
  }

  func show(_ progress: RunContext.Progress) {
    let now = DispatchTime.now().uptimeNanoseconds
    state.withLock { state in
      if state.phase != progress.phase {
        state.phase = progress.phase
        state.start = now
        state.lastShown = 0
      }
      guard now - began > 2_000_000_000, now - state.lastShown > 100_000_000 else { return }
      state.lastShown = now
      state.isVisible = true
      let seconds = Double(now - state.start) / 1e9
      writeToStandardError("\r\u{1B}[K" + Self.line(progress, after: seconds))
    }
  }

  /// Clears the line before other output.
  func clear() {
    state.withLock { state in
      if state.isVisible { writeToStandardError("\r\u{1B}[K") }
      state.isVisible = false
    }
  }

  static func line(_ progress: RunContext.Progress, after seconds: Double) -> String {
    var text = "\(progress.phase) \(grouped(progress.completed))"
    if let total = progress.total, total > 0 {
      let fraction = min(1, Double(progress.completed) / Double(total))
      let filled = Int(fraction * 24)
      let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: 24 - filled)
      text = "\(progress.phase) \(bar) \(Int(fraction * 100)) % of \(grouped(total))"
    }
    if !progress.unit.isEmpty { text += " \(progress.unit)" }
    guard seconds > 0.2, progress.completed > 0 else { return text }
    let rate = Double(progress.completed) / seconds
    text += "  \(grouped(Int(rate)))/s"
    if let total = progress.total, total > progress.completed {
      text += "  \(duration(Double(total - progress.completed) / rate)) left"
    }
    return text
  }
}

/// 1234567 as "1,234,567".
func grouped(_ number: Int) -> String {
  let digits = Array(String(abs(number)))
  var text = ""
  for (index, digit) in digits.enumerated() {
    if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
    text.append(digit)
  }
  return number < 0 ? "-" + text : text
}

/// Seconds for a person: "0.21 s", "12 s", "3 min 20 s".
func duration(_ seconds: Double) -> String {
  if seconds < 0.1 { return "\(decimal(seconds * 1000, 1)) ms" }
  if seconds < 10 { return "\(decimal(seconds, 2)) s" }
  if seconds < 90 { return "\(Int(seconds.rounded())) s" }
  let whole = Int(seconds.rounded())
  return whole < 5400
    ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
}

/// Bytes for a person: "512 B", "3.4 MB".
func bytes(_ count: Int) -> String {
  var value = Double(count)
  for unit in ["B", "kB", "MB", "GB"] {
    if value < 1000 { return unit == "B" ? "\(count) B" : "\(decimal(value, 1)) \(unit)" }
    value /= 1000
  }
  return "\(decimal(value, 1)) TB"
}

func decimal(_ value: Double, _ places: Int) -> String {
  String(format: "%.\(places)f", value)
}
