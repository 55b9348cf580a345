internal import Composition
internal import Foundation
package import NIOCore
internal import ServiceKit
internal import Synchronization

/// Sends the claims of a plan, and hears what they are told.
final class LoadClient: Sendable {
  private let plan: LoadPlan
  private let service: LoadService
  private let progress: ProgressMeter
  private let checker: Mutex<ConsistencyChecker>
  private let next = Atomic<Int>(0)
  private let isStopping = Atomic<Bool>(false)
  private let begun = NIODeadline.now()

  /// How often who was told neither yes nor no is asked again at the end, and how many times in a row without avail.
  private static let rounds = (most: 30, withoutAvail: 5)
  /// The longest pause between those, whatever `Retry-After` says, in seconds.
  private static let longestPause = 5

  /// - Parameter before: the campaign before the first claim.
  init(_ plan: LoadPlan, service: LoadService, before: ConsistencyChecker.Stats, progress: ProgressMeter) {
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

/// What a claim was told.
package enum LoadAnswer: Sendable, Equatable {
  case seat(Int, isRepeat: Bool)
  /// A definite no of the campaign: sold out, closed, not open yet, paused.
  case no(ProblemKind)
  /// An error that asking again does not change: no such campaign, no user.
  case refused(ProblemKind)
  /// Neither yes nor no. Asking again tells.
  case undecided(Undecided, retryAfter: Int?)
  /// An answer that the contract does not have, and why.
  case broken(String)

  package enum Undecided: String, Sendable, CaseIterable {
    /// 429.
    case tooManyRequests = "too-many-requests"
    /// 408.
    case timeout
    /// 5xx with the outcome `none`: nothing happened.
    case none = "unavailable-none"
    /// 5xx with the outcome `unknown`, or one that does not say.
    case unknown = "unavailable-unknown"
    /// The connection failed, or no answer came in time.
    case noAnswer = "no-answer"
  }

  /// The outcome under which it is counted.
  var word: String {
    switch self {
    case .seat(_, let isRepeat): isRepeat ? "repeat" : "accepted"
    case .no(let kind), .refused(let kind): kind.rawValue
    case .undecided(let outcome, _): outcome.rawValue
    case .broken: Self.brokenWord
    }
  }

  static let brokenWord = "not-understood"

  /// Whether the service said anything at all.
  var isAnswer: Bool {
    if case .undecided(.noAnswer, _) = self { false } else { true }
  }
}

/// Who asked, as the answer to a claim must name them.
package struct LoadRequest: Sendable {
  let campaign: String
  let user: String

  package init(campaign: String, user: String) {
    self.campaign = campaign
    self.user = user
  }
}

extension LoadAnswer {
  private struct Acceptance: Decodable {
    let campaignID: String
    let userID: String
    let seat: Int

    enum CodingKeys: String, CodingKey {
      case campaignID = "campaign_id"
      case userID = "user_id"
      case seat
    }
  }

  private struct ProblemDocument: Decodable {
    let type: String
    let outcome: String?
  }

  /// Reads an answer as docs/openapi.yaml has them.
  package init(status: Int, retryAfter: Int?, body: ByteBuffer, to question: LoadRequest) {
    switch status {
    case 200, 201: self = Self.acceptance(body, isRepeat: status == 200, question)
    case 408: self = .undecided(.timeout, retryAfter: retryAfter)
    case 429: self = .undecided(.tooManyRequests, retryAfter: retryAfter)
    case 400..<500: self = Self.refusal(status, body)
    case 500..<600:
      let problem = try? JSONDecoder().decode(ProblemDocument.self, from: Data(body.readableBytesView))
      self = .undecided(problem?.outcome == "none" ? .none : .unknown, retryAfter: retryAfter)
    default: self = .broken("status \(status)")
    }
  }

  private static func acceptance(_ body: ByteBuffer, isRepeat: Bool, _ question: LoadRequest) -> LoadAnswer {
    guard let acceptance = try? JSONDecoder().decode(Acceptance.self, from: Data(body.readableBytesView)) else {
      return .broken("a yes that names no seat")
    }
    guard acceptance.userID == question.user, acceptance.campaignID == question.campaign else {
      return .broken("a yes to somebody else")
    }
    guard acceptance.seat >= 1 else { return .broken("a yes with seat \(acceptance.seat)") }
    return .seat(acceptance.seat, isRepeat: isRepeat)
  }

  /// Sold out is what almost everybody hears: its type is looked for where the service writes it, at the end, and only
  /// where it is not there the document is read. In a JSON string these bytes cannot stand as they are.
  private static func refusal(_ status: Int, _ body: ByteBuffer) -> LoadAnswer {
    if status == ProblemKind.soldOut.status, body.ends(with: soldOut) { return .no(.soldOut) }
    guard let problem = try? JSONDecoder().decode(ProblemDocument.self, from: Data(body.readableBytesView)),
      let word = problem.type.split(separator: "/").last, let kind = ProblemKind(rawValue: String(word)),
      kind.status == status
    else { return .broken("status \(status) without a type that it can have") }
    switch kind {
    case .soldOut, .closed, .notOpenYet, .paused: return .no(kind)
    default: return .refused(kind)
    }
  }

  private static let soldOut = Array(#","type":"/problems/sold-out"}"#.utf8)
}

extension ByteBuffer {
  /// Whether the last bytes that can be read are these.
  fileprivate func ends(with ending: [UInt8]) -> Bool {
    unsafe withUnsafeReadableBytes { bytes in
      guard bytes.count >= ending.count, let start = bytes.baseAddress else { return false }
      return unsafe memcmp(start + (bytes.count - ending.count), ending, ending.count) == 0
    }
  }
}
