internal import Foundation
internal import History
internal import TestSupport

/// One round of ``KillHarness``.
struct KillRound: Sendable {
  static let quotas = ["open": 260, "pool": 60, "raised": 40]
  static let claims = 1_800
  static let clients = 24
  static let kills = 12

  let trial: Int
  let seed: UInt64
  let tally: Tally

  func run() async throws {
    let directory = try ScratchDirectory()
    let database = directory.path("first-come.db")
    try await prepare(database, directory)
    let recorder = Recorder()
    let fleet = Fleet(database: database, size: 2, died: recorder.died)
    let commands = Commands(database: database, random: random(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<2 { group.addTask { try await fleet.supervise(index) } }
      group.addTask { try await commands.keepRunning() }
      try await spike(recorder, fleet, commands, database, directory)
      await commands.stop()
      for index in 0..<2 { await fleet.send(.kill, to: index) }
      _ = await fleet.service(0)  // one is back: both are dead
      await fleet.stopAll()
      try await group.waitForAll()
    }
    // A service that came up again has answered nobody.
    try recorder.read("before anybody asks again", database)
    count(await fleet.ends, await commands.ends)
    let seen = await commands.unexpected
    for what in seen { tally.broke(what, in: trial) }
    try await aftermath(recorder, database, directory)
    try await judge(recorder, database)
    try await report(database)
  }

  private func random(_ part: UInt64) -> SplitMix { SplitMix(state: seed &* 1_000_003 &+ UInt64(trial) &* 7 &+ part) }

  private func prepare(_ database: String, _ directory: ScratchDirectory) async throws {
    for (campaign, quota) in Self.quotas.sorted(by: { $0.key < $1.key }) {
      let issuer = campaign == "pool" ? "pool" : "generated"
      try await expect(
        ["campaign", "create", campaign, "--quota", "\(quota)", "--issuer", issuer, "--database", database])
    }
    try await importCodes(1...20, database, directory)
  }

  private func importCodes(_ numbers: ClosedRange<Int>, _ database: String, _ directory: ScratchDirectory) async throws
  {
    let codes = numbers.map { "CODE-\($0)\n" }.joined()
    let file = try directory.write(codes, to: "codes-\(numbers.lowerBound)")
    try await expect(["campaign", "import-codes", "pool", file, "--database", database])
  }

  private func expect(_ arguments: [String]) async throws {
    let done = try await Program.issueService.run(arguments)
    if done.status != 0 {
      tally.broke("\(arguments.joined(separator: " ")) ended \(done.status): \(done.errors)", in: trial)
    }
  }

  // MARK: Traffic

  private func spike(
    _ recorder: Recorder, _ fleet: Fleet, _ commands: Commands, _ database: String, _ directory: ScratchDirectory
  ) async throws {
    var drawn = random(2)
    var moments: Set<Int> = []
    while moments.count < Self.kills { moments.insert(20 + drawn.below(Self.claims - 40)) }
    let (kills, numbers) = (moments, Numbers())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 1...Self.clients {
        group.addTask {
          while true {
            let number = numbers.next()
            if number > Self.claims { return }
            if kills.contains(number) { await kill(fleet, commands, number) }
            switch number {
            case 500: try await importCodes(21...40, database, directory)
            case 700: try recorder.read("under way", database)
            case 900: _ = try await recorder.act(.raised(to: 80), on: "raised", of: database)
            case 1_200: try recorder.read("under way, later", database)
            default: break
            }
            try await ask(recorder, fleet, number)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private func kill(_ fleet: Fleet, _ commands: Commands, _ number: Int) async {
    var drawn = random(UInt64(number) &* 13)
    if drawn.chance(250), await commands.kill() { return }
    await fleet.send(.kill, to: drawn.below(2))
  }

  private func ask(_ recorder: Recorder, _ fleet: Fleet, _ number: Int) async throws {
    var drawn = random(UInt64(number) &* 31)
    let campaign = ["open", "open", "pool", "raised"][drawn.below(4)]
    let user = "user-\(drawn.below(campaign == "open" ? 420 : 140))"
    let service = await fleet.service(number % 2)
    if drawn.chance(80) {
      try await recorder.status(of: user, in: campaign, at: service)
    } else {
      try await recorder.claim(user, from: campaign, at: service)
    }
  }

  // MARK: Afterwards

  private func aftermath(_ recorder: Recorder, _ database: String, _ directory: ScratchDirectory) async throws {
    let before = recorder.history
    try await RunningService.run(database: database) { running in
      let service = Fleet.Service(address: running.claims, process: "afterwards")
      for campaign in Self.quotas.keys.sorted() {
        _ = try await atOnce(1...8) { try await recorder.claim("other-\($0)", from: campaign, at: service) }
      }
      // Whoever was accepted, does not know, or was refused asks again.
      let first = Set(before.operations.map { "\($0.campaign) \($0.user)" }).sorted()
      let parts = first.map { $0.split(separator: " ").map(String.init) }
      _ = try await atOnce(0...15) { client in
        for index in Swift.stride(from: client, to: parts.count, by: 16) {
          try await recorder.claim(parts[index][1], from: parts[index][0], at: service)
          if index % 5 == 0 { try await recorder.status(of: parts[index][1], in: parts[index][0], at: service) }
        }
      }
    }
    recorder.died("afterwards")
    try recorder.read("after all asked again", database)
    try await importCodes(41...60, database, directory)
    try await Leases.runOut(in: database)
    try await expect(["consume", "--once", "--database", database])
    for _ in 1...5 {
      let replay = try await Program.retryBatch.run(["--once", "--database", database])
      if replay.status == 0 { break }
    }
    try recorder.read("healed", database)
  }

  private func judge(_ recorder: Recorder, _ database: String) async throws {
    let history = recorder.history
    let final = try DatabaseReading.final(of: database, firstQuotas: Self.quotas)
    let violations = HistoryChecker.violations(in: history, final: final)
    let summary = HistorySummary(history)
    tally.count("acknowledged", summary.accepted)
    tally.count("same answers on repeat", summary.same)
    tally.count("sold out", summary.soldOut)
    tally.count("answers that were lost", summary.unknown)
    tally.count("statuses shown", history.shown.count)
    tally.count("readings", history.readings.count)
    tally.count("coupons", final.reduce(0) { $0 + $1.rows.count { $0.hasCoupon } })
    if violations.isEmpty { return }
    for violation in violations.prefix(10) { tally.broke("\(violation)", in: trial) }
    let kept = "\(NSTemporaryDirectory())history-\(seed)-\(trial).jsonl"
    try Data(try HistoryFile(history: history, final: final).text.utf8).write(to: URL(fileURLWithPath: kept))
    let open = try await Program.system("/usr/bin/sqlite3").run([
      "-header", database, "SELECT * FROM failed_event WHERE state NOT IN ('resolved', 'discarded')",
    ])
    tally.broke("the history is in \(kept); judge it again with check-history; open: \(open.output)", in: trial)
  }

  private func report(_ database: String) async throws {
    let report = try await Program.reconcile.run(["report", "--database", database])
    if report.status != 0 { tally.broke("the report after it ended \(report.status): \(report.output)", in: trial) }
  }

  private func count(_ services: [Int32], _ commands: [Commands.End]) {
    let killed = services.count { $0 == 128 + 9 }
    tally.count("kills of services", killed)
    tally.count("kills of commands", commands.count { $0.status == 128 + 9 })
    tally.count("kills", killed + commands.count { $0.status == 128 + 9 })
    tally.count("replays", commands.count { $0.command == "retry-batch" })
    tally.count("reports under way", commands.count { $0.command == "reconcile" && $0.status == 0 })
    for status in services where status != 0 && status != 128 + 9 {
      tally.broke("a service ended by itself with \(status)", in: trial)
    }
  }
}
