internal import ArgumentParser
internal import Auditing
internal import Composition
internal import Issuance
internal import ServiceKit

struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Says in a plain sentence what became of one person, with the whole time line.",
    examples: [
      "reconcile explain --campaign summer --user mina --database first-come.db",
      "reconcile explain --campaign summer --seat 3",
      "reconcile explain --finding outbox-agrees/summer/3",
    ],
    discussion: "In English or Korean, by the locale (LC_ALL, LC_MESSAGES, LANG).")

  @OptionGroup var scope: ScopeOption
  @Option(help: "The person, by user id.")
  var user: String?
  @Option(help: "The person, by seat.")
  var seat: Int?
  @Option(help: ArgumentHelp("The person, by a finding of a report.", valueName: "id"))
  var finding: String?
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard [user != nil, seat != nil, finding != nil].count(where: \.self) == 1 else {
      throw ValidationError("Give one of --user, --seat and --finding.")
    }
    guard finding != nil || scope.campaign != nil else { throw ValidationError("Give the --campaign.") }
    guard finding == nil || Finding.seat(ofID: finding ?? "") != nil else {
      throw ValidationError("'\(finding ?? "")' is no finding of a seat: one is rule/campaign/seat.")
    }
  }

  func run() async throws {
    try await runCommand {
      let source = try Backend.openReconciliationSource(database: try database.path())
      let campaign = finding.flatMap { Finding.seat(ofID: $0)?.campaign } ?? scope.campaign ?? ""
      let found = try await source.withSnapshot { [user, seat, finding] snapshot in
        Self.look(
          for: campaign, user: user, seat: seat ?? finding.flatMap { Finding.seat(ofID: $0)?.seat }, in: snapshot)
      }.get()
      let language = Language(environment: ProcessIdentity.environment)
      switch found {
      case .story(let story): try printResult(Explanation(story).text(in: language))
      case .noSeat:
        try printResult(
          language.phrase(
            "User \(user ?? "") holds no seat of campaign \(campaign).",
            "사용자 \(user ?? ""): \(campaign) 캠페인의 좌석을 보유하고 있지 않습니다."))
      case .noCampaign(let known):
        guard let id = CampaignID(campaign) else {
          throw CLIError(
            .badData, "cannot explain \(finding ?? "")", reason: "it names no campaign",
            hint: "copy the id of a finding from: reconcile report")
        }
        throw CLIError.unknownCampaign(id, doing: "explain a seat of", among: known)
      }
      return .done
    }
  }

  private enum Found: Sendable {
    case story(SeatTimeline)
    case noSeat
    case noCampaign([CampaignID])
  }

  private static func look(
    for campaign: String, user: String?, seat: Int?, in snapshot: any ReconciliationSnapshot
  ) -> Result<Found, StoreError> {
    do throws(StoreError) {
      let id = CampaignID(campaign)
      var isKnown = false
      if let id { isKnown = try !snapshot.campaigns(id).isEmpty }
      guard isKnown || seat != nil && id != nil else {
        return .success(.noCampaign(try snapshot.campaigns(nil).compactMap { CampaignID($0.id) }))
      }
      var number = seat
      if let user { number = try snapshot.seat(of: user, in: campaign) }
      guard let number else { return .success(.noSeat) }
      let story = try snapshot.story(of: SeatKey(campaign: campaign, seat: number))
      guard isKnown || !story.record.isEmpty else {
        return .success(.noCampaign(try snapshot.campaigns(nil).compactMap { CampaignID($0.id) }))
      }
      return .success(.story(story))
    } catch {
      return .failure(error)
    }
  }
}
