internal import ArgumentParser
internal import Composition
internal import Issuance

/// One seat of one campaign, as an argument: `summer/17`.
struct SeatArgument: ExpressibleByArgument, Sendable {
  let campaign: CampaignID
  let seat: Seat

  var key: SeatKey { SeatKey(campaign: campaign.rawValue, seat: seat.number) }

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let campaign = CampaignID(String(parts[0])), let number = Int(parts[1]), number > 0,
      String(number) == parts[1]
    else { return nil }
    self.campaign = campaign
    seat = Seat(number)
  }
}
