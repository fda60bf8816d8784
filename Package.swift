// swift-tools-version: 6.2
import PackageDescription

// One line per room: its name, the rooms directly below it that it imports, and the outside
// products it needs. Everything else (targets, tests, products) follows from this table.
struct Room {
  var name: String
  var uses: [String] = []
  var outside: [Target.Dependency] = []
  var language: Language = .swift
  var hasFixtures = false

  enum Language { case swift, c }
}

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")

let rooms: [Room] = [
  Room(name: "CBasisKernels", language: .c),
  Room(name: "BasisCore", uses: ["CBasisKernels"]),
  Room(name: "BasisNumerics", uses: ["BasisCore", "CBasisKernels"], hasFixtures: true),
  Room(
    name: "BasisFormats", uses: ["BasisCore", "CBasisKernels"], outside: ["CZlib"],
    hasFixtures: true),
  Room(
    name: "BasisCodecs", uses: ["BasisCore", "BasisNumerics", "BasisFormats", "CBasisKernels"],
    hasFixtures: true),
  Room(
    name: "BasisEvaluation", uses: ["BasisCore", "BasisNumerics", "BasisFormats"],
    hasFixtures: true),
  Room(name: "BasisMeasures", uses: ["BasisCore", "BasisNumerics"], hasFixtures: true),
  Room(
    name: "BasisClustering", uses: ["BasisCore", "BasisNumerics", "BasisFormats"],
    hasFixtures: true),
  Room(
    name: "BasisAlignment", uses: ["BasisCore", "BasisNumerics", "BasisFormats"],
    hasFixtures: true),
  Room(
    name: "BasisGraphs", uses: ["BasisCore", "BasisNumerics", "BasisFormats"],
    hasFixtures: true),
  Room(
    name: "BasisText", uses: ["BasisCore", "BasisNumerics", "BasisFormats", "CBasisKernels"],
    hasFixtures: true),
  Room(
    name: "BasisSearch",
    uses: [
      "BasisCore", "BasisNumerics", "BasisFormats", "BasisCodecs", "BasisText", "CBasisKernels",
    ],
    hasFixtures: true),
  Room(
    name: "BasisSelection", uses: ["BasisCore", "BasisNumerics", "BasisSearch"], outside: ["CZlib"],
    hasFixtures: true),
  Room(
    name: "BasisFeatures", uses: ["BasisCore", "BasisNumerics", "BasisFormats"],
    hasFixtures: true),
  Room(
    name: "BasisClassification",
    uses: ["BasisCore", "BasisNumerics", "BasisFormats", "BasisMeasures"],
    hasFixtures: true),
  Room(
    name: "BasisDetection",
    uses: ["BasisCore", "BasisNumerics", "BasisFormats", "BasisSearch"], hasFixtures: true),
  Room(
    name: "BasisStorage",
    uses: ["BasisCore", "BasisFormats", "BasisSearch", "BasisText"], outside: [grdb],
    hasFixtures: true),
  Room(
    name: "BasisCollections",
    uses: ["BasisCore", "BasisFormats", "BasisText", "BasisSearch", "BasisStorage"]),
  Room(
    name: "BasisLab",
    uses: [
      "BasisCore", "BasisNumerics", "BasisFormats", "BasisCodecs", "BasisText", "BasisSearch",
      "BasisEvaluation", "BasisMeasures", "BasisClustering", "BasisSelection", "BasisDetection",
      "BasisClassification", "BasisFeatures", "BasisGraphs", "BasisAlignment",
    ]),
]

// `BASIS_ROOMS=Text,Search swift build` keeps these rooms and what they stand on, and leaves out
// every other room, its tests and the program.
let roomByName = Dictionary(uniqueKeysWithValues: rooms.map { ($0.name, $0) })
let asked: Set<String>? = Context.environment["BASIS_ROOMS"].map { list in
  Set(list.split(separator: ",").map { $0.hasPrefix("Basis") ? String($0) : "Basis\($0)" })
}
let wanted: Set<String>? = asked.map { asked in
  var open = Array(asked)
  var closed: Set<String> = []
  while let name = open.popLast() {
    guard closed.insert(name).inserted else { continue }
    guard name == "BasisCommand" || roomByName[name] != nil else {
      fatalError("BASIS_ROOMS names '\(name)'; the rooms are \(rooms.map(\.name))")
    }
    open += roomByName[name]?.uses ?? rooms.map(\.name)
  }
  return closed
}

func stands(_ name: String) -> Bool { wanted?.contains(name) ?? true }
func tested(_ name: String) -> Bool { asked?.contains(name) ?? true }

let programSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]
let swiftSettings = programSettings + [.enableUpcomingFeature("InternalImportsByDefault")]

var targets: [Target] = [
  .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])])
]
var products: [Product] = []

for room in rooms where stands(room.name) {
  let dependencies = room.uses.map { Target.Dependency(stringLiteral: $0) } + room.outside
  switch room.language {
  case .c:
    targets.append(
      .target(
        name: room.name,
        cSettings: [.define("_GNU_SOURCE")]))
  case .swift:
    targets.append(
      .target(name: room.name, dependencies: dependencies, swiftSettings: swiftSettings))
    products.append(.library(name: room.name, targets: [room.name]))
    if tested(room.name) {
      targets.append(
        .testTarget(
          name: "\(room.name)Tests",
          dependencies: [.init(stringLiteral: room.name), "_BasisTestSupport"] + dependencies,
          resources: room.hasFixtures ? [.copy("Fixtures")] : [],
          swiftSettings: swiftSettings))
    }
  }
}

targets.append(
  .target(
    name: "_BasisTestSupport",
    dependencies: ["BasisCore"],
    path: "Tests/_BasisTestSupport",
    swiftSettings: swiftSettings))

if stands("BasisCommand") {
  let below = rooms.map { Target.Dependency(stringLiteral: $0.name) }
  targets.append(
    .executableTarget(
      name: "BasisCommand", dependencies: below + [argumentParser],
      swiftSettings: programSettings))
  products.append(.executable(name: "basis", targets: ["BasisCommand"]))
  if tested("BasisCommand") {
    targets.append(
      .testTarget(
        name: "BasisCommandTests",
        dependencies: ["BasisCommand", "_BasisTestSupport"] + below,
        swiftSettings: swiftSettings))
  }
}

var packages: [Package.Dependency] = [
  .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0")
]
if stands("BasisStorage") {
  packages.append(.package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"))
}
if stands("BasisCommand") {
  packages.append(
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"))
}

let package = Package(
  name: "basis",
  products: products,
  dependencies: packages,
  targets: targets
)
