public import BasisClassification
public import BasisCore
public import BasisEvaluation

extension Learner {
  /// A classifier on these rows, for the desk. Where all rows to learn from are of one class, that class.
  ///
  /// - Parameters:
  ///   - entry: of the catalogue of classification.
  ///   - settings: a JSON object with the settings that differ from its defaults.
  ///   - input: rows, and the class of each.
  public init(
    _ entry: MethodEntry<any FittedClassifier>, settings: String = "{}", _ input: LabeledRows
  ) {
    self.init(entry.descriptor.name) { (training, asked, run) throws(BasisError) in
      let own = training.map { input.labels[$0] }
      if let first = own.first, own.allSatisfy({ $0 == first }) { return asked.map { _ in first } }
      let parts = MethodParts([input.rows.selecting(rows: training)], labels: own)
      return try entry.run(parts, settings: settings, in: run)
        .predict(input.rows.selecting(rows: asked), in: run)
    }
  }
}
