internal import ArgumentParser
internal import Auditing
internal import Composition
internal import Issuance
internal import ServiceKit

struct ApplyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Does what a reviewed plan says, after a backup, and judges the database again.",
    examples: ["reconcile apply plan.json --reason 'coupon lost' --database first-come.db"],
    discussion: """
      An action whose rows are not as the plan saw them is refused. What is done
      already is not done again. Exit codes: 2 where an action was refused, else
      those of the report that follows.
      """)

  /// In bytes. A plan with ten thousand actions is about a tenth as long.
  private static let largestPlan = 64 << 20

  @Argument(help: "The plan: a file of 'reconcile plan'.")
  var plan: String
  @OptionGroup var author: AuthorOptions
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let path = try database.path()
      let (plan, repairs) = try read()
      try await Self.requireSame(plan, database: path)
      let store = try Backend.openRepairStore(database: path)
      if repairs.isEmpty {
        try printResult("the plan has no actions: nothing to do")
      } else {
        try printResult("backup: \(try await store.backup())")
      }
      // Repairs continue even if standard output is closed.
      let told = Told()
      let refused = try await apply(repairs, at: store, told)
      let made = try await ReportMaking(path: path, options: AuditOptions()).make()
      let terminal = Terminal.standardOutput
      told.say(
        TextReport(report: made.report, columns: terminal.columns, paint: terminal.painted, next: made.next).description
      )
      await ReportMaking.record(made)
      if let failure = told.failure { throw failure }
      return refused > 0 && made.report.verdict != .unknown ? .negative : made.report.verdict.programExit
    }
  }

  /// - Returns: how many actions were refused.
  private func apply(
    _ repairs: [(RepairPlan.Action, Repair)], at store: any RepairStore, _ told: Told
  ) async throws -> Int {
    var refused = 0
    for (action, repair) in repairs {
      switch try await store.apply(repair, by: author.author) {
      case .done: told.say("done: \(action.id)")
      case .doneBefore: told.say("done before: \(action.id)")
      case .refused(let why, _):
        refused += 1
        told.say("refused: \(action.id): \(why)")
      }
    }
    return refused
  }

  /// Writes lines to standard output, and keeps the first failure.
  private final class Told {
    private(set) var failure: CLIError?

    func say(_ line: String) {
      guard failure == nil else { return }
      do throws(CLIError) {
        try printResult(line)
      } catch {
        failure = error
      }
    }
  }

  private func read() throws(CLIError) -> (RepairPlan, [(RepairPlan.Action, Repair)]) {
    let text = try InputFile.read(plan, limit: Self.largestPlan, what: "the plan")
    guard let decoded = JSONText.decode(RepairPlan.self, from: text), decoded.schemaVersion == 1 else {
      throw CLIError(
        .badData, "cannot use the plan \(plan)", reason: "it is not a plan of this version",
        hint: "make one with: reconcile plan --output plan.json")
    }
    var repairs: [(RepairPlan.Action, Repair)] = []
    for action in decoded.actions {
      guard let repair = action.repair else {
        throw CLIError(
          .badData, "cannot use the plan \(plan)", reason: "\(action.id) is no action that there is; nothing was done",
          hint: "make a new one with: reconcile plan --output plan.json")
      }
      repairs.append((action, repair))
    }
    return (decoded, repairs)
  }

  private static func requireSame(_ plan: RepairPlan, database: String) async throws {
    let source = try Backend.openReconciliationSource(database: database)
    let identity = try await source.withSnapshot { snapshot in try? snapshot.identity() }
    guard identity?.databaseID == plan.databaseID else {
      throw CLIError(
        .badData, "cannot use the plan", reason: "it was made for another database; nothing was done",
        hint: "check --database, or make a new plan with: reconcile plan")
    }
  }
}
