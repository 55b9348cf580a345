internal import CrashPoints
internal import Synchronization

/// Calls the issuers of webhook campaigns to get codes. Never called inside a transaction.
package protocol CodeIssuer: Sendable {
  /// Makes one call.
  ///
  /// - Parameter deadline: the time limit for the whole call, name look-up and connection included.
  /// - Returns: a code, or a failure with its kind. It never throws: every error is a failure value.
  func ask(_ call: CodeRequest, within deadline: Duration) async -> CodeResponse
}

/// One request to an issuer: the code for the seat of an event.
package struct CodeRequest: Sendable, Hashable {
  package let campaignID: CampaignID
  package let seat: Seat
  package let userID: UserID
  /// The URL of the issuer. Calls to one endpoint share a circuit breaker.
  package let endpoint: String

  package init(event: Event, endpoint: String) {
    campaignID = event.campaignID
    seat = event.seat
    userID = event.userID
    self.endpoint = endpoint
  }

  /// The same at every replay, so an issuer answers a repeat with the same code: `summer/17`.
  package var idempotencyKey: String { "\(campaignID)/\(seat)" }
}

/// The result of a call to an issuer.
package enum CodeResponse: Sendable, Equatable {
  case code(CouponCode)
  case failure(IssuerFailure)
}

/// The reason that an issuer gave no code. The issuer may have made a code anyway; a repeat with the same key returns
/// it.
package struct IssuerFailure: Sendable, Equatable {
  package let kind: FailureKind
  /// The error message, with the first bytes of the issuer's answer.
  package let error: String
  /// The wait that the issuer requests before the next call.
  package let retryAfter: Duration?

  package init(_ kind: FailureKind, _ error: String, retryAfter: Duration? = nil) {
    self.kind = kind
    self.error = error
    self.retryAfter = retryAfter
  }
}

/// Calls issuers for the codes of leased events, a few at a time, and settles the answers. The consumer and the retry
/// batch use it for their work outside of transactions.
package final class IssuerDispatcher: Sendable {
  /// The limits of issuer calls.
  package struct Limits: Sendable, Equatable {
    /// The maximum number of concurrent calls.
    package var concurrency = 8
    /// The time limit of one call.
    package var deadline = Duration.seconds(10)
    /// The duration of a lease. Leases are renewed every third of it.
    package var lease = Duration.seconds(60)
    /// The longest lease duration that can be configured.
    package static let longestLease = Duration.seconds(3_600)

    package init() {}
  }

  private let store: any LeasedWork
  private let issuer: any CodeIssuer
  private let limits: Limits
  private let clock: WallClock
  private let state: Mutex<State>

  private struct State {
    var book: CircuitBreakers
    var inHand: [SeatKey: Lease] = [:]
    var finished: [Attempt] = []
  }

  /// - Parameter circuits: the circuit breakers in the store when the worker begins.
  package init(
    store: any LeasedWork, issuer: any CodeIssuer, circuits: [CircuitBreaker], limits: Limits,
    clock: @escaping WallClock
  ) {
    self.store = store
    self.issuer = issuer
    self.limits = limits
    self.clock = clock
    state = Mutex(State(book: CircuitBreakers(circuits)))
  }

  /// Issuers that are down. They must not be called, and their events must not be leased.
  package var openCircuits: Set<String> { state.withLock { $0.book.openCircuits } }

  /// Calls the issuer of each lease and settles the answers. Releases the leases that it did not start, because
  /// `mayBegin` returned `false` or the issuer is down.
  ///
  /// - Parameters:
  ///   - mayBegin: called before each issuer call; calls in progress finish in any case.
  ///   - didSettle: receives the outcomes of each transaction.
  package func settle(
    _ leases: [Lease], mayBegin: @escaping @Sendable () -> Bool = { true },
    didSettle: ([ReplayOutcome]) -> Void
  ) async throws {
    let leases = Self.inTurn(leases)
    state.withLock { state in
      state.inHand = Dictionary(leases.map { (SeatKey($0.event), $0) }, uniquingKeysWith: { first, _ in first })
    }
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask { try await self.renewUntilCancelled() }
      var waiting = leases[...]
      var underWay = 0
      func beginCalls() {
        while underWay < limits.concurrency, mayBegin(), let lease = takeNext(from: &waiting) {
          underWay += 1
          group.addTask {
            await self.ask(lease)
            return true
          }
        }
      }
      beginCalls()
      while underWay > 0, let isCall = try await group.next() {
        guard isCall else { continue }
        // All answers that arrived while the last transaction ran.
        let attempts = state.withLock { state in
          defer { state.finished = [] }
          return state.finished
        }
        underWay -= 1
        if !attempts.isEmpty { didSettle(try await settleNow(attempts)) }
        beginCalls()
      }
      group.cancelAll()
      if !waiting.isEmpty { try await store.release(Array(waiting)) }
    }
  }

  /// Alternates between issuers, so a slow issuer delays only its own events.
  static func inTurn(_ leases: [Lease]) -> [Lease] {
    let byIssuer = Dictionary(grouping: leases) { $0.call?.endpoint ?? "" }
    let longest = byIssuer.values.map(\.count).max() ?? 0
    let issuers = byIssuer.keys.sorted()
    return (0..<longest).flatMap { place in
      issuers.compactMap { issuer in
        let own = byIssuer[issuer] ?? []
        return own.indices.contains(place) ? own[place] : nil
      }
    }
  }

  /// The next lease with an issuer that may be called. Leases with an issuer that is down stay in `waiting`.
  private func takeNext(from waiting: inout ArraySlice<Lease>) -> Lease? {
    // While events of several issuers wait, each issuer has its share of the concurrent calls.
    let share = max(1, limits.concurrency / max(1, Set(waiting.map { $0.call?.endpoint }).count))
    return state.withLock { state in
      let next = waiting.firstIndex { lease in
        lease.call.map { state.book.mayAsk($0.endpoint, share: share) } ?? true
      }
      guard let next else { return nil }
      let lease = waiting.remove(at: next)
      if let call = lease.call { state.book.begin(call) }
      return lease
    }
  }

  private func ask(_ lease: Lease) async {
    let startedAt = clock()
    guard let call = lease.call else {
      return state.withLock { $0.finished.append(Attempt(lease: lease, startedAt: startedAt)) }
    }
    crashPoint(.issuerAsked)
    let answer = await issuer.ask(call, within: limits.deadline)
    crashPoint(.issuerAnswered)
    state.withLock { state in
      state.book.end(call, answer)
      state.finished.append(Attempt(lease: lease, startedAt: startedAt, answer: answer))
    }
  }

  private func settleNow(_ attempts: [Attempt]) async throws(StoreError) -> [ReplayOutcome] {
    let outcomes = try await retryWhileBusy { () async throws(StoreError) in try await store.settle(attempts) }
    state.withLock { state in
      for attempt in attempts { state.inHand[SeatKey(attempt.lease.event)] = nil }
    }
    return outcomes
  }

  /// Renews the leases in progress until cancelled, so that no other worker takes them during a call. A lost lease is
  /// not renewed: its attempt will be fenced. If the store is busy, the next renewal is still in time before the
  /// lease ends.
  private func renewUntilCancelled() async throws -> Bool {
    while true {
      do {
        try await Task.sleep(for: limits.lease / 3)
      } catch {
        return false
      }
      let leases = state.withLock { Array($0.inHand.values) }
      do throws(StoreError) {
        _ = try await store.renew(leases, duration: limits.lease)
      } catch {
        guard error.isRetryable else { throw error }
      }
    }
  }
}

extension SeatKey {
  package init(_ event: Event) { self.init(campaign: event.campaignID.rawValue, seat: event.seat.number) }
}
