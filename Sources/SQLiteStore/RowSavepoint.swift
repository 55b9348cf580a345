internal import GRDB
internal import Issuance

/// Runs the work on one row of a transaction over many rows. A failure that belongs to the row undoes that work alone.
struct RowSavepoint {
  enum Outcome<Value> {
    case done(Value)
    /// The work is undone; the evidence says why.
    case fault(evidence: String)
  }

  private let begin: DirectStatement
  private let undo: DirectStatement
  private let release: DirectStatement

  init(_ db: Database) throws {
    begin = try DirectStatement(db, sql: "SAVEPOINT one_row")
    undo = try DirectStatement(db, sql: "ROLLBACK TO one_row")
    release = try DirectStatement(db, sql: "RELEASE one_row")
  }

  /// - Throws: a failure that does not belong to the row. The transaction is then to be rolled back as a whole.
  func run<Value>(_ body: () throws -> Value) throws -> Outcome<Value> {
    try begin.run()
    do {
      let value = try body()
      try release.run()
      return .done(value)
    } catch {
      guard let evidence = StoreError.rowFault(error) else { throw error }
      try undo.run()
      try release.run()
      return .fault(evidence: evidence)
    }
  }
}

extension StoreError {
  /// Why a failure belongs to the row that was worked on; `nil` if it does not. Damage that SQLite reports itself
  /// belongs to the file.
  static func rowFault(_ error: any Error) -> String? {
    if let error = error as? DatabaseError {
      switch error.resultCode {
      case .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG:
        return "the database refused the row: \(error.message ?? "no message")"
      default: return nil
      }
    }
    if let failure = error as? StoreError {
      return failure.code == .malformed ? "\(failure.subject): \(failure.cause)" : nil
    }
    return error is RowDecodingError ? "a column holds a value of a type that it cannot have" : nil
  }

  /// Reads a value of one row; `nil` if the failure belongs to the row.
  static func readable<Value>(_ read: () throws -> Value) throws -> Value? {
    do {
      return try read()
    } catch {
      guard rowFault(error) != nil else { throw error }
      return nil
    }
  }
}
