// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "first-come",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "issue-service", targets: ["issue-service"]),
    .executable(name: "retry-batch", targets: ["retry-batch"]),
    .executable(name: "reconcile", targets: ["reconcile"]),
  ],
  dependencies: [
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.36.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
  ],
  targets: [
    // The domain: values, outcomes, decisions, use cases, ports. No driver.
    .target(name: "Issuance", dependencies: ["CrashPoints"]),

    // Where a crash is tried; empty in release builds.
    .target(name: "CrashPoints"),

    // Every persisted or published shape; migrations/ is embedded in the binary.
    .target(
      name: "Schema",
      dependencies: [.product(name: "Crypto", package: "swift-crypto")],
      resources: [.embedInCode("Migrations")]
    ),

    // Files that are written whole or not at all.
    .target(name: "FileIO"),

    // The only place with SQLite SQL.
    .target(
      name: "SQLiteStore",
      dependencies: [
        "CrashPoints", "FileIO", "Issuance", "Schema",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]
    ),

    // Asks issuers for codes over HTTPS; the only place that calls out.
    .target(
      name: "WebhookIssuer",
      dependencies: [
        "Issuance", "ServiceKit",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]
    ),

    // What any service needs, without a word of coupons: command line, settings, terminal, logs, metrics, lifecycle.
    .target(
      name: "ServiceKit",
      dependencies: [
        "CrashPoints", "FileIO",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]
    ),

    // Settings to running parts; the only place that knows which backends exist.
    .target(
      name: "Composition",
      dependencies: [
        "Issuance", "SQLiteStore", "ServiceKit", "WebhookIssuer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Metrics", package: "swift-metrics"),
      ]
    ),

    // Rules, audit, report and self-test: used by reconcile, and by the audit of serve at its start.
    .target(name: "Auditing", dependencies: ["Issuance", "Schema", "ServiceKit"]),

    // What each program does, as libraries that a test can call; the published contract is embedded in the binary.
    .target(
      name: "IssueService",
      dependencies: [
        "Auditing", "CrashPoints", "Issuance", "Composition", "ServiceKit",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      resources: [.embedInCode("Contract"), .embedInCode("Live/Page")]
    ),
    .target(
      name: "RetryBatch",
      dependencies: [
        "CrashPoints", "FileIO", "Issuance", "Composition", "ServiceKit",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ]
    ),
    .target(
      name: "Reconciler",
      dependencies: [
        "Auditing", "FileIO", "Issuance", "Composition", "ServiceKit",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]
    ),

    // The three programs: a command and .main() each.
    .executableTarget(
      name: "issue-service",
      dependencies: ["IssueService", "ServiceKit"]
    ),
    .executableTarget(
      name: "retry-batch",
      dependencies: ["RetryBatch", "ServiceKit"]
    ),
    .executableTarget(
      name: "reconcile",
      dependencies: ["Reconciler", "ServiceKit"]
    ),

    // Measures admission without HTTP; run by scripts/benchmark.
    .executableTarget(
      name: "admission-benchmark", dependencies: ["Composition", "Issuance", "IssueService", "ServiceKit"],
      path: "Benchmarks/admission"
    ),

    // What the public listener is held against; run by scripts/benchmark-http.
    .executableTarget(
      name: "bare-http",
      dependencies: [
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      path: "Benchmarks/bare-http"
    ),

    // The promises as one suite that every backend runs, and what tests share.
    .target(name: "StoreBehaviour", dependencies: ["Issuance", "TestSupport"], path: "Tests/StoreBehaviour"),
    .target(
      name: "TestSupport",
      dependencies: [
        "Issuance",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOFoundationEssentialsCompat", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      path: "Tests/TestSupport"
    ),
    .testTarget(name: "IssuanceTests", dependencies: ["Issuance"]),
    .testTarget(
      name: "SchemaTests",
      dependencies: ["Schema", "TestSupport", .product(name: "Crypto", package: "swift-crypto")], exclude: ["golden"]),
    .testTarget(
      name: "SQLiteStoreTests",
      dependencies: [
        "FileIO", "Issuance", "Schema", "SQLiteStore", "StoreBehaviour", "TestSupport",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]
    ),
    .testTarget(
      name: "WebhookIssuerTests",
      dependencies: [
        "ServiceKit", "Issuance", "TestSupport", "WebhookIssuer",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]
    ),
    .testTarget(
      name: "ServiceKitTests",
      dependencies: [
        "Composition", "Issuance", "ServiceKit", "TestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
      ]
    ),
    .testTarget(
      name: "CompositionTests",
      dependencies: [
        "Composition", "Issuance", "ServiceKit", "TestSupport", "WebhookIssuer",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ]
    ),
    .testTarget(
      name: "IssueServiceTests",
      dependencies: [
        "ServiceKit", "Composition", "IssueService", "Issuance", "SQLiteStore", "TestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
      ]
    ),
    .testTarget(
      name: "RetryBatchTests",
      dependencies: [
        "ServiceKit", "Composition", "Issuance", "RetryBatch", "SQLiteStore", "TestSupport", "WebhookIssuer",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]
    ),
    .testTarget(
      name: "AuditingTests",
      dependencies: [
        "Auditing", "Issuance", "SQLiteStore", "TestSupport",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]
    ),
    .testTarget(
      name: "ProgramTests",
      dependencies: [
        "Auditing", "ServiceKit", "Composition", "IssueService", "Reconciler", "RetryBatch", "TestSupport",
        "issue-service",
        "retry-batch",
        "reconcile", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
      ]
    ),
    // Judges what clients wrote down of a spike, without a line of the service's code.
    .target(name: "History", path: "Tests/Proving/History"),
    .executableTarget(
      name: "check-history",
      dependencies: ["History", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Tests/Proving/check-history"
    ),
    .testTarget(
      name: "HistoryTests", dependencies: ["History", "TestSupport", "check-history"],
      path: "Tests/Proving/HistoryTests"),

    // Power cuts, full disks, kills and races: real file systems and processes.
    .testTarget(
      name: "FaultTests",
      dependencies: [
        "History", "Issuance", "Proof", "SQLiteStore", "TestSupport", "connection-spike", "issue-service",
        "power-cut-writer", "reconcile",
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      path: "Tests/Proving/FaultTests"
    ),
    .executableTarget(
      name: "power-cut-writer",
      dependencies: ["Issuance", "SQLiteStore", "TestSupport", .product(name: "GRDB", package: "GRDB.swift")],
      path: "Tests/Proving/PowerCutWriter"
    ),
    // Attacks every promise, in numbered trials; run by scripts/prove, which writes FAULTS.md.
    .target(
      name: "Proof",
      dependencies: [
        "Auditing", "CrashPoints", "History", "Issuance", "RetryBatch", "SQLiteStore", "Schema", "TestSupport",
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      path: "Tests/Proving/Proof"
    ),
    .executableTarget(
      name: "prove",
      dependencies: [
        "Proof", "issue-service", "power-cut-writer", "reconcile", "retry-batch",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/Proving/prove"
    ),
    .executableTarget(name: "connection-spike", path: "Tests/Proving/ConnectionSpike"),

    // What reads bytes from outside, as functions over any bytes; run over the kept corpus by the tests, and by
    // scripts/fuzz over what libFuzzer makes of it.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Auditing", "ServiceKit", "Composition", "IssueService", "Issuance", "Reconciler", "RetryBatch", "SQLiteStore",
        "Schema",
        "TestSupport",
        "WebhookIssuer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
      ],
      path: "Tests/Proving/FuzzTargets"
    ),
    .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets", "TestSupport"], path: "Tests/Proving/FuzzTests"),
    .testTarget(name: "TidyTests"),
  ],
  swiftLanguageModes: [.v6]
)

// It has no main function: libFuzzer brings it, which only a build with --sanitize=fuzzer links.
if Context.environment["FIRST_COME_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Proving/Fuzz", exclude: ["corpus", "dictionaries"]))
}

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]
for target in package.targets where target.type != .plugin {
  target.swiftSettings = (target.swiftSettings ?? []) + strict
}
