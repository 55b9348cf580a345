internal import Composition
internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import Metrics
internal import NIOCore
internal import NIOHTTP1
internal import ServiceKit

/// An error on the wire: `application/problem+json` (RFC 9457), thrown by who answers a request.
struct Problem: Error, Sendable {
  let kind: ProblemKind
  let detail: String
  var title: String
  var status: Int
  var opensAt: String?
  /// Of an answer that is no decision: `none`, nothing happened; `unknown`, ask again to learn.
  var outcome: StoreError.Outcome?
  /// Seconds after which asking again makes sense.
  var retryAfter: Int?
  /// The methods that would have been answered.
  var allow: [String] = []
  /// How to authenticate.
  var challenge: String?

  init(_ kind: ProblemKind, _ detail: String) {
    self.kind = kind
    self.detail = detail
    title = kind.title
    status = kind.status
  }

  static let badCampaignID = Problem(.badCampaignID, "A campaign id is \(CampaignID.form).")
  static let noClaim = Problem(.noClaim, "There is no claim of this user that this request may see.")
  static let noSuchResource = Problem(.noSuchResource, "Nothing is there. The API is described at /openapi.yaml.")
  static let malformedBody = Problem(.malformedBody, "A body must be a JSON object. A claim needs none.")
  static let tooManyConnections = Problem.overloaded("There are too many connections. Ask again in a moment.")

  static func unknownCampaign(_ id: CampaignID) -> Problem {
    Problem(.unknownCampaign, "There is no campaign '\(id)'.")
  }

  static func malformedRequest(_ detail: String) -> Problem { Problem(.malformedRequest, detail) }

  static func headerTooLarge(_ limits: ServeLimits) -> Problem {
    Problem(
      .headerTooLarge,
      "A request line and header may have \(limits.headerBytes) bytes and \(limits.headerFields) fields.")
  }

  static func bodyTooLarge(_ limit: Int) -> Problem {
    Problem(.bodyTooLarge, "A body may have \(limit) bytes. A claim needs none.")
  }

  static func timeout(_ detail: String) -> Problem {
    var problem = Problem(.timeout, detail)
    problem.outcome = StoreError.Outcome.none
    return problem
  }

  static func methodNotAllowed(_ methods: [String]) -> Problem {
    var problem = Problem(.methodNotAllowed, "This resource answers \(methods.joined(separator: ", ")).")
    problem.allow = methods
    return problem
  }

  static func tooManyRequests(_ detail: String, retryAfter: Int) -> Problem {
    var problem = Problem(.tooManyRequests, detail)
    problem.outcome = StoreError.Outcome.none
    problem.retryAfter = retryAfter
    return problem
  }

  /// What nobody has time for. Nothing happened.
  static func overloaded(_ detail: String) -> Problem {
    var problem = Problem(.unavailable, detail)
    problem.outcome = StoreError.Outcome.none
    problem.retryAfter = Self.jitteredDelay
    return problem
  }

  /// Jittered, so that those who were turned away together do not come back together.
  private static var jitteredDelay: Int { Int.random(in: 1...3) }

  /// - Parameter now: for the seconds until a known opening time.
  init(_ refusal: Refusal, of id: CampaignID, now: Timestamp) {
    switch refusal {
    case .unknownCampaign: self = .unknownCampaign(id)
    case .closed: self.init(.closed, "The campaign '\(id)' is closed.")
    case .paused: self.init(.paused, "The campaign '\(id)' is paused. Ask again later.")
    case .soldOut: self.init(.soldOut, "The campaign '\(id)' has no seat left.")
    case .notOpenYet(let opensAt):
      self.init(.notOpenYet, "The campaign '\(id)' opens at \(opensAt).")
      self.opensAt = "\(opensAt)"
      retryAfter = Int(max(1, now.duration(to: opensAt).microsecondsSaturated.addingSaturated(999_999) / 1_000_000))
    }
  }

  /// A store that could not answer. Never a no.
  init(_ failure: StoreError) {
    guard failure.outcome == .unknown else {
      self = .overloaded("Nothing happened. Ask again.")
      finish(failure)
      return
    }
    self.init(.unavailable, "It is not known whether it happened. Ask again to learn.")
    title = "The answer is not known"
    outcome = .unknown
    finish(failure)
  }

  private mutating func finish(_ failure: StoreError) {
    status = failure.isRetryable ? ProblemKind.unavailable.status : 500
    retryAfter = failure.isRetryable ? Self.jitteredDelay : nil
  }

  /// What nobody foresaw; the claim may have been decided.
  static let failed: Problem = {
    var problem = Problem(.failed, "An unexpected error. Ask again to learn.")
    problem.outcome = .unknown
    return problem
  }()
}

extension Problem {
  /// What of it goes on the wire as JSON.
  private struct Document: Encodable {
    let type: String
    let title: String
    let status: Int
    let detail: String
    let requestID: String
    let opensAt: String?
    let outcome: String?
  }

  private func fields(requestID: String) -> HTTPFields {
    var fields: HTTPFields = [
      .contentType: "application/problem+json", .cacheControl: "no-store", .requestID: requestID,
    ]
    if let retryAfter { fields[.retryAfter] = String(retryAfter) }
    if !allow.isEmpty { fields[.allow] = allow.joined(separator: ", ") }
    if let challenge { fields[.wwwAuthenticate] = challenge }
    return fields
  }

  private func body(requestID: String) throws -> String {
    try JSONText.encode(
      Document(
        type: "/problems/\(kind.rawValue)", title: title, status: status, detail: detail, requestID: requestID,
        opensAt: opensAt, outcome: outcome?.rawValue))
  }

  func response(requestID: String) throws -> Response {
    Response(
      status: HTTPResponse.Status(code: status), headers: fields(requestID: requestID),
      body: ResponseBody(byteBuffer: ByteBuffer(string: try body(requestID: requestID))))
  }

  /// The bytes of the last answer on a connection, for where nobody behind it answers.
  ///
  /// - Parameter isHead: whether the request was HEAD, whose answer has no body.
  func lastAnswer(requestID: String, date: String, isHead: Bool) -> ByteBuffer {
    let body = (try? body(requestID: requestID)) ?? ""
    var lines = ["HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)"]
    lines += fields(requestID: requestID).map { "\($0.name.rawName): \($0.value)" }
    lines += ["Date: \(date)", "Connection: close", "Content-Length: \(body.utf8.count)", "", isHead ? "" : body]
    return ByteBuffer(string: lines.joined(separator: "\r\n"))
  }
}

extension HTTPField.Name {
  static let userID = HTTPField.Name("X-User-Id")!
  static let requestID = HTTPField.Name("X-Request-Id")!
  static let traceParent = HTTPField.Name("traceparent")!
}

/// The types of problem, each with a page at `/problems/<word>`. Clients tell errors apart by them: they never change.
package enum ProblemKind: String, Sendable, CaseIterable {
  case unauthenticated
  case badCampaignID = "bad-campaign-id"
  case badUserID = "bad-user-id"
  case unknownCampaign = "unknown-campaign"
  case noClaim = "no-claim"
  case closed
  case notOpenYet = "not-open-yet"
  case paused
  case soldOut = "sold-out"
  case malformedRequest = "malformed-request"
  case malformedBody = "malformed-body"
  case noSuchResource = "no-such-resource"
  case methodNotAllowed = "method-not-allowed"
  case notAcceptable = "not-acceptable"
  case timeout
  case bodyTooLarge = "body-too-large"
  case unsupportedMediaType = "unsupported-media-type"
  case tooManyRequests = "too-many-requests"
  case headerTooLarge = "header-too-large"
  case unavailable
  case notReady = "not-ready"
  case failed

  var title: String {
    switch self {
    case .unauthenticated: "Not authenticated"
    case .badCampaignID: "Not a campaign id"
    case .badUserID: "Not a user id"
    case .unknownCampaign: "Unknown campaign"
    case .noClaim: "No such claim"
    case .closed: "Closed"
    case .notOpenYet: "Not open yet"
    case .paused: "Paused"
    case .soldOut: "Sold out"
    case .malformedRequest: "Malformed request"
    case .malformedBody: "Malformed body"
    case .noSuchResource: "No such resource"
    case .methodNotAllowed: "Method not allowed"
    case .notAcceptable: "Not acceptable"
    case .timeout: "Timeout"
    case .bodyTooLarge: "Body too large"
    case .unsupportedMediaType: "Unsupported media type"
    case .tooManyRequests: "Too many requests"
    case .headerTooLarge: "Header too large"
    case .unavailable: "Not decided"
    case .notReady: "Not ready"
    case .failed: "Failed"
    }
  }

  var status: Int {
    switch self {
    case .malformedRequest, .malformedBody: 400
    case .unauthenticated: 401
    case .unknownCampaign, .noClaim, .noSuchResource: 404
    case .methodNotAllowed: 405
    case .notAcceptable: 406
    case .timeout: 408
    case .notOpenYet, .paused, .soldOut: 409
    case .closed: 410
    case .bodyTooLarge: 413
    case .unsupportedMediaType: 415
    case .badCampaignID, .badUserID: 422
    case .tooManyRequests: 429
    case .headerTooLarge: 431
    case .failed: 500
    case .unavailable, .notReady: 503
    }
  }
}

/// Counts the problems that were answered, by type: a bounded set.
struct ProblemCounts: Sendable {
  private let counters: [ProblemKind: Counter]

  init(factory: any MetricsFactory) {
    counters = Dictionary(
      uniqueKeysWithValues: ProblemKind.allCases.map { kind in
        (kind, Counter(ServeMetrics.problems, kind.rawValue, factory: factory))
      })
  }

  func count(_ kind: ProblemKind) { counters[kind]?.increment() }
}
