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

  private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
}
