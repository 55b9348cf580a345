package import Issuance
internal import SQLiteStore
internal import ServiceKit
internal import Synchronization

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

/// The stores that one command, or one turn of a command that stays, has opened. They are closed when it ends, however
/// it ends, so that each program leaves a database whose file alone has everything.
final class OpenStores: Sendable {
  @TaskLocal static var current: OpenStores?

  private let stores = Mutex<[any ClosableStore]>([])

  /// Registers a store with the command that runs, if there is one.
  static func register<Store: ClosableStore>(_ store: Store) -> Store {
    current?.stores.withLock { $0.append(store) }
    return store
  }

  /// Closes them, the last that was opened first.
  ///
  /// - Returns: one reason for each that could not be closed as it should be.
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

/// Closes the stores that `body` opens when it ends, and warns on standard error of a log that stays. A command that
/// stays and opens the database at each turn wraps the turn.
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
