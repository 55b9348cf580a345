internal import Issuance

extension CampaignModel {
  // MARK: The consumer

  mutating func deliver(limit: Int, at now: Timestamp) -> DeliveryTally {
    var tally = DeliveryTally()
    guard issuer != .webhook else { return tally }
    let pending = (1...max(counter, 1)).filter { $0 <= counter && seats[$0 - 1].outbox == "pending" }
    for seat in pending.prefix(limit) {
      if makeCoupon(of: seat, answer: nil) == .made {
        seats[seat - 1].outbox = "delivered"
        tally.delivered += 1
      } else {
        fail(seat, Failed(state: .parked, kind: .parked, attempts: 0, maxAttempts: policy.maxAttempts, hold: Hold()))
        tally.parked += 1
        saw("events parked")
      }
    }
    return tally
  }

  mutating func leaseCalls(
    for holder: RunID, isExcluded: Bool, limit: Int, _ duration: Duration, at now: Timestamp
  ) -> [Lease] {
    guard let endpoint, !isExcluded else { return [] }
    let free = seats.indices.filter { seats[$0].outbox == "pending" && seats[$0].hold.isFree(at: now, duration) }
    return free.prefix(limit).map { place in
      let until = now.advanced(by: duration)
      sawTakeover(of: seats[place].hold, at: now)
      seats[place].hold = Hold(holder: holder, until: until, generation: seats[place].hold.generation + 1)
      return Lease(
        source: .outbox, event: event(place + 1), holder: holder, generation: seats[place].hold.generation,
        until: until, call: IssuerCall(event: event(place + 1), endpoint: endpoint))
    }
  }

  private mutating func sawTakeover(of hold: Hold, at now: Timestamp) {
    guard let until = hold.until else { return }
    saw(until <= now ? "expired leases taken over" : "leases from before a clock was set back taken over")
  }

  // MARK: The batch

  private enum Due { case waiting, parked }

  /// The seats that a batch may take, in its order.
  private func due(
    _ sort: Due, by dueBy: Timestamp, _ duration: Duration, at now: Timestamp
  ) -> [(at: Timestamp, seat: Int)] {
    let found = seats.indices.compactMap { place -> (at: Timestamp, seat: Int)? in
      guard let failed = seats[place].failed, failed.hold.isFree(at: now, duration) else { return nil }
      switch (sort, failed.state) {
      case (.waiting, .waiting):
        guard let at = failed.nextAttemptAt, at <= dueBy else { return nil }
        return (at, place + 1)
      case (.parked, .parked): return (now, place + 1)
      default: return nil
      }
    }
    return found.sorted { ($0.at, $0.seat) < ($1.at, $1.seat) }
  }

  mutating func leaseDue(
    for run: RunID, from cursor: ReplayCursor, limit: Int, _ duration: Duration, at now: Timestamp
  ) -> LeasedBatch {
    var taken: [Int] = []
    var parkedAfter = 0
    switch cursor {
    case .end: return LeasedBatch(leases: [], next: .end)
    case .parked(let after): parkedAfter = after?.number ?? 0
    case .waiting(let dueBy, let after):
      let rest = due(.waiting, by: dueBy, duration, at: now).filter { row in
        after.map { (row.at, row.seat) > ($0.at, $0.seat.number) } ?? true
      }
      let rows = rest.prefix(limit)
      taken = rows.map(\.seat)
      if let last = rows.last, rows.count == limit {
        let place = ReplayCursor.DuePlace(at: last.at, seat: Seat(last.seat))
        return LeasedBatch(leases: take(taken, for: run, duration, at: now), next: .waiting(dueBy: dueBy, after: place))
      }
    }
    let parked = due(.parked, by: now, duration, at: now).filter { $0.seat > parkedAfter }
      .prefix(min(freeCodes, limit - taken.count)).map(\.seat)
    taken += parked
    let isFull = taken.count == limit
    return LeasedBatch(
      leases: take(taken, for: run, duration, at: now),
      next: isFull ? parked.last.map { .parked(after: Seat($0)) } ?? .end : .end)
  }

  private mutating func take(
    _ taken: [Int], for run: RunID, _ duration: Duration, at now: Timestamp
  ) -> [Lease] {
    let until = now.advanced(by: duration)
    return taken.compactMap { seat in
      guard let before = seats[seat - 1].failed?.hold else { return nil }
      sawTakeover(of: before, at: now)
      seats[seat - 1].failed?.hold = Hold(holder: run, until: until, generation: before.generation + 1)
      return Lease(
        source: .failedEvent, event: event(seat), holder: run, generation: before.generation + 1, until: until,
        call: endpoint.map { IssuerCall(event: event(seat), endpoint: $0) })
    }
  }

  func isDue(by dueBy: Timestamp) -> Bool {
    freeCodes > 0
      || seats.contains { $0.failed?.state == .waiting && ($0.failed?.nextAttemptAt).map { $0 <= dueBy } ?? false }
  }

  func open(_ duration: Duration, at now: Timestamp) -> OpenEvents {
    var open = OpenEvents()
    var parked = 0
    for failed in seats.compactMap(\.failed) {
      switch failed.state {
      case .dead:
        open.dead += 1
        if !failed.isReported { open.newlyDead += 1 }
      case .waiting, .parked:
        if !failed.hold.isFree(at: now, duration) {
          open.leased += 1
        } else if failed.state == .parked {
          parked += 1
        } else if failed.nextAttemptAt.map({ $0 <= now }) ?? false {
          open.due += 1
        } else {
          open.waiting += 1
        }
      case .resolved, .discarded: break
      }
    }
    open.due += min(parked, freeCodes)
    open.parked += parked - min(parked, freeCodes)
    return open
  }

  /// - Returns: what is open, before what is dead is marked as told.
  mutating func finishRun(_ duration: Duration, at now: Timestamp) -> OpenEvents {
    let open = open(duration, at: now)
    if open.newlyDead > 0 {
      for place in seats.indices where seats[place].failed?.state == .dead { seats[place].failed?.isReported = true }
      saw("runs that told of dead letters")
    }
    return open
  }

  // MARK: Leases

  /// - Parameter now: when it must not have run out; `nil` where that does not matter.
  private mutating func change(_ lease: Lease, to until: Timestamp?, heldAt now: Timestamp?) -> Bool {
    let place = lease.event.seat.number - 1
    let hold = lease.source == .outbox ? seats[place].hold : seats[place].failed?.hold
    guard var hold, hold.holder == lease.holder, hold.generation == lease.generation else { return false }
    if let now { guard hold.until.map({ $0 > now }) ?? false else { return false } }
    hold.until = until
    if until == nil { hold.holder = nil }
    if lease.source == .outbox { seats[place].hold = hold } else { seats[place].failed?.hold = hold }
    return true
  }

  mutating func renew(_ leases: [Lease], _ duration: Duration, at now: Timestamp) -> [Lease] {
    let until = now.advanced(by: duration)
    return leases.compactMap { lease in
      guard change(lease, to: until, heldAt: now) else {
        saw("lost leases not renewed")
        return nil
      }
      saw("leases renewed")
      return Lease(
        source: lease.source, event: lease.event, holder: lease.holder, generation: lease.generation, until: until,
        call: lease.call)
    }
  }

  mutating func release(_ leases: [Lease]) {
    for lease in leases where change(lease, to: nil, heldAt: nil) { saw("leases given back") }
  }
}
