import ArgumentParser
import BasisCore
import Foundation

/// The program `basis`: parses, calls the rooms below, renders.
@main
struct Basis: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "basis",
    abstract: "Make, store, search and look after vector representations.",
    discussion: """
      EXAMPLES
        basis ingest notes notes.jsonl --key id --text body
        basis search notes "how to shrink files" --mode hybrid -k 5
      """,
    version: version,
    subcommands: [
      Ingest.self,
      Search.self,
      Info.self,
      List.self,
      Export.self,
      Delete.self,
      Vacuum.self,
      Verify.self,
      Models.self,
      Evaluate.self,
      Compress.self,
      Judge.self,
      Cluster.self,
      Select.self,
      Detect.self,
      Classify.self,
      RankFeatures.self,
      GraphCommand.self,
      Align.self,
      Lab.self,
      Methods.self,
    ])

  static let version = "0.1.0"

  static func main() {
    // A reader that stops early, as in `basis search … | head`, is no error.
    signal(SIGPIPE, SIG_DFL)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as BasisError {
      fail(error)
    } catch {
      exit(withError: error)
    }
  }

  private static func fail(_ error: BasisError) -> Never {
    let code = error.code == .cancelled ? 130 : exitCode(error.code)
    writeToStandardError("basis: error: \(error.message)\n")
    Foundation.exit(code)
  }

  /// The documented exit codes, as in `sysexits.h`.
  static func exitCode(_ code: BasisError.Code) -> Int32 {
    switch code {
    case .invalidArgument, .unsupported: 64
    case .badData, .dimensionMismatch, .spaceMismatch, .corruptFile, .newerFormat: 65
    case .notFound: 66
    case .inputOutput: 74
    default: 1
    }
  }
}

func writeToStandardError(_ text: String) {
  FileHandle.standardError.write(Data(text.utf8))
}

func writeToStandardOutput(_ text: String) throws(BasisError) {
  do {
    try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
  } catch {
    throw BasisError(.inputOutput, "cannot write to standard output", cause: error)
  }
}
