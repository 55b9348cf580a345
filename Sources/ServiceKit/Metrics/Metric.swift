/// The declaration of a metric: everything but its values.
package struct MetricDeclaration: Sendable {
  package enum Kind: Sendable, Equatable {
    case counter
    case gauge
    case histogram(BucketBounds)

    /// The type name in the exposition format.
    package var word: String {
      switch self {
      case .counter: "counter"
      case .gauge: "gauge"
      case .histogram: "histogram"
      }
    }
  }

  /// The values that a label may have. A client can never choose them freely.
  package enum Values: Sendable, Equatable {
    /// Exactly these words.
    case words([String])
    /// Values that the program limits to this number.
    case limited(Int)
    /// One text that is fixed at the start of the process.
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
  /// The unit of its values, in one word; empty for a value that is 0 or 1.
  package let unit: String
  package let help: String

  package init(_ name: String, _ kind: Kind, _ labels: [Label] = [], unit: String, help: String) {
    self.name = name
    self.kind = kind
    self.labels = labels
    self.unit = unit
    self.help = help
  }

  /// The values of the labels in declared order; `nil` if a label is missing, is unknown or has a value that is not
  /// allowed.
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

  /// The most sample lines that it can have, without HELP and TYPE.
  package var mostSeries: Int {
    let sets = labels.reduce(1) { product, label in
      switch label.values {
      case .words(let words): product * words.count
      case .limited(let count): product * count
      case .constant: product
      }
    }
    // A histogram has a line for each bucket, one for the bucket without a bound, and its sum and count.
    if case .histogram(let bounds) = kind { return sets * (bounds.upper.count + 3) }
    return sets
  }
}

/// The upper bounds of a histogram's buckets, in ascending order. Values above the last bound belong to an unbounded
/// bucket.
package struct BucketBounds: Sendable, Equatable {
  package let upper: [Double]

  /// - Parameter upper: at least one bound, each higher than the one before.
  package init(_ upper: [Double]) {
    precondition(!upper.isEmpty && zip(upper, upper.dropFirst()).allSatisfy { $0 < $1 }, "bounds must rise")
    self.upper = upper
  }

  /// The index of the first bucket with a bound that is not below `value`; `upper.count` if the value is above all
  /// bounds.
  package func index(of value: Double) -> Int {
    var low = 0
    var high = upper.count
    while low < high {
      let middle = (low + high) / 2
      if upper[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Seconds from 50 µs to 30 s in steps of at most a seventh, so that a percentile read from them is off by less
  /// than 15 %. The steps are the preferred numbers R20 of ISO 3.
  package static let fineSeconds = BucketBounds(
    decades(
      [
        "1", "1.12", "1.25", "1.4", "1.6", "1.8", "2", "2.24", "2.5", "2.8", "3.15", "3.55", "4", "4.5", "5", "5.6",
        "6.3", "7.1", "8", "9",
      ], from: 50e-6, through: 30))

  /// Seconds from 10 µs to 30 s in five steps per decade (R5 of ISO 3).
  package static let coarseSeconds = BucketBounds(
    decades(["1", "1.6", "2.5", "4", "6.3"], from: 10e-6, through: 30))

  /// Powers of two from 1 to 4,096.
  package static let sizes = BucketBounds((0...12).map { Double(1 << $0) })

  /// - Returns: `mantissas` times every power of ten between the two ends, and the last end itself. The bounds are
  ///   parsed from decimal text, so that they print as written here.
  private static func decades(_ mantissas: [String], from first: Double, through last: Double) -> [Double] {
    let all = (-6...2).flatMap { power in mantissas.compactMap { Double("\($0)e\(power)") } }
    return all.filter { $0 >= first && $0 < last } + [last]
  }
}
