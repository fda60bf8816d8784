import BasisCore
import BasisFormats
import Testing
import _BasisTestSupport

@testable import BasisFeatures

@Suite struct TableTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func read(_ name: String, _ text: String, every: Int = 1) throws -> CategoricalTable {
    let source = try RecordSource(path: folder.write(name, text))
    var reader = try CategoricalReader(source, sampling: .init(every: every), in: RunContext())
    return try reader.all()
  }

  private func cells(_ table: CategoricalTable, _ name: String) throws -> [String?] {
    let column = try #require(table.column(named: name))
    return column.codes.map { column.dictionary.value(of: $0) }
  }

  @Test func `a table is the same from each kind of file`() throws {
    let expected: [String?] = ["red", nil, "blue", "red"]
    let csv = try read("t.csv", "size,color,y\n1,red,0\n2,,1\n007,blue,0\n1,red,1\n")
    let lines = try read(
      "t.jsonl",
      "{\"size\":1,\"color\":\"red\",\"y\":0}\n{\"size\":2,\"y\":1}\n"
        + "{\"size\":\"007\",\"color\":\"blue\",\"y\":0}\n{\"size\":1,\"color\":\"red\",\"y\":1}\n")
    for table in [csv, lines] {
      #expect(table.columns.map(\.name) == ["size", "color", "y"] && table.rowCount == 4)
      #expect(try cells(table, "color") == expected)
      #expect(try cells(table, "size") == ["1", "2", "007", "1"])
      #expect(table.column(named: "color")?.codes == [2, 0, 3, 2])
    }
    let late = try read(
      "l.jsonl", "{\"a\":1}\n{\"b\":[1,2],\"a\":null}\n{\"a\":\"NaN\",\"b\":true}\n")
    #expect(try cells(late, "a") == ["1", nil, nil])
    #expect(try cells(late, "b") == [nil, "[1,2]", "true"])
    let some = try read("s.csv", "x\n" + (0..<10).map { "\($0)\n" }.joined(), every: 4)
    #expect(try cells(some, "x") == ["0", "4", "8"])
  }

  @Test func `batches number their values anew and cover the file`() throws {
    let path = try folder.write("b.csv", "x,y\n" + (0..<25).map { "v\($0),\($0 % 2)\n" }.joined())
    var reader = try CategoricalReader(RecordSource(path: path), in: RunContext())
    var sizes: [Int] = []
    var report = DataQualityReport()
    while let table = try reader.next(10) {
      sizes.append(table.rowCount)
      #expect((table.column(named: "x")?.dictionary.values.count ?? 0) == table.rowCount)
      report.add(table)
    }
    #expect(sizes == [10, 10, 5] && report.rowCount == 25)
    #expect(report.column(named: "x")?.cardinality == 25)
    #expect(report.column(named: "x")?.flags == [.identifier])
  }

  @Test func `what cannot be read says where`() throws {
    expectError(.badData, "bad.csv:3", "1 fields", "2") { try read("bad.csv", "a,b\n1,2\n3\n") }
    expectError(.badData, "no rows") { try read("empty.csv", "") }
    expectError(.badData, "no rows") { try read("head.csv", "a,b\n") }
    expectError(.badData, "bad.jsonl:2") { try read("bad.jsonl", "{\"a\":1}\n{\n") }
    expectError(.invalidArgument, "0") { try read("z.csv", "a\n1\n", every: 0) }
    expectError(.notFound, "'z'", "'a', 'b'") {
      try read("t.csv", "a,b\n1,2\n").separating("z")
    }
    let path = try folder.write("c.jsonl", (0..<3000).map { "{\"a\":\($0)}\n" }.joined())
    let run = RunContext()
    run.cancellation.cancel()
    var reader = try CategoricalReader(RecordSource(path: path), in: run)
    expectError(.cancelled) { try reader.all() }
  }

  @Test func `a dictionary knows what it has not seen`() {
    let column = CategoricalColumn("c", cells: ["x", nil, "y", "x"])
    #expect(column.codes == [2, 0, 3, 2])
    #expect(column.encoding(["y", "z", nil]) == [3, CategoryDictionary.unseen, 0])
    #expect(column.dictionary.value(of: 1) == nil && column.dictionary.codeCount == 4)
  }

  @Test func `SipHash's own example, and fields with their lengths`() {
    let hash = KeyedHash()
    // The message 00 01 … 0e under the key 00 01 … 0f, from the paper's appendix A.
    #expect(hash.hash(bytes: (0..<15).map { UInt8($0) }) == 0xA129_CA61_49BE_45E5)
    #expect(hash.hash(["1", "11"]) != hash.hash(["11", "1"]))
    #expect(hash.hash(["111"]) != hash.hash(["1", "11"]))
    #expect(hash.hash(["a"]) != KeyedHash(1, 2).hash(["a"]))
  }

  @Test func `combinations keep different values apart and come all in turn`() throws {
    let a = CategoricalColumn("a", cells: ["1", "11", "1", nil, "", "1"])
    let b = CategoricalColumn("b", cells: ["11", "1", "11", "1", "1", nil])
    let joint = try FeatureCombiner.column(joining: [a, b])
    #expect(
      joint.name == "a × b" && Set(joint.codes).count == 5 && joint.codes[0] == joint.codes[2])
    let again = try FeatureCombiner.column(
      joining: [CategoricalColumn("a", cells: ["11"]), CategoricalColumn("b", cells: ["1"])])
    #expect(
      again.dictionary.value(of: again.codes[0]) == joint.dictionary.value(of: joint.codes[1]))
    expectError(.invalidArgument, "two") { try FeatureCombiner.column(joining: [a]) }

    let pairs = try FeatureCombiner(order: 2).combinations(of: 9)
    #expect(pairs.count == 36 && Set(pairs).count == 36 && pairs.allSatisfy { $0[0] < $0[1] })
    for (order, columns, limit) in [(2, 30, 7), (3, 12, 50), (4, 9, 100)] {
      let combiner = FeatureCombiner(order: order, limit: limit)
      let count = combiner.count(of: columns)
      var seen: [[Int]: Int] = [:]
      let batches = (count + limit - 1) / limit
      for batch in 0..<batches {
        let part = try combiner.combinations(of: columns, batch: batch)
        #expect(Set(part).count == limit)
        for set in part { seen[set, default: 0] += 1 }
      }
      // None a second time before all had their first.
      #expect(seen.count == count && seen.values.allSatisfy { $0 <= 2 })
      #expect(
        seen.keys.allSatisfy {
          $0 == $0.sorted() && Set($0).count == order && $0[order - 1] < columns
        })
    }
    #expect(FeatureCombiner(order: 4).count(of: 2_000_000) == .max)
    #expect(try FeatureCombiner(order: 2).combinations(of: 1).isEmpty)
    expectError(.invalidArgument, "order") { try FeatureCombiner(order: 1).combinations(of: 4) }
  }

  @Test func `different values are counted in four kilobytes`() {
    let hash = KeyedHash()
    var worst = 0.0
    for count in [0, 1, 10, 300, 5000, 20_000, 60_000] {
      var sketch = HyperLogLog()
      for value in 0..<count { sketch.add(hash: hash.hash(["v\(value)"])) }
      for value in 0..<min(count, 50) { sketch.add(hash: hash.hash(["v\(value)"])) }
      let error = abs(sketch.estimate - Double(count)) / Double(max(count, 1))
      worst = max(worst, error)
      // Five standard errors.
      #expect(error < 5 * 1.04 / 64, "\(count): \(sketch.estimate)")
    }
    #expect(worst > 0)
    var (a, b, both) = (HyperLogLog(), HyperLogLog(), HyperLogLog())
    for value in 0..<2000 {
      let bits = hash.hash(["\(value)"])
      if value % 3 > 0 { a.add(hash: bits) }
      if value % 3 < 2 { b.add(hash: bits) }
      both.add(hash: bits)
    }
    a.merge(b)
    #expect(a == both)
  }

  @Test func `a report flags what is of no use`() throws {
    let n = 1000
    let table = try CategoricalTable([
      CategoricalColumn("id", numbers: 0..<n),
      CategoricalColumn("one", cells: (0..<n).map { _ in "x" }),
      CategoricalColumn("few", cells: (0..<n).map { $0 % 5 == 0 ? "\($0 % 2)" : nil }),
      CategoricalColumn("mostly", cells: (0..<n).map { $0 == 3 ? "b" : "a" }),
      CategoricalColumn("fine", cells: (0..<n).map { $0 < 12 ? "r\($0 / 4)" : "\($0 % 7)" }),
    ])
    var report = DataQualityReport()
    report.add(table)
    func flags(_ name: String) -> [DataQualityReport.Flag] {
      report.column(named: name)?.flags ?? []
    }
    #expect(flags("id") == [.identifier] && flags("one") == [.constant])
    #expect(flags("few") == [.sparse] && flags("mostly") == [.dominated] && flags("fine") == [])
    let fine = try #require(report.column(named: "fine"))
    #expect(fine.rareValueCount == 3 && fine.rareRowShare == 0.012 && fine.cardinality == 10)
    let few = try #require(report.column(named: "few"))
    #expect(few.coverage == 0.2 && few.missingCount == 800 && few.cardinality == 2)
    #expect(few.commonest?.value == "0" && few.commonest?.share == 0.5)
    // A column that only some batches have is missing in the others.
    report.add(try CategoricalTable([CategoricalColumn("new", cells: ["a", "b"])]))
    #expect(report.column(named: "new")?.missingCount == n && report.rowCount == n + 2)
    #expect(report.column(named: "fine")?.missingCount == 2)
    #expect(report.columns.map(\.name) == ["id", "one", "few", "mostly", "fine", "new"])
    let many = try CategoricalTable([CategoricalColumn("many", numbers: 0..<70_000)])
    var large = DataQualityReport()
    large.add(many)
    let column = try #require(large.column(named: "many"))
    #expect(column.isEstimated && column.rareValueCount == nil && column.flags == [.identifier])
    #expect(abs(column.cardinality - 70_000) < 6000)
  }
}
