import GRDB
import Glibc
import Issuance
import SQLiteStore
import TestSupport

/// Admits group after group until it is killed, and writes down each acknowledged seat outside the file system that
/// will lose its power. The control of the power-cut test runs it with `synchronous = NORMAL`.
///
///     power-cut-writer DATABASE ACKNOWLEDGED full|normal
@main
struct PowerCutWriter {
  static func main() async throws {
    let arguments = CommandLine.arguments
    let clock = TestClock()
    let store = try SQLiteStore(path: arguments[1], ifMissing: .create, clock: clock.clock)
    if arguments[3] == "normal" {
      try store.writer.inDatabase { db in try db.execute(sql: "PRAGMA synchronous = NORMAL") }
    }
    let acknowledged = unsafe open(arguments[2], O_WRONLY | O_CREAT | O_APPEND, 0o600)
    _ = try await store.create(.test(quota: 1_000_000), by: .test)
    for group in 0... {
      let outcomes = try await store.admit((1...8).map { .of(group * 8 + $0) })
      for outcome in outcomes { put("user-\(outcome.seat ?? 0)\n", into: acknowledged) }
      put(".\n", into: STDOUT_FILENO)  // another group is durable
    }
  }

  /// In this process the n-th user gets the n-th seat.
  private static func put(_ text: String, into descriptor: Int32) {
    var text = text
    let written = text.withUTF8 { unsafe write(descriptor, $0.baseAddress, $0.count) }
    guard written == text.utf8.count else { exit(1) }
  }
}
