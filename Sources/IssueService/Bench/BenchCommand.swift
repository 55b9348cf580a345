internal import ArgumentParser
internal import Composition
internal import Foundation
internal import Issuance

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Claims for many users at once over HTTP, and checks the answers meanwhile.",
    discussion: """
      Checked: the same user always gets the same seat, no seat is given twice, seats are dense, who holds a seat never
      hears "sold out"; with a database, that its counter covers the seats. Exit code 2 where an answer breaks a promise
      or an expectation is not met. Nobody else may claim meanwhile.

      Example: issue-service bench --url http://127.0.0.1:8080 --campaign summer --users 10000 --expect-accepted 100
      """)

  @Option(help: "Where the service listens.")
  var url: String = "http://127.0.0.1:8080"
  @Option(help: "The campaign to claim from.")
  var campaign: String
  @Option(help: "How many users claim, 1 to 1000000.")
  var users: Int = 10_000
  @Option(help: "How many claims are under way at once, 1 to 1000.")
  var concurrency: Int = 64
  @Option(help: "How many claims more come from users that claim already, as a share of the users, 0 to 10.")
  var duplicates: Double = 0
  @Option(name: .customLong("user-prefix"), help: "What the users' ids begin with.")
  var userPrefix: String = "user-"
  @Option(name: .customLong("expect-accepted"), help: "How many users must hold a seat at the end.")
  var expectAccepted: Int?
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard CampaignID(campaign) != nil else {
      throw ValidationError("'\(campaign)' is no campaign id: it must be \(CampaignID.form).")
    }
    guard (1...1_000_000).contains(users) else { throw ValidationError("--users must be 1 to 1000000.") }
    guard (1...1_000).contains(concurrency) else { throw ValidationError("--concurrency must be 1 to 1000.") }
    guard (0...10).contains(duplicates) else { throw ValidationError("--duplicates must be 0 to 10.") }
    guard UserID("\(userPrefix)\(users)") != nil else {
      throw ValidationError("--user-prefix gives no user ids: they must be \(UserID.form).")
    }
    guard let parsed = URL(string: url), ["http", "https"].contains(parsed.scheme), parsed.host != nil else {
      throw ValidationError("--url '\(url)' must be like http://127.0.0.1:8080.")
    }
  }

  func run() async throws {
    try await runCommand {
      let store = try database.pathIfNamed().map { path in try Backend.openStore(database: path) }
      let claims = (0..<users).map { $0 } + (0..<Int(duplicates * Double(users))).map { _ in Int.random(in: 0..<users) }
      let client = LoadClient(
        claimsURL: "\(url)/v1/campaigns/\(campaign)/claims", concurrency: concurrency, userPrefix: userPrefix)
      let result = try await client.run(claims.shuffled())
      var counter: Int?
      if let id = CampaignID(campaign) { counter = try await store?.campaign(id)?.campaign.counter }
      let report = LoadReport(result, expectAccepted: expectAccepted, counter: counter)
      try printResult(json ? try JSONText.encode(report) : report.lines)
      guard result.answered > 0 else {
        throw ProgramFailure(
          .unavailable, "cannot claim at \(url)", why: result.firstFailure ?? "no claim was answered",
          next: "start it with: issue-service serve")
      }
      guard result.outcomes["unknown-campaign"] == nil else {
        throw ProgramFailure(
          .badData, "cannot claim from campaign \(campaign)", why: "the service knows no campaign with this id",
          next: "see which there are with: issue-service campaign list")
      }
      return report.violations.isEmpty ? .done : .negative
    }
  }
}

/// What a load run came to, for people and as JSON.
struct LoadReport: Encodable {
  let claims: Int
  /// Answers by outcome: accepted, repeat, sold-out and so on; `failed` got no answer.
  let outcomes: [String: Int]
  let accepted: Int
  let seconds: Double
  let p50Ms: Double
  let p99Ms: Double
  let violations: [String]

  init(_ result: LoadResult, expectAccepted: Int?, counter: Int? = nil) {
    outcomes = result.outcomes
    claims = result.outcomes.values.reduce(0, +)
    accepted = result.seatOfUser.count
    seconds = result.duration.inSeconds
    let sorted = result.latencies.sorted()
    func percentile(_ share: Double) -> Double {
      guard !sorted.isEmpty else { return 0 }
      return sorted[min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)].inSeconds * 1_000
    }
    p50Ms = percentile(0.50)
    p99Ms = percentile(0.99)
    var violations = result.violations + Self.gaps(in: result.seatOfUser.values.sorted())
    if let expectAccepted, expectAccepted != accepted {
      violations.append("\(accepted) users hold a seat, \(expectAccepted) were expected")
    }
    if let counter, let highest = result.seatOfUser.values.max(), counter < highest {
      violations.append("seat \(highest) was given, but the counter in the database is \(counter)")
    }
    self.violations = violations
  }

  /// Seats that nobody holds between the lowest and the highest that were given, and seats that two hold.
  private static func gaps(in seats: [Int]) -> [String] {
    zip(seats, seats.dropFirst()).compactMap { seat, next in
      switch next - seat {
      case 0: "seat \(seat) was given to two users"
      case 1: nil
      default: "no user was given seat \(seat + 1), but one was given seat \(next)"
      }
    }
  }

  var lines: String {
    let rate = seconds > 0 ? Double(claims) / seconds : 0
    var lines = [
      "\(claims) claims in \(seconds.formatted(places: 2)) s (\(rate.formatted(places: 0)) a second), "
        + "p50 \(p50Ms.formatted(places: 1)) ms, p99 \(p99Ms.formatted(places: 1)) ms"
    ]
    var table = TextTable(["OUTCOME", "CLAIMS"])
    for (outcome, count) in outcomes.sorted(by: { $0.key < $1.key }) { table.add([outcome, "\(count)"]) }
    lines.append(table.description)
    lines.append("\(accepted) users hold a seat")
    lines += violations.prefix(20).map { "VIOLATION: \($0)" }
    if violations.count > 20 { lines.append("and \(violations.count - 20) violations more") }
    return lines.joined(separator: "\n")
  }
}

extension Duration {
  fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

extension Double {
  fileprivate func formatted(places: Int) -> String { String(format: "%.\(places)f", self) }
}
