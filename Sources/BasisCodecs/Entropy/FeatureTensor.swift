public import BasisCore

/// Features of a network on their way between its two halves: an array of up to four axes, finite.
public struct FeatureTensor: Sendable, Hashable {
  /// Lengths of the axes.
  public let shape: [Int]
  /// The last axis fastest.
  public var values: [Float]

  /// - Throws: `.dimensionMismatch` if there are not as many values as the shape has; `.badData` naming
  ///   the position of a value that is not finite.
  public init(shape: [Int], values: [Float]) throws(BasisError) {
    let count = shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    guard shape.allSatisfy({ $0 >= 0 }), count == values.count else {
      throw BasisError(
        .dimensionMismatch, "a tensor of shape \(shape) has \(count) values, not \(values.count)")
    }
    if let place = values.firstIndex(where: { !$0.isFinite }) {
      throw BasisError(.badData, "the features have \(values[place]) at position \(place)")
    }
    self.shape = shape
    self.values = values
  }
}

extension FeatureTensor {
  /// A row a sample, as a linear head over so many inputs reads them: tokens (1, 1, T, C) are a row
  /// each; of maps (N, C, H, W) a row holds all of a sample's values, or the mean of each channel.
  ///
  /// - Parameter inputCount: how many values the head reads.
  /// - Throws: `.dimensionMismatch` where no reading has so many.
  public func samples(of inputCount: Int) throws(BasisError) -> Matrix {
    let total = shape.reduce(1, *)
    if shape.count == 4, shape[0] == 1, shape[1] == 1, shape[3] == inputCount {
      return try Matrix(rowCount: shape[2], columnCount: inputCount, values: values)
    }
    if let count = shape.first, shape.count == 4, count > 0 {
      if total / count == inputCount {
        return try Matrix(rowCount: count, columnCount: inputCount, values: values)
      }
      let area = shape[2] * shape[3]
      if shape[1] == inputCount, area > 0 {
        return Matrix(rowCount: count, columnCount: inputCount) { out in
          for place in out.indices {
            let sum = values[place * area..<(place + 1) * area].reduce(0.0) { $0 + Double($1) }
            out[place] = Float(sum / Double(area))
          }
        }
      }
    }
    throw BasisError(
      .dimensionMismatch,
      "the head reads \(inputCount) values, features of shape \(shape) have none of that number; "
        + "give the head of these features")
  }
}

/// How features are laid out as one plane, so that what is alike lies side by side.
public enum FeatureLayout: String, Sendable, Hashable, Codable, CaseIterable {
  /// `(1, 1, T, C)` as T × C: tokens down, channels across.
  case tokens
  /// `(N, C, H, W)` as (N·H) × (C·W): maps down, channels side by side.
  case sideBySide
  /// `(N, C, H, W)` as N times √C × √C tiles of H × W, one grid below the other.
  case tiles

  /// Rows and columns of the plane.
  ///
  /// - Throws: `.dimensionMismatch` for a shape that the layout has not; `.invalidArgument` for tiles of
  ///   a number of channels that is no square.
  public func planeSize(of shape: [Int]) throws(BasisError) -> (rows: Int, columns: Int) {
    guard shape.count == 4, shape.allSatisfy({ $0 > 0 }) else {
      throw BasisError(
        .dimensionMismatch, "the layout '\(rawValue)' takes four axes, not the shape \(shape)")
    }
    switch self {
    case .tokens:
      guard shape[0] == 1, shape[1] == 1 else {
        throw BasisError(
          .dimensionMismatch,
          "the layout 'tokens' takes the shape (1, 1, tokens, channels), not \(shape)")
      }
      return (shape[2], shape[3])
    case .sideBySide: return (shape[0] * shape[2], shape[1] * shape[3])
    case .tiles:
      let side = Int(Double(shape[1]).squareRoot().rounded())
      guard side * side == shape[1] else {
        throw BasisError(
          .invalidArgument,
          "the layout 'tiles' takes a square number of channels, not \(shape[1]); use 'sideBySide'")
      }
      return (shape[0] * side * shape[2], side * shape[3])
    }
  }

  /// For each place of the plane, row after row, the value's position in the tensor.
  ///
  /// - Throws: as ``planeSize(of:)``.
  func positions(of shape: [Int]) throws(BasisError) -> [Int] {
    let (rows, columns) = try planeSize(of: shape)
    guard self != .tokens else { return Array(0..<rows * columns) }
    let (channels, height, width) = (shape[1], shape[2], shape[3])
    let side = self == .tiles ? Int(Double(channels).squareRoot().rounded()) : channels
    var positions: [Int] = []
    positions.reserveCapacity(rows * columns)
    for row in 0..<rows {
      let (band, y) = (row / height, row % height)
      for column in 0..<columns {
        let (place, x) = (column / width, column % width)
        // Of tiles, a band is a row of a grid; else it is a whole map.
        let map = self == .tiles ? band / side : band
        let channel = self == .tiles ? band % side * side + place : place
        positions.append(((map * channels + channel) * height + y) * width + x)
      }
    }
    return positions
  }

  /// The plane of a tensor.
  ///
  /// - Throws: as ``planeSize(of:)``.
  public func pack(_ tensor: FeatureTensor) throws(BasisError) -> Matrix {
    let (rows, columns) = try planeSize(of: tensor.shape)
    let positions = try positions(of: tensor.shape)
    return Matrix(rowCount: rows, columnCount: columns) { out in
      for place in positions.indices { out[place] = tensor.values[positions[place]] }
    }
  }

  /// The tensor of a plane.
  ///
  /// - Throws: as ``planeSize(of:)``; `.dimensionMismatch` for a plane of another size.
  public func unpack(_ plane: Matrix, shape: [Int]) throws(BasisError) -> FeatureTensor {
    let (rows, columns) = try planeSize(of: shape)
    guard plane.rowCount == rows, plane.columnCount == columns else {
      throw BasisError(
        .dimensionMismatch,
        "a plane of \(plane.rowCount) × \(plane.columnCount) is not the \(rows) × \(columns) of "
          + "\(shape)")
    }
    let positions = try positions(of: shape)
    var values = [Float](repeating: 0, count: rows * columns)
    plane.withUnsafeFloats { floats in
      for place in positions.indices { values[positions[place]] = floats[place] }
    }
    return try FeatureTensor(shape: shape, values: values)
  }
}
