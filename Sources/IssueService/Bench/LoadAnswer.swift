internal import Foundation
package import NIOCore

/// What a claim was told.
package enum LoadAnswer: Sendable, Equatable {
  case seat(Int, isRepeat: Bool)
  /// A definite no of the campaign: sold out, closed, not open yet, paused.
  case no(ProblemKind)
  /// An error that asking again does not change: no such campaign, no user.
  case refused(ProblemKind)
  /// Neither yes nor no. Asking again tells.
  case undecided(Undecided, retryAfter: Int?)
  /// An answer that the contract does not have, and why.
  case broken(String)

  package enum Undecided: String, Sendable, CaseIterable {
    /// 429.
    case tooManyRequests = "too-many-requests"
    /// 408.
    case timeout
    /// 5xx with the outcome `none`: nothing happened.
    case none = "unavailable-none"
    /// 5xx with the outcome `unknown`, or one that does not say.
    case unknown = "unavailable-unknown"
    /// The connection failed, or no answer came in time.
    case noAnswer = "no-answer"
  }

  /// The outcome under which it is counted.
  var word: String {
    switch self {
    case .seat(_, let isRepeat): isRepeat ? "repeat" : "accepted"
    case .no(let kind), .refused(let kind): kind.rawValue
    case .undecided(let outcome, _): outcome.rawValue
    case .broken: Self.brokenWord
    }
  }

  static let brokenWord = "not-understood"

  /// Whether the service said anything at all.
  var isAnswer: Bool {
    if case .undecided(.noAnswer, _) = self { false } else { true }
  }
}

/// Who asked, as the answer to a claim must name them.
package struct LoadRequest: Sendable {
  let campaign: String
  let user: String

  package init(campaign: String, user: String) {
    self.campaign = campaign
    self.user = user
  }
}

extension LoadAnswer {
  private struct Acceptance: Decodable {
    let campaignID: String
    let userID: String
    let seat: Int

    enum CodingKeys: String, CodingKey {
      case campaignID = "campaign_id"
      case userID = "user_id"
      case seat
    }
  }

  private struct ProblemDocument: Decodable {
    let type: String
    let outcome: String?
  }

  /// Reads an answer as docs/openapi.yaml has them.
  package init(status: Int, retryAfter: Int?, body: ByteBuffer, to question: LoadRequest) {
    switch status {
    case 200, 201: self = Self.acceptance(body, isRepeat: status == 200, question)
    case 408: self = .undecided(.timeout, retryAfter: retryAfter)
    case 429: self = .undecided(.tooManyRequests, retryAfter: retryAfter)
    case 400..<500: self = Self.refusal(status, body)
    case 500..<600:
      let problem = try? JSONDecoder().decode(ProblemDocument.self, from: Data(body.readableBytesView))
      self = .undecided(problem?.outcome == "none" ? .none : .unknown, retryAfter: retryAfter)
    default: self = .broken("status \(status)")
    }
  }

  private static func acceptance(_ body: ByteBuffer, isRepeat: Bool, _ question: LoadRequest) -> LoadAnswer {
    guard let acceptance = try? JSONDecoder().decode(Acceptance.self, from: Data(body.readableBytesView)) else {
      return .broken("a yes that names no seat")
    }
    guard acceptance.userID == question.user, acceptance.campaignID == question.campaign else {
      return .broken("a yes to somebody else")
    }
    guard acceptance.seat >= 1 else { return .broken("a yes with seat \(acceptance.seat)") }
    return .seat(acceptance.seat, isRepeat: isRepeat)
  }

  /// Sold out is what almost everybody hears: its type is looked for where the service writes it, at the end, and only
  /// where it is not there the document is read. In a JSON string these bytes cannot stand as they are.
  private static func refusal(_ status: Int, _ body: ByteBuffer) -> LoadAnswer {
    if status == ProblemKind.soldOut.status, body.ends(with: soldOut) { return .no(.soldOut) }
    guard let problem = try? JSONDecoder().decode(ProblemDocument.self, from: Data(body.readableBytesView)),
      let word = problem.type.split(separator: "/").last, let kind = ProblemKind(rawValue: String(word)),
      kind.status == status
    else { return .broken("status \(status) without a type that it can have") }
    switch kind {
    case .soldOut, .closed, .notOpenYet, .paused: return .no(kind)
    default: return .refused(kind)
    }
  }

  private static let soldOut = Array(#","type":"/problems/sold-out"}"#.utf8)
}

extension ByteBuffer {
  /// Whether the last bytes that can be read are these.
  fileprivate func ends(with ending: [UInt8]) -> Bool {
    unsafe withUnsafeReadableBytes { bytes in
      guard bytes.count >= ending.count, let start = bytes.baseAddress else { return false }
      return unsafe memcmp(start + (bytes.count - ending.count), ending, ending.count) == 0
    }
  }
}
