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
        basis evaluate compare --truth y.csv --pred a.csv b.csv
        basis evaluate pool rank --query "negation" --filter set.eq=scifact
      """,
    subcommands: [
      EvaluateRelevance.self, EvaluateRecall.self, EvaluateRate.self, EvaluateCompare.self,
      EvaluateEstimate.self, EvaluateNested.self, EvaluatePool.self,
    ])
}
