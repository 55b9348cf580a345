internal import Composition
internal import Issuance
internal import IssueService
internal import ServiceKit
internal import Synchronization

/// Measures admission in this process: the service without HTTP. See Benchmarks/README.md.
///
///     admission-benchmark DATABASE MODE CLAIMS GROUP
///
/// - `store`: groups of GROUP handed to the store one after the other.
/// - `desk`: 2 × GROUP clients that each wait for their answer, so that groups form by themselves.
/// - `late`: the same clients, at a campaign that is sold out.
@main
struct Benchmark {
  let store: any CouponStore
  let claims: Int
  let group: Int

  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 5, let claims = Int(arguments[3]), let group = Int(arguments[4]), claims > 0, group > 0
    else {
      printError("usage: admission-benchmark DATABASE store|desk|late CLAIMS GROUP")
      throw ProgramExit.usage.exitCode
    }
    let store = try Backend.openStore(database: arguments[1], ifMissing: .create)
    let benchmark = Benchmark(store: store, claims: claims, group: group)
    let mode = arguments[2]
    try await benchmark.createCampaign(quota: mode == "late" ? 1 : claims)
    let clock = ContinuousClock()
    let begun = clock.now
    let counts: Counts
    switch mode {
    case "store": counts = try await benchmark.throughStore()
    case "desk", "late": counts = try await benchmark.throughDesk()
    default:
      printError("no such mode: \(mode)")
      throw ProgramExit.usage.exitCode
    }
    let seconds = (clock.now - begun) / .seconds(1)
    let expected = mode == "late" ? Counts(accepted: 1, other: claims - 1) : Counts(accepted: claims, other: 0)
    guard counts == expected else {
      printError("expected \(expected), got \(counts)")
      throw ProgramExit.negative.exitCode
    }
    try printResult("claims_per_second \(Int(Double(claims) / seconds))")
  }

  struct Counts: Equatable, Sendable {
    var accepted = 0
    var other = 0

    mutating func count(_ outcome: ClaimOutcome) {
      if case .accepted = outcome { accepted += 1 } else { other += 1 }
    }
  }

  private final class Users: Sendable {
    private let last = Atomic<Int>(0)

    func next() -> Int { last.add(1, ordering: .relaxed).newValue }
  }

  private func createCampaign(quota: Int) async throws {
    let campaign = NewCampaign(
      id: CampaignID("bench")!, name: "", quota: Quota(quota)!, issuer: .generated, opensAt: nil, closesAt: nil)
    guard case .created = try await store.create(campaign, by: Operator(name: "benchmark", reason: nil)) else {
      printError("the database has been used before")
      throw ProgramExit.badData.exitCode
    }
  }

  private func claim(_ user: Int) -> Claim {
    Claim(campaignID: CampaignID("bench")!, userID: UserID("user-\(user)")!)
  }

  private func throughStore() async throws -> Counts {
    var counts = Counts()
    for start in stride(from: 1, through: claims, by: group) {
      for outcome in try await store.admit((start...min(start + group - 1, claims)).map(claim)) {
        counts.count(outcome)
      }
    }
    return counts
  }

  private func throughDesk() async throws -> Counts {
    let desk = AdmissionQueue(store: store)
    let users = Users()
    return try await withThrowingTaskGroup(of: Counts?.self) { tasks in
      tasks.addTask {
        try await desk.run()
        return nil
      }
      let clients = 2 * group
      for _ in 1...clients {
        tasks.addTask {
          var counts = Counts()
          while true {
            let user = users.next()
            if user > claims { return counts }
            counts.count(try await desk.answer(claim(user)))
          }
        }
      }
      var total = Counts()
      for _ in 1...clients {
        guard let counts = try await tasks.next(), let counts else { continue }
        total.accepted += counts.accepted
        total.other += counts.other
      }
      tasks.cancelAll()
      return total
    }
  }
}
