internal import TestSupport

/// A command whose every write is made to fail.
struct SweptCommand: Sendable {
  enum Template: Sendable, CaseIterable { case none, old, sound, pending, due, dead, settled, damaged }

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
    // Nobody listens at the partner's: 69 says so, and the rest is done.
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
  ]

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
      default: argument
      }
    }
  }

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
