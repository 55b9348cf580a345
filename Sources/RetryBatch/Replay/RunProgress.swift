internal import Issuance
internal import ServiceKit
internal import Synchronization

/// How far a run is, once it is known how much it will take; nothing where it is to be quiet.
final class RunProgress: Sendable {
  private let isQuiet: Bool
  private let progress = Mutex<Progress?>(nil)

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  func begin(_ plan: RunPlan) {
    guard !isQuiet, plan.planned > 0 else { return }
    progress.withLock { $0 = Progress("replaying", total: plan.planned, unit: "events") }
  }

  func advance(by events: Int) { progress.withLock { $0 }?.advance(by: events) }

  func finish() { progress.withLock { $0 }?.finish() }
}
