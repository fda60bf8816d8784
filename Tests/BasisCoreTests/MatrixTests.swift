import BasisCore
import Testing
import _BasisTestSupport

@Suite struct MatrixTests {
  @Test func `a change leaves copies alone`() throws {
    let original = try Matrix(rows: [[1, 2], [3, 4]])
    var copy = original
    copy[0, 1] = 9
    copy.withUnsafeMutableFloats { $0[3] = 8 }
    #expect(original.row(0) == [1, 2] && original.row(1) == [3, 4])
    #expect(copy.row(0) == [1, 9] && copy.row(1) == [3, 8])
  }

  @Test func `a change of a borrowing matrix copies, and the owner lives as long as the matrix`() {
    final class Owner {
      let floats = UnsafeMutablePointer<Float>.allocate(capacity: 4)
      let released: () -> Void
      init(released: @escaping () -> Void) {
        self.released = released
        floats.initialize(repeating: 1, count: 4)
      }
      deinit {
        floats.deallocate()
        released()
      }
    }
    var isReleased = false
    do {
      var owner: Owner? = Owner { isReleased = true }
      let base = owner!.floats
      let matrix = Matrix(rowCount: 2, columnCount: 2, borrowing: base, owner: owner!)
      owner = nil
      #expect(!isReleased)
      var changed = matrix
      changed[1, 1] = 5
      #expect(base[3] == 1 && changed[1, 1] == 5 && matrix[1, 1] == 1)
    }
    #expect(isReleased)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func `the first value that is not finite is named`(value: Float) throws {
    for seed in 0..<20 as Range<UInt64> {
      var generator = RandomGenerator(seed: seed)
      let (rowCount, columnCount) = (
        1 + generator.nextInt(below: 9), 1 + generator.nextInt(below: 40)
      )
      var matrix = gaussianMatrix(rowCount: rowCount, columnCount: columnCount, seed: seed)
      #expect(matrix.firstNonFinite() == nil)
      try matrix.requireFinite("x")
      let first = generator.nextInt(below: rowCount * columnCount)
      matrix.withUnsafeMutableFloats {
        $0[first] = value
        // A later one must not be reported in its place.
        $0[$0.count - 1] = value
      }
      let place = matrix.firstNonFinite()
      #expect(place?.row == first / columnCount && place?.column == first % columnCount)
      let error = #expect(throws: BasisError.self) { try matrix.requireFinite("x") }
      #expect(error?.code == .badData)
      #expect(
        error?.message.hasPrefix(
          "x has \(value) at row \(first / columnCount), column \(first % columnCount)") == true)
    }
  }

  @Test func `shapes that do not fit are named`() {
    let values = #expect(throws: BasisError.self) {
      try Matrix(rowCount: 2, columnCount: 3, values: [1, 2])
    }
    #expect(values?.message == "a 2 × 3 matrix needs 6 values, got 2")
    let rows = #expect(throws: BasisError.self) { try Matrix(rows: [[1, 2], [3]]) }
    #expect(rows?.code == .dimensionMismatch)
    #expect(rows?.message == "row 1 has 1 values, row 0 has 2")
  }

  @Test func `rows and prefixes are selected in order`() throws {
    let matrix = try Matrix(rows: [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    #expect(
      try matrix.selecting(rows: [2, 0, 2]) == Matrix(rows: [[7, 8, 9], [1, 2, 3], [7, 8, 9]]))
    #expect(try matrix.prefix(columns: 2) == Matrix(rows: [[1, 2], [4, 5], [7, 8]]))
    #expect(matrix.prefix(columns: 0).isEmpty)
    #expect(matrix.selecting(rows: []).rowCount == 0)
  }

  @Test func `empty matrices behave`() throws {
    for (rowCount, columnCount) in [(0, 0), (0, 3), (3, 0)] {
      var matrix = Matrix(rowCount: rowCount, columnCount: columnCount)
      #expect(matrix.isEmpty && matrix.firstNonFinite() == nil)
      matrix.withUnsafeMutableFloats { #expect($0.isEmpty) }
      #expect(matrix == matrix)
    }
  }
}
