/// Makes checked copies of a database while programs use it (online backup).
package protocol BackupSource: Sendable {
  /// Copies one snapshot to a new file. The file gets its name only if `isAccepted` returns `true` for the judgement.
  ///
  /// The snapshot is one read transaction. The copy is built under a temporary name beside `path`, so `path` is
  /// complete or absent. A copy that is not accepted is kept as `path.rejected` and replaces an earlier one.
  ///
  /// - Parameters:
  ///   - replacesExisting: whether to replace an earlier backup of the database at `path`.
  ///   - judge: receives the copy, and the witness as it was read before the snapshot.
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

/// A copy of a database in its own file.
package struct Backup: Sendable, Equatable {
  /// The path of the file: as named, or with `.rejected` appended.
  package let path: String
  package let isAccepted: Bool
  package let bytes: Int
  /// The number of acceptances in the copy.
  package let seats: Int

  package init(path: String, isAccepted: Bool, bytes: Int, seats: Int) {
    self.path = path
    self.isAccepted = isAccepted
    self.bytes = bytes
    self.seats = seats
  }
}

/// Replaces a database with one of its backups.
package protocol RestoreTarget: Sendable {
  /// Checks the backup, sets all present files aside, and puts a copy of the backup in their place.
  ///
  /// No program may use the database during the restore. The witness is not changed. After a crash, either the
  /// present files or the backup are in use. The next program that opens the database finishes an interrupted
  /// replacement.
  ///
  /// - Throws: ``StoreError``; nothing was changed. `busy` if a program uses the database.
  func restore(from backup: String, by author: Operator) async throws(StoreError) -> Restored
}

/// A database after a restore.
package struct Restored: Sendable {
  package let databaseID: String?
  /// The number of acceptances in the database.
  package let seats: Int
  /// The directory with the previous files; `nil` if there were none.
  package let setAside: String?
  /// The campaigns with witnessed acceptances that the backup lacks or contradicts.
  package let short: [WitnessedCampaign]
  /// The reason that programs do not start on the database; `nil` if they do.
  package let refusal: StoreError?

  package init(
    databaseID: String?, seats: Int, setAside: String?, short: [WitnessedCampaign], refusal: StoreError?
  ) {
    self.databaseID = databaseID
    self.seats = seats
    self.setAside = setAside
    self.short = short
    self.refusal = refusal
  }
}
