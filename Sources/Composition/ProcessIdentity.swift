internal import Foundation
package import Issuance

/// The wall clock of this machine, in UTC.
package let systemClock: WallClock = {
  var time = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &time)
  return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
}

/// Who and where this process is, for the rows that it writes.
package enum ProcessIdentity {
  package static func runStart(scope: CampaignID?) -> RunStart {
    RunStart(
      id: RunID(UUID().uuidString.lowercased()), host: ProcessInfo.processInfo.hostName,
      processID: Int(getpid()), scope: scope)
  }

  package static var environment: [String: String] { ProcessInfo.processInfo.environment }

  /// The login of the person: who called sudo, else the user of the process.
  package static var operatorName: String {
    ProcessInfo.processInfo.environment["SUDO_USER"] ?? NSUserName()
  }
}
