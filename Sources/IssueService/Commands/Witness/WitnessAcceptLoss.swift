internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

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
      let witnessAdmin = try Backend.openWitnessAdmin(
        database: database.path(), witness: nil, for: .acceptLoss)
      let losses = try await witnessAdmin.acceptLoss(by: act.author)
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

/// What `witness accept-loss --json` prints.
struct WitnessLossBody: Encodable {
  private let schemaVersion = 1
  /// Empty where nothing was missing, and nothing was changed.
  private let losses: [Loss]

  private struct Loss: Encodable {
    let campaignID: String
    let firstSeat: Int
    let lastSeat: Int
    let seats: Int
  }

  init(_ losses: [SeatLoss]) {
    self.losses = losses.map { loss in
      Loss(
        campaignID: loss.campaign, firstSeat: loss.first.number, lastSeat: loss.last.number,
        seats: loss.last.number - loss.first.number + 1)
    }
  }
}

extension SeatLoss {
  /// "seats 41 to 57", or "seat 41".
  var seats: String { first == last ? "seat \(first)" : "seats \(first) to \(last)" }
}
