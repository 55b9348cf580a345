internal import GRDBSQLite
internal import Issuance

/// The first 100 bytes of a database file, read without a lock, and without creating anything beside the file.
///
/// The bytes are read through a connection of SQLite's own that is never used otherwise: closing a descriptor of ours
/// would drop the locks that other connections of this process hold on the file, and any statement on an immutable
/// connection could find the file half-way through a checkpoint.
struct DatabaseHeader {
  private static let magic = Array("SQLite format 3\u{0}".utf8)
  private let bytes: [UInt8]

  /// - Returns: `nil` where the file is no SQLite database.
  /// - Throws: ``StoreFailure`` where it cannot be read.
  init?(path: String) throws(StoreFailure) {
    let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.~".utf8)
    let encoded = path.utf8.map { byte in
      allowed.contains(byte)
        ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
    var connection: OpaquePointer?
    let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX
    let opened = unsafe sqlite3_open_v2("file://\(encoded)?immutable=1", &connection, flags, nil)
    defer { unsafe sqlite3_close(connection) }
    var file: UnsafeMutablePointer<sqlite3_file>?
    guard opened == SQLITE_OK,
      unsafe sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK,
      let file = unsafe file, let read = unsafe file.pointee.pMethods?.pointee.xRead
    else { throw Self.failure(opened, path: path) }
    var bytes = [UInt8](repeating: 0, count: 100)
    let count = Int32(bytes.count)
    let result = unsafe bytes.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, count, 0) }
    let isShort = result == SQLITE_IOERR | (2 << 8)  // SQLITE_IOERR_SHORT_READ
    guard result == SQLITE_OK || isShort else { throw Self.failure(result, path: path) }
    guard !isShort, bytes.starts(with: Self.magic) else { return nil }
    self.bytes = bytes
  }

  /// Offset 68, big-endian: https://www.sqlite.org/fileformat2.html#application_id
  var applicationID: Int { bytes[68..<72].reduce(0) { $0 << 8 | Int($1) } }

  private static func failure(_ code: Int32, path: String) -> StoreFailure {
    StoreFailure(
      .inputOutput, operation: "open the database", subject: path,
      cause: "its header cannot be read (SQLite code \(code))",
      hint: "check the mode of the file and of its directory, and the disk")
  }
}
