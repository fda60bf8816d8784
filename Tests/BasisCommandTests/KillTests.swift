import BasisCore
import BasisFormats
import BasisStorage
import Foundation
import Testing
import _BasisTestSupport

/// The program is killed at random moments of reading, fitting, sealing and vacuuming.
@Suite struct KillTests {
  static let recordCount = 1500

  static let options = ["--dimension", "16", "--batch", "50"]

  static func line(_ row: Int, round: Int) -> String {
    let words = (0..<6).map { "word\(letters((row * 7 + $0 * 13) % 300))" }
    return JSONValue.object([
      "id": .string("k\(row)"), "text": .string(words.joined(separator: " ")),
      "round": .integer(Int64(round)),
    ]).text
  }

  @Test func `nothing acknowledged is lost, whenever the writer is killed`() throws {
    let program = try Program()
    var generator = RandomGenerator(seed: 3)
    func write(_ round: Int) throws -> String {
      let lines = (0..<Self.recordCount).map { Self.line($0, round: round) }
      return try program.folder.write("round\(round).jsonl", lines.joined(separator: "\n"))
    }

    // How long an undisturbed run takes says when to kill the others.
    let clock = ContinuousClock()
    let start = clock.now
    #expect(try program.run(["ingest", "whole", write(0), "--quiet"] + Self.options).status == 0)
    let whole = clock.now - start
    let seconds = Double(whole.components.attoseconds) / 1e18 + Double(whole.components.seconds)

    let place = try CollectionFolder(name: "demo", in: program.home)
    var killed = 0
    var midway = 0
    let roundCount = ProcessInfo.processInfo.environment["BASIS_SLOW_TESTS"] == "1" ? 200 : 50
    for round in 1...roundCount {
      if generator.nextInt(below: 3) == 0 {
        // From nothing again, so that making and fitting are hit too.
        try? FileManager.default.removeItem(atPath: place.path)
      }
      let process = program.make(
        ["ingest", "demo", try write(round), "--acknowledge", "--quiet"] + Self.options)
      let acknowledgements = URL(fileURLWithPath: program.folder.path + "/acknowledged")
      try Data().write(to: acknowledgements)
      process.standardOutput = try FileHandle(forWritingTo: acknowledgements)
      process.standardError = FileHandle.nullDevice
      try process.run()
      // Half of the kills come while records are read, which is the smaller part of a run.
      let share = generator.nextDouble() * (generator.nextInt(below: 2) == 0 ? 1.05 : 0.4)
      usleep(UInt32(1e6 * seconds * share))
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      if process.terminationReason == .uncaughtSignal { killed += 1 }

      if place.exists && generator.nextInt(below: 3) == 0 {
        let vacuum = program.make(["vacuum", "demo", "--quiet"])
        vacuum.standardError = FileHandle.nullDevice
        try vacuum.run()
        usleep(UInt32(1e6 * seconds * 0.5 * generator.nextDouble()))
        if vacuum.isRunning { kill(vacuum.processIdentifier, SIGKILL) }
        vacuum.waitUntilExit()
        if vacuum.terminationReason == .uncaughtSignal { killed += 1 }
      }

      // Only whole lines were acknowledged.
      let text = String(decoding: try Data(contentsOf: acknowledgements), as: UTF8.self)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      var count = 0
      if let line = lines.last {
        count = Int(try JSONValue(parsing: String(line))["acknowledged"]?.doubleValue ?? 0)
      }
      if count > 0 && count < Self.recordCount { midway += 1 }
      guard place.exists else {
        #expect(count == 0)
        continue
      }
      let store = try CollectionStore(place, for: .read)
      let snapshot = try store.snapshot()
      for row in 0..<count {
        let record = try #require(try snapshot.record(key: "k\(row)"), "round \(round)")
        #expect(record.payload == Self.line(row, round: round), "round \(round)")
      }
      #expect(try store.verify(in: RunContext()).damage.map(\.message) == [], "round \(round)")
    }
    // The test says nothing if the kills come too late.
    #expect(
      killed >= roundCount / 2 && midway >= roundCount / 16,
      "\(killed) killed, \(midway) of them midway")

    // And the last word: the run can simply be started again.
    #expect(
      try program.run(["ingest", "demo", write(roundCount + 1), "--quiet"] + Self.options).status
        == 0)
    let store = try CollectionStore(place, for: .read)
    #expect(try store.snapshot().recordCount == Self.recordCount)
    #expect(try store.verify(in: RunContext()).isSound)
    let leftovers = try FileManager.default.contentsOfDirectory(atPath: program.home)
      .filter { $0.hasPrefix(".") }
    #expect(leftovers == [], "a killed creation leaves nothing once the name is used again")
  }
}
