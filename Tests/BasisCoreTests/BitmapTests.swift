import BasisCore
import Testing

@Suite struct BitmapTests {
  /// A bitmap and the set that it stands for.
  static func random(_ count: Int, _ generator: inout RandomGenerator) -> (Bitmap, Set<Int>) {
    let rows = Set(
      generator.sample(count == 0 ? 0 : generator.nextInt(below: count + 1), of: count))
    var bitmap = Bitmap(count: count)
    for row in rows { bitmap[row] = true }
    return (bitmap, rows)
  }

  static func rows(_ bitmap: Bitmap) -> [Int] {
    var rows: [Int] = []
    bitmap.forEach { rows.append($0) }
    return rows
  }

  @Test(arguments: [0, 1, 63, 64, 65, 128, 200]) func `a bitmap is a set`(count: Int) {
    for seed in 0..<20 as Range<UInt64> {
      var generator = RandomGenerator(seed: seed)
      let (a, aRows) = Self.random(count, &generator)
      let (b, bRows) = Self.random(count, &generator)
      #expect(Self.rows(a) == aRows.sorted())
      #expect(a.population == aRows.count)
      #expect((0..<count).allSatisfy { a[$0] == aRows.contains($0) })
      var result = a
      result.formIntersection(b)
      #expect(Self.rows(result) == aRows.intersection(bRows).sorted())
      result = a
      result.formUnion(b)
      #expect(Self.rows(result) == aRows.union(bRows).sorted())
      result.invert()
      #expect(Self.rows(result) == Set(0..<count).subtracting(aRows.union(bRows)).sorted())
      #expect(result.population == count - aRows.union(bRows).count)
      result.invert()
      for row in aRows { result[row] = false }
      #expect(Self.rows(result) == bRows.subtracting(aRows).sorted())
    }
  }

  @Test(arguments: [0, 1, 63, 64, 65, 128]) func `all is every row and no more`(count: Int) {
    let all = Bitmap(count: count, all: true)
    #expect(all.population == count)
    #expect(Self.rows(all) == Array(0..<count))
    var inverted = all
    inverted.invert()
    #expect(inverted == Bitmap(count: count))
  }
}
