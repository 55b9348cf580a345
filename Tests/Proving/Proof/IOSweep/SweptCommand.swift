internal import Foundation
internal import TestSupport

/// A command whose every write is made to fail.
struct SweptCommand: Sendable {
  enum Template: Sendable, CaseIterable { case none, old, sound, paused, pending, lost, due, dead, settled, damaged }

  let name: String
  let template: Template
  let program: String
  let arguments: [String]
  /// With which exit codes it has done what was asked.
  let succeeds: Set<Int32>
  /// With which it says that it was done before.
  var doneBefore: Set<Int32> = []
  /// With which the report ends when it is done.
  var reportEnds: Int32 = 0

  static let all: [SweptCommand] = [
    SweptCommand(
      "campaign raise-quota", .sound, "issue-service", ["campaign", "raise-quota", "summer", "--quota", "1000"]),
    SweptCommand(
      "campaign create, a new file", .none, "issue-service", ["campaign", "create", "summer", "--quota", "40"],
      doneBefore: [65]),
    SweptCommand(
      "campaign create", .sound, "issue-service", ["campaign", "create", "autumn", "--quota", "40"], doneBefore: [65]),
    SweptCommand("campaign pause", .sound, "issue-service", ["campaign", "pause", "summer"]),
    SweptCommand("campaign close", .sound, "issue-service", ["campaign", "close", "summer"]),
    SweptCommand(
      "campaign import-codes", .sound, "issue-service", ["campaign", "import-codes", "pool", "CODES"], doneBefore: [65]),
    // Nobody listens at the issuer's: 69 says so, and the rest is done.
    SweptCommand("consume --once", .pending, "issue-service", ["consume", "--once"], succeeds: [0, 69]),
    SweptCommand("migrate up", .old, "issue-service", ["migrate", "up"]),
    SweptCommand("witness rebuild", .sound, "issue-service", ["witness", "rebuild", "--reason", "sweep"]),
    SweptCommand("serve under claims", .sound, "issue-service", ["serve"]),
    SweptCommand("retry-batch --once", .due, "retry-batch", ["--once"], succeeds: [0, 4]),
    SweptCommand("retry-batch redrive", .dead, "retry-batch", ["redrive", "--all", "--reason", "sweep"]),
    SweptCommand(
      "retry-batch discard", .dead, "retry-batch", ["discard", "--campaign", "hook", "--reason", "sweep", "--yes"],
      doneBefore: [65]),
    SweptCommand("retry-batch prune", .settled, "retry-batch", ["prune", "--older-than", "0h", "--reason", "sweep"]),
    SweptCommand("reconcile report", .sound, "reconcile", ["report"]),
    SweptCommand(
      "reconcile report --output", .sound, "reconcile", ["report", "--format", "html", "--output", "OUTPUT"]),
    SweptCommand("reconcile self-test", .sound, "reconcile", ["self-test"]),
    SweptCommand("reconcile apply", .damaged, "reconcile", ["apply", "PLAN", "--reason", "sweep"]),
    SweptCommand("campaign resume", .paused, "issue-service", ["campaign", "resume", "summer"]),
    SweptCommand(
      "campaign configure", .sound, "issue-service", ["campaign", "configure", "hook", "--max-attempts", "20"]),
    SweptCommand(
      "witness accept-loss", .lost, "issue-service", ["witness", "accept-loss", "--reason", "sweep"]),
    SweptCommand(
      "retry-batch --once --metrics-file", .due, "retry-batch", ["--once", "--metrics-file", "METRICS"],
      succeeds: [0, 4]),
    SweptCommand(
      "reconcile waive", .damaged, "reconcile", ["waive", lostRow, "--until", "UNTIL", "--reason", "sweep"]),
    SweptCommand("reconcile plan", .damaged, "reconcile", ["plan", "--output", "PLAN"], reportEnds: 2),
    SweptCommand(
      "reconcile watch", .damaged, "reconcile", ["watch", "--exit-on-dirty"], succeeds: [2], reportEnds: 2),
    SweptCommand("reconcile explain", .sound, "reconcile", ["explain", "--campaign", "summer", "--user", "first-1"]),
    SweptCommand("reconcile history", .sound, "reconcile", ["history"]),
    SweptCommand("campaign list", .sound, "issue-service", ["campaign", "list"]),
    SweptCommand("campaign show", .sound, "issue-service", ["campaign", "show", "summer"]),
    SweptCommand("migrate status", .sound, "issue-service", ["migrate", "status"]),
    SweptCommand("witness show", .sound, "issue-service", ["witness", "show"]),
    SweptCommand("retry-batch list", .dead, "retry-batch", ["list"]),
    SweptCommand("retry-batch show", .dead, "retry-batch", ["show", "hook/1"]),
    SweptCommand("retry-batch runs", .dead, "retry-batch", ["runs"]),
  ]

  /// The finding of the damage in its template.
  private static let lostRow = "outbox-agrees/summer/2"

  /// What a command finds in its environment, on a copy of its template.
  static func environment(in directory: ScratchDirectory) -> [String: String] {
    [
      "FIRST_COME_DATABASE": directory.path("first-come.db"),
      "FIRST_COME_WEBHOOK_KEY_FILE": directory.path("webhook-key"),
      "FIRST_COME_WEBHOOK_ALLOW": "127.0.0.0/8", "FIRST_COME_RETRY_BASE": "1ms", "FIRST_COME_RETRY_CAP": "1ms",
    ]
  }

  /// Its arguments there; a file that it reads is written first.
  func arguments(in directory: ScratchDirectory) throws -> [String] {
    try arguments.map { argument in
      switch argument {
      case "CODES": try directory.write((301...304).map { "CODE-\($0)\n" }.joined(), to: "more-codes")
      case "OUTPUT": directory.path("report.html")
      case "PLAN": directory.path("plan.json")
      case "METRICS": directory.path("batch.prom")
      case "UNTIL": Date.now.addingTimeInterval(86_400).formatted(.iso8601)
      default: argument
      }
    }
  }

  private init(
    _ name: String, _ template: Template, _ program: String, _ arguments: [String], succeeds: Set<Int32> = [0],
    doneBefore: Set<Int32> = [], reportEnds: Int32 = 0
  ) {
    self.name = name
    self.template = template
    self.program = program
    self.arguments = arguments
    self.succeeds = succeeds
    self.doneBefore = doneBefore
    self.reportEnds = reportEnds
  }
}
