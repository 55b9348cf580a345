/// All that clients and operators did and heard, in any order.
///
/// A claim that was told of an unknown campaign, or of one that is not open yet, is one to which nothing happened.
package struct ClaimHistory: Sendable, Equatable {
  package var operations: [Operation]
  /// Of two acts with the same times the one listed first was made first.
  package var acts: [Act]
  /// What users were shown of their claims.
  package var shown: [Shown]
  /// When processes were known to be dead.
  package var deaths: [Death]
  /// What the database held while it all went on, and after each fault before anybody asked again.
  package var readings: [Reading]

  package init(
    operations: [Operation] = [], acts: [Act] = [], shown: [Shown] = [], deaths: [Death] = [], readings: [Reading] = []
  ) {
    self.operations = operations
    self.acts = acts
    self.shown = shown
    self.deaths = deaths
    self.readings = readings
  }
}
