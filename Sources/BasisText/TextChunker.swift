public import BasisCore

/// Cuts texts that are too long for an encoder into overlapping windows of whole words.
///
/// Each window is as long as the limit allows and repeats the end of the one before, so that what
/// stands at a cut is whole in one of the two.
public struct TextChunker: Settings {
  /// Of a window, at least 1: tokens for an encoder that counts them, else words.
  public var limit: Int
  /// How much of a window the next one repeats, in `0 ..< limit`.
  public var overlap: Int

  /// - Precondition: `limit` is at least 1 and `overlap` in `0 ..< limit`.
  public init(limit: Int = 200, overlap: Int = 25) {
    precondition(limit >= 1 && overlap >= 0 && overlap < limit, "limit \(limit), \(overlap)")
    self.limit = limit
    self.overlap = overlap
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let limit = try values.decodeIfPresent(Int.self, forKey: .limit) ?? TextChunker().limit
    let overlap = try values.decodeIfPresent(Int.self, forKey: .overlap) ?? 0
    guard limit >= 1, overlap >= 0, overlap < limit else {
      throw DecodingError.dataCorruptedError(
        forKey: .overlap, in: values,
        debugDescription: "an overlap of \(overlap) in windows of \(limit)")
    }
    self.init(limit: limit, overlap: overlap)
  }

  /// The windows of a text, in its order; the text itself if it fits.
  ///
  /// - Parameters:
  ///   - text: any text.
  ///   - length: of a word, at least 0; a word counts 1 if nil. Lengths add up.
  /// - Returns: at least one window. A word longer than the limit is a window of its own.
  /// - Complexity: O(length of the text).
  public func chunks(of text: String, length: ((Substring) -> Int)? = nil) -> [String] {
    let words = text.split(whereSeparator: \.isWhitespace)
    let lengths = words.map { length?($0) ?? 1 }
    guard lengths.reduce(0, +) > limit, words.count > 1 else { return [text] }
    var chunks: [String] = []
    var start = 0
    while start < words.count {
      var end = start
      var sum = 0
      while end < words.count, end == start || sum + lengths[end] <= limit {
        sum += lengths[end]
        end += 1
      }
      chunks.append(String(text[words[start].startIndex..<words[end - 1].endIndex]))
      guard end < words.count else { break }
      // Back by the overlap, but always forward by a word.
      var next = end
      var repeated = 0
      while next - 1 > start, repeated + lengths[next - 1] <= overlap {
        next -= 1
        repeated += lengths[next]
      }
      start = next
    }
    return chunks
  }
}
