/// The text of `/metrics`, read the simple way: what a test asks of single series.
package struct ExpositionReading: Sendable {
  /// Values by what stands before them: `name{label="value",…}`.
  package let series: [String: Double]
  /// The lines of values, in their order.
  package let names: [String]

  package init(_ text: String) {
    let pairs = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
      line.lastIndex(of: " ").map { (String(line[..<$0]), Double(line[line.index(after: $0)...]) ?? .nan) }
    }
    series = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    names = pairs.map(\.0)
  }

  package subscript(name: String) -> Double? { series[name] }

  /// Of all series of a metric, in their order.
  package func values(of metric: String) -> [Double] {
    names.filter { $0 == metric || $0.hasPrefix(metric + "{") }.compactMap { series[$0] }
  }
}
