internal import Issuance

/// Issuance over time as a step line against the quota, how long coupons took, and what failed.
struct HTMLChart {
  private static let width = 900.0
  private static let height = 260.0
  private static let left = 60.0
  private static let bottom = 30.0

  let chart: CampaignChart
  let books: CampaignTotals

  var html: String { [figure, latency, failures].filter { !$0.isEmpty }.joined(separator: "\n") }

  private var figure: String {
    guard let from = [chart.accepted.begun, chart.issued.begun].compactMap(\.self).min(),
      let to = (chart.accepted.steps + chart.issued.steps).map(\.at).max()
    else { return "" }
    let top = Double(max(books.quota, books.set, 1))
    let span = Double(max(to - from, 1))
    func x(_ at: Int64) -> Double { Self.left + Double(at - from) / span * (Self.width - Self.left - 10) }
    func y(_ count: Double) -> Double { Self.height - Self.bottom - count / top * (Self.height - Self.bottom - 20) }
    func path(_ steps: [(at: Int64, total: Int)]) -> String {
      var path = "M\(point(x(from))) \(point(y(0)))"
      for step in steps { path += "H\(point(x(step.at)))V\(point(y(Double(step.total))))" }
      return path + "H\(point(x(to)))"
    }
    let quota = y(Double(books.quota))
    return """
      <figure><svg viewBox="0 0 \(point(Self.width)) \(point(Self.height))" role="img" aria-label="issuance over time">
      <line x1="\(point(Self.left))" y1="\(point(y(0)))" x2="\(point(Self.width - 10))" y2="\(point(y(0)))" stroke="#999"/>
      <line x1="\(point(Self.left))" y1="\(point(quota))" x2="\(point(Self.width - 10))" y2="\(point(quota))" \
      stroke="#cf222e" stroke-dasharray="6 4"/>
      <text x="\(point(Self.left - 6))" y="\(point(quota + 4))" text-anchor="end" font-size="12">\(books.quota)</text>
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
