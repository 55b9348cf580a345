internal import Auditing
package import Issuance

/// A repair plan for review: each action with the rows before and after it.
package struct RepairPlan: Codable, Sendable, Equatable {
  package struct Action: Codable, Sendable, Equatable {
    package let id: String
    package let action: String
    package let campaignID: String
    package let seat: Int?
    /// The direction of error that the action corrects. The action never moves the data in that direction.
    package let mends: String
    package let findings: [String]
    /// The precondition: the action is refused if the rows have changed.
    package let before: RepairState
    package let after: RepairState

    private enum CodingKeys: String, CodingKey {
      case id, action, seat, mends, findings, before, after
      case campaignID = "campaign_id"
    }
  }

  package struct Refusal: Codable, Sendable, Equatable {
    package let finding: String
    package let why: String
  }

  package let schemaVersion: Int
  package let databaseID: String
  package let asOf: String
  package let snapshot: String
  package let actions: [Action]
  package let refused: [Refusal]
  /// The number of actions beyond the limit.
  package let actionsOmitted: Int

  private enum CodingKeys: String, CodingKey {
    case actions, refused, snapshot
    case schemaVersion = "schema_version"
    case databaseID = "database_id"
    case asOf = "as_of"
    case actionsOmitted = "actions_omitted"
  }

  package init(
    databaseID: String, asOf: Timestamp, snapshot: String, actions: [Action], refused: [Refusal], actionsOmitted: Int
  ) {
    schemaVersion = 1
    self.databaseID = databaseID
    self.asOf = "\(asOf)"
    self.snapshot = snapshot
    self.actions = actions
    self.refused = refused
    self.actionsOmitted = actionsOmitted
  }
}

extension RepairPlan.Action {
  init(_ repair: Repair, after: RepairState, findings: [String]) {
    let place = [repair.campaign.rawValue, repair.seat.map { "\($0)" }].compactMap(\.self).joined(separator: "/")
    id = "\(repair.action.rawValue)/\(place)"
    action = repair.action.rawValue
    campaignID = repair.campaign.rawValue
    seat = repair.seat?.number
    mends =
      switch repair.action {
      case .raiseCounter: Finding.Direction.overIssue.rawValue
      case .recreateOutbox, .makeCoupon, .reopenFailedEvent, .releaseLease: Finding.Direction.underIssue.rawValue
      }
    self.findings = findings
    before = repair.before
    self.after = after
  }

  /// - Returns: `nil` if the action is not valid in a plan.
  package var repair: Repair? {
    guard let action = Repair.Action(rawValue: action), let campaign = CampaignID(campaignID),
      (action == .raiseCounter) == (seat == nil)
    else { return nil }
    return Repair(action: action, campaign: campaign, seat: seat.map { Seat($0) }, before: before)
  }
}

/// Plans repairs for each seat, in safe directions only. The audit calls it for each seat of its pass.
final class RepairPlanner {
  /// The most actions in a plan, so that a person can read it.
  static let mostActions = 10_000

  private let now: Timestamp
  private var actions: [RepairPlan.Action] = []
  private var omitted = 0
  /// Findings that an action repairs.
  private var seenTo: Set<String> = []
  private var refusals: [String: String] = [:]

  init(now: Timestamp) { self.now = now }

  func look(at seat: JudgedSeat) {
    let record = seat.record
    guard let campaign = CampaignID(record.key.campaign), let row = seat.campaign, record.acceptance != nil,
      record.failedEvent?.state != "discarded"
    else { return }
    func propose(_ action: Repair.Action, _ change: (inout RepairState) -> Void, _ rules: Set<Rule>) {
      let before = record.repairState
      var after = before
      change(&after)
      add(
        Repair(action: action, campaign: campaign, seat: Seat(record.key.seat), before: before), after: after,
        findings: seat.findings.filter { rules.contains($0.rule) }.map(\.id))
    }
    if record.outbox == nil {
      let state = record.failedEvent != nil ? "failed" : record.coupon != nil ? "delivered" : "pending"
      propose(.recreateOutbox, { $0.outbox = state }, [.outboxAgrees, .acceptanceAccountedFor])
    } else if record.place == .missing {
      let rules: Set<Rule> = [.outboxAgrees, .acceptanceAccountedFor, .failedEventAgrees, .poolCodesAgree]
      if record.failedEvent?.state == "resolved" {
        propose(.reopenFailedEvent, { $0.failedEvent = "waiting" }, rules)
      } else if row.issuer == "webhook", record.failedEvent == nil {
        // The issuer is called again with the key of the seat, and returns the same code as before.
        propose(.reopenFailedEvent, { ($0.failedEvent, $0.outbox) = ("waiting", "failed") }, rules)
      } else {
        propose(
          .makeCoupon, { ($0.hasCoupon, $0.outbox) = (true, record.failedEvent == nil ? "delivered" : $0.outbox) },
          rules)
      }
    }
    let leases = [record.outbox?.leasedUntil, record.failedEvent?.leasedUntil].compactMap(\.self)
    if leases.contains(where: { $0 <= now.microseconds }) {
      propose(.releaseLease, { ($0.outboxLeasedUntil, $0.failedEventLeasedUntil) = (nil, nil) }, [])
    }
    noteWhatHeals(seat)
  }

  /// Notes findings that the consumer or the next run repairs by itself.
  private func noteWhatHeals(_ seat: JudgedSeat) {
    guard seat.record.coupon != nil else { return }
    for finding in seat.findings {
      if finding.rule == .outboxAgrees, seat.record.outbox?.state == "pending" {
        refusals[finding.id] =
          "nothing to do: the consumer meets the coupon and settles the row (issue-service consume --once)"
      }
      if finding.rule == .failedEventAgrees, ["waiting", "parked"].contains(seat.record.failedEvent?.state) {
        refusals[finding.id] = "nothing to do: the next replay meets the coupon and settles it (retry-batch --once)"
      }
    }
  }

  /// - Parameter report: of the same snapshot.
  func plan(_ report: Report) -> RepairPlan {
    for totals in report.totals where totals.counter < totals.highestSeat && totals.highestSeat <= totals.quota {
      guard let campaign = CampaignID(totals.id) else { continue }
      var before = RepairState()
      before.counter = totals.counter
      before.highestSeat = totals.highestSeat
      before.quota = totals.quota
      var after = before
      after.counter = totals.highestSeat
      let id = "\(Rule.counterEqualsSet.rawValue)/\(totals.id)"
      add(
        Repair(action: .raiseCounter, campaign: campaign, seat: nil, before: before), after: after,
        findings: report.findings.map(\.id).filter { $0 == id })
    }
    let refused = report.findings.filter { !seenTo.contains($0.id) }.map { finding in
      RepairPlan.Refusal(finding: finding.id, why: refusals[finding.id] ?? finding.whyNoRepair)
    }
    return RepairPlan(
      databaseID: report.identity?.databaseID ?? "none", asOf: report.asOf, snapshot: report.fingerprint,
      actions: actions, refused: refused, actionsOmitted: omitted)
  }

  private func add(_ repair: Repair, after: RepairState, findings: [String]) {
    seenTo.formUnion(findings)
    guard actions.count < Self.mostActions else {
      omitted += 1
      return
    }
    actions.append(RepairPlan.Action(repair, after: after, findings: findings))
  }
}

extension SeatSnapshot {
  /// The state of the rows, in the form that the store compares when it applies a repair.
  var repairState: RepairState {
    var state = RepairState()
    state.user = acceptance?.user
    state.outbox = outbox?.state
    state.outboxLeasedUntil = outbox?.leasedUntil
    state.failedEvent = failedEvent?.state
    state.failedEventGeneration = failedEvent?.failure?.generation
    state.failedEventLeasedUntil = failedEvent?.leasedUntil
    state.hasCoupon = coupon != nil
    return state
  }
}

extension Finding {
  /// Why no action is proposed.
  fileprivate var whyNoRepair: String {
    switch rule {
    case .couponHasAcceptance, .withinQuota, .oneEach, .withinWindow, .givenWhileOpen, .codesRecompute, .poolCodesAgree,
      .quotaByAct:
      "it may be an over-issue: a coupon that somebody has is not taken away, and none is made lawful by a program. "
        + "Decide by hand; if it is to stay: reconcile waive"
    case .seatsDense, .witnessAgrees, .counterEqualsSet:
      "acceptances are missing, and a seat is given again only on the record: put the lost -wal or a backup back, or "
        + "see: issue-service witness accept-loss"
    case .acceptanceAccountedFor, .outboxAgrees, .failedEventAgrees:
      "the rows contradict each other about whose seat it is, or an operator closed it: look with reconcile explain"
    case .campaignKnown, .chainUnbroken, .timesAscend, .attemptsAddUp, .actsHaveReasons, .foreignKeyCheck,
      .rowsWellFormed:
      "records were changed behind the programs' back, and nobody knows what they were: put a backup back, or if it is "
        + "to stay: reconcile waive"
    case .schemaAsMigrated, .quickCheck, .indexesAgree:
      "the file itself is at fault: stop the programs, keep it, and put a backup back"
    }
  }
}
