internal import Foundation

/// The identity of this process in the rows that it writes: process id, host, operator.
package enum ProcessIdentity {
  package static var processID: Int { Int(getpid()) }

  /// The host name from the kernel, without a network lookup.
  package static var host: String {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "unknown" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  package static var environment: [String: String] { ProcessInfo.processInfo.environment }

  /// The operator's login: `SUDO_USER`, else the user of the process.
  package static var operatorName: String {
    ProcessInfo.processInfo.environment["SUDO_USER"] ?? NSUserName()
  }
}

/// The version of the build and its compiler, the same for all three programs.
package enum ProgramVersion {
  /// The version that `--version` prints.
  package static let number = "0.1.0"

  /// The release of the Swift compiler: major and minor.
  package static let compiler: String = {
    #if compiler(>=6.5)
      "6.5 or newer"
    #elseif compiler(>=6.4)
      "6.4"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }()
}
