internal import Foundation
internal import GRDB
internal import Issuance
internal import SQLiteStore
internal import TestSupport

/// One database of which copies are kept at several instants, and then put together wrongly.
struct SplicedWorld {
  private let directory: ScratchDirectory
  private var random: SplitMix
  private var database: String { directory.path("first-come.db") }

  /// A copy of the main file alone.
  private struct MainCopy {
    let path: String
    let how: String
    /// How many seats it has by itself.
    let seats: Int
    /// The generation of the log that it was taken under.
    let generation: String
  }

  /// A log as an instant left it.
  private struct LogCopy {
    let path: String
    let generation: String
    let isLast: Bool
  }

  init(random: SplitMix) throws {
    directory = try ScratchDirectory()
    self.random = random
  }

  mutating func run(_ trial: Int, _ tally: Tally) async throws {
    var limits = SQLiteStore.Limits()
    limits.checkpointPages = [40, 200, 1_000][random.below(3)]
    let store = try SQLiteStore(path: database, ifMissing: .create, limits: limits, clock: TestClock().clock)
    _ = try await store.create(.test(quota: 100_000), by: .test)
    var (mains, logs): ([MainCopy], [LogCopy]) = ([], [])
    var seats = 0
    for step in 0..<(12 + random.below(20)) {
      let group = 1 + random.below(16)
      _ = try await store.admit((1...group).map { .of(seats + $0) })
      seats += group
      if random.chance(300) { _ = try await store.deliverPending(limit: 50) }
      if random.chance(250) { try checkpoint(store) }
      if random.chance(350) { mains.append(try await copyMain(store, step, seats: seats)) }
      if random.chance(300) { logs.append(try copyLog(step, isLast: false)) }
    }
    mains.append(try await copyMain(store, 98, seats: seats))
    _ = try await store.admit([.of(seats + 1)])
    seats += 1
    mains.append(try await copyMain(store, 99, seats: seats))
    logs.append(try copyLog(99, isLast: true))
    for splice in 0..<LogLinkHarness.splicesPerWorld {
      // Every other one is with the log that stayed.
      let log = splice % 2 == 0 ? logs[logs.count - 1] : logs[random.below(logs.count)]
      try await judge(mains[random.below(mains.count)], log, seats: seats, trial, tally)
    }
    withExtendedLifetime(store) {}
  }

  private mutating func checkpoint(_ store: SQLiteStore) throws {
    let kind: Database.CheckpointMode = [.passive, .full, .restart, .truncate][random.below(4)]
    try store.writer.inDatabase { db in _ = try db.checkpoint(kind) }
  }

  private mutating func copyMain(_ store: SQLiteStore, _ step: Int, seats: Int) async throws -> MainCopy {
    let how = random.chance(800) ? "backup" : "VACUUM INTO"
    let path = directory.path("main-\(step)")
    let generation = try generation(at: database + "-wal")
    let made = try await Program.system("/usr/bin/sqlite3").run([
      database, how == "backup" ? ".backup \(path)" : "VACUUM INTO '\(path)'",
    ])
    guard made.status == 0 else { throw HarnessFailure(description: "no copy was made: \(made.errors)") }
    return MainCopy(path: path, how: how, seats: seats, generation: generation)
  }

  private func copyLog(_ step: Int, isLast: Bool) throws -> LogCopy {
    let path = directory.path("log-\(step)")
    try FileManager.default.copyItem(atPath: database + "-wal", toPath: path)
    return LogCopy(path: path, generation: try generation(at: path), isLast: isLast)
  }

  /// The salts of a log; empty if it is.
  private func generation(at path: String) throws -> String {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    return bytes.count < 32 ? "" : bytes[16..<24].map { String($0, radix: 16) }.joined(separator: ".")
  }

  private func judge(
    _ main: MainCopy, _ log: LogCopy, seats: Int, _ trial: Int, _ tally: Tally
  ) async throws {
    let place = try ScratchDirectory()
    let path = place.path("first-come.db")
    for (from, to) in [(main.path, path), (log.path, path + "-wal"), (database + ".witness", path + ".witness")] {
      try FileManager.default.copyItem(atPath: from, toPath: to)
    }
    tally.count("splices")
    let start = try await Program.issueService.run(["campaign", "list", "--database", path])
    let isSame = log.isLast && main.how == "backup" && !log.generation.isEmpty && main.generation == log.generation
    let what =
      "\(main.how) of \(main.seats) seats under a log of generation \(log.generation), "
      + "taken under \(main.generation), of \(seats) seats"
    switch start.status {
    case 78:
      tally.count("splices refused")
      if isSame { tally.broke("\(what): refused: \(start.errors)", in: trial) }
    case 0:
      if isSame { tally.count("copies of the same generation that started") }
      let wrong = try wrong(at: path, seats: seats)
      if let wrong { tally.broke("\(what): missed: \(wrong)", in: trial) }
    default: tally.broke("\(what): ended \(start.status): \(start.errors)", in: trial)
    }
  }

  /// - Returns: what is not as it was answered; `nil` if every acceptance is there with its seat.
  private func wrong(at path: String, seats: Int) throws -> String? {
    try DatabaseQueue(path: path).read { db in
      let found = try Row.fetchAll(db, sql: "SELECT seat, user_id FROM accepted_user ORDER BY seat")
      if found.count != seats { return "\(found.count) of \(seats) acceptances" }
      for (index, row) in found.enumerated() {
        let (seat, user): (Int, String) = (row["seat"], row["user_id"])
        if seat != index + 1 || user != Claim.of(seat).userID.rawValue { return "seat \(seat) is of \(user)" }
      }
      let check = try String.fetchAll(db, sql: "PRAGMA integrity_check(3)")
      return check == ["ok"] ? nil : check.joined(separator: "; ")
    }
  }
}
