// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "outside",
  dependencies: [.package(url: "BASIS", from: "0.0.1")],
  targets: [
    .executableTarget(
      name: "outside",
      dependencies: [
        .product(name: "BasisCollections", package: "basis"),
        .product(name: "BasisStorage", package: "basis"),
      ])
  ])
