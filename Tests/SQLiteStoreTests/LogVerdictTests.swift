import Foundation
import GRDB
import TestSupport
import Testing

@testable import SQLiteStore

/// The pure half of the check: what a log and a main file say of each other.
@Suite("A log names the state of the file that it was written on")
struct LogVerdictTests {
  private struct Main: LogVerdict.MainFile {
    var pageSize = 4_096
    var isInWALMode = true
    var rows: [Int: LogLinkRow] = [:]

    func link(onPage page: Int) -> LogLinkRow? { rows[page] }
  }

  private static func nonce(_ number: UInt8) -> [UInt8] { [UInt8](repeating: number, count: 16) }

  private static func row(_ number: UInt8) -> LogLinkRow {
    LogLinkRow(seq: 1 << 40 + Int64(number), prev: nonce(number - 1), nonce: nonce(number))
  }

  private static func log(_ rows: [LogLinkRow], page: Int = 143, isWhole: Bool = false) -> LogContents {
    var log = LogContents(pageSize: 4_096, salts: nonce(9))
    log.frames = rows.count
    log.links = rows.map { LogContents.Link(page: page, row: $0) }
    log.isFirstTransactionWhole = isWhole
    return log
  }

  private func verdict(_ log: LogContents?, _ main: Main) throws -> LogVerdict {
    try LogVerdict.decide(log: log, main: main)
  }

  private func isForeign(_ log: LogContents, _ main: Main) throws -> Bool {
    if case .foreign = try verdict(log, main) { true } else { false }
  }

  private func isUnproved(_ log: LogContents, _ main: Main) throws -> Bool {
    if case .unproved = try verdict(log, main) { true } else { false }
  }

  @Test func nothingToReplayIsEmpty() throws { #expect(try verdict(nil, Main()) == .empty) }

  @Test func theFileIsTheBaseOfTheLogOrAStateWithinIt() throws {
    let log = Self.log([Self.row(5), Self.row(6), Self.row(7)])
    for number in UInt8(4)...7 {
      #expect(try verdict(log, Main(rows: [143: Self.row(number)])) == .belongs, "state \(number)")
    }
  }

  @Test func anyOtherStateIsForeign() throws {
    let log = Self.log([Self.row(5), Self.row(6)])
    for number: UInt8 in [2, 3, 7, 8] {
      #expect(try isForeign(log, Main(rows: [143: Self.row(number)])), "state \(number)")
    }
    #expect(try isForeign(log, Main()))
    // As VACUUM leaves the file: the link stands elsewhere.
    #expect(try isForeign(log, Main(rows: [7: Self.row(4)])))
  }

  @Test func aFileThatWasNeverInWALModeIsForeign() throws {
    let main = Main(isInWALMode: false, rows: [143: Self.row(4)])
    #expect(try isForeign(Self.log([Self.row(5)]), main))
    #expect(try isForeign(Self.log([Self.row(5)]), Main(pageSize: 512, rows: [143: Self.row(4)])))
  }

  @Test func aLogThatReplacesEveryPageBelongsToAnyFile() throws {
    #expect(try verdict(Self.log([Self.row(5)], isWhole: true), Main(isInWALMode: false)) == .belongs)
  }

  /// Neither names a state of a file, so only the result can be judged.
  @Test func aLogWithoutALinkOrWithTheFirstOneIsUnproved() throws {
    #expect(try isUnproved(Self.log([]), Main(rows: [143: Self.row(4)])))
    let anchor = LogLinkRow(seq: 1 << 40, prev: Self.nonce(0), nonce: Self.nonce(77))
    #expect(try isUnproved(Self.log([anchor, Self.row(78)]), Main()))
    #expect(try verdict(Self.log([anchor]), Main(rows: [143: anchor])) == .belongs)
  }
}

/// The reader is held against the logs that SQLite itself writes.
@Suite("A log is read as SQLite's recovery would read it")
struct WriteAheadLogReaderTests {
  private struct Bytes: ByteSource {
    let bytes: [UInt8]

    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
      let part = bytes.dropFirst(offset).prefix(buffer.count)
      unsafe buffer.copyBytes(from: part)
      return part.count
    }
  }

  /// A log of so many transactions, of which each changes the link row and inserts a row of 3,000 bytes.
  private func log(transactions: Int, pageSize: Int = 4_096) throws -> (log: [UInt8], frames: Int) {
    let directory = try ScratchDirectory()
    let path = directory.path("a.db")
    let queue = try DatabaseQueue(path: path)
    return try queue.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA page_size = \(pageSize); PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0")
      try db.execute(
        sql: """
          CREATE TABLE log_link (id INTEGER PRIMARY KEY, tag TEXT, seq INT, prev BLOB, nonce BLOB);
          INSERT INTO log_link VALUES (1, 'log_link', 1099511627776, zeroblob(16), randomblob(16));
          CREATE TABLE filler (bytes BLOB);
          CREATE TABLE untouched (bytes BLOB);
          """)
      _ = try db.checkpoint(.truncate)
      for _ in 0..<transactions {
        try db.execute(
          sql: """
            BEGIN; INSERT INTO filler VALUES (randomblob(3000));
            UPDATE log_link SET seq = seq + 1, prev = nonce, nonce = randomblob(16); COMMIT
            """)
      }
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "-wal")))
      return (bytes, try db.checkpoint(.passive).walFrameCount)
    }
  }

  @Test(arguments: [512, 1_024, 4_096, 65_536])
  func everyCommittedFrameAndLinkIsFound(pageSize: Int) throws {
    let (log, frames) = try log(transactions: 20, pageSize: pageSize)
    let contents = try #require(try WriteAheadLogReader.contents(of: Bytes(bytes: log)))
    #expect(contents.pageSize == pageSize)
    #expect(contents.frames == frames)
    #expect(contents.links.map(\.row.seq) == (1...20).map { (1 << 40) + $0 })
    for (before, after) in zip(contents.links, contents.links.dropFirst()) {
      #expect(after.row.prev == before.row.nonce)
    }
    #expect(!contents.isFirstTransactionWhole)
  }

  /// What was cut off or changed ends the valid run at the commit before it, as in SQLite.
  @Test func aCutOrChangedLogEndsAtTheCommitBefore() throws {
    let (log, _) = try log(transactions: 6)
    let whole = try #require(try WriteAheadLogReader.contents(of: Bytes(bytes: log)))
    let frame = 24 + 4_096
    var ends: [Int] = []
    for length in stride(from: 0, through: log.count, by: 1_013) {
      let contents = try WriteAheadLogReader.contents(of: Bytes(bytes: Array(log.prefix(length))))
      let frames = contents?.frames ?? 0
      #expect(frames * frame + 32 <= length || frames == 0)
      #expect(contents.map { $0.links == Array(whole.links.prefix($0.links.count)) } ?? true)
      ends.append(frames)
    }
    #expect(ends == ends.sorted() && ends.first == 0)
    for offset in [3, 20, 31, 32, 50, 32 + frame + 900, log.count - 1] {
      var damaged = log
      damaged[offset] ^= 0x40
      let contents = try WriteAheadLogReader.contents(of: Bytes(bytes: damaged))
      #expect((contents?.frames ?? 0) < whole.frames, "byte \(offset)")
    }
  }

  @Test func noOtherPageIsTakenForTheLink() {
    var page = [UInt8](repeating: 0, count: 4_096)
    #expect(LogLinkRow(page: page) == nil)
    let cell: [UInt8] =
      [0x34, 0x01, 0x06, 0x00, 0x1D, 0x05, 0x2C, 0x2C] + Array("log_link".utf8)
      + [1, 0, 0, 0, 0, 5] + [UInt8](repeating: 1, count: 16) + [UInt8](repeating: 2, count: 16)
    page.replaceSubrange(4_042..., with: cell)
    page.replaceSubrange(0..<10, with: [0x0D, 0, 0, 0, 1, 0x0F, 0xCA, 0, 0x0F, 0xCA])
    let row = LogLinkRow(seq: 1 << 40 + 5, prev: Array(cell[22..<38]), nonce: Array(cell[38...]))
    #expect(LogLinkRow(page: page) == row)
    for offset in Array(0..<10).filter({ $0 != 7 }) + Array(4_042..<4_058) {
      var other = page
      other[offset] ^= 1
      #expect(LogLinkRow(page: other) == nil, "byte \(offset)")
    }
  }
}
