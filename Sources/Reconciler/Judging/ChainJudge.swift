internal import Issuance
internal import Schema

/// Follows the chain of acceptances of every campaign through the one ordered pass, and compares what it meets with the
/// witness. Pure: rows in, findings out.
struct ChainJudge {
  private struct Link {
    let campaign: String
    var chain: [UInt8]
  }

  private let witnessed: [String: WitnessedSeat]
  private var link: Link?
  /// The highest seat of each witnessed campaign, and whether its witnessed seat has the witnessed value.
  private var highest: [String: Int] = [:]
  private var isSame: Set<String> = []
  /// How many values were recomputed or seen to be of a time before the chain.
  private(set) var examined = 0

  init(witnessed: [WitnessedSeat]) {
    self.witnessed = Dictionary(witnessed.map { ($0.key.campaign, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Judges the next acceptance in the order of campaign and seat.
  mutating func judge(_ acceptance: SeatRow) -> Finding? {
    guard let found = acceptance.link else { return nil }
    examined += 1
    let key = acceptance.key
    let previous = link?.campaign == key.campaign ? link?.chain ?? [] : AcceptanceChain.beginning
    let value = found.value ?? AcceptanceChain.beginning
    link = Link(campaign: key.campaign, chain: value)
    if let seen = witnessed[key.campaign] {
      highest[key.campaign] = key.seat
      if seen.key == key, seen.chain == value { isSame.insert(key.campaign) }
    }
    let hasBegun = found.value != nil || previous != AcceptanceChain.beginning
    let expected = AcceptanceChain.value(
      after: previous, campaign: key.campaign, seat: key.seat, user: acceptance.user,
      acceptedAt: found.acceptedAt)
    guard hasBegun, found.value != expected else { return nil }
    return Finding(
      .chainUnbroken, campaign: key.campaign, seat: key.seat, user: acceptance.user,
      expected: "a chain value that follows from the acceptance before and from this one",
      actual: "another value: one of the two was changed, taken out or put in behind the programs' back")
  }

  /// What the database lacks of what was witnessed, once all acceptances are judged.
  func findings() -> [Finding] {
    witnessed.values.sorted { $0.key < $1.key }.compactMap { seen in
      let campaign = seen.key.campaign
      let compared = WitnessedCampaign(
        campaign: campaign, witnessed: seen.key.seat, found: highest[campaign] ?? 0,
        isSame: isSame.contains(campaign))
      guard let fault = compared.fault else { return nil }
      return Finding(
        .witnessAgrees, campaign: campaign, expected: "every acceptance up to seat \(seen.key.seat), as witnessed",
        actual: fault)
    }
  }
}
