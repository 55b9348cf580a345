internal import GRDB
internal import GRDBSQLite
internal import Issuance

/// The rows of one statement, stepped and read by the C API: a pass over a million seats costs little more than SQLite
/// does. Prepared and owned by GRDB, on whose queue it is used.
@safe final class RowCursor {
  private let statement: Statement
  private let connection: SQLiteConnection?
  private let table: String
  /// The last text that was read of a column whose values repeat.
  private var lastCampaign = ""

  init(_ db: Database, sql: String, arguments: StatementArguments, table: String) throws {
    unsafe connection = db.sqliteConnection
    self.table = table
    statement = try db.makeStatement(sql: sql)
    try statement.setArguments(arguments)
  }

  deinit { unsafe sqlite3_reset(statement.sqliteStatement) }

  /// - Returns: whether there is a row.
  func step() throws -> Bool {
    let code = unsafe sqlite3_step(statement.sqliteStatement)
    if code == SQLITE_ROW { return true }
    guard code == SQLITE_DONE else {
      throw unsafe DatabaseError(
        resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
        message: String(cString: sqlite3_errmsg(connection)))
    }
    return false
  }

  /// Campaign and seat, which are columns 0 and 1.
  func key() throws -> SeatKey { SeatKey(campaign: try campaign(0), seat: Int(try integer(1))) }

  /// As ``text(_:)``, of a column whose values repeat: the same text is the same string.
  func campaign(_ column: Int32) throws -> String {
    let bytes = try unsafe bytes(of: column, as: SQLITE_TEXT)
    let isSame = unsafe lastCampaign.utf8.count == bytes.count && lastCampaign.utf8.elementsEqual(bytes)
    if !isSame { lastCampaign = unsafe String(decoding: bytes, as: UTF8.self) }
    return lastCampaign
  }

  func text(_ column: Int32) throws -> String {
    unsafe String(decoding: try bytes(of: column, as: SQLITE_TEXT), as: UTF8.self)
  }

  func optionalText(_ column: Int32) throws -> String? { isNull(column) ? nil : try text(column) }

  func blob(_ column: Int32) throws -> [UInt8] { unsafe Array(try bytes(of: column, as: SQLITE_BLOB)) }

  func optionalBlob(_ column: Int32) throws -> [UInt8]? { isNull(column) ? nil : try blob(column) }

  func integer(_ column: Int32) throws -> Int64 {
    guard unsafe sqlite3_column_type(statement.sqliteStatement, column) == SQLITE_INTEGER else { throw malformed }
    return unsafe sqlite3_column_int64(statement.sqliteStatement, column)
  }

  func optionalInteger(_ column: Int32) throws -> Int64? { isNull(column) ? nil : try integer(column) }

  private func isNull(_ column: Int32) -> Bool {
    unsafe sqlite3_column_type(statement.sqliteStatement, column) == SQLITE_NULL
  }

  /// Valid until the next step.
  private func bytes(of column: Int32, as type: Int32) throws -> UnsafeRawBufferPointer {
    let raw = unsafe statement.sqliteStatement
    guard unsafe sqlite3_column_type(raw, column) == type else { throw malformed }
    let start =
      unsafe type == SQLITE_TEXT ? UnsafeRawPointer(sqlite3_column_text(raw, column)) : sqlite3_column_blob(raw, column)
    return unsafe UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(raw, column)))
  }

  private var malformed: StoreError {
    StoreError(
      .malformed, operation: "read \(table)", subject: table,
      cause: "a row holds a value of a type that it cannot have")
  }
}
