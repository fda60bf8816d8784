import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

/// Disks that are full or locked, and vectors that do not fit.
@Suite struct FaultTests {
  let program: Program

  init() throws { program = try Program() }

  /// Whether a process may mount a file system of its own.
  static let canMount: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "unshare -m mount -t tmpfs none /mnt 2>/dev/null"]
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  @Test(.enabled(if: FaultTests.canMount, "needs the right to mount a file system"))
  func `a full disk costs nothing that was acknowledged`() throws {
    // The disk lives as long as the shell, so all that is asked of it happens in there.
    let script = """
      set -e
      mkdir disk && mount -t tmpfs -o size=5m none disk
      export BASIS_HOME="$PWD/disk" TMPDIR="$PWD/disk"
      set +e
      "$1" ingest demo big.jsonl --batch 100 --acknowledge --quiet >acknowledged 2>errors
      echo $? >status
      "$1" verify demo --quiet >verified 2>&1; echo $? >verify-status
      "$1" info demo --json >info 2>/dev/null
      true
      """
    var generator = RandomGenerator(seed: 5)
    let lines = (0..<20_000).map { row in
      let words = (0..<60).map { _ in letters(generator.nextInt(below: 50_000)) }
      return #"{"id":"k\#(row)","text":"\#(words.joined(separator: " "))"}"#
    }
    _ = try program.folder.write("big.jsonl", lines.joined(separator: "\n"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = ["-m", "sh", "-c", script, "sh", Program.url.path]
    process.currentDirectoryURL = URL(fileURLWithPath: program.folder.path)
    try process.run()
    process.waitUntilExit()
    func read(_ name: String) throws -> String {
      try String(contentsOfFile: program.folder.path + "/" + name, encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let (status, errors) = (try read("status"), try read("errors"))
    #expect(status == "74", "\(errors)")
    #expect(errors.contains("full") && errors.split(separator: "\n").count == 1, "\(errors)")
    let (verifyStatus, verified) = (try read("verify-status"), try read("verified"))
    #expect(verifyStatus == "0", "\(verified)")
    let last = try read("acknowledged").split(separator: "\n").last.map(String.init) ?? "{}"
    guard case .integer(let acknowledged)? = try JSONValue(parsing: last)["acknowledged"],
      case .integer(let kept)? = try JSONValue(parsing: read("info"))["records"]
    else {
      Issue.record("no counts: \(last)")
      return
    }
    #expect(acknowledged >= 100)
    #expect(kept >= acknowledged)
  }

  @Test func `a pipe is written to, not replaced`() throws {
    _ = try program.folder.write("a.jsonl", #"{"id":"1","text":"through a pipe"}"#)
    #expect(try program.run("ingest", "demo", "a.jsonl").status == 0)
    let pipe = program.folder.path + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    let reader = Process()
    reader.executableURL = URL(fileURLWithPath: "/bin/cat")
    reader.arguments = [pipe]
    let output = Pipe()
    reader.standardOutput = output
    try reader.run()
    #expect(try program.run("export", "demo", "-o", pipe).status == 0)
    let text = String(
      decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    reader.waitUntilExit()
    #expect(text.contains("through a pipe"))
    let attributes = try FileManager.default.attributesOfItem(atPath: pipe)
    #expect(attributes[.type] as? FileAttributeType != .typeRegular)
  }

  @Test func `a folder that cannot be written is named`() throws {
    _ = try program.folder.write("a.jsonl", #"{"id":"1","text":"x"}"#)
    // Not even the superuser makes files there.
    for place in ["/proc/basis", program.folder.path + "/a.jsonl"] {
      let outcome = try program.run("ingest", "demo", "a.jsonl", "--data", place)
      #expect(outcome.status == 74, "\(outcome.errors)")
      #expect(outcome.errors.contains(place), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }
  }

  @Test(arguments: [
    (#"{"id":"2","text":"b","v":[1]}"#, "record '2' has a vector of 1 dimensions"),
    (#"{"id":"2","text":"b","v":[1,"x"]}"#, "vectors.jsonl:2"),
    (#"{"id":"2","text":"b","v":[1,1e39]}"#, "vectors.jsonl:2"),
    (#"{"id":"2","text":"b"}"#, "no list of numbers in the field 'v'"),
  ])
  func `vectors that do not fit are refused with their row`(line: String, message: String) throws {
    _ = try program.folder.write(
      "vectors.jsonl", #"{"id":"1","text":"a","v":[1,2]}"# + "\n" + line)
    let outcome = try program.run("ingest", "demo", "vectors.jsonl", "--vectors", "v")
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }
}
