import History

/// Tries every order of what happened in one campaign: exact, and for a handful of events only.
struct EveryOrder {
  private enum Event {
    case claim(Operation)
    case act(Act)
  }

  private let final: FinalCampaign
  private let seats: [String: Int]
  private let events: [Event]
  /// The events that surely took effect before this one, as bits.
  private let mustPrecede: [UInt32]
  /// The events that did happen, as bits; an unknown claim need not have.
  private let required: UInt32

  init(_ history: ClaimHistory, final: FinalCampaign) {
    self.final = final
    seats = Dictionary(final.rows.map { ($0.user, $0.seat) }, uniquingKeysWith: { first, _ in first })
    let claims = history.operations.filter { $0.answer != .nothingHappened }
    let acts = history.acts.sorted { ($0.begun, $0.ended) < ($1.begun, $1.ended) }
    let events = claims.map(Event.claim) + acts.map(Event.act)
    precondition(events.count < 32)
    var required: UInt32 = 0
    for (index, event) in events.enumerated() {
      if case .claim(let operation) = event, operation.answer == .unknown { continue }
      required |= 1 << UInt32(index)
    }
    mustPrecede = events.indices.map { index in
      var before: UInt32 = 0
      for other in events.indices where Self.latest(events[other]) < Self.earliest(events[index]) {
        before |= 1 << UInt32(other)
      }
      // The order of acts is known, also where they touch.
      if index > claims.count { before |= 1 << UInt32(index - 1) }
      return before & required
    }
    self.required = required
    self.events = events
  }

  private static func earliest(_ event: Event) -> UInt64 {
    switch event {
    case .claim(let operation): operation.begun
    case .act(let act): act.begun
    }
  }

  private static func latest(_ event: Event) -> UInt64 {
    switch event {
    case .claim(let operation): operation.answer == .unknown ? .max : operation.ended
    case .act(let act): act.ended
    }
  }

  /// Whether some order, of all that happened and of some of what may have, gives every answer and the final rows.
  var explains: Bool {
    let rows = Set(final.rows.map(\.user))
    guard rows.count == final.rows.count, final.rows.allSatisfy(\.hasCoupon), final.counter == rows.count else {
      return false
    }
    return search(done: 0, ReferenceCampaign(id: final.id, quota: final.firstQuota), bodies: [:])
  }

  private func search(done: UInt32, _ campaign: ReferenceCampaign, bodies: [String: String]) -> Bool {
    if done & required == required, campaign.quota == final.quota, campaign.seatOfUser == seats { return true }
    for (index, event) in events.enumerated() {
      let bit = UInt32(1) << UInt32(index)
      guard done & bit == 0, mustPrecede[index] & ~done == 0 else { continue }
      var campaign = campaign
      var bodies = bodies
      switch event {
      case .act(let act):
        if case .raised(let raised) = act.kind, raised < campaign.quota { continue }
        campaign.apply(act.kind)
      case .claim(let operation):
        guard decides(operation, &campaign, &bodies) else { continue }
      }
      if search(done: done | bit, campaign, bodies: bodies) { return true }
    }
    return false
  }

  /// Whether the campaign as it stands gives this claim the answer that was heard.
  private func decides(
    _ operation: Operation, _ campaign: inout ReferenceCampaign, _ bodies: inout [String: String]
  ) -> Bool {
    let answer = campaign.claim(by: operation.user)
    switch (answer, operation.answer) {
    case (.accepted(let seat, _), .unknown):
      // Any other outcome of an unknown claim changes nothing: as good as none.
      return seats[operation.user] == seat
    case (.accepted(let seat, _), .accepted(let told, let body)), (.same(let seat, _), .same(let told, let body)):
      guard seat == told, seats[operation.user] == seat else { return false }
      return bodies.updateValue(body, forKey: operation.user) ?? body == body
    default: return answer == operation.answer
    }
  }
}
