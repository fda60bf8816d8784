public import BasisCore
import BasisFormats

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension WordPieceTokenizer {
  /// The tokenizer of a model's folder: of `vocab.txt` with what `tokenizer_config.json` says, or,
  /// where there is none, of `tokenizer.json`.
  ///
  /// - Parameter folder: the folder.
  /// - Throws: `.notFound` if neither file is there; `.badData`, `.unsupported` naming the file.
  public init(folder: String) throws(BasisError) {
    try self.init(folder: folder, lowercasing: false)
  }

  /// - Parameter lowercasing: lower case whatever the files say; accents as they say.
  init(folder: String, lowercasing: Bool) throws(BasisError) {
    let vocabulary = folder + "/vocab.txt"
    guard FileManager.default.fileExists(atPath: vocabulary) else {
      let path = folder + "/tokenizer.json"
      guard FileManager.default.fileExists(atPath: path) else {
        throw BasisError(
          .notFound, "\(folder): has no vocab.txt and no tokenizer.json, so its words are unknown")
      }
      try self.init(tokenizerFile: path, lowercasing: lowercasing)
      return
    }
    let path = folder + "/tokenizer_config.json"
    let rules = FileManager.default.fileExists(atPath: path) ? try Self.rules(of: path) : Rules()
    try self.init(
      vocabularyFile: vocabulary, rules: lowercasing ? rules.lowercasing() : rules)
  }

  /// A tokenizer from a `vocab.txt`: one entry a line, numbered from 0.
  ///
  /// - Parameters:
  ///   - path: the file, UTF-8.
  ///   - rules: how words are made.
  /// - Throws: `.notFound`; `.inputOutput`; what ``init(vocabulary:rules:literals:)`` throws.
  public init(vocabularyFile path: String, rules: Rules = Rules()) throws(BasisError) {
    var bytes = try readFile(path)
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    do throws(BasisError) {
      try self.init(
        vocabulary: lines.map { Array($0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0) },
        rules: rules, literals: Self.literals(of: rules))
    } catch {
      throw error.at(path)
    }
  }

  /// A tokenizer from a `tokenizer.json`, as the `tokenizers` package writes it.
  ///
  /// - Parameter path: the file.
  /// - Throws: `.notFound`; `.badData`; `.unsupported` for another kind of tokenizer, naming what
  ///   was found.
  public init(tokenizerFile path: String) throws(BasisError) {
    try self.init(tokenizerFile: path, lowercasing: false)
  }

  private init(tokenizerFile path: String, lowercasing: Bool) throws(BasisError) {
    let json = try readJSON(path)
    do throws(BasisError) {
      try self.init(json, lowercasing: lowercasing)
    } catch {
      throw error.at(path)
    }
  }

  private init(_ json: JSONValue, lowercasing: Bool) throws(BasisError) {
    func require(_ part: String, _ wanted: String) throws(BasisError) -> JSONValue {
      let value = json[part] ?? .null
      let found = value["type"]?.stringValue ?? "nothing"
      guard found == wanted else {
        throw BasisError(
          .unsupported, "the \(part) is \(found); only \(wanted) is read (BERT's WordPiece)")
      }
      return value
    }
    let normalizer = try require("normalizer", "BertNormalizer")
    _ = try require("pre_tokenizer", "BertPreTokenizer")
    let model = try require("model", "WordPiece")

    var rules = Rules()
    rules.cleansText = normalizer["clean_text"]?.boolValue ?? rules.cleansText
    rules.splitsChinese = normalizer["handle_chinese_chars"]?.boolValue ?? rules.splitsChinese
    rules.lowercases = normalizer["lowercase"]?.boolValue ?? rules.lowercases
    rules.stripsAccents = normalizer["strip_accents"]?.boolValue
    rules.unknownToken = model["unk_token"]?.stringValue ?? rules.unknownToken
    rules.continuationPrefix =
      model["continuing_subword_prefix"]?.stringValue ?? rules.continuationPrefix
    if case .integer(let length)? = model["max_input_chars_per_word"] {
      rules.maximumWordLength = Int(clamping: length)
    }
    try rules.readEnds(json["post_processor"] ?? .null)
    if lowercasing { rules = rules.lowercasing() }

    guard case .object(let entries)? = model["vocab"] else {
      throw BasisError(.badData, "the model has no vocabulary")
    }
    var vocabulary = [[UInt8]?](repeating: nil, count: entries.count)
    func place(_ token: String, _ id: JSONValue?) throws(BasisError) {
      guard case .integer(let id)? = id, let id = Int(exactly: id), id >= 0 else {
        throw BasisError(.badData, "the token '\(token)' has no number")
      }
      // Numbers may have gaps, but not so many that they only serve to fill memory.
      guard id < 4 * entries.count + 1024 else {
        throw BasisError(
          .badData, "the token '\(token)' has the number \(id) in a vocabulary of \(entries.count)")
      }
      if id >= vocabulary.count {
        vocabulary += Array(repeating: nil, count: id + 1 - vocabulary.count)
      }
      vocabulary[id] = Array(token.utf8)
    }
    for (token, id) in entries { try place(token, id) }
    var literals: [String] = []
    if case .array(let added)? = json["added_tokens"] {
      for token in added {
        guard let content = token["content"]?.stringValue else {
          throw BasisError(.badData, "an added token has no content")
        }
        guard token["normalized"]?.boolValue != true, token["single_word"]?.boolValue != true
        else {
          throw BasisError(
            .unsupported,
            "the added token '\(content)' is matched after normalisation or as a whole word, "
              + "which is not done here")
        }
        try place(content, token["id"])
        literals.append(content)
      }
    }
    // An entry without bytes is never matched: it stands for a number that nobody has.
    try self.init(vocabulary: vocabulary.map { $0 ?? [] }, rules: rules, literals: literals)
  }

  private static func rules(of path: String) throws(BasisError) -> Rules {
    let json = try readJSON(path)
    if let name = json["tokenizer_class"]?.stringValue, !name.hasPrefix("Bert") {
      throw BasisError(
        .unsupported, "\(path): the tokenizer is a \(name); only BERT's (BertTokenizer) is read")
    }
    var rules = Rules()
    rules.lowercases = json["do_lower_case"]?.boolValue ?? true
    rules.stripsAccents = json["strip_accents"]?.boolValue
    rules.splitsChinese = json["tokenize_chinese_chars"]?.boolValue ?? true
    // A token is its text, or an object with it.
    func token(_ key: String) -> String? {
      json[key]?.stringValue ?? json[key]?["content"]?.stringValue
    }
    rules.unknownToken = token("unk_token") ?? rules.unknownToken
    rules.classToken = token("cls_token") ?? rules.classToken
    rules.separatorToken = token("sep_token") ?? rules.separatorToken
    return rules
  }

  private static func literals(of rules: Rules) -> [String] {
    ["[PAD]", "[MASK]", rules.unknownToken, rules.classToken, rules.separatorToken]
  }
}

extension WordPieceTokenizer.Rules {
  fileprivate func lowercasing() -> Self {
    var rules = self
    rules.stripsAccents = stripsAccents ?? lowercases
    rules.lowercases = true
    return rules
  }

  /// The tokens at both ends, from either form that writers use.
  fileprivate mutating func readEnds(_ processor: JSONValue) throws(BasisError) {
    switch processor["type"]?.stringValue {
    case "BertProcessing":
      classToken = processor.value(at: "cls.0")?.stringValue ?? classToken
      separatorToken = processor.value(at: "sep.0")?.stringValue ?? separatorToken
    case "TemplateProcessing":
      guard case .array(let parts)? = processor["single"], parts.count == 3,
        let first = parts[0].value(at: "SpecialToken.id")?.stringValue,
        parts[1]["Sequence"] != nil,
        let last = parts[2].value(at: "SpecialToken.id")?.stringValue
      else {
        throw BasisError(
          .unsupported, "the template of a single text is not one token, the text, one token")
      }
      (classToken, separatorToken) = (first, last)
    case let found:
      throw BasisError(
        .unsupported,
        "the post_processor is \(found ?? "nothing"); only TemplateProcessing and BertProcessing "
          + "are read")
    }
  }
}

/// - Throws: `.notFound`, `.inputOutput` naming the file.
func readFile(_ path: String) throws(BasisError) -> [UInt8] {
  guard FileManager.default.fileExists(atPath: path) else {
    throw BasisError(.notFound, "\(path): no such file")
  }
  do {
    return Array(try Data(contentsOf: URL(filePath: path)))
  } catch {
    throw BasisError(.inputOutput, "\(path): cannot read the file", cause: error)
  }
}

/// - Throws: as ``readFile(_:)``, and `.badData` naming the file.
func readJSON(_ path: String) throws(BasisError) -> JSONValue {
  let bytes = try readFile(path)
  do throws(BasisError) {
    return try JSONValue(parsing: bytes)
  } catch {
    throw error.at(path)
  }
}

extension JSONValue {
  /// A truth value, nil for the rest.
  var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
}
