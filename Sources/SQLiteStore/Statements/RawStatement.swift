internal import GRDB
internal import GRDBSQLite
internal import Issuance

/// A statement that runs once per event, bound and stepped by the C API: it costs little more than SQLite does. Prepared
/// and owned by GRDB. Used inside one transaction.
@safe struct DirectStatement {
  enum Value {
    case text(String)
    case integer(Int)
    case null

    init(_ text: String?) { self = text.map(Value.text) ?? .null }
    init(_ time: Timestamp?) { self = time.map { .integer(Int($0.microseconds)) } ?? .null }
  }

  private let statement: Statement
  private let connection: SQLiteConnection?

  init(_ db: Database, sql: String) throws {
    unsafe connection = db.sqliteConnection
    statement = try db.cachedStatement(sql: sql)
  }

  /// Runs it, and reads its first row.
  ///
  /// - Returns: `nil` where there is none.
  func first<Result>(_ values: [Value], _ read: (DirectRow) throws -> Result) throws -> Result? {
    let raw = unsafe statement.sqliteStatement
    defer {
      unsafe sqlite3_reset(raw)
      unsafe sqlite3_clear_bindings(raw)
    }
    for (index, value) in values.enumerated() { try unsafe bind(value, at: Int32(index + 1), to: raw) }
    let code = unsafe sqlite3_step(raw)
    if code == SQLITE_ROW { return try unsafe read(DirectRow(raw)) }
    guard code == SQLITE_DONE else { throw failure() }
    return nil
  }

  /// Runs it.
  ///
  /// - Returns: whether there is a row.
  @discardableResult
  func run(_ values: Value...) throws -> Bool { try first(values) { _ in true } ?? false }

  private func bind(_ value: Value, at index: Int32, to raw: SQLiteStatement) throws {
    let code: Int32
    switch value {
    case .text(var text):
      code = text.withUTF8 { bytes in
        unsafe bytes.withMemoryRebound(to: CChar.self) { text in
          // SQLite keeps a copy: the text lives only as long as this call.
          unsafe sqlite3_bind_text(raw, index, text.baseAddress, Int32(text.count), Self.copied)
        }
      }
    case .integer(let number): code = unsafe sqlite3_bind_int64(raw, index, Int64(number))
    case .null: code = unsafe sqlite3_bind_null(raw, index)
    }
    guard code == SQLITE_OK else { throw failure() }
  }

  /// `SQLITE_TRANSIENT`, which Swift does not import.
  private static let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  private func failure() -> DatabaseError {
    unsafe DatabaseError(
      resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
      message: String(cString: sqlite3_errmsg(connection)))
  }
}

/// The row that a ``DirectStatement`` stands on, for as long as it is read.
@safe struct DirectRow {
  private let raw: SQLiteStatement

  init(_ raw: SQLiteStatement) { unsafe self.raw = raw }

  /// - Throws: ``StoreError`` with `malformed` if a damaged file holds another type.
  func integer(_ column: Int32, of name: String = "a column") throws -> Int {
    guard unsafe sqlite3_column_type(raw, column) == SQLITE_INTEGER else { throw StoreError.wrongType(column: name) }
    return Int(unsafe sqlite3_column_int64(raw, column))
  }

  /// - Throws: as ``integer(_:)``, and for a number outside `bounds`.
  func count(_ column: Int32, of name: String, in bounds: ClosedRange<Int> = StoredNumber.counts) throws -> Int {
    let number = try integer(column, of: name)
    guard bounds.contains(number) else { throw StoreError.outOfBounds(column: name) }
    return number
  }

  /// - Throws: as ``integer(_:)``.
  func text(_ column: Int32, of name: String = "a column") throws -> String {
    guard unsafe sqlite3_column_type(raw, column) == SQLITE_TEXT, let start = unsafe sqlite3_column_text(raw, column)
    else { throw StoreError.wrongType(column: name) }
    let count = Int(unsafe sqlite3_column_bytes(raw, column))
    return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }
}

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
