import Foundation

/// Bytes on a connection of their own, and what may come back.
///
/// In the bytes, `@USER@` stands for a user id that no other case has, and the scalars U+E000 to U+E0FF for the single
/// bytes 0 to 255: so a case is one line, also where it is not UTF-8.
struct RawCase: Sendable {
  /// What one request may come to: a status and, of a problem, its type; or a connection that is closed without a word.
  enum Outcome: Hashable, Sendable {
    case success(Int)
    case problem(Int, String)
    case silence
  }

  /// What may be with the connection afterwards.
  enum Connection: Sendable { case open, closed, either }

  let name: String
  let template: @Sendable () -> String
  /// One set of right answers per request, in order. Where the RFC leaves a choice, each choice is in it.
  let expected: [Set<Outcome>]
  /// `nil`: as the answer says: a connection on which framing was lost must not be used again, any other may be.
  let connection: Connection?
  /// After the last byte the client says that nothing more comes.
  let finishes: Bool

  init(
    _ name: String, _ template: @escaping @autoclosure @Sendable () -> String, _ expected: Set<Outcome>,
    _ connection: Connection? = nil, finishes: Bool = false
  ) {
    self.init(name, pipeline: template(), [expected], connection, finishes: finishes)
  }

  init(
    _ name: String, pipeline template: @escaping @autoclosure @Sendable () -> String, _ expected: [Set<Outcome>],
    _ connection: Connection? = nil, finishes: Bool = false
  ) {
    self.name = name
    self.template = template
    self.expected = expected
    self.connection = connection
    self.finishes = finishes
  }

  func bytes(user: String) -> [UInt8] { Self.bytes(of: template().replacingOccurrences(of: "@USER@", with: user)) }

  static func bytes(of text: String) -> [UInt8] {
    // U+E000 and above begin with this byte in UTF-8.
    guard text.utf8.contains(0xEE) else { return Array(text.utf8) }
    return text.unicodeScalars.flatMap { scalar in
      (0xE000...0xE0FF).contains(scalar.value) ? [UInt8(scalar.value - 0xE000)] : Array(String(scalar).utf8)
    }
  }

  /// What follows `@USER@`, for each user of the case.
  var users: Set<String> { Set(template().matches(of: #/@USER@(-[0-9]+)?/#).map { String($0.1 ?? "") }) }

  var isHead: Bool { template().hasPrefix("HEAD ") }

  /// Whether the connection must still be usable, or must be closed, after these outcomes.
  func connection(after outcomes: [Outcome]) -> Connection {
    if finishes { return .closed }
    if let connection { return connection }
    switch outcomes.last {
    case .silence, .problem(400, "malformed-request"), .problem(408, _), .problem(431, _): return .closed
    case .problem(413, _): return .either
    default: return .open
    }
  }
}

extension RawCase.Outcome {
  static let accepted = Self.success(201)
  static let again = Self.success(200)
  static let ok = Self.success(200)
  static let noContent = Self.success(204)
  static let malformed = Self.problem(400, "malformed-request")
  static let badBody = Self.problem(400, "malformed-body")
  static let unauthenticated = Self.problem(401, "unauthenticated")
  static let noResource = Self.problem(404, "no-such-resource")
  static let noCampaign = Self.problem(404, "unknown-campaign")
  static let noClaim = Self.problem(404, "no-claim")
  static let noMethod = Self.problem(405, "method-not-allowed")
  static let notAcceptable = Self.problem(406, "not-acceptable")
  static let bodyTooLarge = Self.problem(413, "body-too-large")
  static let badMedia = Self.problem(415, "unsupported-media-type")
  static let badCampaign = Self.problem(422, "bad-campaign-id")
  static let badUser = Self.problem(422, "bad-user-id")
  static let tooMany = Self.problem(429, "too-many-requests")
  static let headerTooLarge = Self.problem(431, "header-too-large")
}

/// Text as it stands in the name of a case: short, and with single bytes as `\xNN`.
func shown(_ text: String) -> String {
  if text.count > 60 { return "\(shown(String(text.prefix(12))))… of \(text.count) characters" }
  let scalars = text.unicodeScalars.map { scalar in
    guard (0xE000...0xE0FF).contains(scalar.value) else { return scalar.escaped(asASCII: false) }
    let digits = String(scalar.value - 0xE000, radix: 16)
    return "\\x" + (digits.count == 1 ? "0" : "") + digits
  }
  return "'\(scalars.joined())'"
}

/// The path at which all cases claim.
let claims = "/v1/campaigns/raw/claims"

/// A request, a claim unless said otherwise. Fields are `Name: value`; the body stands as it is, without any length.
func request(
  _ target: String = claims, method: String = "POST", version: String = "HTTP/1.1", host: String? = "first-come",
  user: String? = "@USER@", _ fields: String..., body: String = ""
) -> String {
  let first = [host.map { "Host: \($0)" }, user.map { "X-User-Id: \($0)" }].compactMap { $0 }
  return (["\(method) \(target) \(version)"] + first + fields).map { "\($0)\r\n" }.joined() + "\r\n" + body
}

/// A claim with a body and its length.
func sending(_ body: String, type: String? = "application/json", _ fields: String...) -> String {
  let length = RawCase.bytes(of: body).count
  let all = (type.map { ["Content-Type: \($0)"] } ?? []) + ["Content-Length: \(length)"] + fields
  return request(claims, all.joined(separator: "\r\n"), body: body)
}

/// A claim whose body is these bytes, chunks and all.
func chunked(_ wire: String) -> String {
  request(claims, "Content-Type: application/json", "Transfer-Encoding: chunked", body: wire)
}
