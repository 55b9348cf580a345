internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct WitnessCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "witness", abstract: "Shows and mends the witness, which knows what the database must not forget.",
    examples: [
      "issue-service witness show --database first-come.db",
      "issue-service witness rebuild --reason 'the disk with it is lost'",
    ],
    discussion: """
      The witness is a small file outside the database: FILE.witness beside
      it, or where 'serve --witness' put it.
      Rebuilding and accepting a loss need every program stopped.
      """,
    subcommands: [WitnessShow.self, WitnessRebuildCommand.self, WitnessAcceptLoss.self])

  func run() async throws { throw CLIError.noSubcommand(of: Self.self) }
}

/// `--witness`, of the commands that may put it elsewhere.
struct WitnessOption: ParsableArguments {
  static let setting = Setting<String?>(
    "witness", "the witness file, where it is not the one that the database says (FILE.witness at first)",
    SettingType.path.optional, default: nil)

  @Option(WitnessOption.setting)
  var path: String?

  /// - Throws: `SettingsRefused`.
  func pathIfNamed() throws -> String? { try Self.setting.value(flag: path) }
}

/// Who acts and why, where the record must say why.
struct ReasonedOperatorOptions: ParsableArguments {
  @Option(name: .customLong("operator"), help: "Who acts; else the login.")
  var operatorName: String?
  @Option(help: "Why, for the record.")
  var reason: String

  func validate() throws {
    guard reason.contains(where: { !$0.isWhitespace }) else { throw ValidationError("--reason says nothing.") }
  }

  var author: Operator { Operator(name: operatorName ?? ProcessIdentity.operatorName, reason: reason) }
}

struct WitnessShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Compares the witness with the database. Ends with 78 where they do not agree.",
    examples: ["issue-service witness show --database first-come.db"])

  @OptionGroup var json: JSONFlag
  @OptionGroup var witness: WitnessOption
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let keeper = try Backend.openWitnessAdmin(
        database: database.path(), witness: witness.pathIfNamed(), for: .show)
      let state = try await keeper.witnessState()
      if json.isSet { try printJSON(WitnessShowBody(state)) } else { try say(state) }
      return state.agrees ? .done : .configuration
    }
  }

  private func say(_ state: WitnessState) throws {
    try printResult("witness  \(state.path)\ndatabase \(state.databaseID)")
    try printResult(state.sequence.map { "record   \($0)" } ?? "no whole record is there")
    guard !state.campaigns.isEmpty else { return try printResult("no acceptances") }
    var table = TextTable([.key("CAMPAIGN"), .number("WITNESSED"), .number("DATABASE"), "STANDING"])
    for campaign in state.campaigns {
      table.add([campaign.campaign, "\(campaign.witnessed)", "\(campaign.found)", campaign.standing.words])
    }
    try printResult(table.text(columns: Terminal.standardOutput.columns))
  }
}

extension WitnessState {
  /// Whether the database has all that was witnessed.
  var agrees: Bool {
    let isWhole = sequence != nil || campaigns.isEmpty
    return isWhole && campaigns.allSatisfy { $0.fault == nil }
  }
}

extension WitnessedCampaign.Standing {
  fileprivate var words: String {
    switch self {
    case .inStep: "in step"
    case .databaseAhead: "the database has more, which nobody was answered"
    case .witnessAhead(let missing): "\(missing) missing in the database"
    case .contradicted: "the database has other acceptances"
    }
  }
}

struct WitnessRebuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild", abstract: "Begins a new witness from the acceptances that the database has.",
    examples: [
      "issue-service witness rebuild --reason 'the disk with it is lost'",
      "issue-service witness rebuild --witness /mnt/b/a.witness --reason 'new disk'",
    ],
    discussion: """
      For a witness that is lost, or to put it on another disk. From then on
      nothing tells what was missing before.
      """)

  @OptionGroup var witness: WitnessOption
  @OptionGroup var act: ReasonedOperatorOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let keeper = try Backend.openWitnessAdmin(
        database: database.path(), witness: witness.pathIfNamed(), for: .rebuild)
      let rebuild = try await keeper.rebuildWitness(by: act.author)
      if json.isSet {
        try printJSON(WitnessRebuildBody(rebuild))
        return .done
      }
      for path in rebuild.setAside { try printResult("set aside: \(path)") }
      try printResult("the witness is \(rebuild.state.path)")
      for campaign in rebuild.state.campaigns {
        try printResult("campaign \(campaign.campaign): \(campaign.found) acceptances")
      }
      return .done
    }
  }
}

struct WitnessAcceptLoss: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept-loss",
    abstract: "Takes the database as it stands for the truth, though acceptances that were answered are missing.",
    examples: ["issue-service witness accept-loss --reason 'the log is gone, no newer copy'"],
    discussion: """
      The last resort, when neither the lost -wal nor a newer copy can be had.
      Each short campaign is paused; the seats that its users were promised are
      listed and kept on record.
      """)

  @OptionGroup var act: ReasonedOperatorOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let keeper = try Backend.openWitnessAdmin(
        database: database.path(), witness: nil, for: .acceptLoss)
      let losses = try await keeper.acceptLoss(by: act.author)
      if json.isSet {
        try printJSON(WitnessLossBody(losses))
        return .done
      }
      if losses.isEmpty { try printResult("nothing is missing; nothing was changed") }
      for loss in losses {
        let count = loss.last.number - loss.first.number + 1
        try printResult(
          """
          campaign \(loss.campaign): \(loss.seats) lost (\(count)); no seat is given until:
            issue-service campaign resume \(loss.campaign) --reissue-seats --reason TEXT
          """)
      }
      return .done
    }
  }
}

extension SeatLoss {
  /// "seats 41 to 57", or "seat 41".
  var seats: String { first == last ? "seat \(first)" : "seats \(first) to \(last)" }
}
