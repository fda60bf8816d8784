public import BasisCore

/// Papers that are studies: what they say is the method, and `basis lab run` is its verb.
public enum StudyCatalogue {
  public static let methods: [MethodDescriptor] = [
    MethodDescriptor(
      id: 83, name: "pretraining",
      summary: "whether rows without answers pay, for factors learnt by likelihood",
      paper: .init(
        "On the provable advantage of unsupervised pretraining", by: "Ge et al.", 2023,
        "arXiv:2303.01566"),
      kind: .study, type: PretrainingClaim.self, verb: "lab run",
      oracle: "the closed form of the likelihood's maximum"),
    MethodDescriptor(
      id: 194, name: "one-step-descent",
      summary: "whether linear attention learns one step of gradient descent in its context",
      paper: .init(
        "One step of gradient descent is provably the optimal in-context learner with one layer of "
          + "linear self-attention", by: "Mahankali, Hashimoto & Ma", 2023, "arXiv:2307.03576"),
      kind: .study, type: OneStepDescentClaim.self, verb: "lab run",
      oracle: "the closed form of the best step"),
  ]
}
