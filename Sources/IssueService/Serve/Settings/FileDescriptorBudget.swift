internal import Foundation

/// How many of the files that a process may have open each listener gets, so that whoever connects leaves what the
/// database, its log and its locks need: without them the service would end.
struct FileDescriptorBudget: Sendable, Equatable {
  /// What the connections of one listener may take.
  struct Share: Sendable, Equatable {
    /// Connections that are served at once.
    let served: Int
    /// Connections that are being told that there are too many, and may take their time to hang up.
    let turnedAway: Int
    /// Connections that one turn of the event loop accepts.
    let accepts: Int

    /// From here on none is accepted until one of them is closed. Those who were hung up on at once are as many as a
    /// turn accepts, and the turn that comes to this number may go beyond it by as many.
    var most: Int { served + turnedAway + accepts }
  }

  /// Connections that are being told, of a listener that has files enough.
  static let mostTurnedAway = 512
  /// Connections of the operations listener: viewers of the live page, and some who measure.
  static let mostOfOperations = 1_024

  let claims: Share
  let operations: Share

  /// - Parameters:
  ///   - files: that the process may have open; `nil` where nobody knows a limit.
  ///   - limits: what is wanted.
  init(
    files: Int?, limits: ServeLimits, processors: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    let files = files ?? .max
    let rest = max(0, files - min(1_024, max(64 + 4 * processors, files / 5)))
    let turnedAway = min(Self.mostTurnedAway, max(1, rest / 10))
    let accepts = min(limits.acceptsPerTurn, max(1, rest / 20))
    let room = rest - 2 * (turnedAway + 2 * accepts)
    let operations = max(1, min(limits.connections, Self.mostOfOperations, room / 4))
    self.operations = Share(served: operations, turnedAway: turnedAway, accepts: accepts)
    claims = Share(
      served: max(1, min(limits.connections, room - operations)), turnedAway: turnedAway, accepts: accepts)
  }
}
