import BasisCore
import BasisStorage
import Testing

@Suite struct FilterTests {
  @Test(arguments: [
    ("size <", "the end at position 7 where a number, a quoted text, true or false is expected"),
    ("size 3", "3 at position 6 where a comparison"),
    ("(size = 3", "the end at position 10 where ')' is expected"),
    ("size = 3 size = 4", "'size' at position 10 where 'and', 'or' or the end is expected"),
    ("name = \"x", "a quote at position 8 that is never closed"),
    ("size = 1e", "'1e' at position 8, which is no number"),
    ("", "the end at position 1 where a field is expected"),
    ("name starts \"x\"", "\"x\" at position 13 where 'with' is expected"),
  ])
  func `says where a filter cannot be read`(source: String, expected: String) {
    let error = #expect(throws: BasisError.self) { try Filter(source) }
    #expect(error?.code == .invalidArgument)
    #expect(error?.message.contains(expected) == true, "\(error?.message ?? "no error")")
  }

  @Test func `deep nesting is refused, not a crash`() {
    let source = String(repeating: "(", count: 5000) + "a = 1"
    #expect(throws: BasisError.self) { try Filter(source) }
  }
}
