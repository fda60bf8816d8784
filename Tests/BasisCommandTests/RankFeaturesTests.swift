import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct RankFeaturesTests {
  let program: Program

  /// Rows with an identifier, a signal, noise, and two columns that tell something only together.
  init() throws {
    program = try Program()
    var generator = RandomGenerator(seed: 3)
    var (csv, lines, vw) = ("id,signal,noise,a,b,one,label\n", "", "")
    for row in 0..<400 {
      let (a, b) = (generator.nextInt(below: 2), generator.nextInt(below: 2))
      let label = a ^ b
      let signal = generator.nextInt(below: 4) == 0 ? label : generator.nextInt(below: 3)
      let noise = generator.nextInt(below: 50)
      let hidden = row % 3 == 0
      csv += "u\(row),\(signal),\(hidden ? "" : "n\(noise)"),\(a),\(b),x,\(label)\n"
      lines += "{\"id\":\"u\(row)\",\"signal\":\(signal),\"a\":\(a),\"b\":\(b),\"one\":\"x\","
      lines += (hidden ? "" : "\"noise\":\"n\(noise)\",") + "\"label\":\(label)}\n"
      vw += "\(label) |id u\(row) |signal \(signal) |a \(a) |b \(b) |one x"
      vw += (hidden ? "" : " |noise n\(noise)") + "\n"
    }
    _ = try program.folder.write("t.csv", csv)
    _ = try program.folder.write("t.jsonl", lines)
    _ = try program.folder.write("t.vw", vw)
  }

  private func features(_ answer: JSONValue) -> [JSONValue] {
    guard case .array(let features)? = answer["features"] else { return [] }
    return features
  }

  private func names(_ answer: JSONValue) -> [String] {
    features(answer).compactMap { $0["name"]?.stringValue }
  }

  @Test func `the line of the manual works as written`() throws {
    let outcome = try program.run(
      "rank-features", "t.csv", "--target", "label", "--method", "outrank", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(names(answer).count == 6 && names(answer)[0] == "signal")
    let first = features(answer)[0]
    #expect(first["score"]?.doubleValue == 1 && first["z"]?.doubleValue ?? 0 > 3)
    let id = try #require(features(answer).first { $0["name"]?.stringValue == "id" })
    #expect(id["z"]?.doubleValue == 0 && id["cardinality"]?.doubleValue == 400)
    #expect(outcome.errors.contains("identifier has: 'id'") && outcome.errors.contains("'one'"))
    let plain = try program.run(
      "rank-features", "t.csv", "--target", "label", "--heuristic", "mi", "--json"
    ).json()
    #expect(names(plain)[0] == "id")
  }

  @Test func `random columns say where to cut`() throws {
    let outcome = try program.run(
      "rank-features", "t.csv", "--target", "label", "--noise-columns", "5", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(features(answer).count { $0["noise"] == .bool(true) } == 5)
    #expect(answer["above_noise"]?.doubleValue == 1 && names(answer)[0] == "signal")
    let text = try program.run(
      "rank-features", "t.csv", "--target", "label", "--noise-columns", "3", "--subsample", "0.8",
      "--heuristic", "surrogate-lr", "--plot", "noise.svg")
    #expect(text.status == 0, "\(text.errors)")
    #expect(text.output.contains("tell more than the best random column"), "\(text.output)")
    let wrong = try program.run(
      "rank-features", "t.csv", "--target", "label", "--3mr", "--noise-columns", "3")
    #expect(wrong.status == 64 && wrong.errors.contains("are for outrank"))
  }

  @Test func `every kind of file gives the same`() throws {
    var scores: [[String: Double]] = []
    for file in ["t.csv", "t.jsonl", "t.vw"] {
      let answer = try program.run("rank-features", file, "--target", "label", "--json").json()
      scores.append(
        Dictionary(
          uniqueKeysWithValues: features(answer).map {
            ($0["name"]?.stringValue ?? "", $0["relevance"]?.doubleValue ?? .nan)
          }))
    }
    #expect(scores[0].count == 6 && scores[0] == scores[1] && scores[0] == scores[2])
  }

  @Test func `pairs, 3MR, batches, and a picture`() throws {
    let pairs = try program.run(
      "rank-features", "t.csv", "--target", "label", "--order", "2", "--plot", "bars.svg", "--json")
    #expect(pairs.status == 0, "\(pairs.errors)")
    let ranked = names(try pairs.json())
    #expect(ranked[0] == "a × b" && ranked.count == 21)
    let picture = try String(contentsOfFile: program.folder.path + "/bars.svg", encoding: .utf8)
    #expect(picture.contains("a × b") && picture.contains("by chance"))
    let order = try program.run("rank-features", "t.csv", "--target", "label", "--3mr", "--json")
      .json()
    #expect(Set(names(order).prefix(2)) == ["a", "b"])
    let batches = try program.run(
      "rank-features", "t.csv", "--target", "label", "--batch", "100", "--json"
    ).json()
    #expect(batches["batches"]?.doubleValue == 4 && names(batches)[0] == "signal")
    let some = try program.run(
      "rank-features", "t.csv", "--target", "label", "--every", "4", "--threads", "1", "--json"
    ).json()
    #expect(some["rows"]?.doubleValue == 100)
    let text = try program.run("rank-features", "t.csv", "--target", "label").output
    #expect(text.contains("6 features, 400 rows, target 'label' of 2 values"), "\(text)")
    #expect(text.contains("identifier") && text.contains("tell nothing beyond chance"))
  }

  @Test func `what cannot be ranked says why`() throws {
    func fails(_ status: Int32, _ words: String..., arguments: [String]) throws {
      let outcome = try program.run(["rank-features"] + arguments)
      #expect(outcome.status == status, "\(outcome.errors)")
      for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
    }
    try fails(66, "'label2'", "'signal'", arguments: ["t.csv", "--target", "label2"])
    try fails(65, "'one'", "one value", arguments: ["t.csv", "--target", "one"])
    try fails(64, "--target", arguments: ["t.csv"])
    try fails(
      64, "'luck'", "mi-exact", arguments: ["t.csv", "--target", "label", "--heuristic", "luck"])
    try fails(64, "3mr", arguments: ["t.csv", "--target", "label", "--3mr", "--order", "2"])
    _ = try program.folder.write("bad.csv", "a,label\n1,0\n2\n")
    try fails(65, "bad.csv:3", arguments: ["bad.csv", "--target", "label"])
    _ = try program.folder.write("empty.csv", "")
    try fails(65, "empty.csv", "no rows", arguments: ["empty.csv", "--target", "label"])
  }
}
