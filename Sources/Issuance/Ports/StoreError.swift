/// The reason that a store could not complete one port method. A refusal is a value; a failure is thrown as this
/// error.
///
/// The printed form holds no user data.
package struct StoreError: Error, Sendable {
  package enum Code: String, Sendable, CaseIterable {
    /// The database file does not exist.
    case missing
    /// The file belongs to another program, or is not a database.
    case foreign
    /// The file is ours and is damaged.
    case corrupt
    /// A row holds values that no program of this version writes; the other rows may be sound.
    case malformed
    case readOnly
    case diskFull
    /// The system refused a read, a write or a sync.
    case inputOutput
    /// The file belongs to another user of this machine.
    case notOwner
    /// The file has several names, each with its own locks.
    case aliased
    /// A write, use or run lock was not acquired in time.
    case busy
    /// More claims are waiting than the limit allows.
    case overloaded
    case schemaOlder
    case schemaNewer
    /// The recorded migrations differ from those of this program.
    case schemaAltered
    /// The store lacks a setting that durable acknowledgements need, such as synchronous = FULL.
    case notDurable
    /// Acceptances exist, but the witness that records their number is missing or cannot be read.
    case witnessMissing
    /// The witness belongs to another database, or is not the one on record.
    case witnessForeign
    /// The witness has seen acceptances that the database does not have.
    case witnessAhead
    /// The write-ahead log beside the file belongs to another file, or to another state of this file.
    case logMismatch
    case unexpected
  }

  /// Whether the work took effect despite the failure.
  package enum Outcome: String, Sendable {
    /// Nothing happened.
    case none
    /// The work may have happened: repeat the request to find out.
    case unknown
  }

  package let code: Code
  package let outcome: Outcome
  /// The operation that failed: "admit 12 claims".
  package let operation: String
  /// The path of the file that the operation was for.
  package let subject: String
  /// The message of the system or the library.
  package let cause: String
  /// The next step for the operator; empty if unknown.
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

  /// Whether the caller may try the same work again without a repair.
  package var isRetryable: Bool { code == .busy || code == .diskFull || code == .overloaded }
}

extension StoreError: CustomStringConvertible {
  package var description: String {
    "cannot \(operation): \(subject): \(cause)" + (hint.isEmpty ? "" : " (\(hint))")
  }
}

/// The maximum number of calls to a store method in a row while the store is busy.
private let busyAttempts = 3

/// Calls one port method, and retries it while the store is busy: three calls in all. The pause between calls is the
/// store's lock timeout. A method that throws `busy` has changed nothing.
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
