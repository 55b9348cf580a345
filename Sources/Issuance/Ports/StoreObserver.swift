/// What a store tells of its own work, on the thread that did it. Returns at once.
package protocol StoreObserver: Sendable {
  func took(_ step: StoreStep, _ time: Duration)
  /// Part of the write-ahead log has been moved into the file.
  ///
  /// - Parameters:
  ///   - logPages: how many pages the log had.
  ///   - movedPages: how many of them stand in the file now; fewer where a reader needed the log.
  func checkpointed(logPages: Int, movedPages: Int)
  /// An operation failed, whoever is told.
  func failed(_ code: StoreError.Code)
}

/// A step of a write, each of which can be what makes it slow.
package enum StoreStep: Sendable, CaseIterable {
  /// Until the write lock was had, or not in time.
  case lockWait
  /// Of a transaction that wrote something.
  case statements
  /// COMMIT of a transaction that wrote something, with its sync.
  case commit
  /// The witness written and synced.
  case witnessSync
  case checkpoint
}

/// Hears of nothing.
package struct SilentStoreObserver: StoreObserver {
  package init() {}
  package func took(_ step: StoreStep, _ time: Duration) {}
  package func checkpointed(logPages: Int, movedPages: Int) {}
  package func failed(_ code: StoreError.Code) {}
}
