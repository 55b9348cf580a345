internal import GRDB
internal import Issuance

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
