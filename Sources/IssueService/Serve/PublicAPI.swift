internal import Composition
internal import Foundation
internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import Logging
internal import NIOCore
internal import NIOFoundationEssentialsCompat

/// What strangers can ask.
struct PublicAPI: Sendable {
  let store: any AdmissionGate & CampaignRegistry
  let desk: ClaimDesk
  let identity: Identity
  let hands: UserHands
  let answers: AnswerCounts
  let clock: WallClock
  let limits: ServeLimits

  func content(of resource: PublicResource, for request: Request, from peer: Peer) async throws -> Response {
    switch resource {
    case .claims(let campaign): try await claim(campaign, request, peer)
    case .claim(let campaign, let user): try await status(of: user, in: campaign, request, peer)
    case .campaign(let text): try await campaign(text)
    case .contract: .document(PublishedContract.openAPI, as: .yaml)
    case .problems: .document(PublishedContract.problemPages, as: .markdown)
    case .problem(let word):
      if let page = PublishedContract.problemPage(word) {
        .document(page, as: .markdown)
      } else {
        throw Problem.noSuchResource
      }
    }
  }

  private func claim(_ campaign: String, _ request: Request, _ peer: Peer) async throws -> Response {
    try await checkBody(of: request)
    let user = try await user(of: request, from: peer)
    let claim = Claim(campaignID: try campaignID(campaign), userID: user)
    guard hands.take(user) else {
      throw Problem.tooManyRequests("Another claim of this user is being decided. Ask again.", retryAfter: 1)
    }
    defer { hands.giveBack(user) }
    let outcome = try await desk.answer(claim)
    answers.count(outcome, of: claim)
    switch outcome {
    case .accepted(let acceptance): return try JSONText.response(.created, AcceptanceBody(acceptance))
    case .alreadyAccepted(let acceptance): return try JSONText.response(.ok, AcceptanceBody(acceptance))
    case .refused(let refusal): throw Problem(refusal, of: claim.campaignID, now: clock())
    }
  }

  /// Nobody learns anything of another user's claim: every such question has the one answer 404, and the store is not
  /// asked.
  private func status(of text: String, in campaign: String, _ request: Request, _ peer: Peer) async throws -> Response {
    let user = try await user(of: request, from: peer)
    let campaignID = try campaignID(campaign)
    guard let asked = UserID(text) else { throw Problem(.badUserID, "A user id is \(UserID.form).") }
    guard asked == user, let record = try await store.claimRecord(of: Claim(campaignID: campaignID, userID: user))
    else { throw Problem.noClaim }
    return try JSONText.response(.ok, ClaimBody(record))
  }

  private func campaign(_ text: String) async throws -> Response {
    let id = try campaignID(text)
    guard let summary = try await store.campaign(id) else { throw Problem.unknownCampaign(id) }
    return try JSONText.response(.ok, CampaignBody(summary))
  }

  private func campaignID(_ text: String) throws(Problem) -> CampaignID {
    guard let id = CampaignID(text) else { throw .badCampaignID }
    return id
  }

  private func user(of request: Request, from peer: Peer) async throws(Problem) -> UserID {
    do {
      return try await identity.user(of: request.headers, from: peer)
    } catch {
      throw Problem(error)
    }
  }

  /// A claim needs no body; one that is there must be a JSON object.
  private func checkBody(of request: Request) async throws {
    let headers = request.headers
    guard headers[.transferEncoding] != nil || (headers[.contentLength] ?? "0") != "0" else { return }
    let body: ByteBuffer
    do {
      body = try await request.body.collect(upTo: limits.bodyBytes)
    } catch {
      throw Problem.malformedRequest("The body of the request did not come whole.")
    }
    guard body.readableBytes > 0 else { return }
    let types = headers[values: .contentType]
    guard types.count == 1, MediaType.json.isNamed(by: types[0]) else {
      throw Problem(.unsupportedMediaType, "A body must be \(MediaType.json.rawValue). A claim needs none.")
    }
    guard (try? JSONSerialization.jsonObject(with: Data(buffer: body))) is [String: Any] else {
      throw Problem.malformedBody
    }
  }
}

extension Problem {
  init(_ refusal: IdentityRefusal) {
    guard refusal != .badUserID else {
      self.init(.badUserID, refusal.detail)
      return
    }
    self.init(.unauthenticated, refusal.detail)
    challenge = refusal.challenge
  }
}

extension Response {
  /// A document that changes only with the program.
  fileprivate static func document(_ text: String, as type: MediaType) -> Response {
    Response(
      status: .ok, headers: [.contentType: type.contentType, .cacheControl: "public, max-age=300"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
