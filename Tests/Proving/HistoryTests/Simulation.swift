import History
import TestSupport

/// A campaign that decides one thing after the other: the service as it should be.
struct ReferenceCampaign {
  enum State { case open, paused, closed }

  let id: String
  let firstQuota: Int
  private(set) var quota: Int
  private(set) var state = State.open
  private(set) var seatOfUser: [String: Int] = [:]

  init(id: String, quota: Int) {
    self.id = id
    firstQuota = quota
    self.quota = quota
  }

  mutating func claim(by user: String) -> Answer {
    if let seat = seatOfUser[user] { return .same(seat: seat, body: Self.body(user, seat)) }
    if state == .closed { return .closed }
    if state == .paused { return .paused }
    let counter = seatOfUser.count
    if counter >= quota { return .soldOut }
    seatOfUser[user] = counter + 1
    return .accepted(seat: counter + 1, body: Self.body(user, counter + 1))
  }

  mutating func apply(_ kind: Act.Kind) {
    switch kind {
    case .raised(let raised): quota = max(quota, raised)
    case .paused: if state == .open { state = .paused }
    case .resumed: if state == .paused { state = .open }
    case .closed: state = .closed
    }
  }

  static func body(_ user: String, _ seat: Int) -> String { #"{"seat":\#(seat),"user_id":"\#(user)"}"# }

  var final: FinalCampaign {
    FinalCampaign(
      id: id, firstQuota: firstQuota, quota: quota, counter: seatOfUser.count,
      rows: seatOfUser.sorted { $0.key < $1.key }.map { FinalRow(seat: $0.value, user: $0.key, hasCoupon: true) })
  }
}

/// A run against reference campaigns: each decision and act has its instant, and what is recorded is a span around it.
struct Simulation {
  struct Shape {
    var campaigns = 2
    var operations = 300
    var users = 60
    var quotas = 5...30
    /// How far a span reaches to either side of its instant, mostly.
    var reach = 40
    /// How much later than the one before a decision is, at most. Two may share an instant.
    var step = 12
    var actsPerMille = 40
    var lostPerMille = 120
  }

  let shape: Shape
  private(set) var history = ClaimHistory()
  private var random: SplitMix
  private var now: UInt64 = 1_000
  private var campaigns: [ReferenceCampaign] = []
  private var lastActEnded: [UInt64] = []

  init(seed: UInt64, shape: Shape = Shape()) {
    self.shape = shape
    random = SplitMix(state: seed)
    for number in 1...shape.campaigns {
      campaigns.append(
        ReferenceCampaign(id: "campaign-\(number)", quota: Int.random(in: shape.quotas, using: &random)))
    }
    lastActEnded = campaigns.map { _ in 0 }
    while history.operations.count < shape.operations {
      now += UInt64(random.below(shape.step + 1))
      let index = random.below(campaigns.count)
      if random.chance(shape.actsPerMille), now >= lastActEnded[index] { act(on: index) } else { claim(in: index) }
    }
  }

  var final: [FinalCampaign] { campaigns.map(\.final) }

  private mutating func reach() -> UInt64 {
    UInt64(random.below(random.chance(50) ? shape.reach * 10 : shape.reach + 1))
  }

  private mutating func act(on index: Int) {
    let kind: Act.Kind
    switch random.below(10) {
    case 0...2: kind = .paused
    case 3...6: kind = .resumed
    case 7...8: kind = .raised(to: campaigns[index].quota + random.below(4))
    default:
      // Late, or there is nothing more to see.
      kind = history.operations.count * 10 < shape.operations * 7 ? .resumed : .closed
    }
    campaigns[index].apply(kind)
    let begun = max(lastActEnded[index], now - min(now, reach()))
    let ended = now + reach()
    lastActEnded[index] = ended
    history.acts.append(Act(campaign: campaigns[index].id, begun: begun, ended: ended, kind: kind))
  }

  private mutating func claim(in index: Int) {
    let user = "user-\(random.below(shape.users))"
    var operation = Operation(
      campaign: campaigns[index].id, user: user, begun: now - min(now, reach()), ended: now + reach(), answer: .unknown)
    if !random.chance(shape.lostPerMille) {
      operation.answer = campaigns[index].claim(by: user)
    } else if random.chance(300) {
      operation.answer = .nothingHappened
    } else {
      if random.chance(600) { _ = campaigns[index].claim(by: user) }
      // Its client may have given up long before it was decided.
      if random.chance(500) { operation.ended = operation.begun + UInt64(random.below(Int(now - operation.begun) + 1)) }
    }
    history.operations.append(operation)
  }
}
