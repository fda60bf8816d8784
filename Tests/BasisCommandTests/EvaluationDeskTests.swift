import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

/// `basis evaluate compare`, `estimate`, `nested` and `pool`.
@Suite struct EvaluationDeskTests {
  let program: Program
  var folder: String { program.folder.path }

  init() throws {
    program = try Program()
    var rows = gaussianMatrix(rowCount: 60, columnCount: 4, seed: 2)
    let labels = (0..<60).map { $0 % 2 }
    for row in 0..<60 { rows[row, 0] += Float(3 * labels[row]) }
    try NumPyArray(rows).write(to: folder + "/x.npy")
    try NumPyArray(labels).write(to: folder + "/y.npy")
  }

  private func list(_ name: String, _ values: [Int]) throws {
    _ = try program.folder.write(name, values.map { "\($0)\n" }.joined())
  }

  @Test func `two models on the same rows`() throws {
    let truth = (0..<40).map { $0 % 2 }
    try list("y.csv", truth)
    try list("a.csv", truth.enumerated().map { $0 < 4 ? 1 - $1 : $1 })
    try list("b.csv", truth.enumerated().map { $0 > 27 ? 1 - $1 : $1 })
    let outcome = try program.run(
      "evaluate", "compare", "--truth", "y.csv", "--pred", "a.csv", "b.csv", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    // 12 rows that only a has, 4 that only b has: 2 P(X ≤ 4) of 16 coins.
    #expect(answer["test"]?["exact"] == .bool(true))
    #expect(abs((answer["test"]?["p"]?.doubleValue ?? 0) - 0.0768127) < 1e-6)
    guard case .array(let models)? = answer["models"], case .array(let pairs)? = answer["pairs"]
    else {
      Issue.record("there are no models")
      return
    }
    #expect(models[0]["accuracy"]?.doubleValue == 0.9 && models[1]["accuracy"]?.doubleValue == 0.7)
    #expect(pairs.count == 1 && pairs[0]["only_first"]?.doubleValue == 12)
    #expect(answer["advice"]?["method"] == .string("McNemar"))

    // By ids, in another order, by name.
    let names = ["cat", "dog"]
    _ = try program.folder.write(
      "ids.csv", "id,label\n" + truth.enumerated().map { "r\($0),\(names[$1])\n" }.joined())
    _ = try program.folder.write(
      "ids-a.csv",
      "id,label\n" + truth.enumerated().reversed().map { "r\($0),\(names[$1])\n" }.joined())
    _ = try program.folder.write(
      "ids-b.csv", "id,label\n" + truth.indices.map { "r\($0),cat\n" }.joined())
    let named = try program.run(
      "evaluate", "compare", "--truth", "ids.csv", "--pred", "ids-a.csv", "ids-b.csv", "--json")
    #expect(named.status == 0, "\(named.errors)")
    #expect(try named.json()["test"]?["p"]?.doubleValue ?? 1 < 0.001)
    let text = try program.run(
      "evaluate", "compare", "--truth", "ids.csv", "--pred", "ids-a.csv", "ids-b.csv", "y.csv")
    #expect(text.status == 65 || text.output.contains("Cochran"), "\(text.errors)")
  }

  @Test func `what cannot be compared is one line`() throws {
    try list("y.csv", [0, 1, 0, 1])
    try list("short.csv", [0, 1, 0])
    _ = try program.folder.write("p.csv", "0.3\n0.7\n0.2\n0.9\n")
    _ = try program.folder.write("ids.csv", "id,label\na,0\nb,1\nc,0\nd,1\n")
    _ = try program.folder.write("other.csv", "id,label\na,0\nb,1\nc,0\ne,1\n")
    for (arguments, words) in [
      (["--truth", "y.csv", "--pred", "y.csv", "short.csv"], ["3 predictions for 4 rows"]),
      (["--truth", "y.csv", "--pred", "y.csv", "p.csv"], ["p.csv", "not probabilities"]),
      (["--truth", "y.csv", "--pred", "y.csv"], ["2 at least"]),
      (["--truth", "ids.csv", "--pred", "ids.csv", "other.csv"], ["no row 'd'"]),
    ] {
      let outcome = try program.run(["evaluate", "compare"] + arguments)
      #expect(outcome.status != 0)
      for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
    }
  }

  @Test func `models over data sets, and their picture`() throws {
    var table = "set,first,second,third\n"
    for set in 0..<12 { table += "d\(set),0.9,\(0.6 + 0.01 * Double(set)),0.5\n" }
    _ = try program.folder.write("scores.csv", table)
    let outcome = try program.run(
      "evaluate", "compare", "--scores", "scores.csv", "--plot", "ranks.svg", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    guard case .array(let models)? = answer["models"] else {
      Issue.record("there are no models")
      return
    }
    #expect(models.map { $0["mean_rank"]?.doubleValue } == [1, 2, 3])
    #expect(answer["test"]?["p"]?.doubleValue ?? 1 < 0.001)
    let picture = try String(contentsOfFile: folder + "/ranks.svg", encoding: .utf8)
    #expect(picture.contains("critical difference") && picture.contains("third"))
  }

  @Test func `an error with its method, and a choice`() throws {
    for method in ["cv", "632plus"] {
      let outcome = try program.run(
        "evaluate", "estimate", "x.npy", "--labels", "y.npy", "--method", method, "--set",
        "resampleCount=20", "--plot", "\(method).svg", "--json")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let answer = try outcome.json()
      #expect((0...0.25).contains(answer["error"]?.doubleValue ?? 1))
      #expect((answer["weight"]?.doubleValue == nil) == (method == "cv"))
    }
    let wrong = try program.run(
      "evaluate", "estimate", "x.npy", "--labels", "y.npy", "--learner", "oracle")
    #expect(wrong.status == 64 && wrong.errors.contains("centroid"))
    for learner in ["naive-bayes", "logistic", "tree"] {
      let outcome = try program.run(
        "evaluate", "estimate", "x.npy", "--labels", "y.npy", "--learner", learner, "--json")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect((0...0.35).contains(try outcome.json()["error"]?.doubleValue ?? 1), "\(learner)")
    }
    let folds = try program.run(
      "evaluate", "estimate", "x.npy", "--labels", "y.npy", "--set", "foldCount=31")
    #expect(folds.status == 64 && folds.errors.contains("rarest class has 30 rows"))
    let nested = try program.run(
      "evaluate", "nested", "x.npy", "--labels", "y.npy", "--learners", "majority,centroid",
      "--set", "outerFolds=3", "--plot", "nested.svg", "--json")
    #expect(nested.status == 0, "\(nested.errors)")
    let answer = try nested.json()
    #expect(answer["choice"] == .string("centroid"))
    #expect(answer["accuracy"]?.doubleValue ?? 0 > 0.75)
  }

  @Test func `a pool is filled and ranked`() throws {
    var lines = ""
    var generator = RandomGenerator(seed: 1)
    for sample in 0..<60 {
      let set = sample % 2 == 0 ? "even" : "odd"
      let text = sample % 3 == 0 ? "negation of a claim number \(sample)" : "dogs and cats run"
      for model in 0..<4 {
        let value = generator.nextDouble() < 0.2 + 0.2 * Double(model) ? 1 : 0
        lines +=
          #"{"sample":"s\#(sample)","set":"\#(set)","text":"\#(text)","model":"m\#(model)","value":\#(value)}"#
          + "\n"
      }
    }
    _ = try program.folder.write("results.jsonl", lines)
    let added = try program.run("evaluate", "pool", "add", "results.jsonl", "--json")
    #expect(added.status == 0, "\(added.errors)")
    #expect(try added.json()["added"]?.doubleValue == 240)
    let again = try program.run("evaluate", "pool", "add", "results.jsonl", "--json")
    #expect(try again.json()["added"]?.doubleValue == 0)
    let ranked = try program.run(
      "evaluate", "pool", "rank", "--missing-curve", "--resamples", "30", "--plot", "c.svg",
      "--json")
    #expect(ranked.status == 0, "\(ranked.errors)")
    let answer = try ranked.json()
    guard case .array(let models)? = answer["models"],
      case .array(let curve)? = answer["missing_curve"]
    else {
      Issue.record("there are no models")
      return
    }
    #expect(models.map { $0["name"]?.stringValue } == ["m3", "m2", "m1", "m0"])
    #expect(curve.count == 7 && answer["identifiable"] == .bool(true))
    let part = try program.run(
      "evaluate", "pool", "rank", "--query", "negation claim", "-k", "10", "--filter",
      "set.eq=even",
      "--resamples", "0", "--json")
    #expect(part.status == 0, "\(part.errors)")
    #expect(try part.json()["samples"]?.doubleValue == 10)
    let silent = try program.run("evaluate", "pool", "rank", "--answer", "yes")
    #expect(silent.status == 64 && silent.errors.contains("with 'answer'"), "\(silent.errors)")
    try NumPyArray(Matrix(rows: [[0, 1]])).write(to: folder + "/q.npy")
    let unknown = try program.run("evaluate", "pool", "rank", "--vector", "q.npy")
    #expect(unknown.status == 64 && unknown.errors.contains("vector of its question"))
    let none = try program.run("evaluate", "pool", "rank", "--filter", "set.eq=none")
    #expect(none.status == 65 && none.errors.contains("no sample is left"))
    _ = try program.folder.write(
      "clash.jsonl",
      #"{"sample":"s0","set":"even","model":"m9","value":1}"# + "\n"
        + #"{"sample":"s1","set":"odd","results":{"m9":null,"m8":"good"}}"# + "\n")
    let clash = try program.run("evaluate", "pool", "add", "clash.jsonl")
    #expect(clash.status == 65 && clash.errors.contains("clash.jsonl:2"), "\(clash.errors)")
  }

  @Test func `questions and answers are asked for by texts and by vectors`() throws {
    var lines = ""
    for sample in 0..<40 {
      let (text, answer) = (
        sample % 2 == 0 ? "cats purr" : "dogs bark", sample % 4 < 2 ? "yes" : "no"
      )
      let vectors = "\"vector\":[\(sample % 2),1],\"answer_vector\":[\(sample % 4 < 2 ? 1 : 0),0,1]"
      lines +=
        "{\"sample\":\"s\(sample)\",\"text\":\"\(text)\",\"answer\":\"\(answer)\",\(vectors),"
      lines += "\"results\":{\"a\":1,\"b\":\(sample % 3 == 0 ? 1 : 0)}}\n"
    }
    _ = try program.folder.write("asked.jsonl", lines)
    let added = try program.run("evaluate", "pool", "add", "asked.jsonl", "--pool", "p.jsonl")
    #expect(added.status == 0, "\(added.errors)")
    try NumPyArray(Matrix(rows: [[1, 0]])).write(to: folder + "/q.npy")
    try NumPyArray(Matrix(rows: [[1, 0, 0]])).write(to: folder + "/a.npy")
    for (arguments, count) in [
      (["--query", "dogs", "--threshold", "0.5"], 20),
      (["--answer", "yes", "--threshold", "0.5"], 20),
      (["--query", "dogs", "--answer", "yes", "--threshold", "0.5"], 10),
      (["--vector", "q.npy", "--threshold", "0.5"], 20),
      (["--vector", "q.npy", "--answer-vector", "a.npy", "--threshold", "0.5"], 10),
      (["--query", "cats", "--vector", "q.npy", "--threshold", "0.5"], 0),
    ] {
      let outcome = try program.run(
        ["evaluate", "pool", "rank", "--pool", "p.jsonl", "--resamples", "0", "--json"] + arguments)
      if count == 0 {
        #expect(outcome.status == 65 && outcome.errors.contains("no sample is left"))
        continue
      }
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try outcome.json()["samples"]?.doubleValue == Double(count), "\(arguments)")
    }
    let wrong = try program.run(
      "evaluate", "pool", "rank", "--pool", "p.jsonl", "--vector", "a.npy")
    #expect(wrong.status == 65 && wrong.errors.contains("one of 3"), "\(wrong.errors)")
  }
}
