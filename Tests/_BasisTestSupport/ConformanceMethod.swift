public import BasisCore
public import Testing

/// What every method of every room keeps to: the same answer for the same seed at any number of
/// threads, one clear error for input or settings that it cannot use, and an end when it is cancelled.
///
/// - Parameters:
///   - entry: of the room's catalogue.
///   - parts: something it can answer, of at least 8 rows and 1 column, or at least 8 texts in the
///     first list.
///   - isOfRows: whether the order of the rows says nothing.
///   - numbers: the answer as numbers, NaN for what is undefined.
public func checkMethod<Output>(
  _ entry: MethodEntry<Output>, _ parts: MethodParts, isOfRows: Bool = true,
  sourceLocation: SourceLocation = #_sourceLocation, numbers: (Output) -> [Double]
) throws {
  let name = entry.descriptor.name
  func expect(_ holds: Bool, _ what: String) {
    #expect(holds, "\(name): \(what)", sourceLocation: sourceLocation)
  }
  func answer(_ parts: MethodParts, threads: Int = 1, seed: UInt64 = 3) throws -> [Double] {
    numbers(try entry.run(parts, in: RunContext(seed: seed, threadLimit: threads)))
  }
  func equal(_ a: [Double], _ b: [Double], within tolerance: Double = 0) -> Bool {
    a.count == b.count
      && zip(a, b).allSatisfy {
        abs($0 - $1) <= tolerance * max(1, abs($0)) || ($0.isNaN && $1.isNaN)
      }
  }
  func refuses(
    _ codes: [BasisError.Code], _ words: [String], _ what: String, _ body: () throws -> Void
  ) {
    do {
      try body()
      expect(false, "\(what) is no error")
    } catch let error as BasisError {
      expect(codes.contains(error.code), "\(what) is '\(error.message)'")
      for word in words {
        expect(error.message.contains(word), "'\(error.message)' lacks '\(word)'")
      }
    } catch {
      expect(false, "\(what) is another kind of error: \(error)")
    }
  }

  let first = try answer(parts)
  expect(!first.isEmpty, "there is no answer")
  expect(equal(first, try answer(parts)), "a second run differs")
  for threads in [2, 5] {
    expect(equal(first, try answer(parts, threads: threads)), "\(threads) threads differ")
  }
  let count = parts.matrices.first?.rowCount ?? parts.texts.first?.count ?? 0
  func chosen(_ order: [Int]) -> MethodParts {
    MethodParts(
      parts.matrices.map { $0.selecting(rows: order) }, names: parts.names,
      labels: parts.labels.map { labels in order.map { labels[$0] } },
      texts: parts.texts.enumerated().map { place, texts in
        place == 0 ? order.map { texts[$0] } : texts
      })
  }
  if isOfRows {
    let backwards = try answer(chosen(Array((0..<count).reversed())))
    expect(equal(first, backwards, within: 1e-5), "the order of the rows changes it")
  }

  for (index, matrix) in parts.matrices.enumerated() {
    var broken = parts
    var values = matrix
    values[5, matrix.columnCount - 1] = .nan
    broken.matrices[index] = values
    refuses([.badData], ["row 5", "column \(matrix.columnCount - 1)"], "NaN") {
      _ = try answer(broken)
    }
  }
  refuses([.invalidArgument], ["'\(name)'", entry.input], "no input") {
    _ = try answer(MethodParts())
  }
  if parts.labels != nil {
    refuses([.dimensionMismatch], ["labels"], "a label too few") {
      _ = try answer(
        MethodParts(parts.matrices, names: parts.names, labels: parts.labels?.dropLast()))
    }
  }
  // Few rows may be too few; they are no crash.
  for few in [0, 1, 2] {
    do { _ = try answer(chosen(Array(0..<few))) } catch let error as BasisError {
      expect(!error.message.isEmpty, "an error without words")
    }
  }
  refuses([.invalidArgument], ["'\(name)'", "'noSuchSetting'"], "an unknown setting") {
    _ = try entry.run(parts, settings: #"{"noSuchSetting": 1}"#)
  }
  refuses([.invalidArgument], ["'\(name)'"], "settings that are no object") {
    _ = try entry.run(parts, settings: "7")
  }
  let cancelled = RunContext()
  cancelled.cancellation.cancel()
  refuses([.cancelled], [], "a cancelled run") { _ = try entry.run(parts, in: cancelled) }

  let known = entry.descriptor
  expect(!known.summary.isEmpty && !known.paper.title.isEmpty, "it has no summary or paper")
  expect(!known.oracle.isEmpty && !known.type.isEmpty, "it lacks a source")
}
