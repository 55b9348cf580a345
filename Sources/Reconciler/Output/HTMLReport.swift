internal import Issuance
internal import ServiceKit

/// The report as one file that can be mailed and printed: no scripts, nothing from elsewhere.
struct HTMLReport {
  let report: Report
  /// Whether user ids stand as they are; else only their first character does.
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
    \(report.books.map(campaign).joined(separator: "\n"))
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
    var parts = ["in \(report.duration.secondsText)", "reconcile \(ProgramVersion.number)"]
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

  private func campaign(_ books: CampaignTotals) -> String {
    let balances =
      books.counter == books.set && books.set == books.total && max(books.set, books.coupons) <= books.quota
    let terms = [
      ("coupons", books.coupons), ("in flight", books.inFlight), ("retryable", books.retryable), ("dead", books.dead),
      ("discarded", books.discarded), ("missing", books.missing),
    ]
    let answers = books.answers.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    return """
      <section>
      <h2>Campaign \(escaped(books.id))</h2>
      <table class="books"><tr><th>quota</th><th>counter</th><th>set</th>\(terms.map { "<th>\($0.0)</th>" }.joined())
      <th>sum</th></tr>
      <tr><td>\(books.quota)</td><td>\(books.counter)</td><td>\(books.set)</td>
      \(terms.map { "<td>\($0.1)</td>" }.joined())<td>\(books.total)</td></tr></table>
      <p>\(balances ? "The books balance" : "<strong>The books do not balance</strong>"): counter \(books.counter),
      set \(books.set), sum \(books.total), of a quota of \(books.quota).\
      \(answers.isEmpty ? "" : " Other answers, at least: \(escaped(answers)).")</p>
      \(report.charts[books.id].map { HTMLChart(chart: $0, books: books).html } ?? "")
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

/// As text or the value of an attribute.
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
