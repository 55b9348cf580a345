internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Replaces the database by a backup, and compares it with the witness.",
    examples: [
      "issue-service restore /backup/night.db --reason 'disk failure'",
      "issue-service restore /backup/night.db --reason 'drill' --yes",
    ],
    discussion: """
      Stop every program first. FILE is checked, and the present database file
      and its -wal are moved to DATABASE.set-aside-TIME before it takes their
      place. The witness stays. Ends with 78 if the witness knows seats that
      FILE lacks: the restore is done, and 'witness accept-loss' comes next.
      """)

  @Argument(help: "A file that 'issue-service backup' made of this database.")
  var file: String
  @OptionGroup var act: ReasonedOperatorOptions
  @Flag(help: "Skip the confirmation.")
  var yes = false
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let path = try database.path()
      if !yes {
        try Confirmation.ask(
          "Replace the database \(path) by \(file)? The present files are set aside.", doing: "restore the database")
      }
      let restored = try await Backend.restoreTarget(database: path).restore(from: file, by: act.author)
      if json.isSet {
        try printJSON(RestoreBody(restored, database: path, file: file))
      } else {
        try say(restored, path)
      }
      guard let refusal = restored.refusal else { return .done }
      throw failure(of: restored, refusal, path)
    }
  }

  private func say(_ restored: Restored, _ path: String) throws {
    try printResult("restored \(path) from \(file): \(restored.seats) seats")
    try printResult(restored.setAside.map { "set aside: \($0)" } ?? "no file had to be set aside")
    for campaign in restored.short {
      try printResult("campaign \(campaign.campaign): \(campaign.missingSeats) missing")
    }
    if restored.refusal == nil { try printResult("the witness is in step; programs can start") }
  }

  private func failure(of restored: Restored, _ refusal: StoreError, _ path: String) -> CLIError {
    guard !restored.short.isEmpty else {
      return CLIError(
        refusal.code.programExit, "the restore is done, but programs cannot start on \(path)", reason: refusal.cause,
        hint: refusal.hint.isEmpty ? "look with: reconcile report --database \(path)" : refusal.hint)
    }
    return CLIError(
      .configuration, "the restore is done, but the backup lacks seats that were given",
      reason: restored.short.compactMap(\.fault).joined(separator: "; "),
      hint: "restore a newer backup; if there is none: issue-service witness accept-loss --reason TEXT")
  }
}

extension WitnessedCampaign {
  /// "seats 41 to 57 (17)"; all up to the last one if the backup has other acceptances.
  fileprivate var missingSeats: String {
    let first = firstMissing
    return first == witnessed ? "seat \(first) (1)" : "seats \(first) to \(witnessed) (\(witnessed - first + 1))"
  }

  fileprivate var firstMissing: Int { found < witnessed ? found + 1 : 1 }
}

/// What `restore --json` prints.
private struct RestoreBody: Encodable {
  private let schemaVersion = 1
  private let database: String
  private let file: String
  private let databaseID: Nullable<String>
  private let seats: Int
  private let setAside: Nullable<String>
  /// Whether programs start on it.
  private let startable: Bool
  /// Why they do not: a word.
  private let refusal: Nullable<String>
  private let missing: [Missing]

  private struct Missing: Encodable {
    let campaignID: String
    let firstSeat: Int
    let lastSeat: Int
    let seats: Int
  }

  init(_ restored: Restored, database: String, file: String) {
    self.database = database
    self.file = file
    databaseID = Nullable(restored.databaseID)
    seats = restored.seats
    setAside = Nullable(restored.setAside)
    startable = restored.refusal == nil
    refusal = Nullable(restored.refusal?.code.rawValue)
    missing = restored.short.map { campaign in
      Missing(
        campaignID: campaign.campaign, firstSeat: campaign.firstMissing, lastSeat: campaign.witnessed,
        seats: campaign.witnessed - campaign.firstMissing + 1)
    }
  }
}
