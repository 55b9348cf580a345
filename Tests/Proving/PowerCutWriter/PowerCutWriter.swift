import GRDB
import Glibc
import Issuance
import SQLiteStore
import TestSupport

/// Admits group after group until it is killed, and writes down each acknowledged seat outside the file system that
/// will lose its power. Between groups it makes coupons, parks, imports codes and replays. The control of the power-cut
/// harness runs it with `synchronous = NORMAL`.
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
    _ = try await store.create(.test(quota: 1_000_000, issuer: .pool), by: .test)
    for group in 0... {
      let outcomes = try await store.admit((1...8).map { .of(group * 8 + $0) })
      for (place, outcome) in outcomes.enumerated() {
        put("\(Claim.of(group * 8 + place + 1).userID.rawValue) \(outcome.seat ?? 0)\n", into: acknowledged)
      }
      put(".\n", into: STDOUT_FILENO)  // another group is durable
      if group % 4 == 3 { try await work(on: store, round: group / 4) }
    }
  }

  /// Parks what waits, imports codes for half of it, and replays.
  private static func work(on store: SQLiteStore, round: Int) async throws {
    _ = try await store.deliverPending(limit: 100)
    _ = try await store.importCodes(ImportedCode.codes(16, prefix: "CODE-\(round)"), into: .summer, by: .test)
    let leases = try await store.leases(for: .test("round-\(round)"))
    _ = try await store.replay(leases)
  }

  private static func put(_ text: String, into descriptor: Int32) {
    var text = text
    let written = text.withUTF8 { unsafe write(descriptor, $0.baseAddress, $0.count) }
    guard written == text.utf8.count else { exit(1) }
  }
}
