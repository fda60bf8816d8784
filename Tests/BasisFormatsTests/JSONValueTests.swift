import BasisCore
import BasisFormats
import Testing

@Suite struct JSONValueTests {
  @Test func `whole numbers, broken numbers and truth values stay what they are`() throws {
    #expect(
      try JSONValue(parsing: "[1,1.0,true,null,\"1\"]")
        == .array([.integer(1), .number(1), .bool(true), .null, .string("1")]))
  }
}
