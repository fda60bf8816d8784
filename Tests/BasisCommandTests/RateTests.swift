import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@Suite struct RateTests {
  let program: Program

  init() throws {
    program = try Program()
    // Four classes around four centres, and one value in a thousand that is a hundred times larger.
    let centers = gaussianMatrix(rowCount: 4, columnCount: 24, seed: 1)
    var rows = gaussianMatrix(rowCount: 600, columnCount: 24, seed: 2)
    var labels: [Int] = []
    rows.withUnsafeMutableFloats { floats in
      for row in 0..<600 {
        labels.append(row % 4)
        for column in 0..<24 {
          floats[row * 24 + column] = 0.6 * floats[row * 24 + column] + centers[row % 4, column]
        }
      }
      for index in stride(from: 777, to: floats.count, by: 1000) { floats[index] *= 100 }
    }
    try NumPyArray(rows).write(to: program.folder.path + "/acts.npy")
    try NumPyArray(labels).write(to: program.folder.path + "/y.npy")
    try NumPyArray(Array(labels.dropLast())).write(to: program.folder.path + "/short.npy")
    let head = program.folder.path + "/head.npz"
    try NumPyArchive.write([("weight", NumPyArray(centers))], to: head)
    try NumPyArchive.write(
      [("weight", NumPyArray(centers.prefix(columns: 5)))],
      to: program.folder.path + "/other.npz")
  }

  private func rows(_ answer: JSONValue) throws -> [(bits: Double, accuracy: Double)] {
    guard case .array(let rows)? = answer["rows"] else { throw Missing() }
    return try rows.map {
      (
        try #require($0["bits_per_point"]?.doubleValue), try #require($0["accuracy"]?.doubleValue)
      )
    }
  }

  struct Missing: Error {}

  @Test func `bits fall with the step, and cutting outliers keeps the classes`() throws {
    let outcome = try program.run(
      "evaluate", "rate", "acts.npy", "--head", "head.npz", "--labels", "y.npy", "--steps",
      "4,32,128,256", "--plot", "rate.svg", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let answer = try outcome.json()
    let rows = try rows(answer)
    #expect(rows.count == 8 && rows[0].bits == 32 && rows[1].bits == 8)
    let coded = rows.dropFirst(3)
    #expect(zip(coded, coded.dropFirst()).allSatisfy { $0.bits > $1.bits })
    // A range that outliers stretch leaves few levels for the others.
    #expect(rows[2].accuracy >= rows[1].accuracy)
    let best = try #require(coded.last { $0.accuracy >= rows[0].accuracy - 1 })
    #expect(best.bits < 4)
    #expect(answer["recommended"]?.stringValue != nil)
    let svg = try String(contentsOfFile: program.folder.path + "/rate.svg", encoding: .utf8)
    #expect(svg.contains("bits per feature point") && svg.contains("<circle"))
    let text = try program.run("evaluate", "rate", "acts.npy", "--head", "head.npz")
    #expect(text.status == 0 && text.output.contains("same class"))
  }

  @Test func `what does not fit is one error`() throws {
    for (arguments, status, message) in [
      (["--head", "other.npz"], 65, "the head reads 5 values"),
      (["--head", "head.npz", "--labels", "short.npy"], 65, "has 599 labels"),
      (["--head", "none.npz"], 66, "none.npz"),
      (["--head", "y.npy"], 65, "y.npy"),
      (["--head", "head.npz", "--clip", "3,1"], 64, "must rise"),
      (["--head", "head.npz", "--clip", "3"], 64, "two numbers"),
      (["--head", "head.npz", "--steps", "1,x"], 64, "'x' is none"),
      (["--head", "head.npz", "--bits", "40"], 64, "1 to 16 bits"),
    ] as [([String], Int32, String)] {
      let outcome = try program.run(["evaluate", "rate", "acts.npy"] + arguments)
      #expect(outcome.status == status, "\(arguments) \(outcome.errors)")
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
  }
}
