internal import Foundation
internal import GRDB
internal import TestSupport

/// One database on which programs are killed at numbered writes, one after the other and two at a time.
struct KilledWorld {
  private let directory: ScratchDirectory
  private let library: String
  private var random: SplitMix

  private var database: String { directory.path("first-come.db") }
  private var acknowledged: String { directory.path("acknowledged") }

  init(library: String, random: SplitMix) throws {
    directory = try ScratchDirectory()
    self.library = library
    self.random = random
    _ = try directory.write(String(repeating: "\0", count: 8), to: "io-calls")
  }

  mutating func run(_ trial: Int, _ tally: Tally) async throws {
    // How a file comes into being under kills is tried by crash-points and io-sweep.
    try await judge(start(.create, killedAt: nil), trial, tally)
    try await judge(start(.writer, killedAt: 50 + random.below(400)), trial, tally)
    for _ in 1..<(LogLinkHarness.startsPerWorld / 2) {
      let (one, other) = (draw(), draw())
      let isPair = random.chance(400)
      let (first, second) = (1 + random.below(one.reach), 1 + random.below(other.reach))
      async let beside = isPair ? start(other, killedAt: second) : nil
      try await judge(start(one, killedAt: first), trial, tally)
      if let beside = try await beside { judge(beside, trial, tally) }
      try await judge(start(.report, killedAt: nil), trial, tally)
    }
    try await judge(start(.list, killedAt: nil), trial, tally)
    try require(trial, tally)
  }

  private enum Start: CaseIterable {
    case create, writer, consume, pause, resume, replay, report, list

    /// About how many calls it makes.
    var reach: Int { self == .writer ? 400 : 60 }
  }

  private mutating func draw() -> Start {
    [.writer, .writer, .consume, .pause, .resume, .replay][random.below(6)]
  }

  private struct Ended: Sendable {
    let start: Start
    let result: Program.Result
  }

  private func start(_ start: Start, killedAt number: Int?) async throws -> Ended {
    var environment = ["FIRST_COME_DATABASE": database]
    if let number {
      let counter = directory.path("io-calls-\(UUID().uuidString)")
      try Data(repeating: 0, count: 8).write(to: URL(fileURLWithPath: counter))
      environment["LD_PRELOAD"] = library
      environment["IO_FAULTS_BELOW"] = directory.path("first-come")
      environment["IO_FAULTS_COUNTER"] = counter
      environment["IO_FAULTS_AT"] = "\(number)"
      environment["IO_FAULTS_MODE"] = number % 2 == 0 ? "kill-before" : "kill-after"
    }
    let (program, arguments): (Program, [String]) =
      switch start {
      case .writer: (Program("power-cut-writer"), [database, acknowledged, "full"])
      case .create: (.issueService, ["campaign", "create", "summer", "--quota", "1000000", "--issuer", "pool"])
      case .consume: (.issueService, ["consume", "--once"])
      case .pause: (.issueService, ["campaign", "pause", "summer"])
      case .resume: (.issueService, ["campaign", "resume", "summer"])
      case .replay: (.retryBatch, ["--once"])
      case .report: (.reconcile, ["report", "--quiet"])
      case .list: (.issueService, ["campaign", "list"])
      }
    return Ended(start: start, result: try await program.run(arguments, environment: environment))
  }

  private func judge(_ ended: Ended, _ trial: Int, _ tally: Tally) {
    tally.count("starts")
    let result = ended.result
    if result.status == 137 { return tally.count("killed") }
    // 4 and 75: work is left, or a lock was held by the one beside it. A writer ends only by a kill or a failure.
    let isRight = ended.start == .writer ? false : [0, 4, 75].contains(result.status)
    if isRight || (ended.start == .writer && result.errors.contains("has held it for")) { return }
    tally.broke("\(ended.start) ended \(result.status): \(result.errors.suffix(400))", in: trial)
  }

  /// NO-FALSE-YES: every seat that was acknowledged is there.
  private func require(_ trial: Int, _ tally: Tally) throws {
    guard let text = try? String(contentsOfFile: acknowledged, encoding: .utf8) else { return }
    let seats = try DatabaseQueue(path: database).read { db in
      try Row.fetchAll(db, sql: "SELECT user_id, seat FROM accepted_user").reduce(into: [String: Int]()) {
        $0[$1["user_id"]] = $1["seat"]
      }
    }
    // The last line may be cut off by the kill.
    for line in text.split(separator: "\n").dropLast() {
      let fields = line.split(separator: " ")
      guard fields.count == 2, let seat = Int(fields[1]), seat > 0 else { continue }
      tally.count("acknowledged seats found again")
      if seats[String(fields[0])] != seat { tally.broke("\(line) is \(seats[String(fields[0])] ?? 0)", in: trial) }
    }
  }
}
