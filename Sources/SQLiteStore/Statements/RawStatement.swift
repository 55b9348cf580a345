internal import GRDB
internal import GRDBSQLite
internal import Issuance

/// A statement that runs once per event, bound and stepped by the C API: it costs little more than SQLite does. Prepared
/// and owned by GRDB. Used inside one transaction.
@safe struct RawStatement {
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
  func first<Result>(_ values: [Value], _ read: (RawRow) throws -> Result) throws -> Result? {
    let raw = unsafe statement.sqliteStatement
    defer {
      unsafe sqlite3_reset(raw)
      unsafe sqlite3_clear_bindings(raw)
    }
    for (index, value) in values.enumerated() { try unsafe bind(value, at: Int32(index + 1), to: raw) }
    return try unsafe Self.step(raw, on: connection) ? read(RawRow(raw)) : nil
  }

  /// - Returns: whether there is a row.
  static func step(_ raw: SQLiteStatement, on connection: SQLiteConnection?) throws -> Bool {
    let code = unsafe sqlite3_step(raw)
    if code == SQLITE_ROW { return true }
    guard code == SQLITE_DONE else { throw unsafe failure(on: connection) }
    return false
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
    guard code == SQLITE_OK else { throw unsafe Self.failure(on: connection) }
  }

  /// `SQLITE_TRANSIENT`, which Swift does not import.
  private static let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  private static func failure(on connection: SQLiteConnection?) -> DatabaseError {
    unsafe DatabaseError(
      resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
      message: String(cString: sqlite3_errmsg(connection)))
  }
}

/// The row that a statement stands on, read by the C API for as long as the statement is not stepped.
///
/// Each method throws ``StoreError`` with `malformed` if the column has another storage class, and names it.
@safe struct RawRow {
  private let raw: SQLiteStatement

  init(_ raw: SQLiteStatement) { unsafe self.raw = raw }

  func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(raw, column) == SQLITE_NULL }

  func integer(_ column: Int32, of name: String = "a column") throws -> Int {
    guard unsafe sqlite3_column_type(raw, column) == SQLITE_INTEGER else { throw StoreError.wrongType(column: name) }
    return Int(unsafe sqlite3_column_int64(raw, column))
  }

  /// - Throws: also for a number outside `bounds`.
  func count(_ column: Int32, of name: String, in bounds: ClosedRange<Int> = StoredNumber.counts) throws -> Int {
    let number = try integer(column, of: name)
    guard bounds.contains(number) else { throw StoreError.outOfBounds(column: name) }
    return number
  }

  func text(_ column: Int32, of name: String = "a column") throws -> String {
    unsafe String(decoding: try bytes(of: column, as: SQLITE_TEXT, name), as: UTF8.self)
  }

  func blob(_ column: Int32, of name: String) throws -> [UInt8] {
    unsafe Array(try bytes(of: column, as: SQLITE_BLOB, name))
  }

  /// Valid until the next step.
  func bytes(of column: Int32, as type: Int32, _ name: String) throws -> UnsafeRawBufferPointer {
    guard unsafe sqlite3_column_type(raw, column) == type else { throw StoreError.wrongType(column: name) }
    let start =
      unsafe type == SQLITE_TEXT ? UnsafeRawPointer(sqlite3_column_text(raw, column)) : sqlite3_column_blob(raw, column)
    return unsafe UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(raw, column)))
  }
}

/// The rows of one statement, stepped and read by the C API: a pass over a million seats costs little more than SQLite
/// does. Prepared and owned by GRDB, on whose queue it is used.
@safe final class RawCursor {
  private let statement: Statement
  private let connection: SQLiteConnection?
  private let table: String
  private let row: RawRow
  /// The last text that was read of a column whose values repeat.
  private var lastCampaign = ""

  init(_ db: Database, sql: String, arguments: StatementArguments, table: String) throws {
    unsafe connection = db.sqliteConnection
    self.table = table
    statement = try db.makeStatement(sql: sql)
    try statement.setArguments(arguments)
    row = unsafe RawRow(statement.sqliteStatement)
  }

  deinit { unsafe sqlite3_reset(statement.sqliteStatement) }

  /// - Returns: whether there is a row.
  func step() throws -> Bool { try unsafe RawStatement.step(statement.sqliteStatement, on: connection) }

  /// Campaign and seat, which are columns 0 and 1.
  func key() throws -> SeatKey { SeatKey(campaign: try campaign(0), seat: try row.integer(1, of: table)) }

  /// As ``text(_:)``, of a column whose values repeat: the same text is the same string.
  func campaign(_ column: Int32) throws -> String {
    let bytes = try unsafe row.bytes(of: column, as: SQLITE_TEXT, table)
    let isSame = unsafe lastCampaign.utf8.count == bytes.count && lastCampaign.utf8.elementsEqual(bytes)
    if !isSame { lastCampaign = unsafe String(decoding: bytes, as: UTF8.self) }
    return lastCampaign
  }

  func text(_ column: Int32) throws -> String { try row.text(column, of: table) }
  func optionalText(_ column: Int32) throws -> String? { row.isNull(column) ? nil : try text(column) }
  func blob(_ column: Int32) throws -> [UInt8] { try row.blob(column, of: table) }
  func optionalBlob(_ column: Int32) throws -> [UInt8]? { row.isNull(column) ? nil : try blob(column) }
  func integer(_ column: Int32) throws -> Int64 { Int64(try row.integer(column, of: table)) }
  func optionalInteger(_ column: Int32) throws -> Int64? { row.isNull(column) ? nil : try integer(column) }
}
