internal import Issuance
internal import Schema

/// Checks the acceptances of every campaign in the one ordered pass: their chain, their times, and the witness. Pure:
/// rows in, findings out.
struct HashChainCheck {
  private struct Link {
    let campaign: String
    let seat: Int
    /// `nil` if the row cannot be read: then the next row cannot be checked.
    let chain: [UInt8]?
    let acceptedAt: Int64
  }

  private let witnessed: [String: WitnessedSeat]
  private var link: Link?
  /// The last chain value of each campaign that the pass has finished.
  private var ended: [String: [UInt8]] = [:]
  /// The highest seat of each finished campaign, and the campaigns in which the witnessed seat has the witnessed
  /// value.
  private var highest: [String: Int] = [:]
  private var isSame: Set<String> = []
  /// The number of chain values that were recomputed or that are older than the chain.
  private(set) var examined = 0

  init(witnessed: [WitnessedSeat]) {
    self.witnessed = Dictionary(witnessed.map { ($0.key.campaign, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Judges the next acceptance in the order of campaign and seat.
  mutating func judge(_ acceptance: SeatRow) -> [Finding] {
    let key = acceptance.key
    let before = link?.campaign == key.campaign ? link : nil
    if before == nil { leave() }
    guard let found = acceptance.link else {
      link = Link(campaign: key.campaign, seat: key.seat, chain: nil, acceptedAt: before?.acceptedAt ?? .min)
      if witnessed[key.campaign]?.key == key { isSame.insert(key.campaign) }
      return []
    }
    examined += 1
    let previous = before?.chain ?? AcceptanceChain.beginning
    let value = found.value ?? AcceptanceChain.beginning
    link = Link(campaign: key.campaign, seat: key.seat, chain: value, acceptedAt: found.acceptedAt)
    if let seen = witnessed[key.campaign], seen.key == key, seen.chain == value { isSame.insert(key.campaign) }
    var findings: [Finding] = []
    if let before, found.acceptedAt < before.acceptedAt {
      findings.append(
        Finding(
          .timesAscend, campaign: key.campaign, seat: key.seat, user: acceptance.user,
          expected: "given at \(Timestamp(microseconds: before.acceptedAt)) or later, as seat \(before.seat)",
          actual: "\(Timestamp(microseconds: found.acceptedAt))"))
    }
    let hasBegun = found.value != nil || previous != AcceptanceChain.beginning
    let expected = AcceptanceChain.value(
      after: previous, campaign: key.campaign, seat: key.seat, user: acceptance.user,
      acceptedAt: found.acceptedAt)
    let isKnown = before.map { $0.chain != nil } ?? true
    if hasBegun, isKnown, found.value != expected {
      findings.append(
        Finding(
          .chainUnbroken, campaign: key.campaign, seat: key.seat, user: acceptance.user,
          expected: "a chain value that follows from the acceptance before and from this one",
          actual: "another value: one of the two was changed, taken out or put in behind the programs' back"))
    }
    return findings
  }

  private mutating func leave() {
    guard let link else { return }
    ended[link.campaign] = link.chain ?? AcceptanceChain.beginning
    highest[link.campaign] = link.seat
  }

  /// The last chain value of each campaign that has an acceptance. Complete after all acceptances are judged.
  func tips() -> [String: [UInt8]] {
    var tips = ended
    if let link { tips[link.campaign] = link.chain ?? AcceptanceChain.beginning }
    return tips
  }

  /// The findings on witnessed acceptances that the database lacks. Complete after all acceptances are judged.
  mutating func findings() -> [Finding] {
    leave()
    return witnessed.values.sorted { $0.key < $1.key }.compactMap { seen in
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
