package import Issuance
internal import SQLiteStore

/// Opens what a database setting names. The only place that knows which backends exist.
package enum Backend {
  /// - Parameter ifMissing: whether a missing file is created and migrated.
  package static func openStore(
    database: String, ifMissing: MissingStore = .refuse
  ) throws(StoreFailure) -> any CouponStore {
    try SQLiteStore(path: database, ifMissing: ifMissing, clock: systemClock)
  }

  package static func openReconciliationSource(
    database: String
  ) throws(StoreFailure) -> any ReconciliationSource {
    try SQLiteReconciliationSource(path: database, clock: systemClock)
  }

  /// Creates or migrates.
  ///
  /// - Returns: the versions that were applied.
  package static func migrate(database: String) throws(StoreFailure) -> [Int] {
    try StoreFile(path: database).migrate(limits: SQLiteStore.Limits(), now: systemClock())
  }

  package static func migrationStates(database: String) throws(StoreFailure) -> [MigrationState] {
    try StoreFile(path: database).migrationStates(limits: SQLiteStore.Limits())
  }
}
