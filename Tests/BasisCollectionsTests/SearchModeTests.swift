import BasisCollections
import Testing

@Suite struct SearchModeTests {
  @Test func `names are the words of the command line`() {
    #expect(SearchMode.allCases.map(\.rawValue) == ["lexical", "dense", "hybrid"])
  }
}
