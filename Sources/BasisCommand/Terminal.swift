import Foundation

/// Columns of the terminal that standard output goes to; 100 where it is none.
func terminalWidth() -> Int {
  if let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text) {
    return columns
  }
  var size = winsize()
  guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0,
    size.ws_col > 0
  else { return 100 }
  return Int(size.ws_col)
}

/// The text on one line, cut at `width` characters, without a leading repetition of the key.
func excerpt(_ text: String, of width: Int, without key: String) -> String {
  let lines = text.split(whereSeparator: \.isNewline).drop { $0 == key }
  let line = lines.joined(separator: " · ").split(whereSeparator: \.isWhitespace)
    .joined(separator: " ")
  return line.count <= width ? line : line.prefix(width - 1) + "…"
}

/// A name with spaces after it, where it is shorter than a column.
func padded(_ name: String, to width: Int) -> String {
  name + String(repeating: " ", count: max(0, width - name.count))
}

/// A text at the right end of a column.
func aligned(_ text: String, in width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}
