internal import AsyncHTTPClient
internal import FoundationEssentials
package import Issuance
internal import NIOCore

/// An issuer's answer and its meaning. Pure, except for reading the body.
package struct WebhookReply: Sendable {
  package struct Head: Sendable {
    let status: Int
    /// The raw value of the field.
    let retryAfter: String?

    package init(status: Int, retryAfter: String?) {
      self.status = status
      self.retryAfter = retryAfter
    }
  }

  package enum Body: Sendable {
    case whole([UInt8])
    /// More than ``WebhookReply/maximumBytes``; holds the beginning.
    case tooLong([UInt8])
    /// The body did not arrive whole; holds the reason.
    case lost(String)
  }

  /// The largest body that is read, in bytes.
  static let maximumBytes = 64 << 10

  let head: Head
  let body: Body

  package init(head: Head, body: Body) {
    self.head = head
    self.body = body
  }

  package func answer(from endpoint: WebhookEndpoint, now: Timestamp, _ excerpts: RedactedExcerpt) -> CodeResponse {
    if let code { return .code(code) }
    return .failure(failure(from: endpoint, now: now, excerpts))
  }

  /// The code, if the issuer gave one.
  private var code: CouponCode? {
    guard isSuccess, case .whole(let bytes) = body,
      let answer = try? JSONDecoder().decode(Answer.self, from: Data(bytes))
    else { return nil }
    return CouponCode(answer.code)
  }

  private struct Answer: Decodable {
    let code: String
  }

  /// The failure for this reply, if the reply has no usable code.
  func failure(from endpoint: WebhookEndpoint, now: Timestamp, _ excerpts: RedactedExcerpt) -> IssuerFailure {
    var words = "\(endpoint.authority) answered \(head.status)"
    if isSuccess {
      words += " without a usable code"
    } else if (300..<400).contains(head.status) {
      words += ", and redirects are not followed"
    }
    return IssuerFailure(
      kind, words + bodyWords(excerpts),
      retryAfter: head.retryAfter.flatMap { RetryAfter.duration($0, now: now) })
  }

  private func bodyWords(_ excerpts: RedactedExcerpt) -> String {
    switch body {
    case .whole([]): ", with an empty body"
    case .whole(let bytes): ": \(excerpts.beginning(of: bytes))"
    case .tooLong(let bytes): " and more than \(Self.maximumBytes) bytes: \(excerpts.beginning(of: bytes))"
    case .lost(let why): ", but its body was lost: \(why)"
    }
  }

  private var isSuccess: Bool { (200..<300).contains(head.status) }

  private var kind: FailureKind { Self.kind(ofStatus: head.status) }

  /// The failure kind for a status, if no code came with it.
  static func kind(ofStatus status: Int) -> FailureKind {
    switch status {
    case 408, 425, 429: .transient
    // A proxy does not reach the issuer, or the URL leads elsewhere: this affects every seat.
    case 300..<400, 502, 503, 504: .infrastructure
    case 400..<500: .permanent
    default: .transient
    }
  }
}

extension WebhookReply.Body {
  /// Reads up to ``WebhookReply/maximumBytes``. If the body is cut off, the status still decides the failure kind.
  init(of stream: HTTPClientResponse.Body) async {
    var bytes: [UInt8] = []
    do {
      for try await part in stream {
        bytes += part.readableBytesView
        guard bytes.count <= WebhookReply.maximumBytes else {
          self = .tooLong(bytes)
          return
        }
      }
      self = .whole(bytes)
    } catch {
      self = .lost(CallError.words(for: error))
    }
  }
}

/// Parses the field Retry-After (RFC 9110, 10.2.3).
package enum RetryAfter {
  /// - Returns: the wait from `now`, never negative; `nil` if the field has neither form.
  package static func duration(_ text: String, now: Timestamp) -> Duration? {
    if (1...10).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return Int64(text).map { .seconds($0) }
    }
    guard let moment = moment(text, now: now) else { return nil }
    return .microseconds(max(0, moment.microseconds - now.microseconds))
  }

  /// Parses a date in the three forms of RFC 9110, 5.6.7.
  private static func moment(_ text: String, now: Timestamp) -> Timestamp? {
    if let parts = text.wholeMatch(
      of: #/(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9:]{8}) GMT/#)
    {
      return moment(year: String(parts.3), month: parts.2, day: String(parts.1), time: parts.4)
    }
    if let parts = text.wholeMatch(
      of: #/(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, ([0-9]{2})-([A-Z][a-z]{2})-([0-9]{2}) ([0-9:]{8}) GMT/#)
    {
      return moment(year: century(of: parts.3, now: now), month: parts.2, day: String(parts.1), time: parts.4)
    }
    if let parts = text.wholeMatch(
      of: #/(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ 0-9][0-9]) ([0-9:]{8}) ([0-9]{4})/#)
    {
      return moment(
        year: String(parts.4), month: parts.1, day: String(parts.2).replacing(" ", with: "0"), time: parts.3)
    }
    return nil
  }

  /// A two-digit year that seems to be more than 50 years ahead is in the past.
  private static func century(of digits: Substring, now: Timestamp) -> String {
    let present = Int("\(now)".prefix(4)) ?? 2_000
    let year = present / 100 * 100 + (Int(digits) ?? 0)
    return "\(year > present + 50 ? year - 100 : year)"
  }

  private static func moment(year: String, month: Substring, day: String, time: Substring) -> Timestamp? {
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard let index = names.firstIndex(of: String(month)) else { return nil }
    let number = index < 9 ? "0\(index + 1)" : "\(index + 1)"
    return Timestamp(rfc3339: "\(year)-\(number)-\(day)T\(time)Z")
  }
}

/// Prepares the first bytes of an issuer's answer for a message: one line, without the user's id.
package struct RedactedExcerpt: Sendable {
  /// The maximum number of bytes that are kept from a body.
  static let maximumBytes = 200

  let user: UserID

  package init(user: UserID) { self.user = user }

  func beginning(of body: [UInt8]) -> String {
    let clean = withoutUser(body)
    guard clean.count > Self.maximumBytes else { return Self.escaped(String(decoding: clean, as: UTF8.self)) }
    var text = String(decoding: clean.prefix(Self.maximumBytes), as: UTF8.self)
    // Drops a character that was cut in two.
    if text.unicodeScalars.last == "\u{FFFD}" { text.unicodeScalars.removeLast() }
    return Self.escaped(text) + "…"
  }

  /// Replaces the id if it is a separate word. An id such as `1` is also a part of numbers.
  private func withoutUser(_ body: [UInt8]) -> [UInt8] {
    let id = Array(user.rawValue.utf8)
    // Bytes beyond this limit never appear, even if the replacements shorten the bytes before them.
    let body = body.prefix(Self.maximumBytes * (id.count + 1))
    var result: [UInt8] = []
    var position = body.startIndex
    while position < body.endIndex {
      let end = position + id.count
      let isWord =
        (position == body.startIndex || !Self.isWordByte(body[position - 1]))
        && (end >= body.endIndex || !Self.isWordByte(body[end]))
      if isWord, body[position...].starts(with: id) {
        result += "(user)".utf8
        position = end
      } else {
        result.append(body[position])
        position += 1
      }
    }
    return result
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }

  /// The text on one line, with invisible characters as escape sequences.
  static func escaped(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
          result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
      }
    }
  }
}
