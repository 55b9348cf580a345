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
