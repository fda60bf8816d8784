import ArgumentParser
import BasisCollections
import BasisCore
import BasisFormats
import BasisStorage

struct Delete: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Delete records, or a whole collection.",
    discussion: """
      EXAMPLES
        basis delete packages --key gzip --key bzip2
        basis delete packages --where 'section = "games"'
        basis delete packages --all --force
      """)

  @Argument(help: "The collection.")
  var name: String

  @Option(help: "A record's key; may be given several times.")
  var key: [String] = []

  @Option(help: "Delete the records that meet a condition.")
  var `where`: String?

  @Flag(help: "Delete the collection itself.")
  var all = false

  @Flag(help: "Needed with --all.")
  var force = false

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    let ways = [!key.isEmpty, `where` != nil, all].filter { $0 }.count
    guard ways == 1 else { throw ValidationError("give --key, --where or --all, one of them") }
    if all && !force {
      throw ValidationError("--all deletes the whole collection; say --force if you mean it")
    }
  }

  func run() throws {
    let folder = try data.folder(name)
    let count: Int
    if all {
      count = try VectorCollection.destroy(folder)
    } else {
      let collection = try VectorCollection(folder, for: .write)
      if let source = `where` {
        count = try collection.delete(matching: Filter(source))
      } else {
        count = try collection.store.delete(keys: key)
      }
      try collection.maintain(in: RunContext())
    }
    if output.json {
      try output.print(json: .object(["deleted": .integer(Int64(count))]))
    } else {
      output.remark("\(grouped(count)) records deleted")
    }
  }
}
