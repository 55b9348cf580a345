internal import ArgumentParser
internal import Composition
internal import Issuance

struct ConsumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "consume", abstract: "Makes coupons of what the outbox holds, without serving.",
    examples: ["issue-service consume --once --database first-come.db"])

  @Flag(help: "End when nothing is pending. Without it the consumer runs inside serve.")
  var once = false
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard once else {
      throw ValidationError("It does not say --once; a consumer that stays is part of: issue-service serve.")
    }
  }

  func run() async throws {
    try await runCommand {
      let store = try Backend.openStore(database: database.path())
      let termination = Termination()
      let progress = Progress("settling", total: nil, unit: "events")
      let total = try await termination.watch {
        try await Self.deliverAll(of: store, until: termination, progress: progress)
      }
      progress.finish()
      let status = termination.programExit ?? .done
      if json.isSet {
        try printJSON(ConsumeBody(total, status))
      } else {
        try printResult("delivered \(total.delivered), parked \(total.parked), dead \(total.dead)")
      }
      return status
    }
  }

  private static func deliverAll(
    of outbox: any Outbox, until termination: Termination, progress: Progress
  ) async throws -> DeliveryTally {
    var total = DeliveryTally()
    while termination.programExit == nil {
      let tally = try await outbox.deliverPending(limit: Consumer.batchSize)
      if tally.total == 0 { break }
      total.delivered += tally.delivered
      total.parked += tally.parked
      total.dead += tally.dead
      progress.advance(by: tally.total)
    }
    return total
  }
}

/// What `consume --json` prints.
private struct ConsumeBody: Encodable {
  private let schemaVersion = 1
  private let delivered: Int
  private let parked: Int
  private let dead: Int
  private let exitCode: Int32

  init(_ tally: DeliveryTally, _ status: ProgramExit) {
    delivered = tally.delivered
    parked = tally.parked
    dead = tally.dead
    exitCode = status.rawValue
  }
}
