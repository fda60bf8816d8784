public import BasisCore

/// Texts into vectors of one space.
public protocol TextEncoder: Encoder where Input == String {}
