internal import ServiceLifecycle

/// Tells the service manager again and again that the service is alive, as long as it is.
///
/// Put it first into a ServiceGroup, which stops its services from the last to the first: so it speaks up to the end of
/// the drain.
package struct WatchdogService: Service {
  private let notices: ServiceNotices
  private let isAlive: @Sendable () async -> Bool
  private let now: @Sendable () -> ContinuousClock.Instant

  /// - Parameters:
  ///   - isAlive: asked at every half of the manager's time-out. An answer that takes longer than the whole of it is no yes.
  ///   - now: what measures how long the answer took.
  package init(
    _ notices: ServiceNotices, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
    isAlive: @escaping @Sendable () async -> Bool
  ) {
    self.notices = notices
    self.now = now
    self.isAlive = isAlive
  }

  /// Ends when the service is told to stop. Where no manager waits for the notice, it only waits for that.
  package func run() async throws {
    guard let timeout = notices.watchdogTimeout else {
      try? await gracefulShutdown()  // being cancelled is the other way to end
      return
    }
    try? await cancelWhenGracefulShutdown {
      while true {
        let asked = now()
        let isAlive = await self.isAlive()
        let elapsed = asked.duration(to: now())
        if isAlive, elapsed < timeout { notices.send(.watchdog) }
        try await Task.sleep(for: timeout / 2 - elapsed)
      }
    }
  }
}
