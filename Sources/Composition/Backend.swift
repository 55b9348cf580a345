package import Issuance
internal import SQLiteStore
internal import ServiceKit
internal import Synchronization

/// Opens the store that a database setting names. Only this type knows the backends.
package enum Backend {
  /// - Parameters:
  ///   - ifMissing: whether a missing file is created and migrated.
  ///   - witness: the required path of the witness; `nil` for the path that the database records.
  ///   - lockTimeout: how long a transaction waits for the write lock; `nil` for 5 s.
  ///   - observer: receives the store's measurements.
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

  /// Opens nothing yet, because the database may be damaged or missing.
  package static func restoreTarget(database: String) -> any RestoreTarget {
    SQLiteRestore(path: database, clock: systemClock)
  }

  /// Opens a store for repairs. Its witness must be in step, as for every writer. A missing trigger does not prevent
  /// the other repairs.
  package static func openRepairStore(database: String) throws(StoreError) -> any RepairStore {
    OpenStores.register(try SQLiteStore(path: database, schema: .ofItsVersion, clock: systemClock))
  }

  /// Creates or migrates the database.
  ///
  /// - Parameters:
  ///   - wait: how long it waits for other programs to end; `nil` for 5 s.
  ///   - hasBackup: whether the file is copied before a migration is applied.
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

/// The open stores of one command, or of one round of a repeating command. They are closed however the command ends,
/// so that the database file alone contains all data.
final class OpenStores: Sendable {
  @TaskLocal static var current: OpenStores?

  private let stores = Mutex<[any ClosableStore]>([])

  /// Registers a store with the running command, if there is one.
  static func register<Store: ClosableStore>(_ store: Store) -> Store {
    current?.stores.withLock { $0.append(store) }
    return store
  }

  /// Closes the stores in reverse order of opening.
  ///
  /// - Returns: one reason for each store that could not be closed cleanly.
  func close() async -> [String] {
    let opened = stores.withLock { stores in
      defer { stores = [] }
      return stores
    }
    var reasons: [String] = []
    for store in opened.reversed() {
      if let reason = await store.close() { reasons.append(reason) }
    }
    return reasons
  }
}

/// Runs `body`, closes the stores that it opened, and warns on standard error if a write-ahead log remains. A command
/// that opens the database in each round wraps the round.
package func closingStores<Result>(_ body: () async throws -> Result) async throws -> Result {
  let stores = OpenStores()
  let result: Swift.Result<Result, any Error>
  do {
    result = .success(try await OpenStores.$current.withValue(stores) { try await body() })
  } catch {
    result = .failure(error)
  }
  for reason in await stores.close() {
    printError(
      "warning: the write-ahead log stays beside the database, and a copy of the file alone lacks it: \(reason)")
  }
  return try result.get()
}
