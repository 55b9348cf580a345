internal import Foundation
package import Issuance
package import ServiceKit

/// The wall clock of this machine, in UTC.
package let systemClock: WallClock = {
  // By Foundation, to a quarter of a microsecond: which module timespec comes from depends on how the compiler is run.
  Timestamp(microseconds: Int64((Date.now.timeIntervalSince1970 * 1_000_000).rounded(.down)))
}

extension ProcessIdentity {
  package static func runStart(
    _ filter: EventFilter = .all, by operatorName: String? = nil, askedFor: String? = nil
  ) -> RunStart {
    RunStart(
      id: RunID(UUID().uuidString.lowercased()), host: host, processID: processID, operatorName: operatorName,
      filter: filter, askedFor: askedFor)
  }
}

extension LogOutput {
  /// - Parameters: as of ``LogOutput/init(_:to:environment:timestamp:)``.
  package init(
    _ settings: LogSettings, to stream: LineWriter = .standardError,
    environment: [String: String] = ProcessIdentity.environment, clock: @escaping WallClock = systemClock
  ) {
    self.init(settings, to: stream, environment: environment, timestamp: { "\(clock())" })
  }
}
