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
