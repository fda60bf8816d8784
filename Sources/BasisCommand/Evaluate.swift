import ArgumentParser

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score answers against what is known to be right.",
    discussion: """
      EXAMPLES
        basis evaluate relevance scifact --mode hybrid
        basis evaluate recall packages --recall 0.99
        basis evaluate rate activations.npy --head head.npz
        basis evaluate relevance scifact --run mine.run --compare theirs.run
      """,
    subcommands: [EvaluateRelevance.self, EvaluateRecall.self, EvaluateRate.self])
}
