import Foundation
import Testing

/// The rules that a machine can hold.
@Suite("The tree is tidy")
struct TidyTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  struct SourceFile: Sendable {
    let path: String
    let lines: [Substring]

    var module: String { String(path.split(separator: "/")[1]) }
    var imports: [String] {
      lines.compactMap { line in
        line.firstMatch(
          of: #/^\s*(?:@[\w()]+ )*(?:(?:public|package|internal|private|fileprivate) )?import (?:\w+ )?(\w+)/#
        )
        .map { String($0.1) }
      }
    }
  }

  static func files(under directory: String) throws -> [SourceFile] {
    let base = root.appendingPathComponent(directory)
    let names = try FileManager.default.subpathsOfDirectory(atPath: base.path).filter { $0.hasSuffix(".swift") }
    return try names.sorted().map { name in
      let text = try String(contentsOf: base.appendingPathComponent(name), encoding: .utf8)
      return SourceFile(
        path: "\(directory)/\(name)", lines: text.split(separator: "\n", omittingEmptySubsequences: false))
    }
  }

  /// What each module may import of ours, and which drivers and frameworks. Nothing else.
  static let arrows: [String: Set<String>] = [
    "CrashPoints": ["Glibc", "Synchronization"],
    "Issuance": ["CrashPoints", "FoundationEssentials", "Synchronization"],
    "Schema": ["Crypto"],
    "FileIO": ["Glibc", "Synchronization"],
    "SQLiteStore": [
      "CrashPoints", "FileIO", "Issuance", "Schema", "GRDB", "GRDBSQLite", "Foundation", "FoundationEssentials",
      "Glibc",
      "Dispatch", "Synchronization",
    ],
    "WebhookIssuer": [
      "Issuance", "ServiceKit", "AsyncHTTPClient", "Crypto", "Dispatch", "FoundationEssentials", "Glibc", "NIOCore",
      "NIOHTTP1",
      "NIOSSL", "Synchronization",
    ],
    "ServiceKit": [
      "AsyncHTTPClient", "CrashPoints", "FileIO", "ArgumentParser", "Configuration", "NIOSSL", "Crypto", "Dispatch",
      "Foundation", "Glibc",
      "Logging",
      "Metrics", "NIOCore", "ServiceLifecycle", "Synchronization",
    ],
    "Composition": [
      "Issuance", "SQLiteStore", "ServiceKit", "WebhookIssuer", "ArgumentParser", "Foundation", "Glibc", "Metrics",
      "Synchronization",
    ],
    "Auditing": ["Issuance", "Schema", "ServiceKit"],
    "IssueService": [
      "Auditing",
      "CrashPoints", "Issuance", "Composition", "ServiceKit", "ArgumentParser", "AsyncHTTPClient",
      "Crypto",
      "Foundation",
      "HTTPTypes", "Histogram",
      "HummingbirdCore", "JWTKit", "Logging", "Metrics", "NIOCore", "NIOHTTP1", "NIOHTTPTypes",
      "NIOHTTPTypesHTTP1", "NIOPosix", "ServiceLifecycle", "Synchronization",
    ],
    "RetryBatch": [
      "CrashPoints", "FileIO", "Issuance", "Composition", "ServiceKit", "ArgumentParser", "AsyncHTTPClient", "Metrics",
      "Synchronization", "NIOCore",
      "NIOHTTP1",

    ],
    "Reconciler": ["Auditing", "FileIO", "Issuance", "Composition", "ServiceKit", "ArgumentParser"],
    "issue-service": ["IssueService", "ServiceKit"],
    "retry-batch": ["RetryBatch", "ServiceKit"],
    "reconcile": ["Reconciler", "ServiceKit"],
  ]

  @Test func importsFollowTheArrows() throws {
    let files = try Self.files(under: "Sources")
    #expect(Set(files.map(\.module)) == Set(Self.arrows.keys))
    for file in files {
      let strangers = Set(file.imports).subtracting(Self.arrows[file.module] ?? [])
      #expect(strangers.isEmpty, "\(file.path) imports \(strangers.sorted().joined(separator: ", "))")
    }
    // An arrow that nobody uses is a door left open.
    for (module, allowed) in Self.arrows {
      let used = Set(files.filter { $0.module == module }.flatMap(\.imports))
      #expect(allowed.subtracting(used).isEmpty, "\(module) does not import \(allowed.subtracting(used).sorted())")
    }
  }

  @Test func filesAreShort() throws {
    for file in try Self.files(under: "Sources") + Self.files(under: "Tests") {
      #expect(file.lines.count <= 400, "\(file.path) has \(file.lines.count) lines")
    }
  }

  /// Files of under 60 lines that are no command, each with its reason.
  static let smallFiles = [
    "Sources/Issuance/Ports/AdmissionStore.swift": "one port a file",
    "Sources/Issuance/Ports/RepairStore.swift": "one port a file",
    "Sources/Issuance/Ports/WitnessAdmin.swift": "one port a file",
    "Sources/ServiceKit/Net/OutboundHTTP.swift": "the one set-up of HTTP clients",
    "Sources/SQLiteStore/Connection/AsyncDatabase.swift": "the one bridge from GRDB's callbacks",
    "Sources/ServiceKit/Lifecycle/ProcessIdentity.swift":
      "nothing else in ServiceKit is about the identity of the process",
  ]

  /// A file holds a whole concept: a piece of one that serves a single other file belongs into that file.
  @Test func filesHoldWholeConcepts() throws {
    for file in try Self.files(under: "Sources") where file.lines.count <= 60 {
      let isCommand = file.lines.contains { $0.contains("CommandConfiguration(") }
      let isSmall = !isCommand && !file.path.hasSuffix("/Entrypoint.swift")
      #expect(isSmall == (Self.smallFiles[file.path] != nil), "\(file.path) has \(file.lines.count) lines")
    }
  }

  /// The table of the modules in ARCHITECTURE.md names every folder.
  @Test func foldersAreThoseOfTheArchitecture() throws {
    let folders = Set(
      try Self.files(under: "Sources").map {
        $0.path.split(separator: "/").dropLast().dropFirst().joined(separator: "/")
      })
    let page = try String(contentsOf: Self.root.appendingPathComponent("ARCHITECTURE.md"), encoding: .utf8)
    for folder in folders where folder.contains("/") {
      let name = folder.split(separator: "/")[1]
      #expect(page.contains("`\(name)`"), "ARCHITECTURE.md does not name \(folder)")
    }
  }

  /// SQL of a backend stands in its adapter only.
  @Test func sqlStandsInTheAdapterOnly() throws {
    let statement = #/(^|")\s*(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|PRAGMA|CREATE TABLE) /#
    for file in try Self.files(under: "Sources") where file.module != "SQLiteStore" {
      for line in file.lines {
        #expect(line.firstMatch(of: statement) == nil, "\(file.path): \(line)")
      }
    }
  }

  /// Every write transaction and every checkpoint goes through the one place that holds the write lock.
  @Test func onePlaceWrites() throws {
    for file in try Self.files(under: "Sources") {
      let text = file.lines.joined(separator: "\n")
      let name = String(file.path.split(separator: "/").last ?? "")
      for (use, places) in Self.writes where !places.contains(name) {
        #expect(!text.contains(use), "\(file.path) has \(use)")
      }
    }
  }

  /// What can write or checkpoint, and where alone it may stand: the store's one transaction, and the making of files.
  static let writes: [String: Set<String>] = [
    ".checkpoint(": ["WriteAheadLog.swift"], "wal_checkpoint": [],
    "inTransaction(": ["SQLiteStore.swift", "Migrator.swift", "LogLink.swift"],
    ".writer": ["SQLiteStore.swift", "StoreConnections.swift"],
    // Of a reconciliation source and its copies: only copies, which are nobody else's.
    "asyncWriteWithoutTransaction": ["AsyncDatabase.swift"],
    ".onWriter": ["AsyncDatabase.swift", "SQLiteStore.swift", "SQLiteReconciliationSource.swift"],
    "inDatabase": ["SQLiteStore.swift", "StoreConnections.swift", "LogJudge.swift", "DatabaseCopy.swift"],
    ".writeWithoutTransaction": ["StoreFile+Creation.swift", "Migrator.swift"],
    "queue.write ": [], "DatabasePool(": ["StoreConnections.swift"],
    "DatabaseQueue(": [
      "StoreConnections.swift", "LogJudge.swift", "StoreFile+Creation.swift", "SQLiteReconciliationSource.swift",
      "Migrator.swift", "DatabaseCopy.swift",
    ],
  ]

  /// GRDB's subscript traps on a value of another type, which a damaged file may hold.
  @Test func rowsAreReadByThrowingMeans() throws {
    for file in try Self.files(under: "Sources") {
      for line in file.lines where !line.contains("as DatabaseValue") {
        #expect(line.firstMatch(of: #/(row|\$0)\["/#) == nil, "\(file.path): \(line)")
      }
    }
  }

  @Test func nothingTrapsSleepsOrIsLeftToDo() throws {
    let loose = ["try!", "fatalError(", "readLine(", "Date()", "TODO", "FIXME", "XXX", "@unchecked"]
    for file in try Self.files(under: "Sources") {
      for line in file.lines {
        #expect(!loose.contains { line.contains($0) }, "\(file.path): \(line)")
      }
    }
    for file in try Self.files(under: "Tests") where !file.path.contains("TidyTests") {
      for line in file.lines {
        #expect(
          !["Task.sleep", ".disabled(", "withKnownIssue", "usleep("].contains { line.contains($0) },
          "\(file.path): \(line)")
      }
    }
  }

  /// A planted bug that does not apply any more proves nothing.
  @Test func plantedBugsApply() throws {
    let directory = Self.root.appendingPathComponent("Tests/Proving/Planted")
    let patches = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".patch") }
    #expect(patches.count >= 30)
    for patch in patches {
      let text = try String(contentsOf: directory.appendingPathComponent(patch), encoding: .utf8)
      for field in ["Bug: ", "Promise: ", "Caught-by: "] {
        #expect(text.contains("\n\(field)") || text.hasPrefix(field))
      }
      let check = Process()
      check.executableURL = URL(fileURLWithPath: "/usr/bin/git")
      check.arguments = ["-C", Self.root.path, "apply", "--check", directory.appendingPathComponent(patch).path]
      try check.run()
      check.waitUntilExit()
      #expect(check.terminationStatus == 0, "\(patch) does not apply")
    }
  }
}
