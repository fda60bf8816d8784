import BasisCore
import BasisFormats

extension InvertedListsIndex {
  /// The size of what it keeps beside the rows.
  public var byteCount: Int {
    let floats =
      count + lists.halves.count + lists.leasts.count + centroids.rowCount * centroids.columnCount
    return lists.blocks.count + lists.ids.count * MemoryLayout<UInt32>.stride
      + floats * MemoryLayout<Float>.stride
  }
}
