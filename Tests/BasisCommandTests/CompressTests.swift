import BasisCodecs
import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct CompressTests {
  let program: Program

  init() throws {
    program = try Program()
    var rows = gaussianMatrix(rowCount: 400, columnCount: 32, seed: 1)
    rows.withUnsafeMutableFloats { floats in
      // Clusters, and directions of unlike strength.
      for index in floats.indices {
        floats[index] =
          (floats[index] + 3 * Float((index / 32 % 7 + index) % 5)) / Float(1 + index % 32)
      }
    }
    try NumPyArray(rows).write(to: program.folder.path + "/x.npy")
    try NumPyArray(rows.prefix(columns: 9)).write(to: program.folder.path + "/narrow.npy")
    try NumPyArray(rows.selecting(rows: 0..<5)).write(to: program.folder.path + "/few.npy")
    var broken = rows
    broken[7, 3] = .nan
    try NumPyArray(broken).write(to: program.folder.path + "/nan.npy")
  }

  struct Missing: Error {}

  private func rows(_ answer: JSONValue) throws -> [JSONValue] {
    guard case .array(let rows)? = answer["rows"] else { throw Missing() }
    return rows
  }

  @Test func `the line of the manual works as written`() throws {
    let outcome = try program.run("compress", "x.npy", "--budgets", "8,16,24", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    let rows = try rows(answer)
    #expect(rows.count > 10)
    for row in rows {
      #expect(row["bytes_per_vector"]?.doubleValue ?? 0 >= 1)
      #expect(row["shared_bytes"]?.doubleValue ?? -1 >= 0)
      let recall = row["recall_at_10"]?.doubleValue ?? -1
      #expect(recall >= 0 && recall <= 1)
    }
    let names = rows.compactMap { $0["codec"]?.stringValue }
    #expect(Set(names).count == rows.count)
    let best = try #require(answer["recommended"]?.stringValue)
    let row = try #require(rows.first { $0["codec"]?.stringValue == best })
    #expect(row["bytes_per_vector"]?.doubleValue ?? 99 <= 24)
    // Answers do not depend on threads, the seed decides what is held out.
    let again = try program.run(
      "compress", "x.npy", "--budgets", "8,16,24", "--json", "--threads", "1")
    for (a, b) in zip(rows, try self.rows(again.json())) {
      #expect(a["codec"] == b["codec"] && a["recall_at_10"] == b["recall_at_10"])
    }
  }

  @Test func `people get a table, and a picture`() throws {
    let outcome = try program.run(
      "compress", "x.npy", "--budgets", "8,16", "--picture", "x.svg", "--metric", "l2")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("x.npy: 360 × 32, 40 queries, l2\n"))
    #expect(outcome.output.contains("recall@10") && outcome.output.contains("\n> "))
    // Directions only: said, and not an error.
    #expect(outcome.errors.contains("skipped recurrent-"))
    #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    let picture = try String(contentsOfFile: program.folder.path + "/x.svg", encoding: .utf8)
    #expect(picture.hasPrefix("<svg ") && picture.hasSuffix("</svg>\n"))
    #expect(picture.contains("bytes per vector") && picture.contains("residual-bit"))
    #expect(XMLParser(data: Data(picture.utf8)).parse())
  }

  @Test func `codes are written and read back`() throws {
    let applied = try program.run(
      "compress", "x.npy", "--method", "scalar", "--budgets", "36", "--apply", "x.codes")
    #expect(applied.status == 0 && applied.errors.contains("x.codes: 400 vectors by scalar-int8"))
    let file = try CompressedVectors(contentsOf: program.folder.path + "/x.codes")
    #expect(file.codes.count == 400 && file.codes.bytesPerVector == 36)
    let decoded = try program.run("compress", "x.codes", "--decode", "back.npy", "--json")
    #expect(decoded.status == 0, "\(decoded.errors)")
    #expect(try decoded.json()["vectors"] == .integer(400))
    let before = try Matrix(contentsOf: program.folder.path + "/x.npy")
    let after = try Matrix(contentsOf: program.folder.path + "/back.npy")
    for row in 0..<400 {
      let reach = before.row(row).map(abs).max() ?? 0
      for column in 0..<32 {
        #expect(abs(before[row, column] - after[row, column]) <= reach / 253)
      }
    }
    let refused = try program.run("compress", "x.codes", "--decode", "back.npy")
    #expect(refused.status == 1 && refused.errors.contains("--force"))
    let other = try program.run(
      "compress", "x.npy", "--queries", "x.npy", "--method", "recurrent", "--ratio", "0.3",
      "--apply", "x.codes", "--force", "--json")
    #expect(other.status == 0, "\(other.errors)")
    #expect(try other.json()["recommended"]?.stringValue?.hasPrefix("recurrent-") == true)
    #expect(
      try self.rows(other.json()).allSatisfy {
        ($0["total_bytes_per_vector"]?.doubleValue ?? 99) <= 0.3 * 128
      })
  }

  @Test(arguments: [
    (["absent.npy"], 66, "absent.npy"),
    (["few.npy"], 65, "few.npy: has 5 × 32 values"),
    (["nan.npy"], 65, "row 7, column 3"),
    (["x.npy", "--budgets", "8,x"], 64, "'x' is no such number"),
    (["x.npy", "--budgets", "0"], 64, "'0' is no such number"),
    (["x.npy", "--method", "zip"], 64, "there is no codec 'zip'"),
    (["x.npy", "--metric", "far"], 64, "far"),
    (["x.npy", "--ratio", "0"], 64, "--ratio must be above 0"),
    (["x.npy", "--ratio", "0.1", "--budgets", "8"], 64, "give one"),
    (["x.npy", "--ratio", "0.001", "--method", "pca"], 64, "the smallest ratio it reaches is"),
    (["x.npy", "--budgets", "1", "--method", "scalar"], 64, "give larger --budgets"),
    (["x.npy", "--sample", "3"], 64, "--sample must be at least 20"),
    (["x.npy", "--queries", "narrow.npy"], 65, "narrow.npy: has 9 columns"),
    (["x.npy", "--apply", "no/where.codes"], 66, "no/where.codes: its folder does not exist"),
    (["x.npy", "--decode", "y.npy"], 65, "x.npy"),
    (["x.npy", "--decode", "y.npy", "--apply", "z"], 64, "not both"),
  ])
  func `bad input gets one clear error and its exit code`(
    arguments: [String], status: Int32, message: String
  ) throws {
    let outcome = try program.run(["compress"] + arguments)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: program.folder.path + "/y.npy"))
  }

  @Test func `help opens with examples and names the codecs`() throws {
    let help = try program.run("help", "compress")
    #expect(help.status == 0 && help.output.contains("EXAMPLES\n"))
    for entry in CodecRegistry.entries { #expect(help.output.contains(entry.name)) }
  }
}
