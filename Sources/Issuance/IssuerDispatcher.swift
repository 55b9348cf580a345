internal import CrashPoints
internal import Synchronization

/// Asks the issuers of webhook campaigns for codes. Never called inside a transaction.
package protocol CodeIssuer: Sendable {
  /// Asks once.
  ///
  /// - Parameter deadline: how long it may take at most, name look-up and connection included.
  /// - Returns: a code, or why there is none, by its kind. It never throws: whatever goes wrong is an answer.
  func ask(_ call: CodeRequest, within deadline: Duration) async -> CodeResponse
}

/// One question to an issuer: the code for the seat of an event.
package struct CodeRequest: Sendable, Hashable {
  package let campaignID: CampaignID
  package let seat: Seat
  package let userID: UserID
  /// Where the issuer is asked: its URL. Calls to one endpoint share their fate.
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

/// What came of asking an issuer.
package enum CodeResponse: Sendable, Equatable {
  case code(CouponCode)
  case failure(IssuerFailure)
}

/// Why an issuer gave no code. It may have made one all the same: who asks again with the same key learns it.
package struct IssuerFailure: Sendable, Equatable {
  package let kind: FailureKind
  /// In words, with the first bytes of what the issuer said.
  package let error: String
  /// How long the issuer asks to be left alone.
  package let retryAfter: Duration?

  package init(_ kind: FailureKind, _ error: String, retryAfter: Duration? = nil) {
    self.kind = kind
    self.error = error
    self.retryAfter = retryAfter
  }
}

/// Asks issuers for the codes of leased events, a few at once, and settles what they answer: the part of consumer and
/// retry batch that happens outside of transactions.
package final class IssuerDispatcher: Sendable {
  /// How calls are made.
  package struct Limits: Sendable, Equatable {
    /// How many are under way at once.
    package var concurrency = 8
    /// How long one may take.
    package var deadline = Duration.seconds(10)
    /// How long a lease is; it is renewed each third of that.
    package var lease = Duration.seconds(60)
    /// The longest that a lease can be set to.
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

  /// - Parameter circuits: as the store knows them when the worker begins.
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

  /// Issuers that are down: not to be asked, nor their events leased.
  package var openCircuits: Set<String> { state.withLock { $0.book.openCircuits } }

  /// Asks for each lease, unless told to stop or its issuer is down, and settles; what was not asked for is given back.
  ///
  /// - Parameters:
  ///   - mayBegin: asked before each call; calls under way are finished all the same.
  ///   - didSettle: hears the outcomes of each transaction.
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
        // All that has been answered while the last transaction ran.
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

  /// One of each issuer after the other: a slow one holds up its own events.
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

  /// The next lease whose issuer may be asked. Those whose issuer is down stay where they are.
  private func takeNext(from waiting: inout ArraySlice<Lease>) -> Lease? {
    // While events of several issuers wait, each has its share of what may be under way.
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

  /// Keeps what is in hand from others for as long as calls take. A lease that was lost is not renewed: its attempt will
  /// be fenced. A store that is busy is asked again at the next turn, in good time before the lease is over.
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
