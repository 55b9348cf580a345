/// Executes a reviewed repair plan. No repair can give away more than was accepted.
package protocol RepairStore: ClosableStore {
  /// Copies the whole store in one step, before any repair.
  ///
  /// - Returns: the path of the copy.
  func backup() async throws(StoreError) -> String

  /// Does one repair if the rows are still as in the plan, and records the operator and the reason. One transaction.
  func apply(_ repair: Repair, by author: Operator) async throws(StoreError) -> RepairOutcome
}

package enum RepairOutcome: Sendable, Equatable {
  case done(RepairState)
  /// The goal of the repair is already reached; nothing was written.
  case doneBefore(RepairState)
  /// The rows are not as in the plan; nothing was written.
  case refused(why: String, found: RepairState)
}
