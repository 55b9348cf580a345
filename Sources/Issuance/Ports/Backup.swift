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

/// Replaces a database by a backup of it.
package protocol RestoreTarget: Sendable {
  /// Checks the backup, sets the present files aside whole, and puts a copy of the backup in their place.
  ///
  /// No program may use the database meanwhile. The witness stays as it is. A crash leaves the present files in use, or
  /// the backup; the next program that opens the database finishes a replacement that was cut off.
  ///
  /// - Throws: ``StoreError``; nothing was changed. `busy` while a program uses the database.
  func restore(from backup: String, by author: Operator) async throws(StoreError) -> Restored
}

/// A database after its replacement by a backup.
package struct Restored: Sendable {
  package let databaseID: String?
  /// How many acceptances it holds.
  package let seats: Int
  /// The directory with the files that were there before; `nil` if there were none.
  package let setAside: String?
  /// The campaigns of which the witness knows acceptances that the backup lacks, or others.
  package let short: [WitnessedCampaign]
  /// Why programs do not start on it; `nil` if they do.
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
