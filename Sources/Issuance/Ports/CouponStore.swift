/// A store that is told when its use ends.
package protocol ClosableStore: Sendable {
  /// Ends the use of the store, after the last call: what is in a log is moved to where a copy of the database finds it.
  /// A store that has failed before is left as it is.
  ///
  /// - Returns: why that was not possible, in words for the log; `nil` if it was done.
  func close() async -> String?
}

/// Everything that the programs need of one store.
package protocol CouponStore: AdmissionStore, CampaignStore, Outbox, FailedEventQueue, FailedEventAdmin,
  OperationsSource, ClosableStore
{}

/// What opening a store does where nothing stands yet.
package enum MissingStore: Sendable {
  case refuse, create
}

/// Whether a store may be opened without the witness that knows what it has answered.
package enum WitnessRequirement: Sendable, Equatable {
  /// The one that the database names must be there and in step.
  case asRecorded
  /// This file must be the one that the database names; where nothing has been accepted yet, it becomes it.
  case at(String)
  /// Nothing can be admitted: for a program that records a report. The database must have all that its witness has seen,
  /// so a file that has lost commits is not changed.
  case notAhead
  /// Nothing can be admitted, and the witness is not read: for the repair of the witness.
  case notRequired

  package var path: String? { if case .at(let path) = self { path } else { nil } }
}

/// What an upgrade of a store did.
package struct MigrationResult: Sendable, Equatable {
  /// The versions that were applied; empty if none was pending.
  package let applied: [Int]
  /// The copy that was made before; `nil` if none was asked for, or no migration was pending.
  package let backup: String?

  package init(applied: [Int], backup: String? = nil) {
    self.applied = applied
    self.backup = backup
  }
}

/// One migration of a store beside its ledger.
package struct MigrationState: Sendable, Equatable {
  package let version: Int
  package let name: String
  /// `nil` where it has not been applied.
  package let appliedAt: Timestamp?

  package init(version: Int, name: String, appliedAt: Timestamp?) {
    self.version = version
    self.name = name
    self.appliedAt = appliedAt
  }
}

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
