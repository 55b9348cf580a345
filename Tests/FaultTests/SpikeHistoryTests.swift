import Foundation
import GRDB
import History
import Synchronization
import TestSupport
import Testing

/// Two services, 100,000 claims on five campaigns at once, kills, raises, a pause and a close; then everything that was
/// heard is held against the database.
@Suite("Every promise holds over the history of a spike", .serialized)
struct SpikeHistoryTests {
  static let claims = 100_000
  static let clients = 96

  struct Plan: Sendable {
    let campaign: String
    let quota: Int
    let users: Int
    /// Of a hundred claims, how many are on this campaign.
    let share: Int
  }

  static let plans = [
    Plan(campaign: "small", quota: 100, users: 5_000, share: 15),
    Plan(campaign: "race", quota: 8_000, users: 20_000, share: 35),
    Plan(campaign: "raised", quota: 1_000, users: 12_000, share: 20),
    Plan(campaign: "paused", quota: 3_000, users: 8_000, share: 15),
    Plan(campaign: "closed", quota: 50_000, users: 10_000, share: 15),
  ]

  /// What happens when so many claims have begun.
  enum Incident: Sendable {
    case kill([Int])
    case act(String, Act.Kind)
    case report
  }

  static let incidents: [Int: Incident] = [
    6_000: .kill([0]), 12_000: .act("raised", .raised(to: 3_000)), 18_000: .kill([1]), 22_000: .act("paused", .paused),
    26_000: .report, 30_000: .kill([0, 1]), 38_000: .act("paused", .resumed), 44_000: .kill([1]),
    50_000: .act("raised", .raised(to: 5_000)), 56_000: .kill([0]), 60_000: .act("closed", .closed),
    66_000: .report, 70_000: .kill([0, 1]), 80_000: .kill([1]), 90_000: .kill([0]),
  ]

  @Test func theHistoryHolds() async throws {
    let directory = try ScratchDirectory()
    let database = directory.path("first-come.db")
    for plan in Self.plans {
      let created = try await Program.issueService.run([
        "campaign", "create", plan.campaign, "--quota", "\(plan.quota)", "--database", database,
      ])
      #expect(created.status == 0, "\(created.errors)")
    }
    let fleet = Fleet(database: database, size: 2)
    let spike = Spike(database: database, fleet: fleet)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<2 { group.addTask { try await fleet.supervise(index) } }
      try await spike.run()
      await fleet.stopAll()
      try await group.waitForAll()
    }
    let ends = await fleet.ends
    #expect(ends.filter { $0 == 128 + 9 }.count == 10 && ends.filter { $0 == 0 }.count == 2, "\(ends)")

    let history = spike.history
    let violations = HistoryChecker.violations(in: history, final: try Self.read(database))
    #expect(violations.isEmpty, "\(violations.prefix(20))")
    // A history in which nothing happened would prove nothing.
    let summary = HistorySummary(history)
    #expect(history.operations.count == Self.claims)
    #expect(summary.accepted > 15_000 && summary.same > 10_000 && summary.soldOut > 10_000, "\(summary)")
    #expect(summary.paused > 500 && summary.closed > 500 && summary.unknown > 10, "\(summary)")
    #expect(summary.mostInFlight > Self.clients / 2, "\(summary)")
    let report = try await Program.reconcile.run(["report", "--database", database])
    #expect(report.status == 0, "\(report.output)")
  }

  private static func read(_ database: String) throws -> [FinalCampaign] {
    try DatabaseQueue(path: database).read { db in
      try plans.map { plan in
        let campaign = try #require(
          try Row.fetchOne(db, sql: "SELECT quota, counter FROM campaign WHERE id = ?", arguments: [plan.campaign]))
        let rows = try Row.fetchAll(
          db,
          sql: """
            SELECT a.seat, a.user_id, c.code IS NOT NULL AS has_coupon
            FROM accepted_user a LEFT JOIN coupon c ON c.campaign_id = a.campaign_id AND c.seat = a.seat
              AND c.user_id = a.user_id
            WHERE a.campaign_id = ? ORDER BY a.seat
            """,
          arguments: [plan.campaign])
        return FinalCampaign(
          id: plan.campaign, firstQuota: plan.quota, quota: campaign["quota"], counter: campaign["counter"],
          rows: rows.map { FinalRow(seat: $0["seat"], user: $0["user_id"], hasCoupon: $0["has_coupon"]) })
      }
    }
  }
}

/// The clients and the operator, who write down what they did and heard.
private final class Spike: Sendable {
  private let database: String
  private let fleet: Fleet
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private let begun = Atomic<Int>(0)
  private let operations = Mutex<[History.Operation]>([])
  private let acts = Mutex<[Act]>([])

  init(database: String, fleet: Fleet) {
    self.database = database
    self.fleet = fleet
    start = clock.now
  }

  var history: ClaimHistory { ClaimHistory(operations: operations.withLock { $0 }, acts: acts.withLock { $0 }) }

  private var now: UInt64 {
    let (seconds, attoseconds) = (clock.now - start).components
    return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
  }

  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 1...SpikeHistoryTests.clients {
        group.addTask {
          while true {
            let number = self.begun.add(1, ordering: .relaxed).newValue
            if number > SpikeHistoryTests.claims { return }
            if let incident = SpikeHistoryTests.incidents[number] { try await self.happen(incident) }
            try await self.claim(number)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private func happen(_ incident: SpikeHistoryTests.Incident) async throws {
    switch incident {
    case .kill(let services): for service in services { await fleet.send(.kill, to: service) }
    case .report:
      let report = try await Program.reconcile.run(["report", "--database", database])
      #expect(report.status == 0, "\(report.output)")
    case .act(let campaign, let kind):
      let arguments =
        switch kind {
        case .raised(let quota): ["raise-quota", campaign, "--quota", "\(quota)"]
        case .paused: ["pause", campaign]
        case .resumed: ["resume", campaign]
        case .closed: ["close", campaign]
        }
      let begun = now
      let done = try await Program.issueService.run(["campaign"] + arguments + ["--database", database])
      #expect(done.status == 0, "\(done.errors)")
      acts.withLock { $0.append(Act(campaign: campaign, begun: begun, ended: now, kind: kind)) }
    }
  }

  private func claim(_ number: Int) async throws {
    var random = SplitMix(state: UInt64(number))
    var share = Int.random(in: 0..<100, using: &random)
    let plan = SpikeHistoryTests.plans.first { plan in
      share -= plan.share
      return share < 0
    }!
    let user = "user-\(Int.random(in: 1...plan.users, using: &random))"
    let address = await fleet.address(of: number % 2)
    let begun = now
    let answer: Answer
    do {
      answer = try Self.answer(to: try await HTTP.claim(user, from: plan.campaign, at: address), of: user)
    } catch is HTTP.Unreadable {
      throw HTTP.Unreadable()
    } catch {
      answer = .unknown  // the service died: it may have happened
    }
    let operation = History.Operation(campaign: plan.campaign, user: user, begun: begun, ended: now, answer: answer)
    operations.withLock { $0.append(operation) }
  }

  private static func answer(to response: HTTP.Response, of user: String) throws -> Answer {
    let json = try response.json()
    let body = String(decoding: response.body, as: UTF8.self)
    switch (response.status, try response.problem, json["outcome"]?.string) {
    case (201, _, _): return .accepted(seat: json["seat"]?.int ?? 0, body: body)
    case (200, _, _): return .same(seat: json["seat"]?.int ?? 0, body: body)
    case (409, "sold-out", _): return .soldOut
    case (409, "paused", _): return .paused
    case (410, "closed", _): return .closed
    case (503, _, "none"), (429, "too-many-requests", "none"): return .nothingHappened
    case (500..., _, "unknown"): return .unknown
    default:
      Issue.record("\(user) got \(response.status) \(body)")
      throw HTTP.Unreadable()
    }
  }
}

extension HTTP {
  /// An answer that the contract does not know.
  fileprivate struct Unreadable: Error {}
}
