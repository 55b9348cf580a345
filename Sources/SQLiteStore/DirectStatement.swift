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
