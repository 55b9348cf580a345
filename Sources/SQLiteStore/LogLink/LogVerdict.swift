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

/// The row of `log_link`, read from the bytes of the page that holds it.
///
/// Every write transaction renews the row: `nonce` becomes `prev`, and `seq` rises by one. So one row names the state of
/// the file that it stands in, and the state before it.
package struct LogLinkRow: Equatable, Sendable {
  /// Rises by one with every write transaction, from 2^40 on.
  package let seq: Int64
  /// 16 bytes: the nonce of the state before. Zeros where the table was created or moved.
  package let prev: [UInt8]
  /// 16 random bytes.
  package let nonce: [UInt8]

  /// The state as one word, as ``LogLink/state(in:)`` reads it.
  var state: String {
    let digits = nonce.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    return "\(seq) \(digits)"
  }

  /// Whether the row names no state before it.
  var isAnchor: Bool { prev.allSatisfy { $0 == 0 } }

  /// The start of the one cell of the page: payload of 52 bytes, rowid 1, header of 6 bytes, then the serial types of
  /// NULL (the rowid), a text of 8 bytes, an integer of 6 bytes and two blobs of 16 bytes, then the tag.
  private static let cellStart: [UInt8] = [0x34, 0x01, 0x06, 0x00, 0x1D, 0x05, 0x2C, 0x2C] + Array("log_link".utf8)
  private static let cellSize = 54

  /// Parses a page strictly, so that no value in another table can pass for the row: a table leaf page (0x0D) with one
  /// cell, which is the last thing on the page.
  ///
  /// - Parameter page: one whole page. Source: https://www.sqlite.org/fileformat2.html#b_tree_pages
  /// - Returns: `nil` if the page is anything else.
  package init?(page: some RandomAccessCollection<UInt8>) {
    guard page.count >= 512 else { return nil }
    func byte(_ offset: Int) -> Int { Int(page[page.index(page.startIndex, offsetBy: offset)]) }
    let cell = page.count - Self.cellSize
    guard byte(0) == 0x0D, byte(1) == 0, byte(2) == 0, byte(3) == 0, byte(4) == 1, byte(5) << 8 | byte(6) == cell,
      byte(8) << 8 | byte(9) == cell
    else { return nil }
    let bytes = Array(page.suffix(Self.cellSize))
    guard bytes.starts(with: Self.cellStart) else { return nil }
    seq = bytes[16..<22].reduce(Int64(0)) { $0 << 8 | Int64($1) }
    prev = Array(bytes[22..<38])
    nonce = Array(bytes[38..<54])
  }

  package init(seq: Int64, prev: [UInt8], nonce: [UInt8]) {
    self.seq = seq
    self.prev = prev
    self.nonce = nonce
  }
}

/// The state of the database at the last checkpoint that moved the whole log into the main file: the number of its last
/// commit and its nonce. The next log starts on this state.
///
/// It is one line in the file of the write lock, written inside the lock.
struct LogNote: Equatable {
  private static let prefix = "log moved into the file at "

  /// The number of the last commit and the nonce in hexadecimal digits, with a space between them.
  let state: String

  init(_ state: String) { self.state = state }

  /// - Returns: `nil` if the text is no such note.
  init?(text: String) {
    guard text.hasPrefix(Self.prefix), text.hasSuffix("\n") else { return nil }
    state = String(text.dropFirst(Self.prefix.count).dropLast())
    guard Self.sequence(of: state) != nil else { return nil }
  }

  var text: String { Self.prefix + state + "\n" }

  enum Verdict: Equatable {
    /// The main file is at the noted state, so a log without links was started on it.
    case begunHere
    /// The main file is older than the state that the log was started on: the reason.
    case begunLater(String)
    case unknown
  }

  /// Decides whether a log without links was started on the main file.
  ///
  /// - Parameter main: the state of the main file without its log; `nil` if it cannot be read.
  func verdict(on main: String?) -> Verdict {
    guard let main, let found = Self.sequence(of: main), let noted = Self.sequence(of: state) else { return .unknown }
    if main == state { return .begunHere }
    guard found < noted else { return .unknown }
    return .begunLater("the file is at commit \(found), and the log was started after commit \(noted)")
  }

  /// Whether the state is another one, or follows it.
  func isAtLeast(_ other: String) -> Bool {
    if state == other { return true }
    guard let own = Self.sequence(of: state), let before = Self.sequence(of: other) else { return false }
    return own > before
  }

  private static func sequence(of state: String) -> Int64? {
    let words = state.split(separator: " ", omittingEmptySubsequences: false)
    return words.count == 2 && words[1].count == 32 ? Int64(words[0]) : nil
  }
}
