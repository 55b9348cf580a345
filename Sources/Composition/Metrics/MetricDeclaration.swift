/// What is said once of a metric: everything but its values.
package struct MetricDeclaration: Sendable {
  package enum Kind: Sendable, Equatable {
    case counter
    case gauge
    case histogram(BucketBounds)

    /// The word of the exposition format.
    package var word: String {
      switch self {
      case .counter: "counter"
      case .gauge: "gauge"
      case .histogram: "histogram"
      }
    }
  }

  /// What a label may say: never what a client chose freely.
  package enum Values: Sendable, Equatable {
    /// These words and no other.
    case words([String])
    /// Those campaigns that ``CampaignLabels`` has given a label, and the empty text.
    case campaigns
    /// One text that this process settles at its start.
    case constant
  }

  package struct Label: Sendable, Equatable {
    package let name: String
    package let values: Values

    package init(_ name: String, _ values: Values) {
      self.name = name
      self.values = values
    }
  }

  package let name: String
  package let kind: Kind
  package let labels: [Label]
  /// What its values count or measure, in one word; empty for a value that is 0 or 1.
  package let unit: String
  package let help: String

  package init(_ name: String, _ kind: Kind, _ labels: [Label] = [], unit: String, help: String) {
    self.name = name
    self.kind = kind
    self.labels = labels
    self.unit = unit
    self.help = help
  }

  /// The values of its labels, in their order; `nil` where a label is missing, unknown or says what it may not.
  func values(of dimensions: [(String, String)]) -> [String]? {
    guard dimensions.count == labels.count else { return nil }
    var values: [String] = []
    for label in labels {
      guard let value = dimensions.first(where: { $0.0 == label.name })?.1 else { return nil }
      if case .words(let words) = label.values, !words.contains(value) { return nil }
      values.append(value)
    }
    return values
  }

  /// The most lines that it can have, besides HELP and TYPE.
  package var mostSeries: Int {
    let sets = labels.reduce(1) { product, label in
      switch label.values {
      case .words(let words): product * words.count
      case .campaigns: product * (CampaignLabels.limit + 1)
      case .constant: product
      }
    }
    // A histogram has a line for each bucket, one for the bucket without a bound, and its sum and count.
    if case .histogram(let bounds) = kind { return sets * (bounds.upper.count + 3) }
    return sets
  }
}

extension MetricDeclaration.Label {
  package static let campaign = Self("campaign", .campaigns)
}
