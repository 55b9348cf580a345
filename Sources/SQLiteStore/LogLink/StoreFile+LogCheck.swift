internal import Glibc
internal import Issuance

extension StoreFile {
  /// How often a mismatch is read again: a process that leaves checkpoints outside the write lock, at its last close.
  private static let readings = 4
  private static let pauseMicroseconds: UInt32 = 10_000

  /// Compares the write-ahead log with the main file. Call with the use lock and the write lock, before the first
  /// connection of this program. Nothing is opened by SQLite, and nothing is changed.
  ///
  /// - Returns: any verdict but `foreign`.
  /// - Throws: ``StoreError`` with `logMismatch`, or `inputOutput` if one of the two cannot be read.
  func requireOwnLog() throws -> LogVerdict {
    var verdict = try logVerdict()
    for _ in 1..<Self.readings {
      guard case .foreign = verdict else { return verdict }
      usleep(Self.pauseMicroseconds)
      verdict = try logVerdict()
    }
    guard case .foreign(let reason) = verdict else { return verdict }
    throw StoreError.logMismatch(self, cause: reason)
  }

  /// How the log was proved to belong to the file.
  enum ProvedLog {
    /// There is nothing to replay.
    case empty
    /// By the log link.
    case linked
    /// By the note of the last checkpoint, or by an examination of the result: no transaction in it has a link.
    case examined
  }

  /// As ``requireOwnLog()``, and proves a log without links: by the note that the last checkpoint left in the file of the
  /// write lock, or else by an examination. Neither changes a file.
  ///
  /// The write lock excludes the other programs of this version, which alone start a log, so nothing changes meanwhile.
  ///
  /// - Throws: ``StoreError`` with `logMismatch`.
  func requireProvedLog(notedIn writeLock: FileLock) throws -> ProvedLog {
    switch try requireOwnLog() {
    case .empty: return .empty
    case .belongs, .foreign: return .linked
    case .unproved(let reason):
      let main = MainFileFacts(path: path)
      switch LogNote(text: writeLock.note)?.verdict(on: main.link) {
      case .begunHere: return .examined
      case .begunLater(let cause): throw StoreError.logMismatch(self, cause: cause)
      case .unknown, nil:
        try LogJudge(file: self).examine(because: reason)
        return .examined
      }
    }
  }

  /// One comparison.
  func logVerdict() throws -> LogVerdict {
    let log = try LogFile(path: walPath).map { try WriteAheadLogReader.contents(of: $0) } ?? nil
    guard let log else { return .empty }
    guard let main = try DatabaseFileReader(path: path) else {
      return .foreign("the file is no SQLite database")
    }
    return try LogVerdict.decide(log: log, main: main)
  }
}

/// The write-ahead log, opened for reading. SQLite holds no locks on it, so closing the descriptor drops none.
final class LogFile: ByteSource, Sendable {
  private let descriptor: Int32
  private let path: String

  /// - Returns: `nil` if the file does not exist.
  init?(path: String) throws(StoreError) {
    self.path = path
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor < 0 else { return }
    if errno == ENOENT { return nil }
    throw StoreError.system(errno, operation: "read the write-ahead log", subject: path)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var done = 0
    while done < buffer.count {
      let got = unsafe pread(
        descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done, off_t(offset + done))
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw StoreError.system(errno, operation: "read the write-ahead log", subject: path) }
      if got == 0 { break }
      done += got
    }
    return done
  }

  /// The two salts of the header, 8 bytes; `nil` if the log is empty.
  func salts() throws -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 8)
    let count = try unsafe bytes.withUnsafeMutableBytes { unsafe try read(at: 16, into: $0) }
    return count == bytes.count ? bytes : nil
  }
}

extension StoreError {
  static func logMismatch(_ file: StoreFile, cause: String) -> StoreError {
    StoreError(
      .logMismatch, operation: "open the database", subject: file.path,
      cause: "its write-ahead log \(file.walPath) does not belong to it: \(cause)",
      hint: "one of the two was replaced. To go back to a backup: issue-service restore BACKUP; "
        + "else put the file back that the log belongs to. Nothing was opened or changed")
  }
}
