extension FinalCampaign {
  /// What is wrong with the rows by themselves, and with the quota after the raises of `acts`.
  func violations(after acts: [Act]) -> [Violation] {
    quotaViolations(after: acts) + seatViolations() + userViolations()
  }

  /// NEVER-OVER: the quota only ever rises, on the record, and nothing stands above it.
  private func quotaViolations(after acts: [Act]) -> [Violation] {
    var found: [Violation] = []
    var recorded = firstQuota
    for act in acts {
      guard case .raised(let raised) = act.kind else { continue }
      if raised < recorded {
        found.append(violation(.neverOver, "the quota was lowered from \(recorded) to \(raised), \(act.span)"))
      }
      recorded = raised
    }
    if quota != recorded {
      found.append(violation(.neverOver, "the quota is \(quota), but by creation and raises it is \(recorded)"))
    }
    if counter > quota { found.append(violation(.neverOver, "the counter \(counter) is above the quota \(quota)")) }
    if rows.count > quota {
      found.append(violation(.neverOver, "\(rows.count) users were accepted, above the quota \(quota)"))
    }
    for row in rows where row.seat < 1 || row.seat > quota {
      found.append(violation(.neverOver, "seat \(row.seat) of \(row.user) is none of 1 to \(quota), the quota"))
    }
    return found
  }

  /// BOOKS-BALANCE: seats 1 to the counter, each once. NOTHING-LOST: each with its coupon.
  private func seatViolations() -> [Violation] {
    var found: [Violation] = []
    if counter != rows.count {
      found.append(violation(.booksBalance, "the counter is \(counter), but \(rows.count) users were accepted"))
    }
    var highest = 0
    for row in rows.sorted(by: { ($0.seat, $0.user) < ($1.seat, $1.user) }) where row.seat >= 1 {
      if row.seat == highest {
        found.append(violation(.booksBalance, "seat \(row.seat) is held twice, the second time by \(row.user)"))
      } else if row.seat - 1 > highest {
        found.append(violation(.booksBalance, "nobody holds a seat from \(highest + 1) to \(row.seat - 1)"))
      }
      highest = row.seat
    }
    if highest < counter {
      found.append(violation(.booksBalance, "nobody holds a seat from \(highest + 1) to the counter \(counter)"))
    }
    for row in rows where !row.hasCoupon {
      found.append(violation(.nothingLost, "seat \(row.seat) of \(row.user) has no coupon"))
    }
    return found
  }

  /// ONE-EACH.
  private func userViolations() -> [Violation] {
    var seatOfUser: [String: Int] = [:]
    var found: [Violation] = []
    for row in rows {
      if let seat = seatOfUser.updateValue(row.seat, forKey: row.user) {
        found.append(violation(.oneEach, "\(row.user) holds seat \(seat) and seat \(row.seat)"))
      }
    }
    return found
  }

  private func violation(_ promise: Promise, _ what: String) -> Violation {
    Violation(promise, campaign: id, what)
  }
}
