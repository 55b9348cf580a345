internal import Foundation
internal import GRDB
internal import Issuance

/// A Swift type that is stored in exactly one storage class of SQLite.
protocol StoredValue {
  /// - Returns: `nil` if the value has another storage class.
  init?(storage: DatabaseValue.Storage)
}

extension Int64: StoredValue {
  init?(storage: DatabaseValue.Storage) {
    guard case .int64(let number) = storage else { return nil }
    self = number
  }
}

extension Int: StoredValue {
  init?(storage: DatabaseValue.Storage) {
    guard let number = Int64(storage: storage) else { return nil }
    self.init(number)
  }
}

/// A condition in SQL: 0 or 1.
extension Bool: StoredValue {
  init?(storage: DatabaseValue.Storage) {
    guard let number = Int64(storage: storage), number == 0 || number == 1 else { return nil }
    self = number == 1
  }
}

extension String: StoredValue {
  init?(storage: DatabaseValue.Storage) {
    guard case .string(let text) = storage else { return nil }
    self = text
  }
}

extension Data: StoredValue {
  init?(storage: DatabaseValue.Storage) {
    guard case .blob(let bytes) = storage else { return nil }
    self = bytes
  }
}

/// The checked decode of stored values. GRDB converts between storage classes and loses data: a REAL becomes an integer,
/// a BLOB becomes a text. A value of another storage class was not written by a program, so it is refused here.
///
/// GRDB reads a text up to its first NUL. `reconcile report` finds the texts that hold one.
extension Row {
  /// - Throws: ``StoreError`` with `malformed` if the column holds NULL or another storage class.
  func value<Value: StoredValue>(_ column: String, as type: Value.Type = Value.self) throws -> Value {
    guard let value = Value(storage: storage(of: column)) else { throw StoreError.wrongType(column: column) }
    return value
  }

  /// - Returns: `nil` for NULL.
  /// - Throws: ``StoreError`` with `malformed` if the column holds another storage class.
  func optional<Value: StoredValue>(_ column: String, as type: Value.Type = Value.self) throws -> Value? {
    let storage = storage(of: column)
    if case .null = storage { return nil }
    guard let value = Value(storage: storage) else { throw StoreError.wrongType(column: column) }
    return value
  }

  /// NULL also if the row does not have the column.
  func storage(of column: String) -> DatabaseValue.Storage {
    hasColumn(column) ? (self[column] as DatabaseValue).storage : .null
  }

  /// The value as text, whatever its storage class is: for a message that names a row.
  func shown(_ column: String) -> String {
    switch storage(of: column) {
    case .null: "?"
    case .int64(let number): "\(number)"
    case .double(let number): "\(number)"
    case .string(let text): text
    case .blob(let bytes): String(decoding: bytes, as: UTF8.self)
    }
  }
}

extension StoreError {
  /// A value of a storage class that the column cannot have. The value is not printed: it may be user data.
  static func wrongType(column: String) -> StoreError {
    StoreError(
      .malformed, operation: "read a row", subject: column, cause: "it holds a value of a type that it cannot have",
      hint: "find the row with: reconcile report")
  }

  /// Reads a row, and names the row in a failure that belongs to it.
  ///
  /// - Parameter row: table and key.
  static func naming<Value>(_ row: @autoclosure () -> String, _ read: () throws -> Value) throws -> Value {
    do {
      return try read()
    } catch {
      guard let failure = error as? StoreError, failure.code == .malformed else { throw error }
      throw StoreError(
        .malformed, operation: failure.operation, subject: row(), cause: "\(failure.subject): \(failure.cause)",
        hint: failure.hint)
    }
  }
}

/// The bounds of stored numbers that no domain type has. Migration 8 holds the same bounds by triggers.
enum StoredNumber {
  /// Attempts, generations, positions, epochs, tallies: 1,000,000 a second for eleven days.
  static let counts = 0...1_000_000_000_000
}

/// Numbers of a row, each within its bounds. A number outside them is no program's: it is refused here, before anything is
/// computed with it.
///
/// Each method throws ``StoreError`` with `malformed` for a number out of bounds, and names its column.
extension Row {
  func requiredTimestamp(_ column: String) throws -> Timestamp {
    guard let time = Timestamp(stored: try value(column)) else { throw StoreError.outOfBounds(column: column) }
    return time
  }

  /// - Returns: `nil` for NULL.
  func timestamp(_ column: String) throws -> Timestamp? {
    guard let microseconds = try optional(column, as: Int64.self) else { return nil }
    guard let time = Timestamp(stored: microseconds) else { throw StoreError.outOfBounds(column: column) }
    return time
  }

  func seat(_ column: String = "seat") throws -> Seat {
    guard let seat = Seat(stored: try value(column)) else { throw StoreError.outOfBounds(column: column) }
    return seat
  }

  func count(_ column: String, in bounds: ClosedRange<Int> = StoredNumber.counts) throws -> Int {
    let number: Int = try value(column)
    guard bounds.contains(number) else { throw StoreError.outOfBounds(column: column) }
    return number
  }

  /// - Returns: `nil` for NULL.
  func optionalCount(_ column: String, in bounds: ClosedRange<Int> = StoredNumber.counts) throws -> Int? {
    try optional(column, as: Int.self) == nil ? nil : count(column, in: bounds)
  }
}

extension StoreError {
  /// A number that no program writes. The number is not printed: the report names the row.
  static func outOfBounds(column: String) -> StoreError {
    StoreError(
      .malformed, operation: "read a row", subject: column, cause: "its number is out of bounds",
      hint: "find the row with: reconcile report")
  }
}
