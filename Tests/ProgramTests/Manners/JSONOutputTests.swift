import Foundation
import TestSupport
import Testing

/// Runs commands with `--json` and keeps what they print, to be held against docs/schemas.
actor JSONOutputs {
  struct Output: Encodable {
    let command: String
    let schema: String
    let output: String
  }

  private let database: String
  private(set) var outputs: [Output] = []

  init(database: String) { self.database = database }

  /// - Parameter words: the program, its subcommands, and what stands behind them.
  @discardableResult
  func run(
    _ words: String..., status: Int32 = 0, environment: [String: String] = [:], database: String? = nil
  ) async throws -> JSONValue {
    try await run(words, status: status, environment: environment, database: database)
  }

  @discardableResult
  func run(
    _ words: [String], status: Int32 = 0, environment: [String: String] = [:], database: String? = nil
  ) async throws -> JSONValue {
    let line = words.joined(separator: " ")
    let command = try #require(
      JSONOutputTests.schemas.keys.filter { line == $0 || line.hasPrefix($0 + " ") }.max { $0.count < $1.count },
      "\(line) has no schema")
    let environment = environment.merging(["FIRST_COME_DATABASE": database ?? self.database]) { $1 }
    let result = try await Program(words[0]).run(words.dropFirst() + ["--json"], environment: environment)
    #expect(result.status == status, "\(line): \(result.errors)")
    outputs.append(
      Output(command: line, schema: try #require(JSONOutputTests.schemas[command]), output: result.output))
    return try result.json()
  }
}

@Suite("What programs print with --json is what docs/schemas says")
struct JSONOutputTests {
  /// Every command with `--json`, and the schema in docs/schemas of what it prints.
  static let schemas: [String: String] = [
    "issue-service campaign list": "campaign-list.json", "issue-service campaign show": "campaign-show.json",
    "issue-service campaign create": "campaign-act.json", "issue-service campaign pause": "campaign-act.json",
    "issue-service campaign resume": "campaign-act.json", "issue-service campaign close": "campaign-act.json",
    "issue-service campaign raise-quota": "campaign-act.json",
    "issue-service campaign import-codes": "campaign-act.json", "issue-service config show": "config-show.json",
    "issue-service config check": "config-check.json", "issue-service consume": "consume.json",
    "issue-service migrate status": "migrate-status.json", "issue-service migrate up": "migrate-up.json",
    "issue-service backup": "backup.json", "issue-service restore": "restore.json",
    "issue-service witness accept-loss": "witness-accept-loss.json",
    "issue-service witness rebuild": "witness-rebuild.json", "issue-service witness show": "witness-show.json",
    "issue-service bench": "bench.json", "reconcile report": "reconcile-report.v1.json",
    "issue-service campaign configure": "campaign-act.json", "retry-batch replay": "retry-batch.json",
    "retry-batch list": "retry-batch-list.json", "retry-batch show": "retry-batch-show.json",
    "retry-batch redrive": "retry-batch-act.json", "retry-batch discard": "retry-batch-act.json",
    "retry-batch runs": "retry-batch-runs.json", "retry-batch prune": "retry-batch-prune.json",
  ]

  private static let root = ProjectRoot.url

  @Test func everyCommandWithJSONHasItsSchema() async throws {
    let commands = try await BuiltCommand.all().filter { $0.longOptions.contains("json") }.map(\.path)
    #expect(Set(commands) == Set(Self.schemas.keys))
    let directory = Self.root.appendingPathComponent("docs/schemas").path
    let files = try FileManager.default.contentsOfDirectory(atPath: directory)
    #expect(Set(files) == Set(Self.schemas.values))
    let manual = try String(contentsOf: Self.root.appendingPathComponent("docs/output.md"), encoding: .utf8)
    for file in files { #expect(manual.contains("(schemas/\(file))"), "docs/output.md does not name \(file)") }
  }

  /// Holds all outputs against the schemas, by the validator of scripts/contract.
  private func validate(_ outputs: [JSONOutputs.Output], in directory: ScratchDirectory) async throws {
    #expect(!outputs.isEmpty)
    let file = try directory.write(String(decoding: try JSONEncoder().encode(outputs), as: UTF8.self), to: "outputs")
    let environment = try await Program.system(Self.root.appendingPathComponent("scripts/contract-venv").path).run([])
    try #require(environment.status == 0, "\(environment.errors)")
    let python = environment.output.trimmingCharacters(in: .newlines) + "/bin/python"
    let result = try await Program.system(python).run([
      Self.root.appendingPathComponent("scripts/contract/outputs.py").path,
      Self.root.appendingPathComponent("docs/schemas").path, file,
    ])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.hasPrefix("\(outputs.count) outputs and "), "\(result.output)")
  }

  @Test func ofAnEmptyDatabase() async throws {
    let directory = try ScratchDirectory()
    let outputs = JSONOutputs(database: directory.path("first-come.db"))
    #expect(try await outputs.run("issue-service", "migrate", "up")["applied"]?.array.count ?? 0 > 0)
    #expect(try await outputs.run("issue-service", "migrate", "up")["applied"]?.array == [])
    try await outputs.run("issue-service", "migrate", "status")
    #expect(try await outputs.run("issue-service", "campaign", "list")["campaigns"]?.array == [])
    try await outputs.run("issue-service", "consume", "--once")
    #expect(try await outputs.run("issue-service", "witness", "show")["agrees"] == .bool(true))
    #expect(
      try await outputs.run("issue-service", "witness", "accept-loss", "--reason", "none")["losses"]?.array == [])
    try await outputs.run("retry-batch", "replay", "--once")
    #expect(try await outputs.run("reconcile", "report")["verdict"]?.string == "CLEAN")
    try await outputs.run("issue-service", "config", "show", "--trusted-proxy", "10.0.0.0/8,fd00::/8")
    #expect(try await outputs.run("issue-service", "config", "check")["ok"] == .bool(true))
    let bad = try await outputs.run("issue-service", "config", "check", "--limit-claims", "0", status: 64)
    #expect(bad["problems"]?[0]?["keys"]?[0]?.string == "limit-claims")
    let warned = try await outputs.run(
      "issue-service", "config", "check", status: 78,
      environment: ["FIRST_COME_LIMIT_CLAIM": "1", "FIRST_COME_LOCK_TIMEOUT": "soon"])
    #expect(warned["ok"] == .bool(false) && warned["warnings"]?.array.isEmpty == false)
    try await validate(outputs.outputs, in: directory)
  }

  @Test func ofTheLifeOfCampaigns() async throws {
    let directory = try ScratchDirectory()
    let database = directory.path("first-come.db")
    let outputs = JSONOutputs(database: database)
    try await outputs.run(
      "issue-service", "campaign", "create", "summer", "--quota", "3", "--issuer", "pool", "--name", "여름 \"쿠폰\"")
    try await outputs.run(
      "issue-service", "campaign", "create", "spring", "--opens-at", "2026-12-01T09:00:00+09:00", "--closes-at",
      "2999-12-01T09:00:00Z")
    try await RunningService.run(database: database) { service in
      for user in 1...4 { _ = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims) }
    }
    try await outputs.run("issue-service", "consume", "--once")
    #expect(try await outputs.run("retry-batch", "replay", "--once", status: 4)["open"]?["parked"]?.int == 3)
    let codes = try directory.write("A\nB\nC\nD\n", to: "codes.txt")
    let imported = try await outputs.run("issue-service", "campaign", "import-codes", "summer", codes)
    #expect(imported["imported_codes"]?.int == 4 && imported["campaign"]?["free_codes"]?.int == 4)
    #expect(try await outputs.run("retry-batch", "replay", "--once", "--campaign", "summer")["resolved"]?.int == 3)
    #expect(try await outputs.run("issue-service", "campaign", "pause", "summer")["changed"] == .bool(true))
    #expect(try await outputs.run("issue-service", "campaign", "pause", "summer")["changed"] == .bool(false))
    try await outputs.run("issue-service", "campaign", "resume", "summer")
    try await outputs.run("issue-service", "campaign", "raise-quota", "summer", "--quota", "5")
    try await outputs.run("issue-service", "campaign", "close", "summer")
    #expect(try await outputs.run("issue-service", "campaign", "show", "summer")["coupons"]?.int == 3)
    #expect(
      try await outputs.run("issue-service", "campaign", "show", "spring")["opens_at"]?.string
        == "2026-12-01T00:00:00.000000Z")
    try await outputs.run("issue-service", "campaign", "list")
    try await outputs.run("issue-service", "witness", "show")
    let report = try await outputs.run("reconcile", "report")
    #expect(report["campaigns"]?[1]?["answers_at_least"]?["sold-out"]?.int == 1)
    try await validate(outputs.outputs, in: directory)
  }

  /// The batch and its desk: events that fail, wait, die, are put back and are closed for good.
  @Test func ofTheBatch() async throws {
    let campaign = try await WebhookCampaign()
    let outputs = JSONOutputs(database: campaign.database)
    func run(_ words: String..., status: Int32 = 0) async throws -> JSONValue {
      try await outputs.run(["retry-batch"] + words, status: status, environment: campaign.environment)
    }
    try await outputs.run(
      "issue-service", "campaign", "configure", "summer", "--max-attempts", "3", "--retry-base", "5s", "--retry-cap",
      "1m")
    try await campaign.deadLetters(4)
    #expect(try await run("list", "--limit", "3")["next"]?.string == "summer/3")
    #expect(try await run("list", "--state", "resolved")["events"]?.array == [])
    #expect(try await run("redrive", "--all", "--dry-run")["seats"]?.array.count == 4)
    _ = try await run("redrive", "--campaign", "summer", "--seat", "1", "2", "3", "--reason", "again")
    #expect(try await run("replay", "--once", "--dry-run", status: 4)["planned"]?.int == 3)
    let failing = try await campaign.issuer.run({ $0.idempotencyKey == "summer/1" ? .answer(500, "no") : .code }) {
      try await run("replay", "--once", status: 4)
    }
    #expect(failing["resolved"]?.int == 2 && failing["failed_again"]?.int == 1)
    #expect(try await run("show", "summer/1")["attempts"]?.array.isEmpty == false)
    _ = try await run("show", "summer/4")
    let discarded = ["--campaign", "summer", "--seat", "1", "4", "--reason", "paid out", "--yes"]
    #expect(
      try await outputs.run(["retry-batch", "discard"] + discarded, environment: campaign.environment)["seats"]?.array
        .count == 2)
    _ = try await run("show", "summer/4")
    #expect(try await run("runs", "--limit", "2")["runs"]?.array.count == 2)
    _ = try await campaign.sql(
      "INSERT INTO run (id, program, host, pid, started_at) VALUES ('x', 'retry-batch', 'h', 1, 1)")
    #expect(try await run("runs", "--crashed")["runs"]?[0]?["state"]?.string == "crashed")
    #expect(try await run("prune", "--reason", "x")["kept"]?[0]?["why"]?.string == "not-closed")
    try await outputs.run("issue-service", "campaign", "close", "summer")
    try await outputs.run("reconcile", "report")
    #expect(try await run("prune", "--dry-run")["campaigns"]?[0]?["attempts"]?.int ?? 0 > 0)
    _ = try await campaign.sql(
      """
      REPLACE INTO issuer_circuit VALUES ('\(campaign.issuer.url)', 5, '[]', 'refused', 1);
      INSERT INTO campaign (id, name, quota, state, issuer, code_key, created_at, webhook_url)
      VALUES ('spring', '', 9, 'open', 'webhook', zeroblob(32), 1, '\(campaign.issuer.url)');
      """)
    try await RunningService.run(database: campaign.database) { (service) async throws in
      // The service has no key, and asks once while the issuer counts as down: the others stay in the outbox.
      for user in 1...6 {
        #expect(try await HTTP.claim("user-\(user)", from: "spring", at: service.claims).status == 201)
      }
    }
    let down = try await outputs.run(
      "issue-service", "consume", "--once", status: 69, environment: campaign.environment)
    #expect(down["issuers_down"]?[0]?.string == campaign.shownIssuer)
    #expect(try await run("replay", "--once", status: 69)["issuers_down"]?.array.count == 1)
    try await validate(outputs.outputs, in: campaign.directory)
  }

  /// Loads that meet their expectations, that do not, and by a schedule.
  @Test func ofTheLoadClient() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5, in: directory)
    let outputs = JSONOutputs(database: database)
    try await RunningService.run(database: database) { (service) async throws in
      let bench = ["issue-service", "bench", "--url", service.claims, "--campaign", "summer"]
      let first = try await outputs.run(bench + ["--users", "20", "--duplicates", "0.5", "--expect-accepted", "5"])
      #expect(first["accepted"]?.int == 5)
      try await outputs.run(bench + ["--spike", "10/100ms", "--expect-accepted", "6", "--max-p99", "1us"], status: 2)
    }
    try await validate(outputs.outputs, in: directory)
  }

  /// A backup that is CLEAN, one that is not, a restore that is in step, and one that lacks seats.
  @Test func ofBackupsAndRestores() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 9, in: directory)
    let outputs = JSONOutputs(database: database)
    let file = directory.path("night.db")
    try await RunningService.run(database: database) { service in
      for user in 1...2 { _ = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims) }
    }
    let made = try await outputs.run("issue-service", "backup", file)
    #expect(made["verdict"]?.string == "CLEAN" && made["seats"]?.int == 2)
    let same = try await outputs.run("issue-service", "restore", file, "--reason", "test", "--yes")
    #expect(same["startable"] == .bool(true) && same["set_aside"]?.string != nil)
    try await RunningService.run(database: database) { service in
      for user in 3...4 { _ = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims) }
    }
    let short = try await outputs.run("issue-service", "restore", file, "--reason", "test", "--yes", status: 78)
    #expect(short["missing"]?[0]?["first_seat"]?.int == 3 && short["missing"]?[0]?["last_seat"]?.int == 4)
    let new = directory.path("new.db")
    let fresh = try await outputs.run(
      "issue-service", "restore", file, "--reason", "test", "--yes", status: 78, database: new)
    #expect(fresh["refusal"]?.string == "witnessMissing" && fresh["set_aside"]?.string == nil)
    let unknown = try await outputs.run("issue-service", "backup", directory.path("x.db"), status: 3, database: new)
    #expect(unknown["accepted"] == .bool(false) && unknown["reasons"]?.array.isEmpty == false)
    try await validate(outputs.outputs, in: directory)
  }

  /// DIRTY, UNKNOWN, and a database that has forgotten what was answered.
  @Test func ofDamagedDatabases() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 9, in: directory)
    let outputs = JSONOutputs(database: database)
    func alter(_ file: String, _ sql: String) async throws {
      let result = try await Program.system("/usr/bin/sqlite3").run([file, sql])
      #expect(result.status == 0, "\(result.errors)")
    }
    let old = directory.path("old.db")
    try await RunningService.run(database: database) { service in
      for user in 1...2 { _ = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims) }
    }
    try await alter(database, ".backup '\(old)'")
    try await RunningService.run(database: database) { service in
      for user in 3...4 { _ = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims) }
    }
    for (sql, verdict, status) in [
      ("DROP TRIGGER coupon_delete; DELETE FROM coupon WHERE seat = 2", "DIRTY", Int32(2)),
      ("PRAGMA foreign_keys = OFF; DROP TABLE coupon", "UNKNOWN", 3),
    ] {
      try await alter(database, sql)
      let report = try await outputs.run("reconcile", "report", status: status)
      #expect(report["verdict"]?.string == verdict && report["findings"]?.array.isEmpty == false)
    }
    for leftover in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: database + leftover) }
    try Data(repeating: 0xFF, count: 8_192).write(to: URL(fileURLWithPath: database))
    let unreadable = try await outputs.run("reconcile", "report", status: 3)
    #expect(unreadable["rules"]?.array == [] && unreadable["reasons"]?.array.count == 1)
    // The backup of before is put back: two acceptances are missing in it.
    try FileManager.default.removeItem(atPath: database)
    try FileManager.default.moveItem(atPath: old, toPath: database)
    let forgotten = try await outputs.run("issue-service", "witness", "show", status: 78)
    #expect(forgotten["campaigns"]?[0]?["missing"]?.int == 2 && forgotten["agrees"] == .bool(false))
    #expect(try await outputs.run("reconcile", "report", status: 2)["verdict"]?.string == "DIRTY")
    let loss = try await outputs.run("issue-service", "witness", "accept-loss", "--reason", "the log is gone")
    #expect(loss["losses"]?[0]?["first_seat"]?.int == 3 && loss["losses"]?[0]?["last_seat"]?.int == 4)
    try await outputs.run(
      "issue-service", "campaign", "resume", "summer", "--reissue-seats", "--reason", "users were told")
    let rebuilt = try await outputs.run(
      "issue-service", "witness", "rebuild", "--reason", "another disk", "--witness", directory.path("other.witness"))
    #expect(rebuilt["campaigns"]?[0]?["accepted"]?.int == 2)
    try await validate(outputs.outputs, in: directory)
  }
}
