internal import Issuance
internal import Synchronization

/// The stores that one command, or one turn of a command that stays, has opened. They are closed when it ends, however
/// it ends, so that each program leaves a database whose file alone has everything.
final class OpenStores: Sendable {
  @TaskLocal static var current: OpenStores?

  private let stores = Mutex<[any ClosableStore]>([])

  /// Registers a store with the command that runs, if there is one.
  static func register<Store: ClosableStore>(_ store: Store) -> Store {
    current?.stores.withLock { $0.append(store) }
    return store
  }

  /// Closes them, the last that was opened first.
  ///
  /// - Returns: one reason for each that could not be closed as it should be.
  func close() async -> [String] {
    let opened = stores.withLock { stores in
      defer { stores = [] }
      return stores
    }
    var reasons: [String] = []
    for store in opened.reversed() {
      if let reason = await store.close() { reasons.append(reason) }
    }
    return reasons
  }
}

/// Closes the stores that `body` opens when it ends, and warns on standard error of a log that stays. A command that
/// stays and opens the database at each turn wraps the turn.
package func closingStores<Result>(_ body: () async throws -> Result) async throws -> Result {
  let stores = OpenStores()
  let result: Swift.Result<Result, any Error>
  do {
    result = .success(try await OpenStores.$current.withValue(stores) { try await body() })
  } catch {
    result = .failure(error)
  }
  for reason in await stores.close() {
    printError(
      "warning: the write-ahead log stays beside the database, and a copy of the file alone lacks it: \(reason)")
  }
  return try result.get()
}
