import Foundation
import TestSupport
import Testing

/// Puts numbers that no program writes into a file, one at a time, and runs every command on it.
///
/// The short form takes the cells that once trapped and two drawn by a seed. `SWEEP_NUMBERS=all` takes every cell, and
/// `SWEEP_NUMBERS=<seed>` draws others.
@Suite("No stored number traps a program or makes it hang")
struct StoredNumberSweepTests {
  /// One column of one row, and the number that it gets.
  struct Cell: Sendable {
    let table: String
    let column: String
    let number: Int64
    var row = "1"
  }

  static let numbers: [Int64] = [.min, .max, -1, 0, 1 << 62]

  /// Each ended a program by a trap, or kept it busy for good, before the numbers had bounds.
  static let known = [
    Cell(table: "failed_event", column: "next_attempt_at", number: .min),
    Cell(table: "campaign", column: "counter", number: .min, row: "id = 'gen'"),
    Cell(table: "outbox", column: "created_at", number: .min, row: "state = 'pending'"),
    Cell(table: "failed_event", column: "generation", number: .max),
    Cell(table: "failed_event", column: "attempts", number: .max),
    Cell(table: "pool_code", column: "position", number: .max),
    Cell(table: "issuer_circuit", column: "failures", number: .max),
    Cell(table: "witness", column: "epoch", number: .max),
    Cell(table: "accepted_user", column: "seat", number: .min, row: "campaign_id = 'one'"),
  ]

  @Test(.timeLimit(.minutes(600))) func everyCommandEndsWithAnExitCode() async throws {
    let whole = try await WholeFile()
    let choice = ProcessInfo.processInfo.environment["SWEEP_NUMBERS"] ?? "1"
    var cells = try await whole.cells(of: Self.numbers)
    if choice != "all" {
      var random = SplitMix(state: UInt64(choice) ?? 1)
      cells = Self.known + cells.shuffled(using: &random).prefix(2)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (place, cell) in cells.enumerated() {
        if place >= 2 { try await group.next() }
        group.addTask { try await whole.sweep(cell) }
      }
      try await group.waitForAll()
    }
  }
}

/// A database with rows in every table, made by the programs; what takes them long to make is put in by SQL.
private struct WholeFile: Sendable {
  private let directory: ScratchDirectory
  private let database: String

  init() async throws {
    directory = try ScratchDirectory()
    database = try await makeCampaign("gen", quota: 20, in: directory)
    let database = database
    _ = try await makeCampaign("one", quota: 1, in: directory)
    _ = try await makeCampaign("pool", quota: 20, ["--issuer", "pool"], in: directory)
    let issuer = ["--issuer", "webhook", "--webhook-url", "https://127.0.0.1:9/", "--max-attempts", "5"]
    _ = try await makeCampaign("hook", quota: 20, issuer, in: directory)
    let codes = try directory.write("A1\nA2\n", to: "codes")
    _ = try await Program.issueService.run(["campaign", "import-codes", "pool", codes, "--database", database])
    try await RunningService.run(database: database) { service in
      for campaign in ["gen", "one", "pool", "hook"] {
        for user in ["u1", "u2", "u3", "u1"] { _ = try await HTTP.claim(user, from: campaign, at: service.claims) }
      }
    }
    for arguments in [["--once"], ["discard", "--campaign", "hook", "--seat", "3", "--reason", "x", "--yes"]] {
      _ = try await Program.retryBatch.run(arguments + ["--database", database])
    }
    for command in ["self-test", "report"] { _ = try await Program.reconcile.run([command, "--database", database]) }
    try await Self.unguarded(database, Self.rows)
  }

  private static let rows = """
    UPDATE campaign SET opens_at = 1, closes_at = 9000000000000000, retry_base = 1000000, retry_cap = 1000000
    WHERE id = 'gen';
    INSERT OR IGNORE INTO failed_event (campaign_id, seat, user_id, state, failure_kind, error, attempts, max_attempts,
      next_attempt_at, generation, failed_at)
    SELECT campaign_id, seat, user_id, 'waiting', 'transient', 'slow', 1, 9, 1, 1, 1 FROM accepted_user
    WHERE campaign_id = 'hook';
    UPDATE outbox SET state = 'failed', settled_at = 1, leased_by = NULL, leased_until = NULL WHERE campaign_id = 'hook';
    UPDATE failed_event SET leased_by = 'gone', leased_until = 2 WHERE campaign_id = 'hook' AND seat = 1;
    INSERT OR IGNORE INTO attempt VALUES ('hook', 1, 1, 'gone', 'transient', 'slow', 1, 2);
    DELETE FROM coupon WHERE campaign_id = 'gen' AND seat = 3;
    UPDATE outbox SET state = 'pending', settled_at = NULL, leased_by = 'gone', leased_until = 1
    WHERE campaign_id = 'gen' AND seat = 3;
    INSERT OR IGNORE INTO issuer_circuit VALUES ('https://127.0.0.1:9', 6, '["hook/1"]', 'gone', 1);
    INSERT INTO seat_loss VALUES ('lost', 3, 5, 1, 2);
    INSERT INTO pruned_run VALUES ('retry-batch', '', 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2);
    INSERT INTO run (id, program, host, pid, started_at) VALUES ('gone', 'retry-batch', 'host', 1, 1);
    INSERT INTO finding VALUES ('outbox-agrees/gen/1', 'outbox-agrees', 'gen', 1, 1, 1, 1, NULL);
    INSERT INTO waiver VALUES (1, 'outbox-agrees/gen/1', 'op', 'known', 1, 9000000000000000);
    """

  /// Changes rows as a damaged disk would: the triggers come back afterwards, and no CHECK is held.
  private static func unguarded(_ database: String, _ sql: String) async throws {
    func triggers(_ form: String) async throws -> String {
      try await Program.system("/usr/bin/sqlite3").run([
        database, "SELECT \(form) || ';' FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid",
      ]).output
    }
    let (dropped, made) = (try await triggers("'DROP TRIGGER ' || name"), try await triggers("sql"))
    try await alter(
      database,
      "BEGIN; PRAGMA ignore_check_constraints = ON;\n\(dropped)\n\(sql);\n\(made)\nCOMMIT; PRAGMA wal_checkpoint(TRUNCATE)"
    )
  }

  func cells(of numbers: [Int64]) async throws -> [StoredNumberSweepTests.Cell] {
    let columns = try await Program.system("/usr/bin/sqlite3").run([
      "-readonly", database,
      """
      SELECT t.name || ' ' || c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c
      WHERE t.type = 'table' AND c.type = 'INTEGER' AND t.name <> 'log_link' ORDER BY 1
      """,
    ]).output
    return columns.split(separator: "\n").flatMap { line in
      let names = line.split(separator: " ").map(String.init)
      return numbers.map { StoredNumberSweepTests.Cell(table: names[0], column: names[1], number: $0) }
    }
  }

  /// Runs every command on a copy with this number in it; the order is that of what they change.
  func sweep(_ cell: StoredNumberSweepTests.Cell) async throws {
    let copy = try ScratchDirectory()
    for name in try directory.names() where name.hasPrefix("first-come.db") && !name.hasSuffix("-lock") {
      try FileManager.default.copyItem(atPath: directory.path(name), toPath: copy.path(name))
    }
    let database = copy.path("first-come.db")
    _ = try copy.write("B1\n", to: "codes")
    // One row: the first by its key, of those that the cell means.
    let key = try await Program.system("/usr/bin/sqlite3").run([
      "-readonly", database, "SELECT group_concat(name, ', ') FROM pragma_table_info('\(cell.table)') WHERE pk > 0",
    ]).output.trimmingCharacters(in: .whitespacesAndNewlines)
    try await Self.unguarded(
      database,
      """
      UPDATE \(cell.table) SET \(cell.column) = \(cell.number)
      WHERE (\(key)) = (SELECT \(key) FROM \(cell.table) WHERE \(cell.row) ORDER BY (\(cell.column) IS NULL), \(key) LIMIT 1)
      """)
    for (program, arguments) in Self.readers(copy) { try await demand(program, arguments, database, cell) }
    try await serve(database, cell)
    for (program, arguments) in Self.writers(copy) { try await demand(program, arguments, database, cell) }
  }

  private static func readers(_ copy: ScratchDirectory) -> [(Program, [String])] {
    [
      (.issueService, ["campaign", "list"]), (.issueService, ["campaign", "show", "hook", "--json"]),
      (.issueService, ["witness", "show"]), (.issueService, ["migrate", "status"]), (.issueService, ["migrate", "up"]),
      (.reconcile, ["report", "--format", "json", "--no-record"]),
      (.reconcile, ["report", "--format", "html", "--no-record"]), (.reconcile, ["history"]),
      (.reconcile, ["explain", "--campaign", "gen", "--seat", "3"]),
      (.reconcile, ["explain", "--campaign", "hook", "--seat", "1"]),
      (.reconcile, ["plan", "--output", copy.path("plan.json")]),
      (.retryBatch, ["list", "--json"]), (.retryBatch, ["show", "hook/1"]), (.retryBatch, ["runs", "--json"]),
      (.retryBatch, ["--once", "--dry-run"]), (.retryBatch, ["prune", "--older-than", "1m", "--dry-run"]),
    ]
  }

  private static func writers(_ copy: ScratchDirectory) -> [(Program, [String])] {
    let why = ["--reason", "x"]
    return [
      (.issueService, ["campaign", "import-codes", "pool", copy.path("codes")]),
      (.issueService, ["consume", "--once"]), (.retryBatch, ["--once", "--max-runtime", "5s"]),
      (.retryBatch, ["redrive", "--all"] + why),
      (.retryBatch, ["discard", "--campaign", "hook", "--seat", "1", "--yes"] + why),
      (.reconcile, ["apply", copy.path("plan.json")] + why),
      (.reconcile, ["waive", "outbox-agrees/gen/1", "--until", soon] + why), (.reconcile, ["report"]),
      (.reconcile, ["self-test"]), (.issueService, ["campaign", "pause", "gen"] + why),
      (.issueService, ["campaign", "raise-quota", "gen", "--quota", "30"] + why),
      (.issueService, ["campaign", "close", "gen"] + why), (.retryBatch, ["prune", "--older-than", "1m"] + why),
      (.issueService, ["witness", "rebuild"] + why), (.issueService, ["witness", "accept-loss", "--yes"] + why),
    ]
  }

  private static var soon: String { Date(timeIntervalSinceNow: 86_400).formatted(.iso8601) }

  /// An exit code of ours within a minute: `timeout` ends with 124, a trap with 128 and more.
  private func demand(
    _ program: Program, _ arguments: [String], _ database: String, _ cell: StoredNumberSweepTests.Cell
  ) async throws {
    let result = try await Program.system("/usr/bin/timeout").run(
      ["-k", "5", "60", program.path] + arguments + ["--database", database], environment: Self.environment)
    #expect(result.status < 124, "\(cell): \(arguments.joined(separator: " ")): \(result.errors.suffix(300))")
  }

  private static let environment = ["SWIFT_BACKTRACE": "enable=no"]

  /// Serves until the audit has ended. A file that is refused is refused with an exit code.
  private func serve(_ database: String, _ cell: StoredNumberSweepTests.Cell) async throws {
    do {
      let ended = try await RunningService.run(database: database, environment: Self.environment) { service in
        for campaign in ["gen", "one", "pool", "hook"] {
          _ = try? await HTTP.claim("new", from: campaign, at: service.claims, timeout: .seconds(10))
        }
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
          guard let figures = try? await MetricsTests.scrape(service) else { return }
          if ExpositionReading(figures)["first_come_audit_end_seconds"] != nil { return }
        }
      }
      #expect(ended.status < 124, "\(cell): serve: \(ended.errors.suffix(300))")
    } catch {
      let options = ["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]
      try await demand(.issueService, options, database, cell)
    }
  }
}
