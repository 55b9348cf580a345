package import Issuance
internal import Synchronization

/// A wall clock that stands until a test moves it, also backwards.
package final class TestClock: Sendable {
  private let present: Mutex<Timestamp>

  package init(_ start: Timestamp = TestClock.start) { present = Mutex(start) }

  /// 2026-12-01T09:00:00Z.
  package static let start = Timestamp(microseconds: 1_796_115_600_000_000)

  package var now: Timestamp { present.withLock { $0 } }
  package var clock: WallClock { { self.now } }

  package func set(to instant: Timestamp) { present.withLock { $0 = instant } }

  package func advance(by duration: Duration) { present.withLock { $0 = $0.advanced(by: duration) } }
}
