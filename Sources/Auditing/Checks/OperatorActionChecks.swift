internal import Issuance

/// Checks the operator actions on each campaign, in the order in which they were done. Pure: rows in, findings out.
///
/// The counters in the actions show whether a seat was given during a pause. They were written inside the same lock
/// as the seats, so clocks do not matter.
struct OperatorActionChecks {
  private struct Course {
    /// The counter when admission was stopped; `nil` if it is not stopped.
    var stoppedAt: Int?
    var quota: Int?
    var withoutReason: [String] = []
  }

  private var courses: [String: Course] = [:]
  private var found: [Finding] = []
  private(set) var examined = 0

  /// Takes the next action, in the order of campaigns and, within one campaign, in the order of its actions.
  mutating func take(_ act: OperatorActionRow) {
    examined += 1
    var course = courses[act.campaign] ?? Course()
    if act.act == "create" { course = Course(withoutReason: course.withoutReason) }
    if act.needsReason, act.reason?.contains(where: { !$0.isWhitespace }) != true {
      course.withoutReason.append("\(act.act) by \(act.operatorName)")
    }
    if let quota = course.quota, quota != act.quota, act.act != "raise" {
      found.append(fault(ofQuota: act.quota, after: quota, in: act.campaign))
    }
    course.quota = act.quota
    switch act.act {
    case "pause", "accept-loss", "close": course.stoppedAt = course.stoppedAt ?? act.counter
    case "resume":
      if let gap = givenWhileStopped(course, counter: act.counter, in: act.campaign) { found.append(gap) }
      course.stoppedAt = nil
    // The repair adds seats that were accepted before the stop and that a lost counter had missed.
    case "repair" where act.detail.hasPrefix(Repair.Action.raiseCounter.rawValue) && course.stoppedAt != nil:
      course.stoppedAt = act.counter
    default: break
    }
    courses[act.campaign] = course
  }

  /// The findings after all actions are taken. The campaigns must match the state that the actions left.
  func findings(campaigns: [CampaignRow]) -> [Finding] {
    var findings = found
    for campaign in campaigns {
      guard let course = courses[campaign.id], let quota = course.quota else {
        findings.append(
          Finding(
            .quotaByAct, campaign: campaign.id, expected: "an act that says with which quota it was created",
            actual: "no act at all", rows: campaign.evidence))
        continue
      }
      if quota != campaign.quota { findings.append(fault(ofQuota: campaign.quota, after: quota, in: campaign.id)) }
      if let gap = givenWhileStopped(course, counter: campaign.counter, in: campaign.id) { findings.append(gap) }
      if !course.withoutReason.isEmpty {
        findings.append(
          Finding(
            .actsHaveReasons, campaign: campaign.id, expected: "a reason for what cannot be done without one",
            actual: "none for \(course.withoutReason.prefix(10).joined(separator: ", "))"))
      }
    }
    return findings
  }

  private func fault(ofQuota quota: Int, after before: Int, in campaign: String) -> Finding {
    Finding(
      .quotaByAct, campaign: campaign, expected: "the quota \(before), until an act raises it",
      actual: "\(quota), and no act says who raised it")
  }

  private func givenWhileStopped(_ course: Course, counter: Int, in campaign: String) -> Finding? {
    guard let stoppedAt = course.stoppedAt, counter > stoppedAt else { return nil }
    let first = stoppedAt.addingSaturated(1)
    return Finding(
      .givenWhileOpen, campaign: campaign, seat: first,
      expected: "no seat after seat \(stoppedAt) until it is resumed",
      actual: counter == first ? "one seat" : "the seats \(first) to \(counter)")
  }
}

extension OperatorActionRow {
  /// Whether the programs require a reason for this action.
  fileprivate var needsReason: Bool { ["discard", "redrive", "repair", "waive", "accept-loss"].contains(act) }
}

extension CampaignRow {
  var evidence: [EvidenceRow] {
    [EvidenceRow("campaign", [("id", id), ("quota", "\(quota)"), ("counter", "\(counter)"), ("issuer", issuer)])]
  }
}
