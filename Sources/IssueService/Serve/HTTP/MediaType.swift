internal import ServiceKit

/// What bodies are, and whether a client takes or sends them.
package enum MediaType: String, Sendable, CaseIterable {
  case json = "application/json"
  case yaml = "application/yaml"
  case markdown = "text/markdown"
  case html = "text/html"
  case eventStream = "text/event-stream"
  case metrics = "text/plain"

  /// The value of the field Content-Type.
  var contentType: String {
    switch self {
    case .json, .yaml, .eventStream: rawValue
    case .markdown, .html: "\(rawValue); charset=utf-8"
    case .metrics: MetricsRegistry.contentType
    }
  }

  /// Whether it is acceptable by the values of the field Accept (RFC 9110, section 12.5.1): the most specific range
  /// that matches decides. No field accepts everything, and so does an empty one.
  package func isAccepted(by fields: [String]) -> Bool {
    let ranges = fields.joined(separator: ",").split(separator: ",").compactMap { AcceptRange($0) }
    guard !ranges.isEmpty else { return fields.allSatisfy { $0.allSatisfy { $0.isWhitespace || $0 == "," } } }
    let type = rawValue.prefix { $0 != "/" }
    let matches = ranges.filter { $0.name == rawValue || $0.name == "\(type)/*" || $0.name == "*/*" }
    return matches.max { $0.precision(of: rawValue) < $1.precision(of: rawValue) }.map { $0.weight > 0 } ?? false
  }

  /// Whether the value of a field Content-Type names it, with whatever parameters.
  package func isNamed(by field: String) -> Bool {
    let name = field.prefix { $0 != ";" }
    return name.trimmed.lowercased() == rawValue
  }
}

/// One range of the field Accept.
private struct AcceptRange {
  let name: String
  let weight: Double

  init?(_ text: Substring) {
    var parts = text.split(separator: ";")[...]
    guard let name = parts.popFirst()?.trimmed.lowercased(), name.contains("/") else { return nil }
    self.name = name
    let quality = parts.lazy.map { $0.trimmed.lowercased() }.first { $0.hasPrefix("q=") }
    weight = quality.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
  }

  func precision(of type: String) -> Int { name == type ? 2 : name == "*/*" ? 0 : 1 }
}

extension StringProtocol {
  fileprivate var trimmed: String {
    String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
  }
}
