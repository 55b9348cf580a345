internal import Composition
internal import HTTPTypes
internal import Hummingbird
internal import Issuance
internal import Logging

/// An error on the wire: `application/problem+json` (RFC 9457), thrown by a route.
struct Problem: Error, Sendable {
  /// The types, each `/problems/<word>`. Clients tell errors apart by them: they never change.
  enum Kind: String, Sendable {
    case badCampaignID = "bad-campaign-id"
    case badUserID = "bad-user-id"
    case unknownCampaign = "unknown-campaign"
    case noClaim = "no-claim"
    case closed
    case notOpenYet = "not-open-yet"
    case paused
    case soldOut = "sold-out"
    case unavailable
    case notReady = "not-ready"
    case noSuchResource = "no-such-resource"
    case badRequest = "bad-request"
    case failed
  }

  let type: String
  let title: String
  let status: Int
  let detail: String
  var opensAt: String?
  /// Of a 5xx, which never means no: `none`, nothing happened; `unknown`, ask again to learn.
  var outcome: String?
  /// Seconds after which asking again makes sense.
  var retryAfter: Int?

  /// What of it goes on the wire as JSON.
  private struct Document: Encodable {
    let type: String
    let title: String
    let status: Int
    let detail: String
    let opensAt: String?
    let outcome: String?
  }

  init(_ kind: Kind, _ status: HTTPResponse.Status, _ title: String, _ detail: String) {
    self.type = "/problems/\(kind.rawValue)"
    self.title = title
    self.status = status.code
    self.detail = detail
  }

  static let badCampaignID = Problem(
    .badCampaignID, .unprocessableContent, "Not a campaign id", "A campaign id is \(CampaignID.form).")
  static let badUserID = Problem(
    .badUserID, .unprocessableContent, "Not a user id",
    "The header X-User-Id must be there once and be \(UserID.form).")
  static let noClaim = Problem(
    .noClaim, .notFound, "No such claim", "There is no claim of this user that this request may see.")

  static func unknownCampaign(_ id: CampaignID) -> Problem {
    Problem(.unknownCampaign, .notFound, "Unknown campaign", "There is no campaign '\(id)'.")
  }

  /// - Parameter now: for the seconds until a known opening time.
  init(_ refusal: Refusal, of id: CampaignID, now: Timestamp) {
    switch refusal {
    case .unknownCampaign: self = .unknownCampaign(id)
    case .closed: self.init(.closed, .gone, "Closed", "The campaign '\(id)' is closed.")
    case .paused: self.init(.paused, .conflict, "Paused", "The campaign '\(id)' is paused. Ask again later.")
    case .soldOut: self.init(.soldOut, .conflict, "Sold out", "The campaign '\(id)' has no seat left.")
    case .notOpenYet(let opensAt):
      self.init(.notOpenYet, .conflict, "Not open yet", "The campaign '\(id)' opens at \(opensAt).")
      self.opensAt = "\(opensAt)"
      retryAfter = Int(max(1, (opensAt.microseconds - now.microseconds + 999_999) / 1_000_000))
    }
  }

  /// A store that could not answer. Never a no.
  init(_ failure: StoreFailure) {
    let isRetryable = failure.isRetryable
    self.init(
      .unavailable, isRetryable ? .serviceUnavailable : .internalServerError,
      failure.outcome == .none ? "Not decided" : "The answer is not known",
      failure.outcome == .none
        ? "Nothing happened. Ask again." : "It is not known whether it happened. Ask again to learn.")
    outcome = failure.outcome.rawValue
    // Jittered, so that those who were turned away together do not come back together.
    retryAfter = isRetryable ? Int.random(in: 1...3) : nil
  }
}

extension Problem {
  func response() throws -> Response {
    var headers: HTTPFields = [
      .contentType: "application/problem+json", .cacheControl: "no-store",
    ]
    if let retryAfter { headers[.retryAfter] = String(retryAfter) }
    let document = Document(
      type: type, title: title, status: status, detail: detail, opensAt: opensAt, outcome: outcome)
    return Response(
      status: HTTPResponse.Status(code: status), headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(string: try JSONText.encode(document))))
  }
}

/// Turns every error of a route, and a path that no route has, into a problem document. Failures of the store are
/// logged here, once.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
  @concurrent func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let problem as Problem {
      return try problem.response()
    } catch let failure as StoreFailure {
      context.logger.error("\(failure)", metadata: ["outcome": "\(failure.outcome.rawValue)"])
      return try Problem(failure).response()
    } catch let error as any HTTPResponseError {
      let kind: Problem.Kind = error.status == .notFound ? .noSuchResource : .badRequest
      let problem = Problem(kind, error.status, error.status.reasonPhrase, "See the API in docs/operations.md.")
      return try problem.response()
    } catch {
      context.logger.error("a request failed: \(error)")
      var problem = Problem(.failed, .internalServerError, "Failed", "An unexpected error. Ask again to learn.")
      problem.outcome = StoreFailure.Outcome.unknown.rawValue
      return try problem.response()
    }
  }
}
