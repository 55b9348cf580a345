/// Makes checked copies of a database while programs use it (online backup).
package protocol BackupSource: Sendable {
  /// Copies one snapshot to a new file, and gives the file its name only if `isAccepted` holds for the judgement.
  ///
  /// The snapshot is one read transaction. The copy is built under a temporary name beside `path`, so `path` is whole or
  /// not there. A copy that is not accepted is kept as `path.rejected`, where it replaces an earlier one.
  ///
  /// - Parameters:
  ///   - replacesExisting: whether an earlier backup of the database at `path` is replaced.
  ///   - judge: gets the copy, and the witness as it was read before the snapshot.
  /// - Throws: ``StoreError``; nothing was changed at `path`.
  func backup<Judgement: Sendable>(
    to path: String, replacesExisting: Bool,
    judge: @escaping @Sendable (any ReconciliationSnapshot) -> Judgement,
    isAccepted: @escaping @Sendable (Judgement) -> Bool
  ) async throws(StoreError) -> BackupOutcome<Judgement>
}

package enum BackupOutcome<Judgement: Sendable>: Sendable {
  case made(Backup, Judgement)
  /// The target cannot be used. Nothing was changed.
  case refused(why: String, next: String)
}

/// A copy of a database in a file of its own.
package struct Backup: Sendable, Equatable {
  /// The file: as named, or with `.rejected` behind it.
  package let path: String
  package let isAccepted: Bool
  package let bytes: Int
  /// How many acceptances it holds.
  package let seats: Int

  package init(path: String, isAccepted: Bool, bytes: Int, seats: Int) {
    self.path = path
    self.isAccepted = isAccepted
    self.bytes = bytes
    self.seats = seats
  }
}
