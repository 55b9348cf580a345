internal import Auditing
internal import Issuance
internal import ServiceKit

/// The report as one HTML file to mail or print, without scripts or external resources.
struct HTMLReport {
  let report: Report
  /// Whether user ids are shown in full. Otherwise only their first character is.
  let revealsUsers: Bool
  let next: (Finding) -> String

  var text: String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escaped(report.verdict.rawValue)): First Come, \(escaped(scope)), \(report.asOf)</title>
    <style>\(Self.style)</style>
    </head>
    <body>
    <header class="\(report.verdict.rawValue.lowercased())">
    <h1>\(report.verdict.rawValue)</h1>
    <p>\(escaped(scope)), as of <time>\(report.asOf)</time></p>
    <p class="small">\(escaped(provenance))</p>
    </header>
    \(reasons)
    \(report.totals.map(campaign).joined(separator: "\n"))
    \(findings)
    \(warnings)
    \(rules)
    <footer class="small">\(escaped(closing))</footer>
    </body>
    </html>
    """
  }

  private var scope: String { report.scope.map { "campaign \($0)" } ?? "all campaigns" }

  private var provenance: String {
    var parts = ["in \(report.duration.secondsText) s", "reconcile \(ProgramVersion.number)"]
    if let identity = report.identity {
      parts += ["schema \(identity.schemaVersion)", "database \(identity.databaseID)"]
    }
    if !report.fingerprint.isEmpty { parts.append("snapshot \(report.fingerprint)") }
    return parts.joined(separator: ", ")
  }

  private var reasons: String {
    guard !report.reasons.isEmpty else { return "" }
    let items = report.reasons.map { "<li>\(escaped($0))</li>" }.joined()
    return "<section><h2>Not judged</h2><ul>\(items)</ul><p>What to do: \(escaped(report.advice))</p></section>"
  }

  private func campaign(_ totals: CampaignTotals) -> String {
    let balances =
      totals.counter == totals.set && totals.set == totals.total && max(totals.set, totals.coupons) <= totals.quota
    let terms = [
      ("coupons", totals.coupons), ("in flight", totals.inFlight), ("retryable", totals.retryable),
      ("dead", totals.dead),
      ("discarded", totals.discarded), ("missing", totals.missing),
    ]
    let answers = totals.answers.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    return """
      <section>
      <h2>Campaign \(escaped(totals.id))</h2>
      <table class="books"><tr><th>quota</th><th>counter</th><th>set</th>\(terms.map { "<th>\($0.0)</th>" }.joined())
      <th>sum</th></tr>
      <tr><td>\(totals.quota)</td><td>\(totals.counter)</td><td>\(totals.set)</td>
      \(terms.map { "<td>\($0.1)</td>" }.joined())<td>\(totals.total)</td></tr></table>
      <p>\(balances ? "The books balance" : "<strong>The books do not balance</strong>"): counter \(totals.counter),
      set \(totals.set), sum \(totals.total), of a quota of \(totals.quota).\
      \(answers.isEmpty ? "" : " Other answers, at least: \(escaped(answers)).")</p>
      \(report.charts[totals.id].map { HTMLChart(chart: $0, totals: totals).html } ?? "")
      </section>
      """
  }

  private var findings: String {
    guard !report.findings.isEmpty else { return report.rules.isEmpty ? "" : "<section><h2>No findings</h2></section>" }
    let omitted = report.findingsFound - report.findings.count
    return """
      <section><h2>Findings</h2>
      \(report.findings.map(finding).joined(separator: "\n"))
      \(omitted > 0 ? "<p>and \(omitted) more, counted below</p>" : "")
      </section>
      """
  }

  private func finding(_ finding: Finding) -> String {
    let memory = report.memory[finding.id]
    let seen = memory.map { "\($0.timesSeen + 1) times, first at \($0.firstSeenAt)" } ?? "for the first time"
    let waiver = report.waivers[finding.id].map {
      "<dt>waived</dt><dd>by \(escaped($0.author.name)) until \($0.until): \(escaped($0.author.reason ?? ""))</dd>"
    }
    let evidence = finding.rows.map(masked).text
    return """
      <article class="\(waiver == nil ? finding.rule.severity.rawValue : "waived")">
      <h3>\(escaped(finding.id))</h3>
      <dl><dt>\(finding.rule.severity.rawValue)</dt><dd>\(finding.direction.rawValue)</dd>
      <dt>expected</dt><dd>\(escaped(finding.expected))</dd><dt>actual</dt><dd>\(escaped(finding.actual))</dd>
      \(evidence.isEmpty ? "" : "<dt>evidence</dt><dd>\(escaped(evidence))</dd>")
      <dt>seen</dt><dd>\(seen)</dd>\(waiver ?? "")
      <dt>next</dt><dd><code>\(escaped(next(finding)))</code></dd></dl>
      </article>
      """
  }

  private func masked(_ row: EvidenceRow) -> EvidenceRow {
    if revealsUsers { return row }
    return EvidenceRow(
      row.table, row.fields.map { $0.name == "user_id" ? ($0.name, "\($0.value.prefix(1))***") : $0 })
  }

  private var warnings: String {
    guard !report.warnings.isEmpty else { return "" }
    let items = report.warnings.map { "<li>\(escaped($0.what))<br><code>\(escaped($0.next))</code></li>" }.joined()
    return "<section><h2>Warnings</h2><ul>\(items)</ul></section>"
  }

  private var rules: String {
    guard !report.rules.isEmpty else { return "" }
    let rows = report.rules.map { result in
      let isJudged = result.notJudged == nil
      return "<tr><td>\(result.rule.rawValue)</td><td>\(isJudged ? "\(result.examined)" : "–")</td>"
        + "<td>\(isJudged ? "\(result.findings)" : "not judged")</td></tr>"
    }
    return """
      <section><h2>Rules</h2>
      <table><tr><th>rule</th><th>examined</th><th>findings</th></tr>\(rows.joined())</table></section>
      """
  }

  private var closing: String {
    let resolved = report.resolved.map { "\($0.count) resolved" } ?? "resolved unknown"
    let changes =
      "Since the last run: \(report.introduced.count) introduced, \(report.persisted.count) persisted, \(resolved)."
    guard let test = report.lastSelfTest else { return "\(changes) Never self-tested on this database." }
    return "\(changes) Self-test \(test.hasPassed ? "passed" : "FAILED") at \(test.endedAt)."
  }

  private static let style = """
    :root{color-scheme:light}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
    color:#1a1a1a;background:#fff}header{padding:1rem 1.5rem;border-left:.6rem solid}h1{margin:0;letter-spacing:.05em}\
    .clean{border-color:#1a7f37}.clean h1{color:#1a7f37}.dirty{border-color:#cf222e}.dirty h1{color:#cf222e}\
    .unknown{border-color:#9a6700}.unknown h1{color:#9a6700}.small{font-size:.85rem;color:#555}p{margin:.3rem 0}\
    table{border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}td,th{padding:.15rem .7rem;\
    text-align:right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}\
    .books td:first-child,.books th:first-child{text-align:right}article{border-left:.3rem solid #cf222e;\
    padding:.2rem 1rem;margin:1rem 0}article.waived{border-color:#999}h3{margin:.2rem 0;font-size:1rem}dl{display:grid;\
    grid-template-columns:7rem 1fr;margin:0}dd{margin:0;overflow-wrap:anywhere}dt{color:#555}code{font-size:.85rem;\
    overflow-wrap:anywhere}figure{margin:1rem 0}svg{width:100%;height:auto}figcaption{font-size:.85rem;color:#555}\
    @media print{body{margin:0;max-width:none}section,article,figure{break-inside:avoid}}
    """
}

/// Escapes text for HTML content or an attribute value.
func escaped(_ text: String) -> String {
  text.reduce(into: "") { result, character in
    switch character {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    default: result.append(character)
    }
  }
}

/// A chart of issuance over time as a step line against the quota, with coupon latency and failed events.
struct HTMLChart {
  private static let width = 900.0
  private static let height = 260.0
  private static let left = 60.0
  private static let bottom = 30.0

  let chart: CampaignChart
  let totals: CampaignTotals

  var html: String { [figure, latency, failures].filter { !$0.isEmpty }.joined(separator: "\n") }

  private var figure: String {
    guard let from = [chart.accepted.begun, chart.issued.begun].compactMap(\.self).min(),
      let to = (chart.accepted.steps + chart.issued.steps).map(\.at).max()
    else { return "" }
    let top = Double(max(totals.quota, totals.set, 1))
    let span = Double(max(to - from, 1))
    func x(_ at: Int64) -> Double { Self.left + Double(at - from) / span * (Self.width - Self.left - 10) }
    func y(_ count: Double) -> Double { Self.height - Self.bottom - count / top * (Self.height - Self.bottom - 20) }
    func path(_ steps: [(at: Int64, total: Int)]) -> String {
      var path = "M\(point(x(from))) \(point(y(0)))"
      for step in steps { path += "H\(point(x(step.at)))V\(point(y(Double(step.total))))" }
      return path + "H\(point(x(to)))"
    }
    let quota = y(Double(totals.quota))
    return """
      <figure><svg viewBox="0 0 \(point(Self.width)) \(point(Self.height))" role="img" aria-label="issuance over time">
      <line x1="\(point(Self.left))" y1="\(point(y(0)))" x2="\(point(Self.width - 10))" y2="\(point(y(0)))" stroke="#999"/>
      <line x1="\(point(Self.left))" y1="\(point(quota))" x2="\(point(Self.width - 10))" y2="\(point(quota))" \
      stroke="#cf222e" stroke-dasharray="6 4"/>
      <text x="\(point(Self.left - 6))" y="\(point(quota + 4))" text-anchor="end" font-size="12">\(totals.quota)</text>
      <text x="\(point(Self.left - 6))" y="\(point(y(0) + 4))" text-anchor="end" font-size="12">0</text>
      <path d="\(path(chart.accepted.steps))" fill="none" stroke="#777" stroke-width="2"/>
      <path d="\(path(chart.issued.steps))" fill="none" stroke="#1a7f37" stroke-width="2"/>
      <text x="\(point(Self.left))" y="\(point(Self.height - 8))" font-size="12">\(Timestamp(microseconds: from))</text>
      <text x="\(point(Self.width - 10))" y="\(point(Self.height - 8))" text-anchor="end" font-size="12">\
      \(Timestamp(microseconds: to))</text>
      </svg><figcaption>Coupons (green) and accepted seats (grey) over time, against the quota (red).</figcaption></figure>
      """
  }

  private var latency: String {
    guard let median = chart.latency.percentile(0.5), let high = chart.latency.percentile(0.99) else { return "" }
    let middle = chart.latency.percentile(0.9) ?? high
    return """
      <p>From acceptance to coupon: half within \(milliseconds(median)), 90 % within \(milliseconds(middle)),
      99 % within \(milliseconds(high)), the longest \(milliseconds(chart.latency.longest))
      (\(chart.latency.total) coupons, to an eighth).</p>
      """
  }

  private var failures: String {
    guard !chart.failures.isEmpty else { return "" }
    let rows = chart.failures.sorted { $0.key < $1.key }.map {
      "<tr><td>\(escaped($0.key))</td><td>\($0.value)</td></tr>"
    }
    return "<table><tr><th>failed events by kind and state</th><th>events</th></tr>\(rows.joined())</table>"
  }

  private func milliseconds(_ microseconds: Int64) -> String {
    "\(Double((Double(microseconds) / 100).rounded()) / 10) ms"
  }

  private func point(_ value: Double) -> String {
    let tenths = (value * 10).rounded() / 10
    return tenths == tenths.rounded() ? String(Int(tenths)) : "\(tenths)"
  }
}
