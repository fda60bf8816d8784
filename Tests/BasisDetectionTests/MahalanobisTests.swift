import BasisCore
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisDetection

@Suite struct MahalanobisTests {
  private let run = RunContext()

  private func layers(_ rows: Matrix) throws -> [Matrix] {
    let map = gaussianMatrix(rowCount: rows.columnCount, columnCount: 3, seed: 77)
    return [rows, try LinearAlgebra.product(rows, map)]
  }

  private func fitted(_ blobs: Blobs, _ settings: MahalanobisDetector = .init()) throws
    -> MahalanobisModel
  {
    try settings.fit(LayeredRows(layers(blobs.rows), labels: blobs.labels), in: run)
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `a score is the sum of its layers, each in deviations of rows held out`(seed: UInt64) throws
  {
    let blobs = Blobs(count: 150, dimension: 4, seed: seed)
    let rows = try layers(blobs.rows)
    for isRelative in [false, true] {
      let settings = MahalanobisDetector(isRelative: isRelative, foldCount: 3)
      let input = try LayeredRows(rows, labels: blobs.labels)
      let model = try settings.fit(input, in: run)
      // The same by loops: folds, fits, means and deviations.
      let folds = RowContent.folds(input, count: 3, in: run)
      let strange = try layers(blobs.strange)
      var sums = [Double](repeating: 0, count: 40)
      var usual = [Double](repeating: 0, count: 150)
      for (place, layer) in rows.enumerated() {
        var held = usual.map { _ in 0.0 }
        for fold in 0..<3 {
          let kept = (0..<150).filter { folds[$0] != fold }
          let model = try ClassGaussians().fit(
            layer.selecting(rows: kept), labels: kept.map { blobs.labels[$0] })
          let found = try scores(model, layer, isRelative)
          for row in 0..<150 where folds[row] == fold { held[row] = found[row] }
        }
        let moments = Moments(held)
        let all = try ClassGaussians().fit(layer, labels: blobs.labels)
        for (row, score) in try scores(all, strange[place], isRelative).enumerated() {
          sums[row] += (score - moments.mean) / moments.standardDeviation
        }
        for row in 0..<150 { usual[row] += (held[row] - moments.mean) / moments.standardDeviation }
      }
      #expect(relativeError(try model.scores(of: strange, in: run), sums) < 1e-5)
      #expect(abs(model.threshold - Statistics.quantile(usual, 0.05)) < 1e-5)
    }
  }

  private func scores(_ model: ClassGaussiansModel, _ rows: Matrix, _ isRelative: Bool) throws
    -> [Double]
  {
    let own = try model.squaredDistances(of: rows)
    let background = try model.asOneClass().squaredDistances(of: rows)
    return (0..<rows.rowCount).map { row in
      let least = Double(own.row(row).min() ?? .nan)
      return isRelative ? Double(background[row, 0]) - least : -least
    }
  }

  @Test func `parts are drawn by content, and have a share of each class`() throws {
    let blobs = Blobs(count: 60, dimension: 3, seed: 4)
    let input = try LayeredRows([blobs.rows], labels: blobs.labels)
    let folds = RowContent.folds(input, count: 5, in: run)
    for fold in 0..<5 {
      for label in 0..<3 {
        #expect((0..<60).count { folds[$0] == fold && blobs.labels[$0] == label } == 4)
      }
    }
    let order = Array((0..<60).reversed())
    let backwards = try LayeredRows(
      [blobs.rows.selecting(rows: order)], labels: order.map { blobs.labels[$0] })
    #expect(RowContent.folds(backwards, count: 5, in: run) == order.map { folds[$0] })
    #expect(RowContent.folds(input, count: 5, in: RunContext(seed: 1)) != folds)
    #expect(RowContent.repeated([blobs.rows], among: [blobs.rows]) == 60)
    #expect(RowContent.repeated([blobs.rows], among: [blobs.strange]) == 0)
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `strange rows are told from usual ones, with class and layer`(seed: UInt64) throws {
    let blobs = Blobs(count: 150, dimension: 4, seed: seed)
    let model = try fitted(blobs)
    let further = Blobs(count: 150, dimension: 4, seed: seed + 20)
    let inside = try model.scores(of: layers(further.rows), in: run)
    let outside = try model.scores(of: layers(blobs.strange), in: run)
    #expect(try DetectionMetrics(inside: inside, outside: outside).areaUnderROC > 0.98)
    let explained = try model.explain(layers(further.rows))
    let right = explained.enumerated().count {
      $0.element.nearestThere == further.labels[$0.offset]
    }
    #expect(right >= 145)
    for (row, one) in explained.enumerated() {
      #expect(one.score == inside[row])
      #expect(abs(one.layerScores.reduce(0, +) - one.score) < 1e-12)
      #expect(one.isAccepted == (one.score >= model.threshold))
      #expect(one.layerScores[one.layer] == one.layerScores.min())
    }
    // Broken in one layer only, that layer is named.
    var broken = try layers(further.rows.selecting(rows: [0]))
    broken[0][0, 3] += 40
    #expect(try model.explain(broken)[0].layer == 0)
    broken = try layers(further.rows.selecting(rows: [0]))
    broken[1][0, 2] += 400
    let last = try model.explain(broken)[0]
    #expect(last.layer == 1 && !last.isAccepted)
  }

  @Test func `a new class is no stranger once it is added`() throws {
    let blobs = Blobs(count: 150, dimension: 4, seed: 6)
    for isRelative in [false, true] {
      let model = try fitted(blobs, MahalanobisDetector(isRelative: isRelative))
      var generator = RandomGenerator(seed: 9)
      let fresh = Matrix(rowCount: 30, columnCount: 4) { out in
        for index in out.indices {
          out[index] = Float((index % 4 == 3 ? 9 : -5) + generator.nextGaussian())
        }
      }
      let few = fresh.selecting(rows: 0..<10)
      let rest = fresh.selecting(rows: 10..<30)
      let grown = try model.addingClass(layers(few), label: 8)
      #expect(try model.explain(layers(rest)).allSatisfy { !$0.isAccepted })
      let after = try grown.explain(layers(rest))
      #expect(after.count { $0.isAccepted } >= 15)
      #expect(after.allSatisfy { $0.label == 8 })
      #expect(grown.threshold == model.threshold)
      expectError(.invalidArgument, "class 8 already") {
        try grown.addingClass(layers(few), label: 8)
      }
    }
  }

  @Test func `weights are those of logistic regression`() throws {
    let one = try DetectionFixture.load().combiner
    let found = LogisticCombiner.weights(inside: one.inside, outside: one.outside)
    #expect(relativeError(found, one.weights) < 1e-6)
    // Told apart without error, weights stay finite.
    let apart = LogisticCombiner.weights(inside: [[5], [6]], outside: [[-5], [-6]])
    #expect(apart[0] > 0 && apart[0] < 10)
  }

  @Test func `outliers weigh the layer that sees them`() throws {
    let blobs = Blobs(count: 150, dimension: 4, seed: 7)
    var generator = RandomGenerator(seed: 1)
    let noise = Matrix(rowCount: 150, columnCount: 3) { out in
      for index in out.indices { out[index] = Float(generator.nextGaussian()) }
    }
    let input = try LayeredRows([blobs.rows, noise], labels: blobs.labels)
    let plain = try MahalanobisDetector().fit(input, in: run)
    #expect(plain.weights == [1, 1])
    func outliers(_ count: Int) -> [Matrix] {
      [blobs.strange.selecting(rows: 0..<count), noise.selecting(rows: 0..<count)]
    }
    let model = try MahalanobisDetector().fit(input, outliers: outliers(20), in: run)
    #expect(model.weights[0] > 5 * abs(model.weights[1]))
    expectError(.badData, "19 outliers", "at least 20") {
      try MahalanobisDetector().fit(input, outliers: outliers(19), in: run)
    }
    expectError(.dimensionMismatch, "2 layers of 4, 3 columns") {
      try MahalanobisDetector().fit(input, outliers: [blobs.strange], in: run)
    }
  }

  @Test func `a small step goes towards the nearest class`() throws {
    let blobs = Blobs(count: 240, dimension: 6, seed: 2)
    let trained = try MultilayerPerceptron(
      hiddenSizes: [12, 8], activation: .tanh, learningRate: 0.01, epochCount: 20
    ).fit(blobs.rows, labels: blobs.labels, in: run)
    let network = try FeatureNetwork(trained.network, layers: [0, 1, 2])
    let features = try network.features(blobs.rows, run)
    #expect(features == (try trained.activations(of: blobs.rows)))
    let model = try MahalanobisDetector().fit(LayeredRows(features, labels: blobs.labels), in: run)
    let inputs = blobs.strange
    let still = try model.scores(of: inputs, through: network, step: 0)
    #expect(still == (try model.scores(of: network.features(inputs, run), in: run)))
    let moved = try model.scores(of: inputs, through: network, step: 1e-3)
    let nearer = zip(still, moved).count { $0 < $1 }
    #expect(nearer >= 38, "\(nearer) of 40")
    expectError(.invalidArgument, "at least 0, not -1") {
      try model.scores(of: inputs, through: network, step: -1)
    }
    expectError(.invalidArgument, "3 layers", "layer 3") {
      try FeatureNetwork(trained.network, layers: [3])
    }
    let other = try FeatureNetwork(trained.network, layers: [1])
    expectError(.dimensionMismatch, "3 layers", "1 layer") {
      try model.scores(of: inputs, through: other, step: 0.1)
    }
  }

  @Test func `a step is the best of its grid, by a loop over it`() throws {
    let blobs = Blobs(count: 150, dimension: 6, seed: 5)
    let trained = try MultilayerPerceptron(
      hiddenSizes: [10], activation: .tanh, learningRate: 0.01, epochCount: 15
    ).fit(blobs.rows, labels: blobs.labels, in: run)
    let network = try FeatureNetwork(trained.network, layers: [0, 1])
    let model = try MahalanobisDetector().fit(
      LayeredRows(network.features(blobs.rows, run), labels: blobs.labels), in: run)
    let inside = Blobs(count: 60, dimension: 6, seed: 31).rows
    // Between the classes: some are told, and not all.
    var generator = RandomGenerator(seed: 3)
    let outside = Matrix(rowCount: 40, columnCount: 6) { out in
      for index in out.indices {
        out[index] = Float((index % 6 < 2 ? 3 : 0) + 1.5 * generator.nextGaussian())
      }
    }
    let settings = InputStep(grid: [0.3, 0, 0.05, 0.3])
    let found = try settings.choose(
      model, inside: inside, outside: outside, through: network, in: run)
    #expect(found.trials.map(\.step) == settings.grid)
    var best: (tnr: Double, area: Double, step: Double)?
    for (step, trial) in zip(settings.grid, found.trials) {
      let metrics = try DetectionMetrics(
        inside: model.scores(of: inside, through: network, step: step, in: run),
        outside: model.scores(of: outside, through: network, step: step, in: run))
      #expect(trial.trueNegativeRateAt95 == metrics.trueNegativeRateAt95)
      #expect(
        trial.areaUnderROC == metrics.areaUnderROC && trial.threshold == metrics.thresholdAt95)
      let own = (metrics.trueNegativeRateAt95, metrics.areaUnderROC, -step)
      if best.map({ own > ($0.tnr, $0.area, -$0.step) }) ?? true {
        best = (metrics.trueNegativeRateAt95, metrics.areaUnderROC, step)
      }
    }
    #expect(found.best.step == best?.step)
    #expect(found.best.trueNegativeRateAt95 == found.trials.map(\.trueNegativeRateAt95).max())
    #expect(Set(found.trials.map(\.areaUnderROC)).count == 3)
    // Where all is told without a step, none is taken.
    let far = try settings.choose(
      model, inside: inside, outside: blobs.strange, through: network, in: run)
    if far.trials.allSatisfy({ $0.areaUnderROC == 1 }) { #expect(far.best.step == 0) }
    let again = try settings.choose(
      model, inside: inside, outside: outside, through: network, in: RunContext(threadLimit: 3))
    #expect(again == found)

    expectError(.badData, "19 outliers", "at least 20") {
      try settings.choose(
        model, inside: inside, outside: outside.selecting(rows: 0..<19), through: network)
    }
    expectError(.badData, "5 inputs that belong") {
      try settings.choose(
        model, inside: inside.selecting(rows: 0..<5), outside: outside, through: network)
    }
    for grid in [[], [-0.1], [0, .nan]] as [[Double]] {
      expectError(.invalidArgument, "steps to choose among") {
        try InputStep(grid: grid).choose(
          model, inside: inside, outside: outside, through: network)
      }
    }
  }

  @Test func `bad input is told`() throws {
    let blobs = Blobs(count: 30, dimension: 4, seed: 3)
    expectError(.invalidArgument, "1 parts") {
      try fitted(blobs, MahalanobisDetector(foldCount: 1))
    }
    expectError(.invalidArgument, "at least one layer") { try LayeredRows([], labels: []) }
    expectError(.dimensionMismatch, "layer 1 has 40 rows", "30") {
      try LayeredRows([blobs.rows, blobs.strange], labels: blobs.labels)
    }
    let wide = gaussianMatrix(rowCount: 30, columnCount: 30, seed: 1)
    expectError(.badData, "layer 1", "30 rows for 30 columns", "ledoitWolf") {
      try MahalanobisDetector().fit(
        LayeredRows([blobs.rows, wide], labels: blobs.labels), in: run)
    }
    let shrunk = MahalanobisDetector(shrinkage: .ledoitWolf)
    #expect(
      try shrunk.fit(LayeredRows([wide], labels: blobs.labels), in: run).warnings.count == 1)
    let model = try fitted(blobs)
    #expect(model.warnings.contains { $0.contains("30 rows: it is rough") })
    expectError(.dimensionMismatch, "2 layers of 4, 3 columns", "1 layer of 4 columns") {
      try model.scores(of: [blobs.rows], in: run)
    }
    var flat = blobs.rows
    for row in 0..<30 { flat[row, 1] = 5 }
    let seen = try MahalanobisDetector().fit(
      LayeredRows([flat], labels: blobs.labels), in: run)
    #expect(seen.warnings.contains { $0.contains("vary in 3 of 4 directions") })
  }
}
