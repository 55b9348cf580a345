/// A store that must be closed after its last use.
package protocol ClosableStore: Sendable {
  /// Closes the store, after the last call. Moves the content of a log into the database file, so that a copy of the
  /// file is complete. Does nothing if the store has failed before.
  ///
  /// - Returns: the reason that closing failed, as text for the log; `nil` on success.
  func close() async -> String?
}

/// All operations that the programs need from one store.
package protocol CouponStore: AdmissionStore, CampaignStore, Outbox, FailedEventQueue, FailedEventAdmin,
  OperationsSource, ClosableStore
{}

/// The behavior of an open if the store does not exist.
package enum MissingStore: Sendable {
  case refuse, create
}

/// The witness that must exist before a store may be opened. The witness records the acceptances that were answered.
package enum WitnessRequirement: Sendable, Equatable {
  /// The witness that the database names must exist and be in step.
  case asRecorded
  /// This file must be the witness that the database names. If nothing has been accepted yet, it becomes the witness.
  case at(String)
  /// No claims can be admitted: for a program that records a report. The database must hold every acceptance that its
  /// witness has seen, so a file that has lost commits is not changed.
  case notAhead
  /// No claims can be admitted, and the witness is not read: for the repair of the witness.
  case notRequired

  package var path: String? { if case .at(let path) = self { path } else { nil } }
}

/// The result of a schema upgrade (migration).
package struct MigrationResult: Sendable, Equatable {
  /// The versions that were applied; empty if none was pending.
  package let applied: [Int]
  /// The backup that was made first; `nil` if none was requested or no migration was pending.
  package let backup: String?

  package init(applied: [Int], backup: String? = nil) {
    self.applied = applied
    self.backup = backup
  }
}

/// One migration of a store and its entry in the ledger.
package struct MigrationState: Sendable, Equatable {
  package let version: Int
  package let name: String
  /// `nil` if it has not been applied.
  package let appliedAt: Timestamp?

  package init(version: Int, name: String, appliedAt: Timestamp?) {
    self.version = version
    self.name = name
    self.appliedAt = appliedAt
  }
}

/// Receives measurements from a store, on the thread that did the work. Implementations return at once.
package protocol StoreObserver: Sendable {
  func took(_ step: StoreStep, _ time: Duration)
  /// Part of the write-ahead log has been moved into the database file.
  ///
  /// - Parameters:
  ///   - logPages: the number of pages in the log.
  ///   - movedPages: the number of those pages that are in the file now; fewer if a reader still needs the log.
  func checkpointed(logPages: Int, movedPages: Int)
  /// An operation failed, regardless of the caller that gets the error.
  func failed(_ code: StoreError.Code)
}

/// A step of a write that is timed on its own, because it can be the slow one.
package enum StoreStep: Sendable, CaseIterable {
  /// The wait for the write lock, until it is taken or times out.
  case lockWait
  /// The statements of a transaction that wrote.
  case statements
  /// The COMMIT of a transaction that wrote, with its sync.
  case commit
  /// The write and sync of the witness.
  case witnessSync
  case checkpoint
}

/// Ignores all measurements.
package struct SilentStoreObserver: StoreObserver {
  package init() {}
  package func took(_ step: StoreStep, _ time: Duration) {}
  package func checkpointed(logPages: Int, movedPages: Int) {}
  package func failed(_ code: StoreError.Code) {}
}
