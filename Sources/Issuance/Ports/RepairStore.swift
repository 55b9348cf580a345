/// Does what a reviewed plan says, and nothing that could give away more than was accepted.
package protocol RepairStore: ClosableStore {
  /// Copies the whole store in one step, before anything is repaired.
  ///
  /// - Returns: where the copy is.
  func backup() async throws(StoreError) -> String

  /// Does one action, if everything is still as the plan saw it, and records who did it and why. One transaction.
  func apply(_ repair: Repair, by author: Operator) async throws(StoreError) -> RepairOutcome
}

package enum RepairOutcome: Sendable, Equatable {
  case done(RepairState)
  /// What it was to reach is so already; nothing was written.
  case doneBefore(RepairState)
  /// Something is not as the plan saw it; nothing was written.
  case refused(why: String, found: RepairState)
}
