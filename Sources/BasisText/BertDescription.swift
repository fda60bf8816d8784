public import BasisCore
import BasisFormats

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What a sentence-transformers folder says about its encoder, beside the weights.
public struct BertDescription: Hashable, Sendable, Codable {
  /// What a text's tokens become together.
  public enum Pooling: String, Sendable, Hashable, Codable, CaseIterable {
    /// Their mean.
    case mean
    /// The first one, `[CLS]`.
    case first = "cls"
    /// The largest value of each column.
    case maximum = "max"
    /// Their sum, divided by the square root of their number.
    case meanSquareRoot = "mean_sqrt_len"
  }

  /// The shape of the network.
  public struct Network: Hashable, Sendable, Codable {
    public var hiddenSize: Int
    public var layerCount: Int
    public var headCount: Int
    public var intermediateSize: Int
    public var positionCount: Int
    public var vocabularyCount: Int
    public var normEpsilon: Float
  }

  public var network: Network
  public var pooling: Pooling
  /// Whether vectors are scaled to unit length.
  public var normalizes: Bool
  /// Longer texts are cut to so many tokens, those at both ends included.
  public var maximumTokenCount: Int
  /// What is put before a query, often nothing.
  public var queryPrefix: String
  /// What is put before a document, often nothing.
  public var documentPrefix: String
  public var metric: Metric
  /// Lower case although the tokenizer itself keeps it.
  var lowercases = false

  /// Reads the JSON files of a folder: `modules.json`, `config.json`, `sentence_bert_config.json`,
  /// `config_sentence_transformers.json` and those of the modules.
  ///
  /// - Parameter folder: the folder.
  /// - Throws: `.notFound` if a file is missing that must be there; `.badData` for values without
  ///   sense; `.unsupported` naming the part of the model that is not BERT's, or not known here.
  public init(folder: String) throws(BasisError) {
    guard let modules = try Self.json(folder, "modules.json") else {
      throw BasisError(
        .notFound,
        "\(folder): is no sentence-transformers folder: it has no modules.json")
    }
    guard case .array(let list) = modules else {
      throw BasisError(.badData, "\(folder)/modules.json: is not a list of modules")
    }
    var transformerPath: String?
    var poolingPath: String?
    normalizes = false
    for module in list {
      let type = module["type"]?.stringValue ?? "nothing"
      let path = module["path"]?.stringValue ?? ""
      switch type.split(separator: ".").last.map(String.init) {
      case "Transformer" where transformerPath == nil && poolingPath == nil: transformerPath = path
      case "Pooling" where transformerPath != nil && poolingPath == nil: poolingPath = path
      case "Normalize" where poolingPath != nil: normalizes = true
      default:
        throw BasisError(
          .unsupported,
          "\(folder)/modules.json: the module \(type) is not known here, or not at this place; "
            + "known are Transformer, then Pooling, then Normalize")
      }
    }
    guard let transformerPath, let poolingPath else {
      throw BasisError(.unsupported, "\(folder)/modules.json: needs a Transformer and a Pooling")
    }
    guard transformerPath.isEmpty else {
      throw BasisError(
        .unsupported,
        "\(folder)/modules.json: the Transformer lies in '\(transformerPath)', not in the folder "
          + "itself")
    }
    network = try Self.network(folder)
    pooling = try Self.pooling(folder, poolingPath)

    let sentences = try Self.json(folder, "sentence_bert_config.json") ?? .null
    lowercases = sentences["do_lower_case"] == .bool(true)
    maximumTokenCount = network.positionCount
    if let limit = sentences["max_seq_length"], !limit.isNull {
      guard case .integer(let limit) = limit, limit >= 3 else {
        throw BasisError(
          .badData,
          "\(folder)/sentence_bert_config.json: max_seq_length is \(limit.text), not a number of "
            + "at least 3")
      }
      maximumTokenCount = min(Int(clamping: limit), network.positionCount)
    }

    let general = try Self.json(folder, "config_sentence_transformers.json") ?? .null
    func prompt(_ names: [String]) -> String {
      let given = general["default_prompt_name"]?.stringValue.map { [$0] } ?? []
      return (names + given).compactMap { general["prompts"]?[$0]?.stringValue }.first ?? ""
    }
    queryPrefix = prompt(["query"])
    documentPrefix = prompt(["document", "passage", "corpus"])
    let similarity = general["similarity_fn_name"] ?? .null
    switch similarity {
    case .null, .string("cosine"): metric = .cosine
    case .string("dot"): metric = .innerProduct
    case .string("euclidean"): metric = .squaredEuclidean
    default:
      throw BasisError(
        .unsupported,
        "\(folder)/config_sentence_transformers.json: the similarity \(similarity.text) is not "
          + "known here; known are cosine, dot and euclidean")
    }
  }

  /// The JSON of a file of the folder, nil where there is none.
  private static func json(_ folder: String, _ name: String) throws(BasisError) -> JSONValue? {
    let path = folder + "/" + name
    return FileManager.default.fileExists(atPath: path) ? try readJSON(path) : nil
  }

  private static func network(_ folder: String) throws(BasisError) -> Network {
    let path = folder + "/config.json"
    guard let config = try json(folder, "config.json") else {
      throw BasisError(.notFound, "\(path): no such file")
    }
    func unsupported(_ key: String, _ wanted: String) -> BasisError {
      BasisError(
        .unsupported,
        "\(path): \(key) is \(config[key]?.text ?? "missing"); only \(wanted) is computed here")
    }
    guard config["model_type"] == .string("bert") else {
      throw unsupported("model_type", "\"bert\"")
    }
    guard config["hidden_act"] == .string("gelu") else {
      throw unsupported("hidden_act", "\"gelu\"")
    }
    guard [nil, .null, .string("absolute")].contains(config["position_embedding_type"]) else {
      throw unsupported("position_embedding_type", "\"absolute\"")
    }
    guard config["is_decoder"] != .bool(true) else { throw unsupported("is_decoder", "false") }
    func count(_ key: String) throws(BasisError) -> Int {
      guard case .integer(let value)? = config[key], (1...(1 << 24)).contains(value) else {
        throw BasisError(
          .badData, "\(path): \(key) is \(config[key]?.text ?? "missing"), not a size")
      }
      return Int(value)
    }
    let epsilon = config["layer_norm_eps"]?.doubleValue ?? 1e-12
    let network = Network(
      hiddenSize: try count("hidden_size"), layerCount: try count("num_hidden_layers"),
      headCount: try count("num_attention_heads"),
      intermediateSize: try count("intermediate_size"),
      positionCount: try count("max_position_embeddings"),
      vocabularyCount: try count("vocab_size"), normEpsilon: Float(epsilon))
    guard network.hiddenSize.isMultiple(of: network.headCount) else {
      throw BasisError(
        .badData,
        "\(path): hidden_size \(network.hiddenSize) does not divide into "
          + "\(network.headCount) heads")
    }
    guard epsilon >= 0, network.positionCount >= 3 else {
      throw BasisError(
        .badData, "\(path): layer_norm_eps or max_position_embeddings is too small")
    }
    return network
  }

  private static func pooling(_ folder: String, _ module: String) throws(BasisError) -> Pooling {
    let name = module + "/config.json"
    guard let config = try json(folder, name) else {
      throw BasisError(.notFound, "\(folder)/\(name): no such file")
    }
    guard case .object(let members) = config else {
      throw BasisError(.badData, "\(folder)/\(name): is no JSON object")
    }
    let asked = members.filter { $0.key.hasPrefix("pooling_mode") && $0.value == .bool(true) }
      .keys.sorted()
    let known: [String: Pooling] = [
      "pooling_mode_mean_tokens": .mean, "pooling_mode_cls_token": .first,
      "pooling_mode_max_tokens": .maximum, "pooling_mode_mean_sqrt_len_tokens": .meanSquareRoot,
    ]
    guard asked.count == 1, let pooling = known[asked[0]] else {
      throw BasisError(
        .unsupported,
        "\(folder)/\(name): asks for \(asked.isEmpty ? "nothing" : asked.joined(separator: " and "))"
          + "; one of \(known.keys.sorted().joined(separator: ", ")) is computed here")
    }
    guard config["include_prompt"] != .bool(false) else {
      throw BasisError(
        .unsupported, "\(folder)/\(name): include_prompt is false; only true is computed here")
    }
    return pooling
  }
}
