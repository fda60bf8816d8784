public import BasisCore
public import Testing

/// What every encoder promises: shapes, finite values, the same rows whatever the batch and the
/// number of threads, and to stop when it is cancelled.
///
/// - Parameter inputs: at least 2, some of them different.
public func checkEncoder<E: BasisCore.Encoder>(
  _ encoder: E, _ inputs: [E.Input], sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let at = sourceLocation
  let single = RunContext(threadLimit: 1)
  let dimension = encoder.space.dimension
  #expect(dimension >= 1, sourceLocation: at)
  for role in [EncodingRole.document, .query] {
    let note = Comment(rawValue: role.rawValue)
    let rows = try encoder.encode(inputs, as: role, in: single)
    #expect(rows.rowCount == inputs.count, note, sourceLocation: at)
    #expect(rows.columnCount == dimension, note, sourceLocation: at)
    #expect(rows.firstNonFinite() == nil, note, sourceLocation: at)

    // More rows than one chunk has, so that several threads have something to do.
    let many = (0..<700).map { inputs[$0 % inputs.count] }
    let manyRows = try encoder.encode(many, as: role, in: single)
    #expect(
      (0..<700).allSatisfy { manyRows.row($0) == rows.row($0 % inputs.count) },
      "a larger batch, \(role)", sourceLocation: at)
    for threads in [2, 3] {
      let again = try encoder.encode(many, as: role, in: RunContext(threadLimit: threads))
      #expect(again == manyRows, "\(threads) threads, \(role)", sourceLocation: at)
    }
    for index in inputs.indices.prefix(5) {
      let alone = try encoder.encode([inputs[index]], as: role, in: single)
      #expect(alone.row(0) == rows.row(index), "input \(index) alone, \(role)", sourceLocation: at)
    }

    let nothing = try encoder.encode([], as: role, in: single)
    #expect(nothing.rowCount == 0 && nothing.columnCount == dimension, note, sourceLocation: at)
    let cancelled = RunContext(threadLimit: 1)
    cancelled.cancellation.cancel()
    expectError(.cancelled, sourceLocation: at) {
      try encoder.encode(inputs, as: role, in: cancelled)
    }
  }
}
