internal import Glibc

/// How many files and connections this process may have open (`RLIMIT_NOFILE`).
package struct OpenFileLimit: Sendable, Equatable {
  /// What holds now.
  package let soft: Int
  /// Up to where the process may raise it by itself.
  package let hard: Int

  /// The limit as it is; `nil` where the system does not tell.
  package static func current() -> OpenFileLimit? {
    var limit = rlimit()
    guard unsafe getrlimit(resource, &limit) == 0 else { return nil }
    return OpenFileLimit(soft: Int(clamping: limit.rlim_cur), hard: Int(clamping: limit.rlim_max))
  }

  /// Raises the soft limit to the hard one. Where the system refuses, the limit stays as it is.
  ///
  /// - Returns: the limit afterwards; `nil` where the system does not tell.
  @discardableResult
  package static func raise() -> OpenFileLimit? {
    var limit = rlimit()
    guard unsafe getrlimit(resource, &limit) == 0 else { return nil }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(resource, &limit)
    return current()
  }

  /// How many a program needs free: for the database, its locks and readers, and what each event loop has open, of which
  /// there is one for each processor; and as many connections of `serve` again.
  package static var least: Int { 96 + 4 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Sees to it that ``least`` files can be opened; raises the limit where that is allowed. What runs out of them in the
  /// middle of its start may trap, in code that cannot do without.
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

  /// How many descriptors are free, looked for only until so many are found. Others may have been inherited.
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
