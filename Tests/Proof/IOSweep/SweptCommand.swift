internal import TestSupport

/// A command whose every write is made to fail.
struct SweptCommand: Sendable {
  enum Template: Sendable, CaseIterable { case none, old, sound, pending, due, dead, damaged }

  let name: String
  let template: Template
  let program: String
  let arguments: [String]
  /// With which exit codes it has done what was asked.
  let succeeds: Set<Int32>
  /// With which it says that it was done before.
  var doneBefore: Set<Int32> = []

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
    SweptCommand("consume --once", .pending, "issue-service", ["consume", "--once"]),
    SweptCommand("migrate up", .old, "issue-service", ["migrate", "up"]),
    SweptCommand("witness rebuild", .sound, "issue-service", ["witness", "rebuild", "--reason", "sweep"]),
    SweptCommand("serve under claims", .sound, "issue-service", ["serve"]),
    SweptCommand("retry-batch --once", .due, "retry-batch", ["--once"], succeeds: [0, 4]),
    SweptCommand("retry-batch redrive", .dead, "retry-batch", ["redrive", "--all", "--reason", "sweep"]),
    SweptCommand("retry-batch discard", .dead, "retry-batch", ["discard", "--all", "--reason", "sweep", "--yes"]),
    SweptCommand("retry-batch prune", .due, "retry-batch", ["prune", "--older-than", "0h", "--reason", "sweep"]),
    SweptCommand("reconcile report", .sound, "reconcile", ["report"]),
    SweptCommand(
      "reconcile report --output", .sound, "reconcile", ["report", "--format", "html", "--output", "OUTPUT"]),
    SweptCommand("reconcile self-test", .sound, "reconcile", ["self-test"]),
    SweptCommand("reconcile apply", .damaged, "reconcile", ["apply", "PLAN", "--reason", "sweep"]),
  ]

  private init(
    _ name: String, _ template: Template, _ program: String, _ arguments: [String], succeeds: Set<Int32> = [0],
    doneBefore: Set<Int32> = []
  ) {
    self.name = name
    self.template = template
    self.program = program
    self.arguments = arguments
    self.succeeds = succeeds
    self.doneBefore = doneBefore
  }
}
