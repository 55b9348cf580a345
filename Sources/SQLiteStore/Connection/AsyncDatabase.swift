internal import GRDB
internal import Issuance

/// Turns a callback of GRDB into an asynchronous result. The work runs on the queue of the connection, never on the
/// cooperative pool, and is not cancelled with its task: a transaction has one outcome.
private func onQueue<Result: Sendable>(
  _ start: (@escaping @Sendable (Swift.Result<Result, StoreError>) -> Void) -> Void
) async throws(StoreError) -> Result {
  let result = await withCheckedContinuation { continuation in
    start { continuation.resume(returning: $0) }
  }
  return try result.get()
}

extension DatabaseReader {
  /// Runs reads on one snapshot.
  ///
  /// - Parameter failure: what an error of the body is for the caller.
  func snapshot<Result: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Result, failure: @escaping @Sendable (any Error) -> StoreError
  ) async throws(StoreError) -> Result {
    try await onQueue { answer in
      asyncRead { db in
        do {
          answer(.success(try body(db.get())))
        } catch {
          answer(.failure(failure(error)))
        }
      }
    }
  }
}

extension DatabaseWriter {
  /// Runs `body` on the only connection that writes. The body begins its own transactions.
  ///
  /// - Parameter failure: what an error of the body is for the caller.
  func onWriter<Result: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Result, failure: @escaping @Sendable (any Error) -> StoreError
  ) async throws(StoreError) -> Result {
    try await onQueue { answer in
      asyncWriteWithoutTransaction { db in
        do {
          answer(.success(try body(db)))
        } catch {
          answer(.failure(failure(error)))
        }
      }
    }
  }
}
