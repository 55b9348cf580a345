/// Whether the write-ahead log beside a main file belongs to it.
///
/// SQLite replays any log that it finds. A log that was left beside a file that was replaced would be replayed into it.
enum LogVerdict: Equatable, Sendable {
  /// There is nothing to replay.
  case empty
  /// The log was written on a state of this file.
  case belongs
  /// The log names no state of a file, so only an examination of the result can tell: the reason.
  case unproved(String)
  /// The log was written on another file, or on another state of this one: the reason.
  case foreign(String)

  /// What the check reads of the main file.
  protocol MainFile {
    /// In bytes.
    var pageSize: Int { get }
    /// Whether the header says that the file is in WAL mode: bytes 18 and 19.
    var isInWALMode: Bool { get }
    /// The log link on one page; `nil` if the page holds none.
    func link(onPage page: Int) throws -> LogLinkRow?
  }

  /// Decides by the link rows of the log and of the main file.
  ///
  /// The pages of a right main file are those of the state that the log was written on, or of a state within the log.
  /// So the row in the main file is the `prev` of the first row in the log, or one of the rows in the log.
  ///
  /// - Parameter log: `nil` if recovery would take no transaction from it.
  static func decide(log: LogContents?, main: some MainFile) throws -> LogVerdict {
    guard let log else { return .empty }
    if log.isFirstTransactionWhole { return .belongs }  // it replaces every page
    guard log.pageSize == main.pageSize else {
      return .foreign("its pages have \(log.pageSize) bytes, those of the file \(main.pageSize)")
    }
    guard main.isInWALMode else { return .foreign("the file is not in WAL mode, so the log is older than the file") }
    var mainLinks: [Int: LogLinkRow?] = [:]
    for link in log.links {
      if mainLinks[link.page] == nil { mainLinks[link.page] = .some(try main.link(onPage: link.page)) }
      if let row = mainLinks[link.page] ?? nil, row.nonce == link.row.nonce { return .belongs }
    }
    guard let first = log.links.first else { return .unproved("no transaction in it renewed the log link") }
    if first.row.isAnchor { return .unproved("its first transaction created the log link") }
    guard let row = mainLinks[first.page] ?? nil else {
      return .foreign("the file has no log link on page \(first.page), where the log has it")
    }
    guard row.nonce == first.row.prev else {
      return .foreign(
        "the file is at commit \(row.seq), and the log continues another history from commit \(first.row.seq - 1)")
    }
    return .belongs
  }
}
