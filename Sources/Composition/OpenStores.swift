internal import Issuance
internal import Synchronization

/// The stores that one command has opened. They are closed when the command ends, however it ends, so that each program
/// leaves a database whose file alone has everything.
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
    let opened = stores.withLock { $0 }
    var reasons: [String] = []
    for store in opened.reversed() {
      if let reason = await store.close() { reasons.append(reason) }
    }
    return reasons
  }
}
