import Foundation
import History
import Proof
import TestSupport
import Testing

/// Two services, 100,000 claims on five campaigns at once, kills, raises, a pause and a close; then everything that was
/// heard is held against the database. `SPIKE_PERCENT=10` makes a tenth of it all, where each claim is watched.
@Suite("Every promise holds over the history of a spike", .serialized)
struct SpikeHistoryTests {
  static let percent = ProcessInfo.processInfo.environment["SPIKE_PERCENT"].flatMap { Int($0) } ?? 100
  static let claims = share(of: 100_000)
  static let clients = 96

  struct Plan: Sendable {
    let campaign: String
    let quota: Int
    let users: Int
    /// Of a hundred claims, how many are on this campaign.
    let share: Int
  }

  static func share(of number: Int) -> Int { number * percent / 100 }

  static let plans = [
    Plan(campaign: "small", quota: share(of: 100), users: share(of: 5_000), share: 15),
    Plan(campaign: "race", quota: share(of: 8_000), users: share(of: 20_000), share: 35),
    Plan(campaign: "raised", quota: share(of: 1_000), users: share(of: 12_000), share: 20),
    Plan(campaign: "paused", quota: share(of: 3_000), users: share(of: 8_000), share: 15),
    Plan(campaign: "closed", quota: share(of: 50_000), users: share(of: 10_000), share: 15),
  ]

  /// What happens when so many claims have begun.
  enum Incident: Sendable {
    case kill([Int])
    case act(String, Act.Kind)
    case report
  }

  static let incidents = Dictionary(uniqueKeysWithValues: happenings.map { (share(of: $0), $1) })
  private static let happenings: [Int: Incident] = [
    6_000: .kill([0]), 12_000: .act("raised", .raised(to: share(of: 3_000))), 18_000: .kill([1]),
    22_000: .act("paused", .paused),
    26_000: .report, 30_000: .kill([0, 1]), 38_000: .act("paused", .resumed), 44_000: .kill([1]),
    50_000: .act("raised", .raised(to: share(of: 5_000))), 56_000: .kill([0]), 60_000: .act("closed", .closed),
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
    let spike = Spike(database: database)
    let fleet = spike.fleet
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<2 { group.addTask { try await fleet.supervise(index) } }
      try await spike.run()
      await fleet.stopAll()
      try await group.waitForAll()
    }
    let ends = await fleet.ends
    #expect(ends.filter { $0 == 128 + 9 }.count == 10 && ends.filter { $0 == 0 }.count == 2, "\(ends)")

    let history = spike.recorder.history
    let firstQuotas = Dictionary(uniqueKeysWithValues: Self.plans.map { ($0.campaign, $0.quota) })
    let violations = HistoryChecker.violations(
      in: history, final: try DatabaseReading.final(of: database, firstQuotas: firstQuotas))
    #expect(violations.isEmpty, "\(violations.prefix(20))")
    // A history in which nothing happened would prove nothing.
    let summary = HistorySummary(history)
    #expect(history.operations.count == Self.claims)
    let least = Self.share(of: 10_000)
    #expect(summary.accepted > least * 3 / 2 && summary.same > least && summary.soldOut > least, "\(summary)")
    #expect(summary.paused > least / 20 && summary.closed > least / 20 && summary.unknown > 10, "\(summary)")
    #expect(summary.mostInFlight > Self.clients / 2, "\(summary)")
    let report = try await Program.reconcile.run(["report", "--database", database])
    #expect(report.status == 0, "\(report.output)")
  }
}

/// The clients and the operator, who write down what they did and heard.
private final class Spike: Sendable {
  let recorder = Recorder()
  let fleet: Fleet
  private let database: String
  private let numbers = Numbers()

  init(database: String) {
    self.database = database
    fleet = Fleet(database: database, size: 2, died: recorder.died)
  }

  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 1...SpikeHistoryTests.clients {
        group.addTask {
          while true {
            let number = self.numbers.next()
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
      try recorder.read("a report was made", database)
    case .act(let campaign, let kind):
      let done = try await recorder.act(kind, on: campaign, of: database)
      #expect(done.status == 0, "\(done.errors)")
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
    try await recorder.claim(user, from: plan.campaign, at: await fleet.service(number % 2))
  }
}
