/// The stemming algorithm of Porter, in its published form of 1980: English words that differ only
/// in their endings become one term.
///
/// The later corrections of the author's own C program (`logi` → `log`, `bli` → `ble`, words of two
/// letters left alone) are not in the paper and not here.
///
/// Porter, *An algorithm for suffix stripping*, Program 14 (1980), doi:10.1108/eb046814, section 2.
package struct PorterStemmer {
  private let word: UnsafeMutablePointer<UInt8>
  private var count: Int

  /// Stems a word in place.
  ///
  /// - Parameter word: lower-case letters `a`–`z` only.
  /// - Returns: the length of the stem, which starts where the word started and is never longer.
  /// - Complexity: O(`count`).
  package static func stem(_ word: UnsafeMutablePointer<UInt8>, count: Int) -> Int {
    guard count > 0 else { return 0 }
    var stemmer = PorterStemmer(word: word, count: count)
    stemmer.removePlural()
    stemmer.removePastAndGerund()
    if stemmer.ends("y"), stemmer.hasVowel(stemmer.count - 1) {
      stemmer.word[stemmer.count - 1] = letter("i")
    }
    stemmer.apply(step2, minimumMeasure: 1)
    stemmer.apply(step3, minimumMeasure: 1)
    stemmer.removeSuffix()
    stemmer.tidy()
    return stemmer.count
  }

  private struct Rule {
    var suffix: StaticString
    var replacement: StaticString

    init(_ suffix: StaticString, _ replacement: StaticString) {
      self.suffix = suffix
      self.replacement = replacement
    }
  }

  // The longest suffix that fits decides, so a suffix stands before the ones that it ends with.
  private static let step2 = [
    Rule("ational", "ate"), Rule("tional", "tion"), Rule("enci", "ence"), Rule("anci", "ance"),
    Rule("izer", "ize"), Rule("abli", "able"), Rule("alli", "al"), Rule("entli", "ent"),
    Rule("eli", "e"), Rule("ousli", "ous"), Rule("ization", "ize"), Rule("ation", "ate"),
    Rule("ator", "ate"), Rule("alism", "al"), Rule("iveness", "ive"), Rule("fulness", "ful"),
    Rule("ousness", "ous"), Rule("aliti", "al"), Rule("iviti", "ive"), Rule("biliti", "ble"),
  ]
  private static let step3 = [
    Rule("icate", "ic"), Rule("ative", ""), Rule("alize", "al"), Rule("iciti", "ic"),
    Rule("ical", "ic"), Rule("ful", ""), Rule("ness", ""),
  ]
  private static let step4: [StaticString] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou",
    "ism", "ate", "iti", "ous", "ive", "ize",
  ]

  private static func letter(_ scalar: Unicode.Scalar) -> UInt8 {
    UInt8(truncatingIfNeeded: scalar.value)
  }

  // Step 1a.
  private mutating func removePlural() {
    if ends("sses") || ends("ies") {
      count -= 2
    } else if ends("s") && !ends("ss") {
      count -= 1
    }
  }

  // Step 1b.
  private mutating func removePastAndGerund() {
    if ends("eed") {
      if measure(count - 3) > 0 { count -= 1 }
      return
    }
    if ends("ed"), hasVowel(count - 2) {
      count -= 2
    } else if ends("ing"), hasVowel(count - 3) {
      count -= 3
    } else {
      return
    }
    let last = word[count - 1]
    if ends("at") || ends("bl") || ends("iz") {
      append(Self.letter("e"))
    } else if endsInDoubleConsonant {
      if last != Self.letter("l"), last != Self.letter("s"), last != Self.letter("z") { count -= 1 }
    } else if measure(count) == 1, endsInShortSyllable(count) {
      append(Self.letter("e"))
    }
  }

  // Steps 2 and 3.
  private mutating func apply(_ rules: [Rule], minimumMeasure: Int) {
    for rule in rules where ends(rule.suffix) {
      let stem = count - rule.suffix.utf8CodeUnitCount
      guard measure(stem) >= minimumMeasure else { return }
      count = stem
      for index in 0..<rule.replacement.utf8CodeUnitCount {
        append(rule.replacement.utf8Start[index])
      }
      return
    }
  }

  // Step 4.
  private mutating func removeSuffix() {
    for suffix in Self.step4 where ends(suffix) {
      let stem = count - suffix.utf8CodeUnitCount
      guard measure(stem) > 1 else { return }
      if word[stem] == Self.letter("i"), word[count - 1] == Self.letter("n") {
        guard word[stem - 1] == Self.letter("s") || word[stem - 1] == Self.letter("t") else {
          return
        }
      }
      count = stem
      return
    }
  }

  // Steps 5a and 5b.
  private mutating func tidy() {
    if ends("e") {
      let measure = measure(count - 1)
      if measure > 1 || measure == 1 && !endsInShortSyllable(count - 1) { count -= 1 }
    }
    if ends("ll"), measure(count - 1) > 1 { count -= 1 }
  }

  private mutating func append(_ byte: UInt8) {
    word[count] = byte
    count += 1
  }

  private func ends(_ suffix: StaticString) -> Bool {
    let length = suffix.utf8CodeUnitCount
    guard length <= count else { return false }
    for index in 0..<length where word[count - length + index] != suffix.utf8Start[index] {
      return false
    }
    return true
  }

  private func isConsonant(_ index: Int) -> Bool {
    switch word[index] {
    case Self.letter("a"), Self.letter("e"), Self.letter("i"), Self.letter("o"), Self.letter("u"):
      false
    case Self.letter("y"): index == 0 || !isConsonant(index - 1)
    default: true
    }
  }

  /// *m* of the first `length` letters: how many times a vowel is followed by a consonant.
  private func measure(_ length: Int) -> Int {
    var result = 0
    var wasVowel = false
    for index in 0..<max(length, 0) {
      let isVowel = isVowel(index, afterVowel: wasVowel)
      if wasVowel && !isVowel { result += 1 }
      wasVowel = isVowel
    }
    return result
  }

  private func hasVowel(_ length: Int) -> Bool {
    var wasVowel = false
    for index in 0..<max(length, 0) {
      wasVowel = isVowel(index, afterVowel: wasVowel)
      if wasVowel { return true }
    }
    return false
  }

  private func isVowel(_ index: Int, afterVowel: Bool) -> Bool {
    word[index] == Self.letter("y") ? index > 0 && !afterVowel : !isConsonant(index)
  }

  private var endsInDoubleConsonant: Bool {
    count >= 2 && word[count - 1] == word[count - 2] && isConsonant(count - 1)
  }

  /// *o: consonant, vowel, consonant, and the last is none of w, x, y.
  private func endsInShortSyllable(_ length: Int) -> Bool {
    guard length >= 3, isConsonant(length - 1), !isConsonant(length - 2), isConsonant(length - 3)
    else { return false }
    let last = word[length - 1]
    return last != Self.letter("w") && last != Self.letter("x") && last != Self.letter("y")
  }
}
