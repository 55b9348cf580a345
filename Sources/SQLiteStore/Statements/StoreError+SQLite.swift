internal import FileIO
internal import GRDB
internal import Issuance

extension StoreError {
  /// The failure that SQLite or GRDB reported while one port method ran.
  ///
  /// - Parameter outcomeIfDamaged: what is true of a write when the system or the file failed under it. A COMMIT that
  ///   failed with an I/O error may still be there after a restart.
  init(_ error: any Error, operation: String, subject: String, outcomeIfDamaged: Outcome = .none) {
    if let failure = error as? StoreError {
      self = failure
      return
    }
    if let failure = error as? AtomicFile.Failure {
      self.init(failure, operation: operation)
      return
    }
    if error is RowDecodingError {  // not printed: it holds the row, which is user data
      self.init(
        .malformed, operation: operation, subject: subject, cause: "a row holds a value of a type that it cannot have",
        hint: Code.malformed.hint(for: subject))
      return
    }
    guard let error = error as? DatabaseError else {
      // Its type alone: what an unknown error says of itself may be user data.
      self.init(
        .unexpected, operation: operation, subject: subject,
        cause: "an error that it does not expect, of the type \(String(reflecting: type(of: error)))")
      return
    }
    let code = Code(error.resultCode)
    let isDamage = code.isDamage
    // The message alone: statement arguments are user data.
    self.init(
      code, outcome: isDamage ? outcomeIfDamaged : .none, operation: operation, subject: subject,
      cause: "\(error.message ?? "no message") (SQLite code \(error.extendedResultCode.rawValue))",
      hint: code.hint(for: subject))
  }

  /// A row whose word this program does not know. The word is not printed: in a damaged row it may be anything.
  static func unknownWord(column: String) -> StoreError {
    StoreError(
      .malformed, operation: "read a row", subject: column, cause: "it holds what no program of this version writes",
      hint: "look with: reconcile report")
  }
}

extension StoreError.Code {
  fileprivate init(_ code: ResultCode) {
    switch code {
    case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy
    case .SQLITE_FULL: self = .diskFull
    case .SQLITE_READONLY: self = .readOnly
    case .SQLITE_IOERR, .SQLITE_CANTOPEN: self = .inputOutput
    // A header that is ours was read before any statement ran.
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt
    default: self = .unexpected
    }
  }

  /// The system, the file or its witness failed: nothing that is written from then on can be relied on.
  var isDamage: Bool {
    switch self {
    case .inputOutput, .corrupt, .witnessMissing, .witnessForeign, .witnessAhead: true
    default: false
    }
  }

  func hint(for subject: String) -> String {
    switch self {
    case .busy: "try again; if it lasts, see who holds the file with: fuser -v \(subject)"
    case .diskFull: "free space on the disk of the database and try again"
    case .readOnly: "check the mode and the mount of the database and its directory"
    case .malformed: "see which with: reconcile report --database \(subject)"
    case .inputOutput, .corrupt: "stop the programs, keep the file and its -wal, and check the disk"
    default: ""
    }
  }
}
