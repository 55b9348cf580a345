/// Keeps two runs of the retry batch from doing the same work twice as slowly. A comfort: what a run does is right also
/// where it is broken, by the fence of each lease.
package protocol RunLock: Sendable {
  /// Takes the lock without waiting, and writes down who holds it.
  ///
  /// - Returns: who has it instead; `nil` where it was had.
  func take(for holder: RunLockHolder) throws(StoreError) -> RunLockHolder?

  func giveBack()

  /// Who holds it at present, without taking it; `nil` where nobody does.
  func holder() throws(StoreError) -> RunLockHolder?
}

/// Who holds the lock of runs.
package struct RunLockHolder: Sendable, Equatable, Codable {
  package let run: String
  package let host: String
  package let processID: Int
  package let since: String

  /// - Parameter since: when it began.
  package init(_ run: RunStart, since: Timestamp) {
    self.run = run.id.rawValue
    host = run.host
    processID = run.processID
    self.since = "\(since)"
  }

  /// Of one that has not written down who it is yet.
  package static let unknown = RunLockHolder(run: "unknown", host: "unknown", processID: 0, since: "a moment ago")

  private init(run: String, host: String, processID: Int, since: String) {
    self.run = run
    self.host = host
    self.processID = processID
    self.since = since
  }
}
