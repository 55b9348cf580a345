package import Issuance
internal import SQLiteStore

/// Opens what a database setting names. The only place that knows which backends exist.
package enum Backend {
  /// - Parameters:
  ///   - ifMissing: whether a missing file is created and migrated.
  ///   - witness: where its witness must be; `nil` for where the database says.
  ///   - lockTimeout: how long a transaction waits for the write lock; `nil` for 5 s.
  ///   - observer: hears of the store's work.
  package static func openStore(
    database: String, ifMissing: MissingStore = .refuse, witness: String? = nil, lockTimeout: Duration? = nil,
    retryPolicy: RetryPolicy = .standard, observer: any StoreObserver = SilentStoreObserver()
  ) throws(StoreError) -> any CouponStore {
    let requirement = witness.map(WitnessRequirement.at) ?? .asRecorded
    var limits = SQLiteStore.Limits()
    if let lockTimeout { limits.lockTimeout = lockTimeout }
    let store = try SQLiteStore(
      path: database, ifMissing: ifMissing, witness: requirement, limits: limits, retryPolicy: retryPolicy,
      observer: observer,
      clock: systemClock)
    return OpenStores.register(store)
  }

  package static func openRunLock(database: String) throws(StoreError) -> any RunLock {
    try FileRunLock(database: database)
  }

  /// The newest schema version that this program knows.
  package static var schemaVersion: Int { SQLiteStore.schemaVersion }

  package static func openWitnessAdmin(
    database: String, witness: String?, for task: WitnessTask
  ) throws(StoreError) -> any WitnessAdmin {
    OpenStores.register(
      try SQLiteWitnessAdmin(path: database, witness: witness, for: task, clock: systemClock))
  }

  package static func openReconciliationSource(
    database: String
  ) throws(StoreError) -> any ReconciliationSource {
    OpenStores.register(try SQLiteReconciliationSource(path: database, clock: systemClock))
  }

  package static func openBackupSource(database: String) throws(StoreError) -> any BackupSource {
    OpenStores.register(try SQLiteReconciliationSource(path: database, clock: systemClock))
  }

  /// Opens nothing yet: the database may be damaged or gone.
  package static func restoreTarget(database: String) -> any RestoreTarget {
    SQLiteRestore(path: database, clock: systemClock)
  }

  /// Opens a store to be repaired. Its witness must be in step, as for all else that is written; a
  /// trigger that is missing is no reason to leave the rest as it is.
  package static func openRepairStore(database: String) throws(StoreError) -> any RepairStore {
    OpenStores.register(try SQLiteStore(path: database, schema: .ofItsVersion, clock: systemClock))
  }

  /// Creates or migrates.
  ///
  /// - Parameters:
  ///   - wait: how long it waits for the other programs to end; `nil` for 5 s.
  ///   - hasBackup: whether the file is copied before anything is applied.
  package static func migrate(
    database: String, wait: Duration?, hasBackup: Bool
  ) throws(StoreError) -> MigrationResult {
    var limits = SQLiteStore.Limits()
    if let wait { limits.lockTimeout = wait }
    return try StoreFile(path: database).upgrade(limits: limits, now: systemClock(), hasBackup: hasBackup)
  }

  package static func migrationStates(database: String) throws(StoreError) -> [MigrationState] {
    try StoreFile(path: database).migrationStates(limits: SQLiteStore.Limits())
  }
}
