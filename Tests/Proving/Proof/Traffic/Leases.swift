internal import TestSupport

enum Leases {
  /// As if the minute were over for which the dead or the stopped hold what they had in hand.
  static func runOut(in database: String) async throws {
    for table in ["outbox", "failed_event"] {
      let statement = "UPDATE \(table) SET leased_until = 1 WHERE leased_until IS NOT NULL"
      _ = try await Program.system("/usr/bin/sqlite3").run(["-cmd", ".timeout 10000", database, statement])
    }
  }
}
