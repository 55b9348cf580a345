internal import TestSupport

/// Services on one database, each of which comes back whenever it is killed.
package actor Fleet {
  package enum Order: Sendable { case kill, stop }

  /// A service that was running a moment ago.
  package struct Service: Sendable {
    /// `http://127.0.0.1:PORT` of the public listener.
    package let address: String
    /// The name of this run of it: no other has it.
    package let process: String
  }

  private let database: String
  private let died: @Sendable (_ process: String) -> Void
  private var running: [Service?]
  private let orders: [AsyncStream<Order>]
  private let order: [AsyncStream<Order>.Continuation]
  private var waiting: [CheckedContinuation<Void, Never>] = []
  /// How each run of a service ended.
  package private(set) var ends: [Int32] = []

  /// - Parameter died: hears when the end of a process is known.
  package init(database: String, size: Int, died: @escaping @Sendable (_ process: String) -> Void = { _ in }) {
    self.database = database
    self.died = died
    running = Array(repeating: nil, count: size)
    let streams = (0..<size).map { _ in AsyncStream<Order>.makeStream() }
    orders = streams.map(\.stream)
    order = streams.map(\.continuation)
  }

  /// Keeps one service running until it is told to stop.
  package func supervise(_ index: Int) async throws {
    var isStopping = false
    var runs = 0
    while !isStopping {
      runs += 1
      let (database, orders, process) = (database, orders[index], "service-\(index)-\(runs)")
      let ended = try await RunningService.run(database: database) { service in
        await self.isUp(index, Service(address: service.claims, process: process))
        var next = orders.makeAsyncIterator()
        let order = await next.next() ?? .stop
        // Killed while clients wait for its answers: only then does nobody go there any more.
        if order == .kill { try service.kill() } else { try service.terminate() }
        await self.isDown(index)
        return order
      }
      died(process)
      isStopping = ended.value == .stop
      ends.append(ended.status)
    }
  }

  private func isDown(_ index: Int) { running[index] = nil }

  private func isUp(_ index: Int, _ service: Service) {
    running[index] = service
    let waiting = self.waiting
    self.waiting = []
    for client in waiting { client.resume() }
  }

  /// A service that runs, that one if it does; waits while none does.
  package func service(_ index: Int) async -> Service {
    while true {
      if let service = running[index] ?? running.compactMap(\.self).first { return service }
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  /// Kills or stops a service. One that is coming up is killed as soon as it is there.
  package func send(_ order: Order, to index: Int) { self.order[index].yield(order) }

  package func stopAll() { for index in running.indices { send(.stop, to: index) } }
}
