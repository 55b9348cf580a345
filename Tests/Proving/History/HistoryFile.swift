internal import Foundation

/// A history as lines of JSON, in any order. Each has a `kind`; times are nanoseconds of one monotonic clock.
///
/// | kind | keys |
/// |---|---|
/// | `claim` | `campaign`, `user`, `begun`, `ended`, `outcome` (`yes`, `same`, `sold out`, `paused`, `closed`, `no` for "nothing happened", `unknown`), `seat` and `body` of a yes or same, `process` that was asked |
/// | `act` | `campaign`, `begun`, `ended`, `act` (`raised`, `paused`, `resumed`, `closed`), `to` of a raise |
/// | `shown` | `campaign`, `user`, `begun`, `ended`, `seat`, `code` |
/// | `death` | `process`, `at` |
/// | `reading` | `label`, `begun`, `ended`, `campaigns` |
/// | `final` | `id`, `firstQuota`, `quota`, `counter`, `rows` |
///
/// A line with another key is refused: a misspelt one must not be a check that is not made.
package struct HistoryFile: Sendable, Equatable {
  package var history: ClaimHistory
  package var final: [FinalCampaign]

  package init(history: ClaimHistory = ClaimHistory(), final: [FinalCampaign] = []) {
    self.history = history
    self.final = final
  }

  /// A line that cannot be read.
  package struct BadLine: Error, CustomStringConvertible {
    package let number: Int
    package let why: String
    package var description: String { "line \(number): \(why)" }
  }

  package init(reading text: String) throws {
    self.init()
    let decoder = JSONDecoder()
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() where !line.isEmpty
    {
      do {
        try add(try decoder.decode(HistoryLine.self, from: Data(line.utf8)))
      } catch let error as DecodingError {
        throw BadLine(number: index + 1, why: error.inShort)
      }
    }
  }

  private mutating func add(_ line: HistoryLine) throws {
    switch line {
    case .claim(let claim): history.operations.append(claim)
    case .act(let act): history.acts.append(act)
    case .shown(let shown): history.shown.append(shown)
    case .death(let death): history.deaths.append(death)
    case .reading(let reading): history.readings.append(reading)
    case .final(let campaign): final.append(campaign)
    }
  }

  /// The lines, each ended.
  package var text: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let lines =
        history.operations.map(HistoryLine.claim) + history.acts.map(HistoryLine.act)
        + history.shown.map(HistoryLine.shown) + history.deaths.map(HistoryLine.death)
        + history.readings.map(HistoryLine.reading) + final.map(HistoryLine.final)
      return try lines.map { String(decoding: try encoder.encode($0), as: UTF8.self) + "\n" }.joined()
    }
  }
}

extension DecodingError {
  fileprivate var inShort: String {
    switch self {
    case .keyNotFound(let key, _): "the key \(key.stringValue) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      context.codingPath.last.map { "\($0.stringValue): \(context.debugDescription)" } ?? context.debugDescription
    @unknown default: "\(self)"
    }
  }
}
