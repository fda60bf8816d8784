/// How far apart two vectors are. Smaller is closer, always.
public enum Metric: String, Sendable, Hashable, Codable, CaseIterable {
  /// 1 − cos(x, y), in `0 ... 2`. A zero vector is at distance 1 from everything.
  case cosine
  /// −⟨x, y⟩.
  case innerProduct = "ip"
  /// ‖x − y‖², the squared Euclidean distance.
  case squaredEuclidean = "l2"

  /// The distance as a similarity, larger is closer: what people are shown.
  public func similarity(distance: Float) -> Float {
    switch self {
    case .cosine: 1 - distance
    case .innerProduct: -distance
    case .squaredEuclidean: -distance
    }
  }
}
