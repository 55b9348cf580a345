internal import Issuance

/// The present figures as tables, for browsers that run no script.
struct LiveTables: Sendable {
  let html: String

  init(_ point: StatsSample?, campaign id: String?) {
    var html = ""
    if let point {
      html += Self.note(
        "Figures of \(point.at), of the service and its store. This page asks again every five seconds.")
      if let trouble = point.trouble { html += Self.note(trouble) }
      if let reason = point.notReadyBecause { html += Self.note("Not ready: \(reason)") }
      html += Self.table("This process", Self.rows(of: point))
    } else {
      html += Self.note("There are no figures yet. This page asks again every five seconds.")
    }
    let campaigns = point?.stats?.campaigns ?? []
    if let stats = campaigns.count == 1 ? campaigns.first : campaigns.first(where: { $0.summary.id == id }) {
      html = Self.table(stats.summary.title, Self.rows(of: stats), level: 1) + html
      html += Self.seats(stats.latest)
    } else if !campaigns.isEmpty {
      html = Self.overview(campaigns) + html
    } else {
      html = "<h1>First Come</h1>" + (point?.stats == nil ? "" : Self.note("There is no campaign yet.")) + html
    }
    self.html = html
  }

  private static func rows(of stats: CampaignStats) -> [(String, String)] {
    let summary = stats.summary
    var rows = [
      ("State", summary.phase.words), ("Seats", summary.seats), ("Coupons", grouped(summary.coupons)),
      ("Waiting for a coupon", grouped(stats.pending)),
    ]
    if let oldest = stats.oldestPendingAt { rows.append(("Oldest waits since", "\(oldest)")) }
    if let freeCodes = summary.freeCodes { rows.append(("Free codes", grouped(freeCodes))) }
    if let opensAt = summary.campaign.opensAt { rows.append(("Opens", "\(opensAt)")) }
    if let closesAt = summary.campaign.closesAt { rows.append(("Closes", "\(closesAt)")) }
    rows += stats.failed.map { failed in
      ("Failed events, \(failed.kind.rawValue)\(failed.isDead ? ", dead" : "")", grouped(failed.count))
    }
    if stats.failed.isEmpty { rows.append(("Failed events", "0")) }
    return rows
  }

  private static func rows(of point: StatsSample) -> [(String, String)] {
    var rows = [
      ("Claims waiting", grouped(point.queueDepth)), ("Turned away per second", grouped(point.shedPerSecond)),
    ]
    if let latency = point.latency {
      rows.append(("Time to decide, median", "\(latency.p50)"))
      rows.append(("Time to decide, 99 %", "\(latency.p99)"))
    }
    guard let stats = point.stats else { return rows }
    if let run = stats.lastReconciliation {
      rows.append(("Last reconciliation", "\(run.verdict ?? "no verdict"), \(run.endedText)"))
    } else {
      rows.append(("Last reconciliation", "none yet"))
    }
    if let run = stats.lastReplay {
      rows.append(("Last retry run", "\(grouped(run.resolved ?? 0)) resolved, \(run.endedText)"))
    } else {
      rows.append(("Last retry run", "none yet"))
    }
    return rows
  }

  private static func overview(_ campaigns: [CampaignStats]) -> String {
    let rows = campaigns.map { stats in
      let campaign = stats.summary.campaign
      let cells = [
        stats.summary.phase.words, stats.summary.seats, grouped(stats.summary.coupons), grouped(stats.pending),
        grouped(stats.open + stats.dead),
      ]
      return "<tr><th scope=\"row\"><a href=\"/campaigns/\(campaign.id)\">\(escaped(stats.summary.title))</a></th>"
        + cells.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>"
    }
    let heads = ["Campaign", "State", "Seats", "Coupons", "Waiting", "Failed"]
    return "<h1>Campaigns</h1><div class=\"wide\"><table><thead><tr>"
      + heads.map { "<th scope=\"col\">\($0)</th>" }.joined()
      + "</tr></thead><tbody>\(rows.joined())</tbody></table></div>"
  }

  private static func seats(_ latest: [Acceptance]) -> String {
    guard !latest.isEmpty else { return "" }
    return table(
      "Latest seats", latest.map { ("\(grouped($0.seat.number)) · \($0.userID.masked)", "\($0.acceptedAt)") })
  }

  private static func table(_ title: String, _ rows: [(String, String)], level: Int = 2) -> String {
    "<h\(level)>\(escaped(title))</h\(level)><table>"
      + rows.map { "<tr><th scope=\"row\">\(escaped($0.0))</th><td>\(escaped($0.1))</td></tr>" }.joined() + "</table>"
  }

  private static func note(_ text: String) -> String { "<p>\(escaped(text))</p>" }

  /// Text as it may stand in an element or in a quoted attribute.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }

  /// With a comma between thousands, as the page's own script writes them.
  static func grouped(_ number: Int) -> String {
    var text = ""
    for (place, digit) in String(number.magnitude).reversed().enumerated() {
      if place > 0 && place.isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
  }
}

extension CampaignSummary {
  fileprivate var id: String { campaign.id.rawValue }
  fileprivate var title: String { campaign.name.isEmpty ? id : campaign.name }
  fileprivate var seats: String {
    "\(LiveTables.grouped(campaign.counter)) / \(LiveTables.grouped(campaign.quota.count))"
  }
}

extension Campaign.Phase {
  fileprivate var words: String { word.replacing("_", with: " ") }
}

extension RunStats {
  fileprivate var endedText: String { endedAt.map { "ended \($0)" } ?? "begun \(startedAt), not ended" }
}
