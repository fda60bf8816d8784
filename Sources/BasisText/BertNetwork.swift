import BasisCore
import BasisFormats
import CBasisKernels

/// BERT's layers with their weights, over the tokens of any number of texts at once.
///
/// The linear layers see the tokens of all texts as the rows of one matrix, without padding;
/// attention runs text by text. A token's values are the same bits whatever texts are beside it.
struct BertNetwork: Sendable {
  private struct Norm: Sendable {
    var gain: [Float]
    var bias: [Float]
  }

  private struct Layer: Sendable {
    var queryKeyValue: BertLinear
    var attentionOutput: BertLinear
    var attentionNorm: Norm
    var intermediate: BertLinear
    var output: BertLinear
    var outputNorm: Norm
  }

  let shape: BertDescription.Network
  private let words: Matrix
  /// The embedding of each position, with that of the first token type added.
  private let positions: Matrix
  private let embeddingNorm: Norm
  private let layers: [Layer]

  /// - Throws: `.badData`, `.dimensionMismatch`, `.unsupported` naming file and tensor.
  init(
    _ file: Safetensors, _ shape: BertDescription.Network, precision: EncoderPrecision,
    in run: RunContext
  ) throws(BasisError) {
    self.shape = shape
    // Some writers keep the name of the model's own part.
    let prefix = file["bert.embeddings.word_embeddings.weight"] == nil ? "" : "bert."
    let (h, i) = (shape.hiddenSize, shape.intermediateSize)
    @Sendable func norm(_ name: String) throws(BasisError) -> Norm {
      let norm = Norm(
        gain: try file.vector(prefix + name + ".weight", count: h),
        bias: try file.vector(prefix + name + ".bias", count: h))
      guard (norm.gain + norm.bias).allSatisfy(\.isFinite) else {
        throw BasisError(.badData, "\(file.path): tensor '\(prefix)\(name)' has a NaN or infinity")
      }
      return norm
    }
    @Sendable func part(_ name: String, _ outputs: Int, _ inputs: Int) throws(BasisError)
      -> (weights: Matrix, bias: [Float])
    {
      let weights = try file.matrix(
        prefix + name + ".weight", rowCount: outputs, columnCount: inputs)
      try weights.requireFinite("\(file.path): tensor '\(prefix)\(name).weight'")
      let bias = try file.vector(prefix + name + ".bias", count: outputs)
      guard bias.allSatisfy(\.isFinite) else {
        throw BasisError(
          .badData, "\(file.path): tensor '\(prefix)\(name).bias' has a NaN or infinity")
      }
      return (weights, bias)
    }

    words = try file.matrix(
      prefix + "embeddings.word_embeddings.weight", rowCount: shape.vocabularyCount,
      columnCount: h)
    let types = try file.matrix(
      prefix + "embeddings.token_type_embeddings.weight", columnCount: h)
    guard types.rowCount >= 1 else {
      throw BasisError(
        .badData, "\(file.path): tensor '\(prefix)embeddings.token_type_embeddings.weight' is empty"
      )
    }
    let places = try file.matrix(
      prefix + "embeddings.position_embeddings.weight", rowCount: shape.positionCount,
      columnCount: h)
    positions = Matrix(rowCount: shape.positionCount, columnCount: h) { target in
      for row in 0..<shape.positionCount {
        for column in 0..<h { target[row * h + column] = places[row, column] + types[0, column] }
      }
    }
    embeddingNorm = try norm("embeddings.LayerNorm")
    layers = try parallelMap(shape.layerCount, grain: 1, in: run) { (index, _) throws(BasisError) in
      let name = "encoder.layer.\(index)."
      return Layer(
        queryKeyValue: BertLinear(
          [
            try part(name + "attention.self.query", h, h),
            try part(name + "attention.self.key", h, h),
            try part(name + "attention.self.value", h, h),
          ], precision: precision),
        attentionOutput: BertLinear(
          [try part(name + "attention.output.dense", h, h)], precision: precision),
        attentionNorm: try norm(name + "attention.output.LayerNorm"),
        intermediate: BertLinear(
          [try part(name + "intermediate.dense", i, h)], precision: precision),
        output: BertLinear([try part(name + "output.dense", h, i)], precision: precision),
        outputNorm: try norm(name + "output.LayerNorm"))
    }
  }

  /// The last layer's values of each token, `tokens × hiddenSize`, in the workspace.
  ///
  /// - Parameters:
  ///   - tokens: of all texts, one after another; each in `0 ..< vocabularyCount`.
  ///   - ends: where each text ends in `tokens`.
  ///   - work: for at least so many tokens, and texts of the greatest length.
  func forward(
    _ tokens: some RandomAccessCollection<Int32>, ends: [Int], in work: borrowing BertWorkspace
  ) -> UnsafeMutablePointer<Float> {
    precondition(tokens.count <= work.rowLimit)
    let table = EncoderKernels.table
    let h = shape.hiddenSize
    let count = tokens.count
    let headSize = h / shape.headCount
    let scale = 1 / Float(headSize).squareRoot()
    let hidden = work.hidden.base

    var start = 0
    for end in ends {
      for place in 0..<end - start {
        let row = start + place
        words.withRow(Int(tokens[tokens.index(tokens.startIndex, offsetBy: row)])) { word in
          positions.withRow(place) { position in
            add(word.baseAddress, position.baseAddress, 1, embeddingNorm, hidden + row * h)
          }
        }
      }
      start = end
    }

    for layer in layers {
      let projected = work.projected.base
      layer.queryKeyValue.apply(hidden, rowCount: count, into: projected, work: work)
      start = 0
      for end in ends {
        for head in 0..<shape.headCount {
          let query = projected + start * 3 * h + head * headSize
          table.attention(
            query, query + h, query + 2 * h, 3 * h, end - start, headSize, scale,
            work.context.base + start * h + head * headSize, h, work.attention.base)
        }
        start = end
      }
      // The projections have been used: their place takes the results.
      layer.attentionOutput.apply(work.context.base, rowCount: count, into: projected, work: work)
      add(projected, hidden, count, layer.attentionNorm, hidden)
      for first in stride(from: 0, to: count, by: BertWorkspace.wideRows) {
        let rows = min(BertWorkspace.wideRows, count - first)
        let block = hidden + first * h
        layer.intermediate.apply(
          block, rowCount: rows, activation: BASIS_ACTIVATION_GELU, into: work.wide.base,
          work: work)
        layer.output.apply(work.wide.base, rowCount: rows, into: projected, work: work)
        add(projected, block, rows, layer.outputNorm, block)
      }
    }
    return hidden
  }

  /// `out = norm(x + added)`.
  private func add(
    _ x: UnsafePointer<Float>?, _ added: UnsafePointer<Float>?, _ rowCount: Int, _ norm: Norm,
    _ out: UnsafeMutablePointer<Float>
  ) {
    norm.gain.withUnsafeBufferPointer { gain in
      norm.bias.withUnsafeBufferPointer { bias in
        EncoderKernels.table.add_norm(
          x, added, rowCount, shape.hiddenSize, gain.baseAddress, bias.baseAddress,
          shape.normEpsilon, out)
      }
    }
  }
}
