import BasisCore
import BasisFormats
import Foundation
import Testing

@Suite struct JSONValueTests {
  @Test func `whole numbers, broken numbers and truth values stay what they are`() throws {
    #expect(
      try JSONValue(parsing: "[1,1.0,true,false,null,\"1\",-0,1e2]")
        == .array([
          .integer(1), .number(1), .bool(true), .bool(false), .null, .string("1"), .number(-0.0),
          .number(100),
        ]))
    #expect(
      try JSONValue(parsing: "[9223372036854775807,-9223372036854775808]")
        == .array([.integer(.max), .integer(.min)]))
    #expect(try JSONValue(parsing: "9223372036854775808") == .number(0x1p63))
    #expect(try JSONValue(parsing: "-9223372036854775808").text == "-9223372036854775808")
  }

  @Test func `strings keep every character through text and back`() throws {
    let scalars = (0..<0x300).compactMap { Unicode.Scalar($0) } + ["\u{FFFF}", "\u{1F600}"]
    let text = String(String.UnicodeScalarView(scalars))
    #expect(try JSONValue(parsing: JSONValue.string(text).text) == .string(text))
    #expect(
      JSONValue.string("a\"\\\n\r\t\u{1}\u{1F}é😀/").text
        == "\"a\\\"\\\\\\n\\r\\t\\u0001\\u001fé😀/\"")
    #expect(
      try JSONValue(parsing: #""\u00e9\uD83D\uDE00\"\\\/\b\f\n\r\t""#)
        == .string("é😀\"\\/\u{8}\u{C}\n\r\t"))
  }

  @Test func `texts have sorted keys, and null for what is not finite`() throws {
    let value = try JSONValue(parsing: "{\"b\" : [1, {\"x\":[]}, {}] , \"a\":0.5}")
    #expect(value.text == #"{"a":0.5,"b":[1,{"x":[]},{}]}"#)
    #expect("\(value)" == value.text)
    #expect(
      value.serialized(pretty: true)
        == """
        {
          "a": 0.5,
          "b": [
            1,
            {
              "x": []
            },
            {}
          ]
        }
        """)
    #expect(JSONValue.array([.number(.nan), .number(-.infinity)]).text == "[null,null]")
    #expect(JSONValue.number(1e20).text == "1e+20")
  }

  @Test func `paths lead through objects and arrays`() throws {
    let value = try JSONValue(
      parsing: #"{"a":{"b":[10,{"c":"x"}],"d.e":1,"d":{"e":2,"f":3}},"a.b":5}"#)
    #expect(value["a"]?["b"] == .array([.integer(10), .object(["c": .string("x")])]))
    #expect(value["z"] == nil)
    #expect(value.value(at: "a.b") == .integer(5))
    #expect(value.value(at: "a.b.1.c") == .string("x"))
    #expect(value.value(at: "a.b.0") == .integer(10))
    #expect(value.value(at: "a.d.e") == .integer(1))
    #expect(value.value(at: "a.d.f") == .integer(3))
    for absent in ["", ".", "a.", ".a", "a.b.2", "a.b.-1", "a.b.x", "a.b.0.c", "a..b"] {
      #expect(value.value(at: absent) == nil, "\(absent)")
    }
    #expect(JSONValue.string("x y").stringValue == "x y")
    #expect(JSONValue.integer(7).stringValue == "7")
    #expect(JSONValue.number(0.5).stringValue == "0.5")
    #expect(JSONValue.bool(true).stringValue == "true")
    #expect(JSONValue.null.stringValue == nil)
    #expect(JSONValue.array([]).stringValue == nil)
    #expect(JSONValue.integer(2).doubleValue == 2)
    #expect(JSONValue.string("2").doubleValue == nil)
  }

  @Test(arguments: [
    ("", "column 1: expected a value, found the end of the text"),
    ("  ", "column 3: expected a value, found the end of the text"),
    ("tru", "column 4: expected true, found the end of the text"),
    ("trua", "column 4: expected true, found 'a'"),
    ("[1,]", "column 4: expected a value, found ']'"),
    ("[1 2]", "column 4: expected ',' or ']', found '2'"),
    ("{\"a\":1,}", "column 8: expected a key in quotes, found '}'"),
    ("{\"a\" 1}", "column 6: expected ':', found '1'"),
    ("{\"a\":1", "column 7: expected ',' or '}', found the end of the text"),
    ("{a:1}", "column 2: expected a key in quotes, found 'a'"),
    ("{\"a\":1,\"a\":2}", "column 8: the key \"a\" appears twice"),
    ("1 1", "column 3: expected the end of the text, found '1'"),
    ("01", "column 1: a number cannot start with 0"),
    ("-", "column 2: expected a digit, found the end of the text"),
    ("1.", "column 3: expected a digit, found the end of the text"),
    ("1e+", "column 4: expected a digit, found the end of the text"),
    ("+1", "column 1: expected a value, found '+'"),
    ("NaN", "column 1: expected a value, found 'N'"),
    ("1e999", "column 1: 1e999 is too large for a number; write it as a string"),
    (
      "18446744073709551615",
      "column 1: 18446744073709551615 does not fit in 64 bits; write it as a string"
    ),
    ("\"a", "column 3: expected '\"', found the end of the text"),
    ("\"\\", "column 3: expected an escape, found the end of the text"),
    ("\"\\x\"", "column 2: an escape that JSON has not"),
    ("\"\\u12g4\"", "column 6: expected four hexadecimal digits, found 'g'"),
    ("\"\\ud800\"", "column 2: half of a surrogate pair"),
    ("\"\\udc00\"", "column 2: half of a surrogate pair"),
    ("\"\\ud800\\u0041\"", "column 2: half of a surrogate pair"),
    ("\"a\u{1}\"", "column 3: a control character in a string; write it as an escape"),
    ("[\u{7}]", "column 2: expected a value, found byte 0x07"),
  ]) func `what is wrong is said with its column`(text: String, message: String) {
    let error = #expect(throws: BasisError.self) { try JSONValue(parsing: text) }
    #expect(error?.code == .badData)
    #expect(error?.message == message)
  }

  @Test func `bytes that are not UTF-8 are an error with their column`() {
    for bytes: [UInt8] in [[0x22, 0x61, 0xFF, 0x22], [0x22, 0x5C, 0x6E, 0xC3, 0x22]] {
      let error = #expect(throws: BasisError.self) { try JSONValue(parsing: bytes) }
      #expect(
        error?.message == "column \(bytes.count - 1): bytes that are not UTF-8", "\(bytes)")
    }
  }

  @Test func `nesting has a limit and never overflows the stack`() throws {
    let deep = String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
    #expect(try JSONValue(parsing: deep).text == deep)
    for opening in ["[", "{\"a\":", "[{\"a\":"] {
      let error = #expect(throws: BasisError.self) {
        try JSONValue(parsing: String(repeating: opening, count: 100_000))
      }
      #expect(
        error?.message.hasSuffix(": more than 512 nested arrays and objects") == true)
    }
  }

  @Test func `goes through other coders`() throws {
    let value = try JSONValue(
      parsing: #"{"a":[null,true,1,-2.5,"x"],"b":{"c":{}},"d":9007199254740993}"#)
    #expect(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value)) == value)
    #expect(try JSONEncoder().encode(JSONValue.array([.number(.nan)])) == Data("[null]".utf8))
  }

  @Test(arguments: 0..<20) func `any value survives its text`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    for _ in 0..<100 {
      let value = randomValue(&generator, depth: 0)
      #expect(try JSONValue(parsing: value.text) == value)
      #expect(try JSONValue(parsing: value.serialized(pretty: true)) == value)
    }
  }

  /// Foundation takes more than the RFC does, so it is an oracle in one direction.
  @Test(arguments: 0..<10) func `what is accepted Foundation reads in the same way`(seed: UInt64)
    throws
  {
    var generator = RandomGenerator(seed: seed)
    let alphabet = Array("{}[]:,\"\\u0129.eE+-tfn \n".utf8) + [0xC3, 0xFF, 0x00]
    for _ in 0..<300 {
      let valid = Array(randomValue(&generator, depth: 0).text.utf8)
      let text = mutated(valid, &generator, from: alphabet)
      do {
        let value = try JSONValue(parsing: text)
        let theirs = try JSONDecoder().decode(JSONValue.self, from: Data(text))
        #expect(sameNumbers(theirs, value), "\(String(decoding: text, as: UTF8.self))")
      } catch let error as BasisError {
        #expect(error.code == .badData && error.message.hasPrefix("column "))
      }
    }
  }

  private func randomValue(_ generator: inout RandomGenerator, depth: Int) -> JSONValue {
    switch generator.nextInt(below: depth < 4 ? 8 : 6) {
    case 0: return .null
    case 1: return .bool(generator.nextInt(below: 2) == 0)
    case 2:
      return .integer(Int64(bitPattern: generator.next() >> UInt64(generator.nextInt(below: 64))))
    case 3:
      let number = Double(bitPattern: generator.next())
      return .number(number.isFinite ? number : 0.1)
    case 4, 5:
      let letters = Array("aé\"\\\n\u{1}😀 /z")
      return .string(
        String(
          (0..<generator.nextInt(below: 12)).map { _ in
            letters[generator.nextInt(below: letters.count)]
          }))
    case 6:
      return .array(
        (0..<generator.nextInt(below: 4)).map { _ in randomValue(&generator, depth: depth + 1) })
    default:
      var members: [String: JSONValue] = [:]
      for _ in 0..<generator.nextInt(below: 4) {
        members["k\(generator.nextInt(below: 9))"] = randomValue(&generator, depth: depth + 1)
      }
      return .object(members)
    }
  }

  /// Equality that does not tell `1` from `1.0`, as Foundation does not.
  private func sameNumbers(_ a: JSONValue, _ b: JSONValue) -> Bool {
    switch (a, b) {
    case (.array(let x), .array(let y)):
      x.count == y.count && zip(x, y).allSatisfy { sameNumbers($0, $1) }
    case (.object(let x), .object(let y)):
      x.count == y.count
        && x.allSatisfy { key, value in y[key].map { sameNumbers(value, $0) } ?? false }
    default: a == b || (a.doubleValue != nil && a.doubleValue == b.doubleValue)
    }
  }
}
