internal import Foundation
package import Issuance

/// The wall clock of this machine, in UTC.
package let systemClock: WallClock = {
  // By Foundation, to a quarter of a microsecond: which module timespec comes from depends on how the compiler is run.
  Timestamp(microseconds: Int64((Date.now.timeIntervalSince1970 * 1_000_000).rounded(.down)))
}

/// Who and where this process is, for the rows that it writes.
package enum ProcessIdentity {
  package static func runStart(
    _ filter: EventFilter = .all, by operatorName: String? = nil, askedFor: String? = nil
  ) -> RunStart {
    RunStart(
      id: RunID(UUID().uuidString.lowercased()), host: host, processID: Int(getpid()), operatorName: operatorName,
      filter: filter, askedFor: askedFor)
  }

  /// As the kernel has it: nobody is asked over the network.
  private static var host: String {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "unknown" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The login of the person: who called sudo, else the user of the process.
  package static var operatorName: String {
    ProcessInfo.processInfo.environment["SUDO_USER"] ?? NSUserName()
  }
}
