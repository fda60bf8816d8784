/// Words that say nothing about what a text is about, and are left out of it.
public enum StopWords: String, Sendable, Hashable, Codable, CaseIterable {
  /// Every word counts.
  case none
  /// English function words: articles, pronouns, prepositions, conjunctions, auxiliary verbs, and
  /// what an apostrophe leaves of a contraction (`don't` is `don`, `t`). Negations and quantities
  /// (`no`, `not`, `few`, `most`) stay, because they change what a sentence claims.
  case english

  /// The words of the list, sorted.
  public var words: [String] {
    switch self {
    case .none: []
    case .english: Self.englishWords
    }
  }

  /// What is dropped only directly after an apostrophe: alone, `t` and `s` are names of things.
  static let enclitics = ["d", "ll", "m", "re", "s", "t", "ve"]

  private static let englishWords: [String] = [
    // Articles and demonstratives.
    "a", "an", "the", "this", "that", "these", "those",
    // Pronouns.
    "i", "me", "my", "you", "your", "he", "him", "his", "she", "her", "it", "its", "we", "us",
    "our", "they", "them", "their", "who", "whom", "whose", "which", "what",
    // Prepositions and conjunctions.
    "of", "in", "on", "at", "by", "to", "for", "from", "with", "into", "as", "than", "and", "or",
    "but", "if", "so", "such", "then", "there", "when", "where", "while", "how", "why",
    // Auxiliary verbs.
    "is", "are", "was", "were", "be", "been", "being", "am", "has", "have", "had", "do", "does",
    "did", "can", "could", "may", "might", "will", "would", "shall", "should",
    // The first part of a contraction.
    "aren", "couldn", "didn", "doesn", "don", "hadn", "hasn", "haven", "isn", "shouldn", "wasn",
    "weren", "wouldn",
  ].sorted()

  static let englishTable: TermTable = {
    var table = TermTable(minimumCapacity: englishWords.count)
    for var word in englishWords { _ = word.withUTF8 { table.insert($0) } }
    return table
  }()
}

/// How the endings of words are made equal.
public enum Stemming: String, Sendable, Hashable, Codable, CaseIterable {
  /// Words stay as they are.
  case none
  /// Porter's algorithm of 1980, for English. Words with anything but `a`–`z` stay as they are.
  case porter
}
