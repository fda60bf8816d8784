import BasisCore
import BasisText
import Testing

@Suite struct PorterStemmerTests {
  struct Fixture: Decodable { var stems: [String: String] }

  @Test func `stems are those of the published algorithm`() throws {
    let stems = try fixture("porter", as: Fixture.self).stems
    #expect(stems.count > 4000)
    for (word, expected) in stems {
      #expect(stem(word) == expected, "\(word)")
    }
  }

  @Test(arguments: 0..<20) func `any letters have a stem inside themselves`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    // Few letters, so that suffixes come about by chance.
    let letters = Array("aeilnstyz")
    for _ in 0..<200 {
      let length = 1 + generator.nextInt(below: 12)
      let word = String((0..<length).map { _ in letters[generator.nextInt(below: letters.count)] })
      let stemmed = stem(word)
      #expect(stemmed.utf8.count <= word.utf8.count && !stemmed.isEmpty || word == "s", "\(word)")
    }
  }

  private func stem(_ word: String) -> String {
    var bytes = Array(word.utf8)
    let count = bytes.count
    let length = bytes.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { PorterStemmer.stem($0, count: count) } ?? 0
    }
    return String(decoding: bytes[..<length], as: UTF8.self)
  }
}
