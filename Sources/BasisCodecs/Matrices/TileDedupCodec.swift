public import BasisCore
public import BasisFormats

/// A matrix cut into tiles, where a tile that is much like another is replaced by it.
///
/// Tiles are taken in the order of their upper quartiles. Candidates share one of `tableCount` buckets
/// ⌊(⟨a, x⟩ + b) / radius⌋ with an earlier tile, *a* normal of expected length 1 and *b* uniform in
/// 0 ..< radius; the candidate of which most values are the same within a tolerance stands for the
/// tile if those are enough. Stops as soon as the budget is met.
///
/// After Zhou et al., *Serving deep learning models with deduplication from relational databases*, VLDB
/// 2022, doi:10.14778/3547305.3547325, where projections are not scaled to the size of a tile.
public struct TileDedupCodec: MatrixCompressor {
  /// Bytes as a share of the matrix's own, above 0.
  public var ratio: Double
  public var tileRows: Int
  public var tileColumns: Int
  /// The share of a tile's values that must agree, 0 to 1.
  public var similarity: Double
  /// How far values that agree may be apart, at least 0.
  public var tolerance: Float
  /// The width of a bucket, above 0.
  public var radius: Float
  /// Buckets that a tile is in, at least 1.
  public var tableCount: Int

  public init(
    ratio: Double = 0.5, tileRows: Int = 10_000, tileColumns: Int = 100, similarity: Double = 0.7,
    tolerance: Float = 0.01, radius: Float = 0.09, tableCount: Int = 90
  ) {
    self.ratio = ratio
    self.tileRows = tileRows
    self.tileColumns = tileColumns
    self.similarity = similarity
    self.tolerance = tolerance
    self.radius = radius
    self.tableCount = tableCount
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let standard = TileDedupCodec()
    func value<T: Decodable>(_ key: CodingKeys, _ fallback: T) throws -> T {
      try values.decodeIfPresent(T.self, forKey: key) ?? fallback
    }
    ratio = try value(.ratio, standard.ratio)
    tileRows = try value(.tileRows, standard.tileRows)
    tileColumns = try value(.tileColumns, standard.tileColumns)
    similarity = try value(.similarity, standard.similarity)
    tolerance = try value(.tolerance, standard.tolerance)
    radius = try value(.radius, standard.radius)
    tableCount = try value(.tableCount, standard.tableCount)
  }

  /// - Complexity: O(*n* *d* · `tableCount`), and O(tile) for each candidate.
  public func compress(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> TiledMatrix
  {
    try run.checkCancelled()
    try requireRatio(ratio, "tile deduplication")
    guard tileRows >= 1, tileColumns >= 1, tableCount >= 1, radius > 0, tolerance >= 0,
      (0...1).contains(similarity)
    else {
      throw BasisError(
        .invalidArgument,
        "tile deduplication: needs tiles of at least 1 × 1, a table, a radius above 0, a tolerance of "
          + "at least 0 and a similarity in 0 ... 1")
    }
    try rows.requireFinite("the matrix to compress")
    let grid = TileGrid(
      rowCount: rows.rowCount, columnCount: rows.columnCount,
      tileRows: min(tileRows, max(1, rows.rowCount)),
      tileColumns: min(tileColumns, max(1, rows.columnCount)))
    let tiles = (0..<grid.count).map { grid.values(of: $0, in: rows) }
    let quartiles = tiles.map { $0.sorted()[$0.count * 3 / 4] }
    let order = tiles.indices.sorted { (quartiles[$0], $0) < (quartiles[$1], $1) }
    let buckets = try self.buckets(tiles, in: run)

    var owners = Array(tiles.indices)
    var members = Array(repeating: [Int32: [Int]](), count: tableCount)
    let budget = min(ratio, 4) * 4 * Double(rows.rowCount) * Double(rows.columnCount)
    var size = 4 * Double(rows.rowCount * rows.columnCount) + 4 * Double(grid.count)
    for tile in order where size > budget {
      try run.checkCancelled()
      var candidates: Set<Int> = []
      for table in 0..<tableCount {
        candidates.formUnion(members[table][buckets[tile][table]] ?? [])
      }
      var best: (share: Double, tile: Int)?
      for other in candidates.sorted() where tiles[other].count == tiles[tile].count {
        guard grid.shape(of: other) == grid.shape(of: tile) else { continue }
        let same = zip(tiles[tile], tiles[other]).reduce(0) {
          $0 + (abs($1.0 - $1.1) <= tolerance ? 1 : 0)
        }
        let share = Double(same) / Double(tiles[tile].count)
        if share >= similarity, best.map({ share > $0.share }) ?? true { best = (share, other) }
      }
      if let best {
        owners[tile] = best.tile
        size -= 4 * Double(tiles[tile].count)
      } else {
        for table in 0..<tableCount {
          members[table][buckets[tile][table], default: []].append(tile)
        }
      }
    }
    guard size <= budget || grid.count == 0 else {
      throw unreachable(
        ratio, smallest: size / (4 * Double(rows.rowCount * rows.columnCount)),
        "tile deduplication (with these tolerances)")
    }
    return TiledMatrix(grid: grid, owners: owners, tiles: tiles)
  }

  private func buckets(_ tiles: [[Float]], in run: RunContext) throws(BasisError) -> [[Int32]] {
    let size = tiles.map(\.count).max() ?? 0
    var result = Array(repeating: [Int32](), count: tiles.count)
    for table in 0..<tableCount {
      try run.checkCancelled()
      var generator = run.generator("tile-buckets", chunk: table)
      let scale = 1 / Float(max(1, size)).squareRoot()
      let direction = (0..<size).map { _ in Float(generator.nextGaussian()) * scale }
      let offset = generator.nextFloat() * radius
      for (tile, values) in tiles.enumerated() {
        let product = values.withUnsafeBufferPointer { a in
          direction.withUnsafeBufferPointer { b -> Float in
            guard let a = a.baseAddress, let b = b.baseAddress else { return 0 }
            return Kernels.dot(a, b, count: values.count)
          }
        }
        let place = ((product + offset) / radius).rounded(.down)
        result[tile].append(Int32(max(-2e9, min(2e9, place))))
      }
    }
    return result
  }
}

/// How a matrix is cut into tiles, row after row of tiles.
struct TileGrid: Sendable, Hashable, Codable {
  var rowCount: Int
  var columnCount: Int
  var tileRows: Int
  var tileColumns: Int

  var across: Int { (columnCount + tileColumns - 1) / tileColumns }
  var count: Int { (rowCount + tileRows - 1) / tileRows * across }

  func rows(of tile: Int) -> Range<Int> {
    let first = tile / across * tileRows
    return first..<min(rowCount, first + tileRows)
  }

  func columns(of tile: Int) -> Range<Int> {
    let first = tile % across * tileColumns
    return first..<min(columnCount, first + tileColumns)
  }

  func shape(of tile: Int) -> [Int] { [rows(of: tile).count, columns(of: tile).count] }

  func values(of tile: Int, in matrix: Matrix) -> [Float] {
    rows(of: tile).flatMap { row in matrix.withRow(row) { Array($0[columns(of: tile)]) } }
  }
}

/// A matrix of tiles, some of which stand for others.
public struct TiledMatrix: CompressedMatrix {
  let grid: TileGrid
  /// For each tile which tile stands for it.
  let owners: [Int]
  /// Values of the tiles that stand for themselves, in their order.
  let values: [Float]
  private let starts: [Int]

  public var rowCount: Int { grid.rowCount }
  public var columnCount: Int { grid.columnCount }
  public var byteCount: Int { 4 * values.count + 4 * owners.count }
  /// Tiles that another stands for.
  public var replacedCount: Int { owners.indices.count { owners[$0] != $0 } }

  init(grid: TileGrid, owners: [Int], tiles: [[Float]]) {
    self.init(
      grid: grid, owners: owners,
      values: owners.indices.flatMap { owners[$0] == $0 ? tiles[$0] : [] })
  }

  private init(grid: TileGrid, owners: [Int], values: [Float]) {
    self.grid = grid
    self.owners = owners
    self.values = values
    var starts = [0]
    for tile in owners.indices {
      let size = owners[tile] == tile ? grid.shape(of: tile).reduce(1, *) : 0
      starts.append(starts[tile] + size)
    }
    self.starts = starts
  }

  public func rows(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    return Matrix(rowCount: range.count, columnCount: columnCount) { out in
      for row in range {
        for side in 0..<grid.across {
          let tile = row / grid.tileRows * grid.across + side
          let columns = grid.columns(of: tile)
          let place = starts[owners[tile]] + row % grid.tileRows * columns.count
          for (offset, column) in columns.enumerated() {
            out[(row - range.lowerBound) * columnCount + column] = values[place + offset]
          }
        }
      }
    }
  }

  private struct Header: Codable {
    var layout = 1
    var grid: TileGrid
  }

  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(prefix + "tiles", json: Header(grid: grid))
    try writer.write(prefix + "owners", owners.map { UInt32($0) })
    try writer.write(prefix + "values", values)
  }

  public init(from container: Container, prefix: String) throws(BasisError) {
    let header = try container.json(prefix + "tiles", as: Header.self)
    try container.requireLayout(header.layout, of: "tiled matrix")
    let grid = header.grid
    let owners = try container.array(prefix + "owners", of: UInt32.self).map { Int($0) }
    let values = Array(try container.array(prefix + "values", of: Float.self))
    guard grid.tileRows >= 1, grid.tileColumns >= 1, (0..<1 << 40).contains(grid.rowCount),
      (0..<1 << 20).contains(grid.columnCount), owners.count == grid.count,
      owners.indices.allSatisfy({ tile in
        let owner = owners[tile]
        return owner < owners.count && owners[owner] == owner
          && grid.shape(of: owner) == grid.shape(of: tile)
      })
    else {
      throw BasisError(.corruptFile, "\(container.path): tiles that do not fit their matrix")
    }
    self.init(grid: grid, owners: owners, values: values)
    guard starts.last == values.count else {
      throw BasisError(
        .corruptFile,
        "\(container.path): \(values.count) values for tiles of \(starts.last ?? 0)")
    }
  }
}
