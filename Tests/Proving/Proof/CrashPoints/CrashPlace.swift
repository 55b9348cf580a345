internal import Foundation
internal import History
internal import TestSupport

/// A database with campaigns of every issuer, the programs on it, and what users heard.
struct CrashPlace: Sendable {
  let directory: ScratchDirectory
  let database: String
  let recorder = Recorder()
  let server: ScriptedIssuer
  let environment: [String: String]
  /// The same, with the crash.
  let crashing: [String: String]

  init(crashAt point: String) async throws {
    directory = try ScratchDirectory()
    database = directory.path("first-come.db")
    server = try await ScriptedIssuer(isSecure: false)
    let key = try directory.write(String(repeating: "k", count: 40), to: "webhook-key")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
    environment = [
      "FIRST_COME_DATABASE": database, "FIRST_COME_WEBHOOK_KEY_FILE": key,
      "FIRST_COME_WEBHOOK_ALLOW": "127.0.0.0/8", "FIRST_COME_RETRY_BASE": "1ms", "FIRST_COME_RETRY_CAP": "1ms",
    ]
    crashing = environment.merging(["FIRST_COME_CRASH_AT": point]) { $1 }
  }

  /// The exit status of one command.
  @discardableResult
  func run(_ program: Program, _ arguments: [String], crash: Bool = false) async throws -> Program.Result {
    try await program.run(arguments, environment: crash ? crashing : environment)
  }

  func sql(_ statement: String) async throws -> String {
    try await Program.system("/usr/bin/sqlite3").run(["-cmd", ".timeout 10000", database, statement]).output
  }

  func codes(_ numbers: ClosedRange<Int>) throws -> String {
    try directory.write(numbers.map { "CODE-\($0)\n" }.joined(), to: "codes-\(numbers.lowerBound)")
  }

  func createCampaigns() async throws {
    for (campaign, quota) in CrashTrial.quotas.sorted(by: { $0.key < $1.key }) {
      let issuer =
        switch campaign {
        case "hook": ["--issuer", "webhook", "--webhook-url", server.url]
        case "summer": ["--issuer", "generated"]
        default: ["--issuer", "pool"]
        }
      try await run(.issueService, ["campaign", "create", campaign, "--quota", "\(quota)"] + issuer)
    }
  }

  /// Users claim while a service runs, which may die meanwhile.
  ///
  /// - Parameter many: claims of the generated campaign, one after the other for each of four clients.
  /// - Returns: how the service ended.
  func claims(_ prefix: String, many: Int = 0, crash: Bool = false) async throws -> Int32 {
    let (recorder, process) = (recorder, "\(prefix)-service")
    let status: Int32
    do {
      status = try await RunningService.run(database: database, environment: crash ? crashing : environment) {
        running in
        let service = Fleet.Service(address: running.claims, process: process)
        _ = try await atOnce(1...4) { client in
          for campaign in CrashTrial.quotas.keys.sorted() where campaign != "old" || prefix == "first" {
            try await recorder.claim("\(prefix)-\(client)", from: campaign, at: service)
          }
          for number in 0..<many / 4 {
            let answer = try await recorder.claim("\(prefix)-\(client)-\(number)", from: "summer", at: service)
            if answer == .unknown { return }
            // Refused, and told again: what tallies are made of.
            if number % 20 == 0 { try await recorder.claim("\(prefix)-\(client)-\(number)", from: "old", at: service) }
          }
        }
      }.status
    } catch RunningService.Failure.didNotStart {
      status = 128 + 9  // it died at the point before it listened
    }
    recorder.died(process)
    return status
  }

  /// The order of things after a fault: read, others, the first ones again, the command again, heal, read.
  func aftermath(again: @escaping @Sendable (CrashPlace) async throws -> Void) async throws {
    if FileManager.default.fileExists(atPath: database) { try recorder.read("before anybody asks again", database) }
    try await again(self)
    let before = recorder.history.operations
    _ = try await claims("others")
    let (recorder, database) = (recorder, database)
    try await RunningService.run(database: database, environment: environment) { running in
      let service = Fleet.Service(address: running.claims, process: "again-service")
      for operation in before.prefix(120) {
        try await recorder.claim(operation.user, from: operation.campaign, at: service)
        try await recorder.status(of: operation.user, in: operation.campaign, at: service)
      }
    }
    recorder.died("again-service")
    try recorder.read("after all asked again", database)
    try await run(.issueService, ["campaign", "import-codes", "pool", try codes(1...30)])
    try await run(.issueService, ["campaign", "import-codes", "old", try codes(101...103)])
    try await Leases.runOut(in: database)
    try await server.run {
      try await run(.retryBatch, ["redrive", "--all", "--reason", "healed"])
      for _ in 1...6 {
        try await run(.issueService, ["consume", "--once"])
        if try await run(.retryBatch, ["--once", "--lease", "1s"]).status == 0 { break }
      }
    }
    try recorder.read("healed", database)
  }

  /// What is wrong in the end.
  func verdict() async throws -> [String] {
    let final = try DatabaseReading.final(of: database, firstQuotas: CrashTrial.quotas)
    var found = HistoryChecker.violations(in: recorder.history, final: final).prefix(5).map { "\($0)" }
    let report = try await run(.reconcile, ["report"])
    if report.status != 0 { found.append("the report ended \(report.status): \(report.output)\(report.errors)") }
    return found
  }
}
