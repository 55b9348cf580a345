internal import GRDBSQLite
internal import Issuance

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
    var connection: OpaquePointer?
    let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX
    let opened = unsafe sqlite3_open_v2("file:\(Self.encoded(path))?immutable=1", &connection, flags, nil)
    defer { unsafe sqlite3_close(connection) }
    guard opened == SQLITE_OK, let connection = unsafe connection else {
      databaseID = nil
      epochs = []
      link = nil
      return
    }
    databaseID = unsafe Self.rows("SELECT id FROM database_identity", on: connection).first?[0]
    link = unsafe Self.rows(LogLink.stateQuery, on: connection).first?[0]
    epochs = unsafe Self.rows(
      "SELECT epoch, path, operator, reason, detail, began_at FROM witness ORDER BY epoch", on: connection
    ).compactMap { row in
      guard let number = row[0].flatMap({ Int($0) }), let author = row[2], let detail = row[4],
        let beganAt = row[5].flatMap({ Int($0) })
      else { return nil }
      return Epoch(
        number: number, path: row[1], author: author, reason: row[3], detail: detail, beganAt: beganAt)
    }
  }

  /// The rows as text; those before the first error if the file is damaged.
  private static func rows(_ sql: String, on connection: OpaquePointer) -> [[String?]] {
    var statement: OpaquePointer?
    guard unsafe sqlite3_prepare_v2(connection, sql, -1, &statement, nil) == SQLITE_OK else { return [] }
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

  private static func encoded(_ path: String) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.".utf8)
    return path.utf8.map { byte in
      plain.contains(byte)
        ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
  }
}
