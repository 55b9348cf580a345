internal import Composition
internal import NIOCore
internal import ServiceKit
internal import Synchronization

/// Sends the claims of a plan, and hears what they are told.
final class LoadClient: Sendable {
  private let plan: LoadPlan
  private let service: LoadService
  private let progress: Progress
  private let checker: Mutex<ConsistencyChecker>
  private let next = Atomic<Int>(0)
  private let isStopping = Atomic<Bool>(false)
  private let begun = NIODeadline.now()

  /// How often who was told neither yes nor no is asked again at the end, and how many times in a row without avail.
  private static let rounds = (most: 30, withoutAvail: 5)
  /// The longest pause between those, whatever `Retry-After` says, in seconds.
  private static let longestPause = 5

  /// - Parameter before: the campaign before the first claim.
  init(_ plan: LoadPlan, service: LoadService, before: ConsistencyChecker.Stats, progress: Progress) {
    self.plan = plan
    self.service = service
    self.progress = progress
    checker = Mutex(ConsistencyChecker(users: plan.users, before: before) { service.id(of: $0) })
  }

  /// What a load came to.
  struct Result: Sendable {
    let tally: LoadTally
    let checker: ConsistencyChecker
    /// Who was told neither yes nor no at first, and how many of them were in the end.
    let askedAgain: (users: Int, decided: Int)
    /// Whether it was told to stop before all was sent, asked again and checked.
    let wasStopped: Bool
  }

  /// No claim is sent any more; ``run(counter:)`` returns when those under way are answered.
  func stop() { isStopping.store(true, ordering: .releasing) }

  private var hasStopped: Bool { isStopping.load(ordering: .acquiring) }

  /// Sends all, asks again who was told neither yes nor no, and checks the seats at the end.
  ///
  /// - Parameter counter: gives the counter in the database, at the end.
  func run(counter: () async throws -> Int?) async throws -> Result {
    let tally = await load()
    progress.finish()
    let asked = tally.answered > 0 ? await askAgain() : (0, 0)
    let wasStopped = hasStopped
    if !wasStopped, tally.answered > 0 {
      let after = try? await service.stats()
      let counter = try await counter()
      checker.withLock { $0.finish(after: after, counter: counter) }
    }
    return Result(tally: tally, checker: checker.withLock { $0 }, askedAgain: asked, wasStopped: wasStopped)
  }

  private func load() async -> LoadTally {
    await withTaskGroup(of: LoadTally.self) { group in
      for _ in 0..<min(plan.concurrency, plan.claims.count) { group.addTask { await self.work() } }
      var whole = LoadTally()
      for await tally in group { whole.add(tally) }
      return whole
    }
  }

  /// What one connection does: claim after claim, each at its time or, where that has passed, at once.
  private func work() async -> LoadTally {
    var tally = LoadTally()
    while let (index, intended) = await nextClaim() {
      let user = Int(plan.claims[index])
      let sent = now
      let (answer, failure) = await service.claim(for: user)
      let answered = now
      tally.add(answer, intended: intended, sent: sent, answered: answered)
      if let failure, tally.firstFailure == nil { tally.firstFailure = failure }
      checker.withLock { $0.record(answer, by: user, sent: sent, answered: answered) }
      progress.advance()
    }
    return tally
  }

  /// The next claim, when it may start; `nil` when all have started, or none may any more.
  private func nextClaim() async -> (index: Int, intended: Int64?)? {
    guard !hasStopped else { return nil }
    let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
    guard index < plan.claims.count else { return nil }
    let intended = plan.pace.intendedStart(of: index)
    if let intended { await wait(until: intended) }
    return hasStopped ? nil : (index, intended)
  }

  /// Waits in steps, so that being told to stop is noticed.
  private func wait(until time: Int64) async {
    while !hasStopped {
      let left = time - now
      guard left > 0 else { return }
      do {
        try await Task.sleep(for: .nanoseconds(min(left, 100_000_000)), tolerance: .zero)
      } catch {
        return stop()  // cancelled: nothing is to be waited for
      }
    }
  }

  /// Asks again until all are decided, or asking does not help. It is not measured.
  private func askAgain() async -> (users: Int, decided: Int) {
    let first = open
    var open = first
    var futile = 0
    var pause = 1
    for _ in 0..<Self.rounds.most where !open.isEmpty && futile < Self.rounds.withoutAvail && !hasStopped {
      await wait(until: now + Int64(pause) * 1_000_000_000)
      pause = await ask(open)
      let left = self.open
      futile = left.count < open.count ? 0 : futile + 1
      open = left
    }
    return (first.count, first.count - open.count)
  }

  private var open: [Int] { checker.withLock { $0.open } }

  /// Who is asked in one round, and how long to wait before the next.
  private final class Round: Sendable {
    let users: [Int]
    let next = Atomic<Int>(0)
    /// In seconds.
    let pause = Atomic<Int>(1)

    init(_ users: [Int]) { self.users = users }
  }

  /// - Returns: after how many seconds whoever is still not decided may ask again.
  private func ask(_ users: [Int]) async -> Int {
    let round = Round(users)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<min(plan.concurrency, users.count) { group.addTask { await self.work(on: round) } }
    }
    return round.pause.load(ordering: .relaxed)
  }

  private func work(on round: Round) async {
    while !hasStopped {
      let index = round.next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < round.users.count else { return }
      let user = round.users[index]
      let sent = now
      let (answer, _) = await service.claim(for: user)
      let answered = now
      checker.withLock { $0.heardAgain(answer, by: user, sent: sent, answered: answered) }
      if case .undecided(_, let seconds?) = answer {
        round.pause.max(min(seconds, Self.longestPause), ordering: .relaxed)
      }
    }
  }

  /// Nanoseconds since the beginning.
  private var now: Int64 { (NIODeadline.now() - begun).nanoseconds }
}
