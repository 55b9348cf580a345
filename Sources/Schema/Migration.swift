internal import Crypto

/// One step of the schema: plain SQL, forward only, never edited once landed.
package struct Migration: Sendable {
  package let version: Int
  package let name: String
  package let sql: String

  /// SHA-256 of the SQL in lower-case hexadecimal, kept in the ledger: a file that was migrated by other SQL shows.
  package var checksum: String { Hexadecimal.text(SHA256.hash(data: Array(sql.utf8))) }

  /// The steps of the SQLite schema, as embedded in this program, from version 1 without a gap.
  package static let sqlite: [Migration] = [
    Migration(
      version: 1, name: "first_come",
      sql: String(decoding: PackageResources._001_first_come_sqlite_sql, as: UTF8.self)),
    Migration(
      version: 2, name: "witness",
      sql: String(decoding: PackageResources._002_witness_sqlite_sql, as: UTF8.self)),
    Migration(
      version: 3, name: "trace",
      sql: String(decoding: PackageResources._003_trace_sqlite_sql, as: UTF8.self)),
    Migration(
      version: 4, name: "replay",
      sql: String(decoding: PackageResources._004_replay_sqlite_sql, as: UTF8.self)),
    Migration(
      version: 5, name: "reconcile",
      sql: String(decoding: PackageResources._005_reconcile_sqlite_sql, as: UTF8.self)),
    Migration(
      version: 6, name: "log_link",
      sql: String(decoding: PackageResources._006_log_link_sqlite_sql, as: UTF8.self)),
    Migration(
      version: 7, name: "lapses",
      sql: String(decoding: PackageResources._007_lapses_sqlite_sql, as: UTF8.self)),
    Migration(
      version: 8, name: "number_bounds",
      sql: String(decoding: PackageResources._008_number_bounds_sqlite_sql, as: UTF8.self)),
  ]

  package init(version: Int, name: String, sql: String) {
    self.version = version
    self.name = name
    self.sql = sql
  }
}

/// The ledger of migrations, as an SQLite file holds it. Created by the first migration's transaction.
package enum SQLiteSchema {
  /// `application_id` of a file of ours: "FCom". Set by the first migration.
  package static let applicationID = 0x4643_6F6D

  /// The tables of the newest version, the ledger included. A file without one of them cannot be judged.
  package static let tables = [
    "accepted_user", "answer_tally", "attempt", "campaign", "coupon", "database_identity", "failed_event", "finding",
    "issuer_circuit", "lease_lapse", "log_link", "operator_act", "operator_act_seat", "outbox", "pool_code",
    "pruned_run", "quarantined_event", "run",
    "schema_migration", "seat_loss", "self_test", "waiver", "witness",
  ]
}

/// One short text for all tables, indexes and triggers of a file, so that a program sees at its start, in a millisecond,
/// whether the database still refuses what it has to refuse.
package enum SchemaFingerprint {
  /// Of the newest version, as its migrations make it.
  package static let sqlite = "a4931fa31560e8d01679b8b16291bf2dec59516360b3894e877ecd488b2e5f2e"

  /// The SHA-256, in lower-case hexadecimal, of the objects in the order of their names.
  ///
  /// - Parameter objects: the SQL of each by kind and name, such as `trigger coupon_delete`.
  package static func of(_ objects: [String: String]) -> String {
    var hash = SHA256()
    for (name, sql) in objects.sorted(by: { $0.key < $1.key }) { hash.update(data: Array("\(name)\n\(sql)\n".utf8)) }
    return Hexadecimal.text(hash.finalize())
  }
}
