import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct LabTests {
  let program: Program

  init() throws { program = try Program() }

  /// Knobs that make claim 194 fast enough for a debug build.
  private let small = [
    "--set", "promptCount=300", "--set", "stepCount=3", "--set", "batchSize=8", "--seeds", "2",
  ]

  @Test func `claims are listed`() throws {
    let outcome = try program.run("lab", "list", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    guard case .array(let claims)? = try outcome.json()["claims"] else {
      Issue.record("no list: \(outcome.output)")
      return
    }
    #expect(claims.count >= 6)
    for claim in claims {
      for key in ["id", "title", "paper", "baseline", "data", "cost", "seeds", "broken"] {
        #expect(claim[key] != nil, "\(key)")
      }
    }
    let text = try program.run("lab", "list").output
    #expect(text.contains("  79  quick") && text.contains(" 190  slow"))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    let methods = try program.run("methods", "measures", "--json").output
    #expect(methods.contains(#""claim":"the smooth rank of embeddings"#))
  }

  @Test func `a claim is measured, and its broken variant fails`() throws {
    let outcome = try program.run(["lab", "run", "194", "--json"] + small)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    #expect(answer["id"]?.doubleValue == 194 && answer["verdict"] != nil)
    #expect(answer["seeds"] == .array([.integer(0), .integer(1)]))
    #expect(answer["seconds"]?.doubleValue ?? -1 > 0 && answer["broken"] == .bool(false))
    guard case .array(let numbers)? = answer["numbers"] else {
      Issue.record("no numbers: \(outcome.output)")
      return
    }
    #expect(numbers.contains { $0["name"]?.stringValue == "step" && $0["value"] != nil })
    let broken = try program.run(["lab", "run", "194", "--broken"] + small)
    #expect(broken.status == 0 && broken.output.hasPrefix("194  fail"), "\(broken.output)")
    #expect(broken.output.contains("broken on purpose"))
  }

  @Test func `a person's rows are measured`() throws {
    let rows = gaussianMatrix(rowCount: 150, columnCount: 16, seed: 1)
    try NumPyArray(rows).write(to: program.folder.path + "/mine.npy")
    let outcome = try program.run("lab", "run", "122", "--data", "mine.npy", "--seeds", "2")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("mine.npy, seeds 0 to 1"))
    #expect(!outcome.output.contains("reported"))
  }

  @Test func `a ledger becomes a page with pictures`() throws {
    let ledger = #"""
      {"claims": [{"id": 186, "verdict": "fail", "commit": "abcdef0123456789",
        "configuration": "00", "seeds": 5, "numbers": [
          {"name": "recall_1", "mean": 0.71, "interval": [0.7, 0.72], "verdict": "pass"},
          {"name": "gain_2", "mean": null, "interval": null, "verdict": "fail"}]},
        {"id": 99999, "verdict": "pass", "configuration": "00", "seeds": 2, "numbers": []}]}
      """#
    _ = try program.folder.write("ledger.json", ledger)
    let outcome = try program.run("lab", "report", "ledger.json", "-o", "page")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let page = try String(contentsOfFile: program.folder.path + "/page/README.md", encoding: .utf8)
    #expect(page.contains("| 186 | **fail** |") && page.contains("`abcdef012345`"))
    #expect(page.contains("0 hold, 1 do not, 0 are open") && !page.contains("99999"))
    #expect(page.contains("| 0.7 | 0.71 | 0.7 … 0.72 | 0.665 … 0.735 | pass |"))
    #expect(page.contains("| none |"))
    let picture = try String(
      contentsOfFile: program.folder.path + "/page/claim-186.svg", encoding: .utf8)
    #expect(picture.contains("recall_1") && picture.contains("reported"))
    let again = try program.run("lab", "report", "ledger.json", "-o", "page")
    #expect(again.status == 1 && again.errors.contains("--force"))
  }

  @Test func `what cannot be run is one error`() throws {
    for (arguments, status, message) in [
      (["run"], 64, "--all"),
      (["run", "5"], 64, "there is no claim 5"),
      (["run", "x"], 64, "x"),
      (["run", "186", "--all"], 64, "--all"),
      (["run", "186", "--quick"], 64, "--quick goes with --all"),
      (["run", "186", "--seeds", "0"], 64, "--seeds"),
      (["run", "186", "--labels", "y.npy"], 64, "--labels goes with --data"),
      (["run", "186", "--broken", "--ledger", "l.json"], 64, "a ledger holds claims"),
      (["run", "194", "--set", "colour=1"], 64, "no setting 'colour'"),
      (["run", "194", "--set", "noise=-1"], 64, "noise"),
      (["run", "194", "--set", "noise"], 64, "name=value"),
      (["run", "186", "--data", "none.npy"], 66, "none.npy"),
      (["report", "none.json", "-o", "page"], 66, "none.json"),
    ] as [([String], Int32, String)] {
      let outcome = try program.run(["lab"] + arguments)
      #expect(outcome.status == status, "\(arguments) \(outcome.errors)")
      #expect(outcome.errors.contains(message), "\(arguments) \(outcome.errors)")
    }
    _ = try program.folder.write("mine.csv", "1,2\n3,4\n")
    let own = try program.run("lab", "run", "194", "--data", "mine.csv")
    #expect(own.status == 64 && own.errors.contains("takes none"))
    let few = try program.run("lab", "run", "186", "--data", "mine.csv")
    #expect(few.status == 65 && few.errors.contains("mine.csv"))
  }
}
