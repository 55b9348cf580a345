internal import ArgumentParser
internal import Auditing
internal import Composition
internal import Issuance
internal import ServiceKit

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copies the database to a new file while programs use it, and audits the copy.",
    examples: [
      "issue-service backup /backup/night.db --database first-come.db",
      "issue-service backup /backup/night.db --replace --database first-come.db",
    ],
    discussion: """
      The copy holds one instant. It is checked by every rule of 'reconcile
      report', and gets the name FILE only if the report is CLEAN.
      Otherwise it is kept as FILE.rejected; the exit code is 2 for DIRTY and 3
      for UNKNOWN. The file holds coupon codes and has mode 0600.
      """)

  @Argument(help: "The new file. Its directory must exist.")
  var file: String
  @Flag(help: "Replace an existing backup.")
  var replace = false
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let path = try database.path()
      let begun = ContinuousClock.now
      let source = try Backend.openBackupSource(database: path)
      let outcome = try await source.backup(
        to: file, replacesExisting: replace, judge: { Audit($0).judge() }, isAccepted: { $0.verdict == .clean })
      switch outcome {
      case .refused(let why, let next):
        throw CLIError(.badData, "cannot write the backup to \(file)", reason: why, hint: next)
      case .made(let backup, let report):
        try say(backup, report, of: path, seconds: begun.duration(to: .now) / .seconds(1))
        return report.verdict.programExit
      }
    }
  }

  private func say(_ backup: Backup, _ report: Report, of path: String, seconds: Double) throws {
    if json.isSet { return try printJSON(BackupBody(backup, report, database: path, seconds: seconds)) }
    let tenths = Int((seconds * 10).rounded())
    try printResult(
      """
      \(report.verdict.rawValue)  \(backup.path)
        as of   \(report.asOf)
        seats   \(backup.seats)
        size    \(backup.bytes) bytes
        seconds \(tenths / 10).\(tenths % 10)
      """)
    if backup.isAccepted { return }
    for reason in report.reasons.prefix(BackupBody.shown) { printError("not judged: \(reason)") }
    for finding in report.findings.prefix(BackupBody.shown) where report.waivers[finding.id] == nil {
      printError("finding: \(finding.id)")
    }
    printError(
      """
      error: the copy was not accepted as a backup
        why:  the report on it is \(report.verdict.rawValue), with \(report.findingsFound) findings
        next: see all with: reconcile report --database \(path); the copy is kept as \(backup.path)
      """)
  }
}

/// What `backup --json` prints.
private struct BackupBody: Encodable {
  /// How many findings and reasons are listed.
  static let shown = 10

  private let schemaVersion = 1
  private let database: String
  private let file: String
  private let accepted: Bool
  private let verdict: String
  private let asOf: String
  private let databaseID: Nullable<String>
  private let seats: Int
  private let bytes: Int
  private let seconds: Double
  private let findings: Int
  private let findingIds: [String]
  private let reasons: [String]

  init(_ backup: Backup, _ report: Report, database: String, seconds: Double) {
    self.database = database
    file = backup.path
    accepted = backup.isAccepted
    verdict = report.verdict.rawValue
    asOf = "\(report.asOf)"
    databaseID = Nullable(report.identity?.databaseID)
    seats = backup.seats
    bytes = backup.bytes
    self.seconds = (seconds * 1_000).rounded() / 1_000
    findings = report.findingsFound - report.waived.count
    findingIds = report.findings.filter { report.waivers[$0.id] == nil }.prefix(Self.shown).map(\.id)
    reasons = Array(report.reasons.prefix(Self.shown))
  }
}
