import Foundation
import TestSupport
import Testing

/// `issue-service restore` where the present file is gone, empty, or of another installation.
@Suite("A restore works on what an accident or a crash left")
struct RestoreAfterLossTests {
  /// A stopped service with 20 seats, its backup, and the witness at another place if `elsewhere`.
  private func stopped(
    in directory: ScratchDirectory, elsewhere: Bool = false, byKill: Bool = true
  ) async throws -> (database: String, backup: String) {
    let database = try await makeCampaign(quota: 100, in: directory)
    let file = directory.path("night.db")
    if elsewhere {
      let moved = try await RestoreTests.run(
        "witness", "rebuild", "--witness", directory.path("w"), "--reason", "x", database: database)
      #expect(moved.status == 0, "\(moved.errors)")
    }
    try await RunningService.run(database: database) { service in
      _ = try await BackupTests.claim(1...20, at: service)
      #expect(try await RestoreTests.run("backup", file, database: database).status == 0)
      if byKill { try service.kill() }
    }
    return (database, file)
  }

  private func requireSeats(at database: String) async throws {
    try await RunningService.run(database: database) { service in
      let seats = try await BackupTests.claim(1...21, at: service)
      #expect(seats["user-20"] == 20 && seats["user-21"] == 21)
    }
  }

  /// Only the log was left. An empty database was served after the kill.
  @Test(arguments: ["restore.checked", "restore.log-set-aside", "restore.renamed"], [true, false])
  func aKillWhileTheMainFileIsMissing(point: String, startsFirst: Bool) async throws {
    let directory = try ScratchDirectory()
    let (database, file) = try await stopped(in: directory, elsewhere: true)
    try directory.remove("first-come.db")
    #expect(!RestoreTests.logIsGone(database))
    let killed = try await Program.issueService.run(
      ["restore", file, "--reason", "x", "--yes", "--database", database], environment: ["FIRST_COME_CRASH_AT": point])
    #expect(killed.status == 128 + 9, "\(killed.errors)")
    if point == "restore.checked" {
      let serve = ["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--database", database]
      #expect(try await Program.issueService.run(serve).status == 74)
      #expect(!FileManager.default.fileExists(atPath: database))
    } else if startsFirst {
      return try await requireSeats(at: database)
    }
    let again = try await RestoreTests.restore(file, to: database)
    #expect(again.status == 0, "\(again.output)\(again.errors)")
    try await requireSeats(at: database)
  }

  /// All of the set is gone, and the witness stands at the place that `serve` is told.
  @Test func aMissingDatabaseIsNotServedEmpty() async throws {
    let directory = try ScratchDirectory()
    let (database, file) = try await stopped(in: directory, elsewhere: true, byKill: false)
    for suffix in ["", "-wal", "-shm", ".use-lock", ".write-lock"] {
      try? directory.remove("first-come.db\(suffix)")
    }
    let serve = ["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--witness", directory.path("w")]
    let refused = try await Program.issueService.run(serve + ["--database", database])
    #expect(refused.status == 78 && refused.errors.contains("issue-service restore BACKUP"), "\(refused.errors)")
    #expect(!FileManager.default.fileExists(atPath: database))
    let restored = try await RestoreTests.restore(file, to: database)
    #expect(restored.status == 0, "\(restored.output)\(restored.errors)")
    try await requireSeats(at: database)
  }

  /// An empty database that took the place of the lost one does not veto the backup that the witness names.
  @Test func anEmptyDatabaseInItsPlace() async throws {
    let directory = try ScratchDirectory()
    let (database, file) = try await stopped(in: directory, elsewhere: true)
    for suffix in ["", "-wal", "-shm", ".write-lock"] { try directory.remove("first-come.db\(suffix)") }
    #expect(try await RestoreTests.run("migrate", "up", database: database).status == 0)
    let restored = try await RestoreTests.restore(file, to: database)
    #expect(restored.status == 0, "\(restored.output)\(restored.errors)")
    try await requireSeats(at: database)
  }

  /// The programs say: to go back to a backup, restore it.
  @Test(arguments: [true, false])
  func aWrongFileCopiedOverDoesNotVetoTheBackup(elsewhere: Bool) async throws {
    let directory = try ScratchDirectory()
    let (database, file) = try await stopped(in: directory, elsewhere: elsewhere)
    let other = directory.path("other.db")
    #expect(try await RestoreTests.run("campaign", "create", "autumn", database: other).status == 0)
    #expect(
      try await RestoreTests.run(
        "witness", "rebuild", "--witness", directory.path("other-w"), "--reason", "x", database: other
      ).status == 0)
    try directory.contents("other.db").write(to: URL(fileURLWithPath: database))
    let restored = try await RestoreTests.restore(file, to: database)
    #expect(restored.status == 0, "\(restored.output)\(restored.errors)")
    let aside = try #require(try directory.names().first { $0.hasPrefix("first-come.db.set-aside-") })
    #expect(try directory.contents("\(aside)/first-come.db") == directory.contents("other.db"))
    try await requireSeats(at: database)
  }

  /// The present file decides if no witness can be read, and a backup of another installation does not bring its own.
  @Test func withoutAWitnessThePresentFileDecides() async throws {
    let directory = try ScratchDirectory()
    let (database, _) = try await stopped(in: directory, byKill: false)
    try directory.remove("first-come.db.witness")
    let other = directory.path("other.db")
    #expect(try await RestoreTests.run("campaign", "create", "autumn", database: other).status == 0)
    let place = directory.path("other-w")
    #expect(
      try await RestoreTests.run("witness", "rebuild", "--witness", place, "--reason", "x", database: other).status == 0
    )
    let night = directory.path("other-night.db")
    #expect(try await RestoreTests.run("backup", night, database: other).status == 0)
    let before = try RestoreTests.set(in: directory)
    let refused = try await RestoreTests.restore(night, to: database)
    #expect(refused.status == 78 && refused.errors.contains("move it, its -wal"), "\(refused.errors)")
    #expect(try RestoreTests.set(in: directory) == before)
  }

  /// The copy in the directory holds coupon codes.
  @Test(arguments: ["restore.copied", "restore.checked"])
  func theNextStartRemovesTheCopyOfAKilledRestore(point: String) async throws {
    let directory = try ScratchDirectory()
    let (database, file) = try await stopped(in: directory)
    let killed = try await Program.issueService.run(
      ["restore", file, "--reason", "x", "--yes", "--database", database], environment: ["FIRST_COME_CRASH_AT": point])
    #expect(killed.status == 128 + 9, "\(killed.errors)")
    #expect(try directory.names().contains { $0.contains("set-aside") })
    try await requireSeats(at: database)
    #expect(try !directory.names().contains { $0.contains("set-aside") })
  }
}
