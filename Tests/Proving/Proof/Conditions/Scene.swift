/// Programs that stand still, die, or are many, with real campaigns of every issuer between them.
enum Scene: String, Sendable, CaseIterable {
  case batchStopped = "a batch stopped past its lease"
  case consumerStopped = "a consumer stopped past its lease"
  case writerStopped = "a service stopped while it holds the write lock"
  case runStopped = "a run that is stopped holds its lock"
  case locksOfTheDead = "locks left by the dead"
  case fewDescriptors = "a service with fewer descriptors than connections"
  case crowd = "many programs on one file"

  func play(on stage: Stage) async throws {
    switch self {
    case .batchStopped: try await stage.stopPastLease(ofBatch: true)
    case .consumerStopped: try await stage.stopPastLease(ofBatch: false)
    case .writerStopped: try await stage.stopWriter()
    case .runStopped: try await stage.stopRun()
    case .locksOfTheDead: try await stage.leaveLocks()
    case .fewDescriptors: try await stage.flood()
    case .crowd: try await stage.crowd()
    }
  }
}
