import TestSupport

/// Services on one database, each of which comes back whenever it is killed.
actor Fleet {
  enum Order: Sendable { case kill, stop }

  private let database: String
  private var addresses: [String?]
  private let orders: [AsyncStream<Order>]
  private let order: [AsyncStream<Order>.Continuation]
  private var waiting: [CheckedContinuation<Void, Never>] = []
  /// How each run of a service ended.
  private(set) var ends: [Int32] = []

  init(database: String, size: Int) {
    self.database = database
    addresses = Array(repeating: nil, count: size)
    let streams = (0..<size).map { _ in AsyncStream<Order>.makeStream() }
    orders = streams.map(\.stream)
    order = streams.map(\.continuation)
  }

  /// Keeps one service running until it is told to stop.
  func supervise(_ index: Int) async throws {
    var isStopping = false
    while !isStopping {
      let (database, orders) = (database, orders[index])
      let ended = try await RunningService.run(database: database) { service in
        await self.isUp(index, at: service.claims)
        var next = orders.makeAsyncIterator()
        let order = await next.next() ?? .stop
        // Killed while clients wait for its answers: only then does nobody go there any more.
        if order == .kill { try service.kill() } else { try service.terminate() }
        await self.isDown(index)
        return order
      }
      isStopping = ended.value == .stop
      ends.append(ended.status)
    }
  }

  private func isDown(_ index: Int) { addresses[index] = nil }

  private func isUp(_ index: Int, at address: String) {
    addresses[index] = address
    let waiting = self.waiting
    self.waiting = []
    for client in waiting { client.resume() }
  }

  /// The address of a service that runs, that one if it does; waits while none does.
  func address(of index: Int) async -> String {
    while true {
      if let address = addresses[index] ?? addresses.compactMap(\.self).first { return address }
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  /// Kills or stops a service. One that is coming up is killed as soon as it is there.
  func send(_ order: Order, to index: Int) { self.order[index].yield(order) }

  func stopAll() { for index in addresses.indices { send(.stop, to: index) } }
}
