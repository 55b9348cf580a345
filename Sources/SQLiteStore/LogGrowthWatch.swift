internal import GRDB
internal import GRDBSQLite
internal import Glibc
internal import Synchronization

/// Gives a long pass up when the write-ahead log has grown too much meanwhile: as long as a reader holds its snapshot,
/// nothing of the log can be used again.
final class LogGrowthWatch: Sendable {
  /// Of SQLite's virtual machine, between two looks at the size: about a millisecond.
  private static let stepsBetweenLooks: Int32 = 50_000

  private let path: String
  private let limit: Int
  private let begun: Int
  private let isCancelled: @Sendable () -> Bool
  private let grown = Atomic<Bool>(false)

  /// - Parameters:
  ///   - path: of the log.
  ///   - limit: by how many bytes it may grow.
  ///   - isCancelled: whether the pass is to be given up for another reason.
  init(path: String, limit: Int, isCancelled: @escaping @Sendable () -> Bool = { false }) {
    self.path = path
    self.limit = limit
    begun = Self.size(of: path)
    self.isCancelled = isCancelled
  }

  /// Whether the pass was given up: what it found is to be thrown away.
  var hasGrown: Bool { grown.load(ordering: .relaxed) }

  /// Runs `body`, whose statements fail as interrupted from the moment on when the log has grown too much.
  func watching<Result>(_ db: Database, _ body: () throws -> Result) rethrows -> Result {
    unsafe sqlite3_progress_handler(
      db.sqliteConnection, Self.stepsBetweenLooks,
      { context in
        unsafe Unmanaged<LogGrowthWatch>.fromOpaque(context!).takeUnretainedValue().look() ? 1 : 0
      }, Unmanaged.passUnretained(self).toOpaque())
    defer { unsafe sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
    return try body()
  }

  private func look() -> Bool {
    if Self.size(of: path) - begun > limit { grown.store(true, ordering: .relaxed) }
    return hasGrown || isCancelled()
  }

  private static func size(of path: String) -> Int {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}
