internal import FileIO
internal import GRDBSQLite
internal import Glibc
internal import Issuance

/// A database file, read page by page without a lock, and without creating anything beside the file.
///
/// The bytes are read through a connection of SQLite's own that runs no statement. A descriptor of ours would drop the
/// locks that other connections of this process hold on the file when it is closed. Any statement on an immutable
/// connection could find the file half-way through a checkpoint.
@safe final class DatabaseFileReader {
  private static let magic = Array("SQLite format 3\u{0}".utf8)
  private static let headerSize = 100
  private let connection: ImmutableConnection
  private let path: String
  private let header: [UInt8]

  /// - Returns: `nil` if the file is no SQLite database.
  /// - Throws: ``StoreError`` with `inputOutput` if it cannot be read.
  init?(path: String) throws(StoreError) {
    connection = ImmutableConnection(path: path)
    let result = Self.readHeader(connection, path: path)
    self.path = path
    header = (try? result.get()) ?? []
    if case .failure(let failure) = result { throw failure }
    guard header.starts(with: Self.magic) else { return nil }
  }

  private static func readHeader(_ connection: ImmutableConnection, path: String) -> Result<[UInt8], StoreError> {
    guard connection.code == SQLITE_OK else { return .failure(failure(connection.code, path: path)) }
    do throws(StoreError) {
      return .success(try connection.pages.bytes(at: 0, count: headerSize, of: path) ?? [])
    } catch {
      return .failure(error)
    }
  }

  /// Appends the bytes of the file to a copy.
  func copy(to copy: AtomicFile) throws {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      throw StoreError.system(errno, operation: "copy the database", subject: path)
    }
    let size = Int(status.st_size)
    for offset in stride(from: 0, to: size, by: Self.copiedAtOnce) {
      let count = min(Self.copiedAtOnce, size - offset)
      guard let bytes = try connection.pages.bytes(at: offset, count: count, of: path) else { return }
      try copy.write(bytes)
    }
  }

  private static let copiedAtOnce = 1 << 20

  /// Offset 68, big-endian: https://www.sqlite.org/fileformat2.html#application_id
  var applicationID: Int { header[68..<72].reduce(0) { $0 << 8 | Int($1) } }

  fileprivate static func failure(_ code: Int32, path: String) -> StoreError {
    StoreError(
      .inputOutput, operation: "open the database", subject: path,
      cause: "its header cannot be read (SQLite code \(code))",
      hint: "check the mode of the file and of its directory, and the disk")
  }
}

extension DatabaseFileReader: LogVerdict.MainFile {
  /// Offset 16, big-endian; 1 stands for 65,536.
  var pageSize: Int {
    let size = Int(header[16]) << 8 | Int(header[17])
    return size == 1 ? 65_536 : size
  }

  var isInWALMode: Bool { header[18] == 2 && header[19] == 2 }

  func link(onPage page: Int) throws -> LogLinkRow? {
    try connection.pages.bytes(at: (page - 1) * pageSize, count: pageSize, of: path)
      .flatMap { LogLinkRow(page: $0) }
  }
}

/// Reads the main file of a connection by the file handle of that connection, below its cache and its locks.
@safe struct PageSource {
  private let connection: OpaquePointer?

  init(_ connection: OpaquePointer?) { unsafe self.connection = unsafe connection }

  /// - Returns: `nil` if the file ends before.
  /// - Throws: ``StoreError`` with `inputOutput`.
  func bytes(at offset: Int, count: Int, of path: String) throws(StoreError) -> [UInt8]? {
    var file: UnsafeMutablePointer<sqlite3_file>?
    guard unsafe sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK,
      let file = unsafe file, let read = unsafe file.pointee.pMethods?.pointee.xRead
    else { throw DatabaseFileReader.failure(SQLITE_CANTOPEN, path: path) }
    var bytes = [UInt8](repeating: 0, count: count)
    let result = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe read(file, buffer.baseAddress, Int32(count), sqlite3_int64(offset))
    }
    if result == SQLITE_IOERR | (2 << 8) { return nil }  // SQLITE_IOERR_SHORT_READ
    guard result == SQLITE_OK else { throw DatabaseFileReader.failure(result, path: path) }
    return bytes
  }
}

/// What the main file of a database says of its id and its witness, read without its log.
///
/// The file is opened as immutable: nothing is created beside it, no log is replayed, and a damaged file stays as it is.
/// Both facts are moved into the main file as soon as they are written.
struct MainFileFacts {
  /// One row of the table `witness`.
  struct Epoch {
    let number: Int
    let path: String?
    let author: String
    let reason: String?
    let detail: String
    let beganAt: Int
  }

  /// `nil` if it cannot be read.
  let databaseID: String?
  /// In their order; empty if they cannot be read.
  let epochs: [Epoch]
  /// The state that the log link names, as ``LogLink/state(in:)``; `nil` if it cannot be read.
  let link: String?

  init(path: String) {
    let connection = ImmutableConnection(path: path)
    databaseID = connection.rows("SELECT id FROM database_identity").first?[0]
    link = connection.rows(LogLink.stateQuery).first?[0]
    epochs = connection.rows(
      "SELECT epoch, path, operator, reason, detail, began_at FROM witness ORDER BY epoch"
    ).compactMap { row in
      guard let number = row[0].flatMap({ Int($0) }), let author = row[2], let detail = row[4],
        let beganAt = row[5].flatMap({ Int($0) })
      else { return nil }
      return Epoch(
        number: number, path: row[1], author: author, reason: row[3], detail: detail, beganAt: beganAt)
    }
  }
}

/// A connection of SQLite's own to a file that is opened as immutable: it takes no lock, creates nothing beside the file,
/// replays no log and changes nothing.
@safe final class ImmutableConnection {
  private let handle: OpaquePointer?
  /// `SQLITE_OK` if the file could be opened.
  let code: Int32

  init(path: String) {
    var opened: OpaquePointer?
    let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX
    code = unsafe sqlite3_open_v2("file:\(Self.encoded(path))?immutable=1", &opened, flags, nil)
    unsafe handle = opened
  }

  deinit { unsafe sqlite3_close(handle) }

  var pages: PageSource { unsafe PageSource(handle) }

  /// The rows of a query as text; those before the first error if the file is damaged.
  func rows(_ sql: String) -> [[String?]] {
    var statement: OpaquePointer?
    guard code == SQLITE_OK, unsafe sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else { return [] }
    defer { unsafe sqlite3_finalize(statement) }
    var rows: [[String?]] = []
    while unsafe sqlite3_step(statement) == SQLITE_ROW {
      let columns = unsafe sqlite3_column_count(statement)
      rows.append(
        (0..<columns).map { column in
          unsafe sqlite3_column_text(statement, column).map { unsafe String(cString: $0) }
        })
    }
    return rows
  }

  /// A path as it stands in a URI: https://www.sqlite.org/uri.html
  private static func encoded(_ path: String) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.~".utf8)
    let text = path.utf8.map { byte in
      plain.contains(byte)
        ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
    return path.hasPrefix("/") ? "//" + text : text
  }
}
