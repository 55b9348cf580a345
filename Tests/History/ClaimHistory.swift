/// All that clients and operators did and heard, in any order.
///
/// A claim that was told of an unknown campaign, or of one that is not open yet, is one to which nothing happened.
package struct ClaimHistory: Sendable, Equatable {
  package var operations: [Operation]
  /// Of two acts with the same times the one listed first was made first.
  package var acts: [Act]

  package init(operations: [Operation] = [], acts: [Act] = []) {
    self.operations = operations
    self.acts = acts
  }
}
