import BasisText
import Testing

@Suite struct AnalyzerTests {
  @Test func `words are lower-cased, stopped and stemmed`() {
    let analyzer = Analyzer()
    #expect(analyzer.terms(of: "The Indexing of shrunken FILES") == ["index", "shrunken", "file"])
  }
}
