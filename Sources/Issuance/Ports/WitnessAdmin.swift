/// What an operator does about the witness of a store: the small file outside the database that knows how far each
/// campaign had come. No other program may use the store meanwhile.
package protocol WitnessAdmin: ClosableStore {
  /// What witness and database say, read as they stand. Changes nothing.
  func witnessState() async throws(StoreError) -> WitnessState

  /// Begins a new witness from the acceptances that the database has, on the record. A file that stands in its place is
  /// set aside, never deleted.
  ///
  /// - Throws: ``StoreError`` with `witnessAhead` where a witness of this database has seen more than the database
  ///   has: what is missing is not passed over.
  func rebuildWitness(by author: Operator) async throws(StoreError) -> WitnessRebuild

  /// Takes the database as it stands for the truth, on the record: each short campaign is paused, its lost seats are
  /// recorded, and the witness is set to what is there. One transaction.
  ///
  /// - Returns: what was lost; empty where nothing is missing, and then nothing was changed.
  func acceptLoss(by author: Operator) async throws(StoreError) -> [SeatLoss]
}

/// What a witness is opened for.
package enum WitnessTask: Sendable {
  /// Other programs may use the database meanwhile, and nothing is changed.
  case show
  /// A database that lacks acceptances of its witness is refused, and not changed.
  case rebuild
  /// A copy of the log is kept beside the database, for a later search of what it lacks.
  case acceptLoss
}
