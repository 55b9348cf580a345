/// Operator actions on the witness of a store. The witness is the small file outside the database that records the
/// last acceptance of each campaign. No other program may use the store during an action.
package protocol WitnessAdmin: ClosableStore {
  /// Reads the state of witness and database. Changes nothing.
  func witnessState() async throws(StoreError) -> WitnessState

  /// Creates a new witness from the acceptances in the database, on the record. An existing file in its place is set
  /// aside, never deleted.
  ///
  /// - Throws: ``StoreError`` with `witnessAhead` if a witness of this database has seen more acceptances than the
  ///   database holds: a loss is never ignored.
  func rebuildWitness(by author: Operator) async throws(StoreError) -> WitnessRebuild

  /// Accepts the database as the truth, on the record. Pauses each campaign that is short, records its lost seats,
  /// and sets the witness to the state of the database. One transaction.
  ///
  /// - Returns: the lost seats; empty if no acceptance is missing, and then nothing was changed.
  func acceptLoss(by author: Operator) async throws(StoreError) -> [SeatLoss]
}

/// The purpose that a witness is opened for.
package enum WitnessTask: Sendable {
  /// Changes nothing. Other programs may use the database at the same time.
  case show
  /// Refuses a database that lacks acceptances of its witness, and does not change it.
  case rebuild
  /// Keeps a copy of the log beside the database, for a later search for the missing acceptances.
  case acceptLoss
}
