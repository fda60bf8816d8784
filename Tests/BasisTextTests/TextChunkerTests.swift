import BasisCore
import BasisText
import Testing
import _BasisTestSupport

@Suite struct TextChunkerTests {
  @Test func `cuts at words and repeats the end`() {
    let chunker = TextChunker(limit: 4, overlap: 1)
    #expect(chunker.chunks(of: "a b c d") == ["a b c d"])
    #expect(chunker.chunks(of: "a b  c\nd e f g h") == ["a b  c\nd", "d e f g", "g h"])
    #expect(TextChunker(limit: 3, overlap: 0).chunks(of: "a b c d e") == ["a b c", "d e"])
    #expect(chunker.chunks(of: "") == [""])
  }

  @Test func `a word longer than the limit stands alone`() {
    let chunks = TextChunker(limit: 4, overlap: 2).chunks(of: "aa bbbbbbbb cc dd") { $0.count }
    #expect(chunks == ["aa", "bbbbbbbb", "cc dd"])
  }

  @Test(arguments: 0..<50) func `every word is in a window, in order`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    let words = (0..<generator.nextInt(below: 200)).map { "w\(letters($0))" }
    let limit = 1 + generator.nextInt(below: 20)
    let chunker = TextChunker(limit: limit, overlap: generator.nextInt(below: limit))
    let chunks = chunker.chunks(of: words.joined(separator: " ")).map { $0.split(separator: " ") }
    #expect(chunks.allSatisfy { $0.count <= limit })
    var next = 0
    for chunk in chunks where !chunk.isEmpty {
      let first = words.firstIndex(of: String(chunk[0])) ?? -1
      #expect(first <= next && next - first <= chunker.overlap)
      #expect(chunk.map(String.init) == Array(words[first..<first + chunk.count]))
      next = first + chunk.count
    }
    #expect(next == words.count)
  }
}
