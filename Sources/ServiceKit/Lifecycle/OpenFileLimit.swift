internal import Glibc

/// The limit of open files and connections of this process (`RLIMIT_NOFILE`).
package struct OpenFileLimit: Sendable, Equatable {
  /// The limit in effect.
  package let soft: Int
  /// The highest soft limit that the process may set itself.
  package let hard: Int

  /// The present limit; `nil` if the system does not report it.
  package static func current() -> OpenFileLimit? {
    var limit = rlimit()
    guard unsafe getrlimit(resource, &limit) == 0 else { return nil }
    return OpenFileLimit(soft: Int(clamping: limit.rlim_cur), hard: Int(clamping: limit.rlim_max))
  }

  /// Raises the soft limit to the hard limit. If the system refuses, the limit stays unchanged.
  ///
  /// - Returns: the limit afterwards; `nil` if the system does not report it.
  @discardableResult
  package static func raise() -> OpenFileLimit? {
    var limit = rlimit()
    guard unsafe getrlimit(resource, &limit) == 0 else { return nil }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(resource, &limit)
    return current()
  }

  /// The number of free descriptors that a program needs. Half of them serve the database with its locks and readers,
  /// and the event loops, one for each processor. The other half is for connections of `serve`.
  package static var least: Int { 96 + 4 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Checks that ``least`` files can be opened, and raises the soft limit if necessary. A program that runs out of
  /// descriptors during its start may trap in library code.
  ///
  /// - Throws: ``CLIError`` with exit code 78.
  static func secureLeast() throws(CLIError) {
    let least = least
    if free(upTo: least) >= least { return }
    raise()
    let free = free(upTo: least)
    if free >= least { return }
    throw CLIError(
      .configuration, "cannot run with so few open files",
      reason: "this process may open \(free) files and connections more, and needs \(least)",
      hint: "raise the hard limit with: ulimit -Hn 1024 (of a unit: LimitNOFILE=)")
  }

  /// Counts free descriptors and stops at `enough`. The process may have inherited open descriptors.
  private static func free(upTo enough: Int) -> Int {
    guard let limit = current()?.soft else { return enough }
    var (free, descriptor) = (0, 0)
    while descriptor < limit, free < enough {
      if fcntl(Int32(clamping: descriptor), F_GETFD) < 0 { free += 1 }
      descriptor += 1
    }
    return free
  }

  private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
}
