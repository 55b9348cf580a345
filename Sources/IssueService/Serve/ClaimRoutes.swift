internal import Composition
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Issuance

extension HTTPField.Name {
  static let userID = HTTPField.Name("X-User-Id")!
}

/// The public API.
struct ClaimRoutes: Sendable {
  let store: any AdmissionGate & CampaignRegistry
  let desk: ClaimDesk
  let answers: AnswerCounts
  let clock: WallClock

  func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.add(middleware: ProblemMiddleware())
    router.post("v1/campaigns/:campaign/claims") { request, context in try await claim(request, context) }
    router.get("v1/campaigns/:campaign/claims/:user") { request, context in try await status(request, context) }
    router.get("v1/campaigns/:campaign") { _, context in try await campaign(context) }
    return router
  }

  private func claim(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
    let claim = Claim(campaignID: try campaignID(context), userID: try userID(request))
    let outcome = try await desk.answer(claim)
    answers.count(outcome, of: claim)
    switch outcome {
    case .accepted(let acceptance): return try JSONText.response(.created, AcceptanceBody(acceptance))
    case .alreadyAccepted(let acceptance): return try JSONText.response(.ok, AcceptanceBody(acceptance))
    case .refused(let refusal): throw Problem(refusal, of: claim.campaignID, now: clock())
    }
  }

  /// Nobody learns anything of another user's claim: every such question has the one answer 404.
  private func status(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
    let campaignID = try campaignID(context)
    guard let text = context.parameters.get("user")?.removingPercentEncoding, let asked = UserID(text) else {
      throw Problem.badUserID
    }
    guard request.headers[values: .userID] == [asked.rawValue],
      let record = try await store.claimRecord(of: Claim(campaignID: campaignID, userID: asked))
    else { throw Problem.noClaim }
    return try JSONText.response(.ok, ClaimBody(record))
  }

  private func campaign(_ context: BasicRequestContext) async throws -> Response {
    let id = try campaignID(context)
    guard let summary = try await store.campaign(id) else { throw Problem.unknownCampaign(id) }
    return try JSONText.response(.ok, CampaignBody(summary))
  }

  private func campaignID(_ context: BasicRequestContext) throws -> CampaignID {
    guard let text = context.parameters.get("campaign")?.removingPercentEncoding, let id = CampaignID(text) else {
      throw Problem.badCampaignID
    }
    return id
  }

  private func userID(_ request: Request) throws -> UserID {
    let values = request.headers[values: .userID]
    guard values.count == 1, let id = UserID(values[0]) else { throw Problem.badUserID }
    return id
  }
}
