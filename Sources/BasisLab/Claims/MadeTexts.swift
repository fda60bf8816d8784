import BasisCore

/// Texts of three kinds that share their words: functions of a program, sentences, and records. What
/// tells them apart is how the words are put together.
struct MadeTexts {
  enum Kind: String, Codable, CaseIterable, Sendable {
    case function, prose, record
  }

  private var generator: RandomGenerator

  init(_ generator: RandomGenerator) { self.generator = generator }

  /// A text of some hundred characters.
  ///
  /// - Parameter topic: 0 or 1: which half of the nouns it speaks of most.
  mutating func text(_ kind: Kind, topic: Int) -> String {
    switch kind {
    case .function: function(topic)
    case .prose: prose(topic)
    case .record: record(topic)
    }
  }

  private mutating func pick(_ words: [String]) -> String {
    words[generator.nextInt(below: words.count)]
  }

  private mutating func noun(_ topic: Int) -> String {
    let half = Self.nouns.count / 2
    let isOwn = generator.nextInt(below: 5) > 0
    return Self.nouns[generator.nextInt(below: half) + (isOwn == (topic == 0) ? 0 : half)]
  }

  // MARK: Functions

  private mutating func function(_ topic: Int) -> String {
    let names = (0..<2 + generator.nextInt(below: 3)).map { _ in noun(topic) }
    var text = "def \(pick(Self.verbs))_\(noun(topic))(\(names.joined(separator: ", "))):\n"
    if generator.nextInt(below: 2) == 0 { text += "    \"\"\"\(sentence(topic))\"\"\"\n" }
    var known = names
    for _ in 0..<3 + generator.nextInt(below: 5) {
      let name = noun(topic)
      text += statement(name, known)
      known.append(name)
    }
    return text + "    return \(pick(known))\n"
  }

  private mutating func statement(_ name: String, _ known: [String]) -> String {
    let (a, b) = (pick(known), pick(known))
    let number = generator.nextInt(below: 100)
    switch generator.nextInt(below: 7) {
    case 0: return "    \(name) = \(a) + \(b)\n"
    case 1: return "    \(name) = [item for item in \(a) if item.\(pick(Self.verbs))()]\n"
    case 2:
      return
        "    if \(a) is None:\n        raise ValueError(\"\(a) is \(pick(Self.adjectives))\")\n"
    case 3:
      return "    for \(name) in range(len(\(a))):\n        \(b).append(\(name) * \(number))\n"
    case 4: return "    \(name) = self.\(pick(Self.verbs))(\(a), \(b)=\(number))\n"
    case 5: return "    while \(a) < \(number):\n        \(a) += len(\(b))\n"
    default: return "    \(name) = \(a).get(\"\(b)\", {})\n"
    }
  }

  // MARK: Sentences

  private mutating func prose(_ topic: Int) -> String {
    (0..<4 + generator.nextInt(below: 5)).map { _ in sentence(topic) }.joined(separator: " ")
  }

  private mutating func sentence(_ topic: Int) -> String {
    let subject = "the \(pick(Self.adjectives)) \(noun(topic))"
    let object = "the \(noun(topic)) of a \(noun(topic))"
    let text: String
    switch generator.nextInt(below: 4) {
    case 0: text = "\(subject) will \(pick(Self.verbs)) \(object)"
    case 1: text = "when \(subject) is \(pick(Self.adjectives)), we \(pick(Self.verbs)) \(object)"
    case 2: text = "\(subject) can \(pick(Self.verbs)) only what \(object) has left"
    default: text = "as \(object) grows, \(subject) should \(pick(Self.verbs)) it"
    }
    return text.prefix(1).uppercased() + text.dropFirst() + "."
  }

  // MARK: Records

  private mutating func record(_ topic: Int) -> String {
    let isObject = generator.nextInt(below: 2) == 0
    let lines = (0..<3 + generator.nextInt(below: 4)).map { _ in
      let (number, share) = (generator.nextInt(below: 9000), generator.nextInt(below: 100))
      return isObject
        ? "{\"id\": \(number), \"name\": \"\(noun(topic))\", \"state\": \"\(pick(Self.adjectives))\", "
          + "\"share\": 0.\(share)}"
        : "\(number);\(noun(topic));\(pick(Self.adjectives));0.\(share);\(pick(Self.verbs))"
    }
    return lines.joined(separator: isObject ? ",\n" : "\n") + "\n"
  }

  private static let nouns = [
    "river", "harvest", "valley", "orchard", "weather", "meadow", "forest", "island", "garden",
    "season", "mountain", "village", "market", "bridge", "winter", "animal", "shepherd", "cottage",
    "matrix", "buffer", "cursor", "packet", "signal", "vector", "counter", "parser", "socket",
    "thread", "window", "module", "channel", "message", "pointer", "segment", "handler", "branch",
  ]
  private static let verbs = [
    "open", "close", "merge", "collect", "measure", "return", "follow", "divide", "remember",
    "update", "release", "compare", "gather", "observe",
  ]
  private static let adjectives = [
    "empty", "narrow", "heavy", "silent", "broken", "distant", "careful", "uncertain", "familiar",
    "sudden", "ordinary", "hidden", "patient", "shallow",
  ]
}

/// How well texts foretell others, letter by letter.
///
/// Witten & Bell, IEEE Trans. Inf. Theory 37 (1991), doi:10.1109/18.87000: what a context has not seen,
/// the shorter one tells.
struct LetterModel {
  private struct Context {
    var total = 0
    var kinds = 0
  }

  private let order: Int
  private var contexts: [UInt64: Context] = [:]
  private var counts: [UInt64: Int] = [:]

  /// - Parameters:
  ///   - texts: to learn from.
  ///   - order: letters of the longest context and one, 1 to 7.
  /// - Complexity: O(bytes · order).
  init(_ texts: [String], order: Int = 5) {
    self.order = order
    for text in texts {
      let bytes = Array(text.utf8)
      for place in bytes.indices {
        for length in 0..<min(order, place + 1) {
          let context = Self.key(bytes, place, length)
          let isNew = counts[Self.joined(context, bytes[place])] == nil
          counts[Self.joined(context, bytes[place]), default: 0] += 1
          contexts[context, default: Context()].total += 1
          if isNew { contexts[context, default: Context()].kinds += 1 }
        }
      }
    }
  }

  /// Bits a byte that it takes to tell the texts.
  func bits(of texts: [String]) -> Double {
    var (sum, count) = (0.0, 0)
    for text in texts {
      let bytes = Array(text.utf8)
      for place in bytes.indices {
        var probability = 1.0 / 256
        for length in 0..<min(order, place + 1) {
          let context = Self.key(bytes, place, length)
          guard let known = contexts[context] else { break }
          let seen = Double(counts[Self.joined(context, bytes[place])] ?? 0)
          let (total, kinds) = (Double(known.total), Double(known.kinds))
          probability = (seen + kinds * probability) / (total + kinds)
        }
        sum -= logarithm2(probability)
        count += 1
      }
    }
    return sum / Double(max(1, count))
  }

  /// The bytes before a place, with how many there are.
  private static func key(_ bytes: [UInt8], _ place: Int, _ length: Int) -> UInt64 {
    var key = UInt64(length) << 60
    for back in 0..<length { key |= UInt64(bytes[place - 1 - back]) << (8 * UInt64(back)) }
    return key
  }

  private static func joined(_ context: UInt64, _ byte: UInt8) -> UInt64 {
    // Seven bytes at most, and four bits that count them.
    (context << 8 | UInt64(byte)) ^ (context >> 60) << 61
  }
}

/// Importance weights of texts by the words and pairs of words that they share with targets.
///
/// Xie, Santurkar, Ma & Liang, *Data Selection for Language Models via Importance Resampling*, NeurIPS
/// 2023, arXiv:2302.03169, section 4: hashed n-grams, the most important kept rather than drawn.
struct NGramImportance {
  private static let bucketCount = 10_000

  /// - Returns: log of the share of the text's n-grams among targets over that among all.
  static func weights(of texts: [String], targets: [String]) -> [Double] {
    let features = texts.map(buckets)
    let wanted = logarithms(targets.map(buckets))
    let all = logarithms(features)
    return features.map { own in own.reduce(0.0) { $0 + wanted[$1] - all[$1] } }
  }

  private static func logarithms(_ features: [[Int]]) -> [Double] {
    var counts = [Double](repeating: 1e-2, count: bucketCount)
    for own in features { for bucket in own { counts[bucket] += 1 } }
    let total = counts.reduce(0, +)
    return counts.map { logarithm($0 / total) }
  }

  private static func buckets(_ text: String) -> [Int] {
    var words: [[UInt8]] = []
    var isOpen = false
    for byte in text.lowercased().utf8 {
      let isLetter = byte == 95 || (48...57).contains(byte) || (97...122).contains(byte)
      if isLetter && isOpen {
        words[words.count - 1].append(byte)
      } else if byte > 32 {
        words.append([byte])
      }
      isOpen = isLetter
    }
    let single = words.map { bucket($0) }
    return single + zip(words, words.dropFirst()).map { bucket($0.0 + [32] + $0.1) }
  }

  private static func bucket(_ bytes: [UInt8]) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int(hash % UInt64(bucketCount))
  }
}
