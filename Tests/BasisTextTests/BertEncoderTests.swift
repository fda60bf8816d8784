import BasisCore
import BasisFormats
import BasisText
import Foundation
import Testing
import _BasisTestSupport

private struct TinyFixture: Decodable {
  var texts: [String]
  var vectors: [String: [[Float]]]
}

private struct MiniLMFixture: Decodable {
  var texts: [String]
  var cuts: [[Int]]
  var halves: String
}

private func cosine(_ a: [Float], _ b: [Float]) -> Double {
  func dot(_ x: [Float], _ y: [Float]) -> Double {
    zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
  return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
}

/// A copy of the tiny model's folder, to be changed.
private func tinyFolder(_ changes: [String: String] = [:], without: [String] = []) throws
  -> (TemporaryFolder, String)
{
  let source = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/tiny-bert")
  let folder = try TemporaryFolder()
  let path = folder.path + "/tiny"
  try FileManager.default.copyItem(atPath: source.path(), toPath: path)
  for (name, text) in changes {
    try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
  }
  for name in without { try FileManager.default.removeItem(atPath: path + "/" + name) }
  return (folder, path)
}

private func pooling(_ mode: String) -> String { #"{"pooling_mode_\#(mode)": true}"# }

@Suite struct BertEncoderTests {
  private let fixture: TinyFixture

  init() throws { fixture = try BasisTextTests.fixture("tiny-bert", as: TinyFixture.self) }

  @Test(arguments: EncoderPrecision.allCases)
  func `the tiny model's vectors are those of the reference`(_ precision: EncoderPrecision) throws {
    for mode in ["mean_tokens", "cls_token", "max_tokens", "mean_sqrt_len_tokens"] {
      let (folder, path) = try tinyFolder(["1_Pooling/config.json": pooling(mode)])
      defer { withExtendedLifetime(folder) {} }
      let encoder = try BertEncoder(folder: path, name: "tiny", precision: precision)
      #expect(encoder.space.id == Space.Identifier(name: "tiny", version: 1))
      #expect(encoder.space.dimension == 36 && encoder.space.metric == .cosine)
      #expect(encoder.description.maximumTokenCount == 32)
      for role in [EncodingRole.document, .query] {
        let expected = try #require(fixture.vectors["\(mode)/\(role.rawValue)"])
        let found = try encoder.encode(fixture.texts, as: role, in: RunContext())
        for (row, wanted) in expected.enumerated() {
          let vector = found.row(row)
          let largest = wanted.map(abs).max() ?? 0
          // Two layers of 36: a few dozen roundings, of 2⁻²⁴ with floats and of 2⁻¹³ otherwise.
          let tolerance = largest * (precision == .float32 ? 1e-5 : 4e-3)
          let worst = zip(vector, wanted).map { abs($0 - $1) }.max() ?? 0
          #expect(worst <= tolerance, "\(mode) \(role) text \(row)")
          #expect(cosine(vector, wanted) > 0.9999)
        }
      }
    }
  }

  @Test(arguments: EncoderPrecision.allCases)
  func `keeps what every encoder promises`(_ precision: EncoderPrecision) throws {
    let (folder, path) = try tinyFolder()
    defer { withExtendedLifetime(folder) {} }
    let encoder = try BertEncoder(folder: path, name: "tiny", precision: precision)
    try checkEncoder(encoder, fixture.texts)
  }

  @Test func `long texts are cut and counted`() throws {
    let (folder, path) = try tinyFolder()
    defer { withExtendedLifetime(folder) {} }
    let encoder = try BertEncoder(folder: path, name: "tiny")
    let run = RunContext()
    let whole = Array(repeating: "fox", count: 30).joined(separator: " ")
    let texts = [whole, whole + " brown", whole + " the the the", "fox"]
    let (vectors, truncation) = try encoder.encodeCounting(texts, as: .document, in: run)
    #expect(truncation == Truncation(textCount: 2, tokenCount: 4))
    #expect(vectors.row(0) == vectors.row(1) && vectors.row(0) == vectors.row(2))
    // The prefix of queries, "the text: ", takes its place too.
    let queries = try encoder.encodeCounting([whole, "fox"], as: .query, in: run)
    #expect(queries.truncation == Truncation(textCount: 1, tokenCount: 3))
    #expect(queries.vectors.row(1) != vectors.row(3))
  }

  @Test func `unit length where the folder asks for it`() throws {
    let modules = """
      [{"path": "", "type": "sentence_transformers.models.Transformer"},
       {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
       {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
      """
    let (folder, path) = try tinyFolder(["modules.json": modules])
    defer { withExtendedLifetime(folder) {} }
    let encoder = try BertEncoder(folder: path, name: "tiny", precision: .float32)
    #expect(encoder.description.normalizes)
    let found = try encoder.encode(fixture.texts, as: .document, in: RunContext())
    let expected = try #require(fixture.vectors["mean_tokens/document"])
    for (row, wanted) in expected.enumerated() {
      let vector = found.row(row)
      #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-6)
      #expect(cosine(vector, wanted) > 0.999999)
    }
  }

  @Test func `what is not computed here is refused by name`() throws {
    func open(_ changes: [String: String] = [:], without: [String] = []) throws {
      let (folder, path) = try tinyFolder(changes, without: without)
      defer { withExtendedLifetime(folder) {} }
      _ = try BertEncoder(folder: path, name: "tiny")
    }
    let (folder, path) = try tinyFolder()
    defer { withExtendedLifetime(folder) {} }
    let config = try String(contentsOfFile: path + "/config.json", encoding: .utf8)
    func changed(_ old: String, _ new: String) -> [String: String] {
      ["config.json": config.replacingOccurrences(of: old, with: new)]
    }
    expectError(.unsupported, "config.json", "model_type", "distilbert") {
      try open(changed("\"bert\"", "\"distilbert\""))
    }
    expectError(.unsupported, "hidden_act", "relu") { try open(changed("\"gelu\"", "\"relu\"")) }
    expectError(.unsupported, "position_embedding_type", "relative_key") {
      try open(changed("\"absolute\"", "\"relative_key\""))
    }
    expectError(.badData, "hidden_size", "5 heads") {
      try open(changed("\"num_attention_heads\": 4", "\"num_attention_heads\": 5"))
    }
    expectError(.badData, "hidden_size", "-36") { try open(changed("36", "-36")) }
    expectError(.dimensionMismatch, "model.safetensors", "word_embeddings", "177 × 36") {
      try open(changed("36", "40"))
    }
    expectError(.badData, "no tensor", "encoder.layer.2") {
      try open(changed("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"))
    }
    expectError(.unsupported, "modules.json", "models.Dense") {
      try open([
        "modules.json": """
        [{"path": "", "type": "sentence_transformers.models.Transformer"},
         {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
         {"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]
        """
      ])
    }
    expectError(.unsupported, "1_Pooling", "pooling_mode_lasttoken") {
      try open(["1_Pooling/config.json": pooling("lasttoken")])
    }
    expectError(.unsupported, "1_Pooling", "nothing") {
      try open(["1_Pooling/config.json": "{}"])
    }
    expectError(.unsupported, "similarity", "manhattan") {
      try open(["config_sentence_transformers.json": #"{"similarity_fn_name": "manhattan"}"#])
    }
    expectError(.badData, "max_seq_length", "2") {
      try open(["sentence_bert_config.json": #"{"max_seq_length": 2}"#])
    }
    expectError(.notFound, "modules.json") { try open(without: ["modules.json"]) }
    expectError(.notFound, "config.json") { try open(without: ["config.json"]) }
    expectError(.notFound, "model.safetensors") { try open(without: ["model.safetensors"]) }
    expectError(.notFound, "vocab.txt") { try open(without: ["vocab.txt"]) }
    let vocabulary = try String(contentsOfFile: path + "/vocab.txt", encoding: .utf8)
    expectError(.badData, "178 entries", "177") { try open(["vocab.txt": vocabulary + "more\n"]) }
  }

  @Test func `weights that are no numbers are refused by name`() throws {
    let (folder, path) = try tinyFolder()
    defer { withExtendedLifetime(folder) {} }
    let file = path + "/model.safetensors"
    let old = try Safetensors(path: file)
    var writer = SafetensorsWriter()
    for tensor in old.tensors {
      var values = try old.floats(tensor.name)
      if tensor.name == "encoder.layer.1.output.dense.weight" { values[40] = .nan }
      try writer.add("bert." + tensor.name, shape: tensor.shape, values)
    }
    try writer.write(to: file)
    expectError(.badData, "bert.encoder.layer.1.output.dense.weight", "row 0, column 40") {
      try BertEncoder(folder: path, name: "tiny")
    }
  }

  @Test func `weights of 16 bits under the longer names give nearly the same vectors`() throws {
    let (folder, path) = try tinyFolder()
    defer { withExtendedLifetime(folder) {} }
    let exact = try BertEncoder(folder: path, name: "tiny")
      .encode(fixture.texts, as: .document, in: RunContext())
    let file = path + "/model.safetensors"
    let old = try Safetensors(path: file)
    var writer = SafetensorsWriter()
    for tensor in old.tensors {
      try writer.add(
        "bert." + tensor.name, shape: tensor.shape, try old.floats(tensor.name), as: .float16)
    }
    try writer.write(to: file)
    let halved = try BertEncoder(folder: path, name: "tiny")
      .encode(fixture.texts, as: .document, in: RunContext())
    for row in 0..<exact.rowCount { #expect(cosine(exact.row(row), halved.row(row)) > 0.9999) }
  }
}

@Suite(.enabled(if: Installed.minilm != nil, Installed.comment))
struct MiniLMTests {
  @Test(
    .enabled(if: Installed.hasData("retrieval-scifact"), "no data; BASIS_DATA names its folder"),
    .enabled(if: Installed.isOptimized, "slow in a debug build: swift test -c release"),
    arguments: EncoderPrecision.allCases)
  func `200 texts have the vectors of the reference`(_ precision: EncoderPrecision) throws {
    let fixture = try fixture("minilm", as: MiniLMFixture.self)
    var documents: [String] = []
    var reader = try RecordSource(path: Installed.dataPath("retrieval-scifact/corpus.jsonl.gz"))
      .makeReader()
    while documents.count < 400, let record = try reader.next() {
      documents.append(record.fields["text"]?.stringValue ?? "")
    }
    let texts =
      fixture.texts
      + fixture.cuts.map { cut in
        documents[cut[0]].split(separator: " ", omittingEmptySubsequences: false).prefix(cut[1])
          .joined(separator: " ")
      }
    let encoder = try BertEncoder(
      folder: try #require(Installed.minilm), name: "minilm", precision: precision)
    #expect(encoder.description.maximumTokenCount == 256)
    let found = try encoder.encode(texts, as: .document, in: RunContext())
    let halves = try #require(Data(base64Encoded: fixture.halves))
    #expect(halves.count == 200 * 384 * 2 && texts.count == 200)
    let folder = try TemporaryFolder()
    let header = #"{"v":{"dtype":"F16","shape":[200,384],"data_offsets":[0,\#(halves.count)]}}"#
    var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    bytes += Array(header.utf8) + halves
    try Data(bytes).write(to: URL(filePath: folder.path + "/v"))
    let expected = try Safetensors(path: folder.path + "/v").matrix("v")
    var worst = 1.0
    for row in 0..<200 {
      let value = cosine(found.row(row), expected.row(row))
      worst = min(worst, value)
      #expect(value >= 0.9999, "text \(row)")
    }
    print("MiniLM, \(precision): the lowest of 200 cosines is \(worst)")
  }
}
