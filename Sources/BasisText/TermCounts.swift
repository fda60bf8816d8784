import BasisCore

/// How often each text has each term.
struct TermCounts {
  /// Once selected: sorted by bytes, so that numbers do not depend on the order of the texts.
  private(set) var vocabulary: TermTable
  private(set) var documentFrequencies: [Int]
  private var terms: [Int32] = []
  private var counts: [Int32] = []
  private var offsets = [0]

  var rowCount: Int { offsets.count - 1 }

  /// The terms of one text, rising.
  func row(_ index: Int) -> some Collection<(term: Int, count: Int)> {
    (offsets[index]..<offsets[index + 1]).lazy.map { (Int(terms[$0]), Int(counts[$0])) }
  }

  init(_ texts: [String], analyzer: Analyzer, in run: RunContext) throws(BasisError) {
    var interner = TermInterner(analyzer: analyzer)
    vocabulary = interner.terms
    documentFrequencies = []
    var current: [Int32] = []
    var touched: [Int] = []
    for (index, text) in texts.enumerated() {
      if index.isMultiple(of: 1024) {
        try run.checkCancelled()
        run.report("counting terms", index, of: texts.count, unit: "texts")
      }
      interner.forEachTerm(of: text) { term in
        if term == current.count {
          current.append(0)
          documentFrequencies.append(0)
        }
        if current[term] == 0 { touched.append(term) }
        current[term] += 1
      }
      for term in touched {
        terms.append(Int32(truncatingIfNeeded: term))
        counts.append(current[term])
        documentFrequencies[term] += 1
        current[term] = 0
      }
      offsets.append(terms.count)
      touched.removeAll(keepingCapacity: true)
    }
    vocabulary = interner.terms
  }

  /// Keeps the terms that are in enough texts, at most `limit` of them: those in the most texts,
  /// ties by their bytes.
  mutating func select(minimumDocumentFrequency: Int, limit: Int) {
    var kept = vocabulary.sortedIndices().filter {
      documentFrequencies[$0] >= minimumDocumentFrequency
    }
    if kept.count > limit {
      let ranked = kept.indices.sorted {
        let (a, b) = (documentFrequencies[kept[$0]], documentFrequencies[kept[$1]])
        return a != b ? a > b : $0 < $1
      }
      kept = ranked.prefix(limit).sorted().map { kept[$0] }
    }

    var selected = TermTable(minimumCapacity: kept.count)
    var renumbered = Array(repeating: Int32(-1), count: vocabulary.count)
    for old in kept {
      renumbered[old] = Int32(truncatingIfNeeded: vocabulary.withTerm(old) { selected.insert($0) })
    }
    documentFrequencies = kept.map { documentFrequencies[$0] }
    vocabulary = selected

    var write = 0
    var start = 0
    for row in 0..<rowCount {
      let end = offsets[row + 1]
      let entries = (start..<end)
        .map { (term: renumbered[Int(terms[$0])], count: counts[$0]) }
        .filter { $0.term >= 0 }.sorted { $0.term < $1.term }
      for entry in entries {
        terms[write] = entry.term
        counts[write] = entry.count
        write += 1
      }
      start = end
      offsets[row + 1] = write
    }
    terms.removeLast(terms.count - write)
    counts.removeLast(counts.count - write)
  }
}
