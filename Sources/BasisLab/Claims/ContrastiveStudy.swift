import BasisCore
import BasisNumerics
import Foundation

/// A small encoder of digits, trained without their classes: two views of an image shall be close, views
/// of different images apart.
///
/// Views are the image moved by at most one pixel each way, a quarter of its pixels blanked, with noise.
/// The encoder is 64–256–128–32; what is trained on is the last layer, brought to unit length.
struct ContrastiveStudy: Settings {
  /// What the loss takes for negatives, and how it weighs them.
  enum Loss: Settings {
    /// Softmax over all of the batch at a temperature (van den Oord et al. 2018, arXiv:1807.03748).
    case infoNCE(temperature: Double)
    /// −*s*ᵢᵢ + the mean of the most similar share of the others' similarities, 1 for all (Wang & Liu
    /// 2021, arXiv:2012.09740, section 3.3).
    case simple(share: Double)
  }

  var hiddenSizes = [256, 128]
  var embeddingSize = 32
  var batchSize = 128
  var epochCount = 250
  var learningRate = 0.001
  /// Images that are trained on; the rest is for the probe.
  var trainCount = 1_347
  /// Images that a probe is tested on, at most.
  var testCount = 450

  static let miniature: Self = {
    var study = Self()
    study.hiddenSizes = [32, 24]
    study.embeddingSize = 16
    study.batchSize = 64
    (study.epochCount, study.trainCount, study.testCount) = (2, 128, 80)
    return study
  }()

  /// What came of one training.
  struct Outcome: Sendable {
    /// Of the test images, before and after the last layer.
    var representation: Matrix
    var embedding: Matrix
    var labels: [Int]
    /// The share of test images whose class a linear probe on the representation tells.
    var accuracy: Double
  }

  /// Images in a seeded order: the first part is trained on.
  private func split(in run: RunContext) -> (train: [Int], test: [Int]) {
    let order = Digits.shuffled(in: run)
    let train = min(trainCount, order.count - 50)
    return (Array(order[..<train]), Array(order[train...].prefix(testCount)))
  }

  /// Trains an encoder with a loss, and a linear probe on what it gives.
  func train(_ loss: Loss, in run: RunContext) throws(BasisError) -> Outcome {
    let (train, test) = split(in: run)
    let sizes = [64] + hiddenSizes + [embeddingSize]
    var network = try PerceptronNetwork(sizes: sizes, in: run)
    var optimizer = try PerceptronOptimizer(for: network, learningRate: learningRate)
    for epoch in 0..<epochCount {
      var order = train
      var generator = run.generator("contrastive batches", chunk: epoch)
      generator.shuffle(&order)
      for first in stride(from: 0, through: order.count - batchSize, by: batchSize) {
        try run.checkCancelled()
        let batch = Digits.images.selecting(rows: order[first..<first + batchSize])
        let views = Self.views(of: batch, &generator)
        let pass = try network.forward(views, in: run)
        let slope = try Self.slope(of: pass.outputs, loss, in: run)
        optimizer.step(&network, along: try network.backward(pass, gradient: slope, in: run))
      }
    }
    let known = try network.forward(Digits.images.selecting(rows: train), in: run).activations
    let asked = try network.forward(Digits.images.selecting(rows: test), in: run).activations
    let place = known.count - 2
    let labels = test.map { Digits.labels[$0] }
    let accuracy = try Self.probe(
      known[place], train.map { Digits.labels[$0] }, asked[place], labels, in: run)
    return Outcome(
      representation: asked[place], embedding: asked[place + 1], labels: labels,
      accuracy: accuracy)
  }

  /// Two views of each image: those of all images, and then again.
  private static func views(of batch: Matrix, _ generator: inout RandomGenerator) -> Matrix {
    let count = batch.rowCount
    return Matrix(rowCount: 2 * count, columnCount: 64) { out in
      batch.withUnsafeFloats { source in
        for view in 0..<2 * count {
          let image = view % count * 64
          let (down, right) = (generator.nextInt(below: 3) - 1, generator.nextInt(below: 3) - 1)
          for y in 0..<8 {
            for x in 0..<8 {
              let (fromY, fromX) = (y - down, x - right)
              let isInside = fromY >= 0 && fromY < 8 && fromX >= 0 && fromX < 8
              let bits = generator.next()
              let isKept = bits & 3 != 0
              // A sum of uniform numbers is near enough to normal, and much cheaper.
              let noise =
                Float(bits >> 4 & 0xFFFF) + Float(bits >> 20 & 0xFFFF) + Float(bits >> 36 & 0xFFFF)
              let value = isInside && isKept ? source[image + fromY * 8 + fromX] : 0
              out[view * 64 + y * 8 + x] = value + 0.2 * (noise / 65_536 - 1.5)
            }
          }
        }
      }
    }
  }

  /// The slope of the loss in what the network gave, for the two halves of its rows as views of one.
  static func slope(of outputs: Matrix, _ loss: Loss, in run: RunContext) throws(BasisError)
    -> Matrix
  {
    let (n, d) = (outputs.rowCount / 2, outputs.columnCount)
    let lengths = (0..<2 * n).map { row in
      outputs.withRow(row) { max(1e-12, $0.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()) }
    }
    var unit = outputs
    unit.withUnsafeMutableFloats { floats in
      for row in 0..<2 * n {
        for column in 0..<d { floats[row * d + column] /= lengths[row] }
      }
    }
    let (first, second) = (
      unit.selecting(rows: 0..<n), unit.selecting(rows: n..<2 * n)
    )
    let similarities = try LinearAlgebra.product(first, second, transposingB: true, in: run)
    // Both directions: each view of the one half looks for its partner in the other.
    let rows = slopes(of: similarities, loss)
    let columns = slopes(of: similarities.transposed(), loss).transposed()
    let all = Matrix(rowCount: n, columnCount: n) { out in
      rows.withUnsafeFloats { a in
        columns.withUnsafeFloats { b in
          for index in out.indices { out[index] = (a[index] + b[index]) / 2 }
        }
      }
    }
    let halves = (
      try LinearAlgebra.product(all, second, in: run),
      try LinearAlgebra.product(all, first, transposingA: true, in: run)
    )
    // Through the division by the length: only what is across the vector moves it.
    return Matrix(rowCount: 2 * n, columnCount: d) { out in
      unit.withUnsafeFloats { unit in
        for row in 0..<2 * n {
          (row < n ? halves.0 : halves.1).withRow(row % max(1, n)) { slope in
            var along: Float = 0
            for column in 0..<d { along += slope[column] * unit[row * d + column] }
            for column in 0..<d {
              out[row * d + column] =
                (slope[column] - along * unit[row * d + column]) / lengths[row]
            }
          }
        }
      }
    }
  }

  /// The slope of the mean loss of the rows in their similarities; the partner is on the diagonal.
  static func slopes(of similarities: Matrix, _ loss: Loss) -> Matrix {
    let n = similarities.rowCount
    return Matrix(rowCount: n, columnCount: n) { out in
      similarities.withUnsafeFloats { s in
        for row in 0..<n {
          let places = row * n..<(row + 1) * n
          switch loss {
          case .infoNCE(let temperature):
            let largest = Double(s[places].max() ?? 0)
            var total = 0.0
            for place in places {
              let value = exp((Double(s[place]) - largest) / temperature)
              out[place] = Float(value)
              total += value
            }
            let scale = 1 / (temperature * Double(n))
            for place in places { out[place] = Float(Double(out[place]) / total * scale) }
            out[row * n + row] -= Float(scale)
          case .simple(let share):
            let others = places.filter { $0 != row * n + row }
            let kept = max(1, Int((share * Double(others.count)).rounded()))
            let nearest = others.sorted { s[$0] > s[$1] }.prefix(kept)
            for place in nearest { out[place] = 1 / Float(kept * n) }
            out[row * n + row] = -1 / Float(n)
          }
        }
      }
    }
  }

  /// How many of the asked rows a linear model of the known ones puts into their class.
  static func probe(
    _ known: Matrix, _ labels: [Int], _ asked: Matrix, _ wanted: [Int], in run: RunContext
  ) throws(BasisError) -> Double {
    let moments = try Statistics.columnMoments(of: known, in: run)
    func scaled(_ rows: Matrix) -> Matrix {
      var rows = rows
      let d = rows.columnCount
      let scales = moments.map { moment in
        let deviation = moment.populationVariance.squareRoot()
        return deviation > 1e-9 ? 1 / deviation : 0
      }
      rows.withUnsafeMutableFloats { floats in
        for index in floats.indices {
          let column = index % d
          floats[index] = Float((Double(floats[index]) - moments[column].mean) * scales[column])
        }
      }
      return rows
    }
    let model = try MultilayerPerceptron(
      hiddenSizes: [], learningRate: 0.01, weightDecay: 1e-3, batchSize: 128, epochCount: 60
    ).fit(scaled(known), labels: labels, in: run.silent)
    let found = try model.classes(of: scaled(asked), in: run)
    return Double(zip(found, wanted).count { $0 == $1 }) / Double(max(1, wanted.count))
  }
}
