import BasisCore
import BasisFormats
import BasisNumerics

extension ModelWriter {
  /// All that `gaussians(_:prefix:)` needs.
  mutating func add(_ model: ClassGaussiansModel, prefix: String) throws(BasisError) {
    let (count, d) = (model.classes.count, model.dimension)
    let parts = model.scatters
    try tensors.add(prefix + "classes", shape: [count], model.classes.map { Int64($0) })
    try tensors.add(prefix + "counts", shape: [count], model.counts.map { Int64($0) })
    try tensors.add(prefix + "means", shape: [count, d], model.means)
    try tensors.add(prefix + "rows", shape: [parts.count], parts.map { Int64($0.count) })
    try tensors.add(prefix + "fourths", shape: [parts.count], parts.map(\.fourthPowers))
    try tensors.add(
      prefix + "products", shape: [parts.count, d, d], Array(parts.map(\.products).joined()))
  }
}

extension ModelFile {
  func gaussians(_ settings: ClassGaussians, prefix: String) throws(BasisError)
    -> ClassGaussiansModel
  {
    func damaged(_ what: String) -> BasisError {
      BasisError(.corruptFile, "\(path): tensor '\(prefix)\(what)' does not fit the others")
    }
    let classes = try tensors.integers(prefix + "classes").map { Int($0) }
    let counts = try tensors.integers(prefix + "counts").map { Int($0) }
    let rows = try tensors.integers(prefix + "rows").map { Int($0) }
    let means = try doubles(prefix + "means")
    let fourths = try doubles(prefix + "fourths")
    let products = try doubles(prefix + "products")
    guard !classes.isEmpty, Set(classes).count == classes.count, counts.count == classes.count,
      counts.allSatisfy({ $0 >= 1 && $0 < 1 << 48 })
    else { throw damaged("classes") }
    guard !means.isEmpty, means.count.isMultiple(of: classes.count) else { throw damaged("means") }
    let d = means.count / classes.count
    guard !rows.isEmpty, fourths.count == rows.count, products.count == rows.count * d * d,
      rows.allSatisfy({ $0 >= 1 && $0 < 1 << 48 })
    else { throw damaged("products") }
    let parts = rows.indices.map { place in
      ClassGaussiansModel.Scatter(
        count: rows[place], products: Array(products[place * d * d..<(place + 1) * d * d]),
        fourthPowers: fourths[place])
    }
    return try ClassGaussiansModel(
      settings, dimension: d, classes: classes, counts: counts, means: means, scatters: parts)
  }

  /// A tensor of 64-bit floats, all finite.
  private func doubles(_ name: String) throws(BasisError) -> [Double] {
    if let tensor = tensors[name], tensor.type != .float64 {
      throw BasisError(.corruptFile, "\(path): tensor '\(name)' has no 64-bit floats")
    }
    let values = try tensors.doubles(name)
    guard values.allSatisfy(\.isFinite) else {
      throw BasisError(.corruptFile, "\(path): tensor '\(name)' has a value that is not finite")
    }
    return values
  }
}
