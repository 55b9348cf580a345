/// Why a store could not do one whole port method. A refusal is a value; this is thrown.
///
/// The printed form holds no user data.
package struct StoreError: Error, Sendable {
  package enum Code: String, Sendable, CaseIterable {
    /// The database file is not there.
    case missing
    /// The file is another program's, or no database at all.
    case foreign
    /// The file is ours and damaged.
    case corrupt
    /// A row holds what no program of this version writes; the rest may be sound.
    case malformed
    case readOnly
    case diskFull
    /// The system refused a read, a write or a sync.
    case inputOutput
    /// The file belongs to another user of this machine.
    case notOwner
    /// The file has several names, each with locks of its own.
    case aliased
    /// A write, use or run lock was not had in time.
    case busy
    /// More claims wait than may.
    case overloaded
    case schemaOlder
    case schemaNewer
    /// The recorded migrations are not those of this program.
    case schemaAltered
    /// The store does not promise what acknowledging needs, such as synchronous = FULL.
    case notDurable
    /// Acceptances exist, and the witness that knows how many is not there or cannot be read.
    case witnessMissing
    /// The witness is another database's, or another than the one on record.
    case witnessForeign
    /// The witness has seen acceptances that the database does not have.
    case witnessAhead
    /// The write-ahead log beside the file was written on another file, or on another state of this one.
    case logMismatch
    case unexpected
  }

  /// What is true of the work after the failure.
  package enum Outcome: String, Sendable {
    /// Nothing happened.
    case none
    /// It may have happened: ask again to learn.
    case unknown
  }

  package let code: Code
  package let outcome: Outcome
  /// What was being done: "admit 12 claims".
  package let operation: String
  /// To what: the path of the file.
  package let subject: String
  /// What the system or the library said.
  package let cause: String
  /// What to do next; empty where nobody knows.
  package let hint: String

  package init(
    _ code: Code, outcome: Outcome = .none, operation: String, subject: String, cause: String, hint: String = ""
  ) {
    self.code = code
    self.outcome = outcome
    self.operation = operation
    self.subject = subject
    self.cause = cause
    self.hint = hint
  }

  /// Whether the same work may be tried again without anybody mending anything.
  package var isRetryable: Bool { code == .busy || code == .diskFull || code == .overloaded }
}

extension StoreError: CustomStringConvertible {
  package var description: String {
    "cannot \(operation): \(subject): \(cause)" + (hint.isEmpty ? "" : " (\(hint))")
  }
}

/// How often in a row a method of a store is called if the store is busy.
private let busyAttempts = 3

/// Calls one method of a port, and calls it again while the store is busy, three times in all: the lock timeout of the store
/// is the pause. A `busy` method has changed nothing.
///
/// - Throws: the last ``StoreError``.
package func retryWhileBusy<Result>(_ body: () async throws(StoreError) -> Result) async throws(StoreError) -> Result {
  for _ in 1..<busyAttempts {
    do throws(StoreError) {
      return try await body()
    } catch {
      guard error.code == .busy else { throw error }
    }
  }
  return try await body()
}
