// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "basis-benchmarks",
  dependencies: [.package(name: "basis", path: "../")],
  targets: [
    .executableTarget(
      name: "Benchmark",
      dependencies: [
        .product(name: "BasisCore", package: "basis"),
        .product(name: "BasisFormats", package: "basis"),
        .product(name: "BasisCodecs", package: "basis"),
        .product(name: "BasisNumerics", package: "basis"),
        .product(name: "BasisClustering", package: "basis"),
        .product(name: "BasisMeasures", package: "basis"),
        .product(name: "BasisGraphs", package: "basis"),
        .product(name: "BasisText", package: "basis"),
        .product(name: "BasisSearch", package: "basis"),
        .product(name: "BasisSelection", package: "basis"),
        .product(name: "BasisFeatures", package: "basis"),
        .product(name: "BasisClassification", package: "basis"),
        .product(name: "BasisDetection", package: "basis"),
        .product(name: "BasisCollections", package: "basis"),
        .product(name: "BasisStorage", package: "basis"),
      ])
  ]
)
