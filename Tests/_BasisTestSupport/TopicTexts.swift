import BasisCore

/// Texts with a known make-up: each has words of one topic and words of none, and names its row.
/// All words end in q, so that no stemmer makes two of them equal.
public struct TopicTexts: Sendable {
  public let topics: [Int]
  public let texts: [String]

  /// - Parameter count: how many texts; topics take turns.
  public init(count: Int, topicCount: Int = 8, wordCount: Int = 12, seed: UInt64 = 0) {
    var generator = RandomGenerator(seed: seed)
    topics = (0..<count).map { $0 % topicCount }
    texts = topics.enumerated().map { row, topic in
      let words = (0..<wordCount).map { _ in
        let kind = generator.nextInt(below: 3) == 0 ? "common" : "topic\(letters(topic))"
        return "\(kind)\(letters(generator.nextInt(below: 40)))q"
      }
      return (words + ["row\(letters(row))q"]).joined(separator: " ")
    }
  }
}

/// A number written with letters, so that analysers take it for a word: 0 is "a", 26 is "ba".
public func letters(_ number: Int) -> String {
  var text = ""
  var rest = number
  repeat {
    text = String(UnicodeScalar(UInt8(97 + rest % 26))) + text
    rest /= 26
  } while rest > 0
  return text
}
