internal import Composition
internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import Logging
internal import NIOCore
internal import ServiceKit

/// The API of the public listener.
struct PublicAPI: RouteHandler {
  let store: any AdmissionStore & CampaignStore
  let queue: AdmissionQueue
  let identity: Authenticator
  let userLimiter: PerUserLimiter
  let pseudonyms: Pseudonyms
  let logger: Logger
  let clock: WallClock
  let limits: ServeLimits
  /// The rate of each source network; `nil` for no limit.
  let networks: NetworkBuckets?

  func admit(_ request: Request, from peer: Peer) throws(Problem) {
    guard let networks else { return }
    let client = identity.forwardedPeer.client(of: request.headers, from: peer)
    guard case .address(let address) = client, let wait = networks.take(for: address, now: .now) else { return }
    throw .tooManyRequests("Too many requests come from this network.", retryAfter: wait)
  }

  func answer(_ resource: PublicResource, _ exchange: RequestState) async throws -> RouteAnswer {
    switch resource {
    case .claims(let campaign): return try await claim(campaign, exchange)
    case .claim(let campaign, let user): return .content(try await status(of: user, in: campaign, exchange))
    case .campaign(let text): return .content(try await campaign(text))
    case .contract: return .content(.document(PublishedContract.openAPI, as: .yaml))
    case .problems: return .content(.document(PublishedContract.problemPages.utf8, as: .markdown))
    case .problem(let word):
      guard let page = PublishedContract.problemPage(word) else { return .problem(.noSuchResource) }
      return .content(.document(page.utf8, as: .markdown))
    }
  }

  private func claim(_ campaign: String, _ exchange: RequestState) async throws -> RouteAnswer {
    try await checkBody(of: exchange.request)
    let user = try await user(of: exchange)
    let claim = Claim(campaignID: try campaignID(campaign), userID: user, traceParent: trace(of: exchange.request))
    guard userLimiter.acquire(user) else {
      throw Problem.tooManyRequests("Another claim of this user is being decided. Ask again.", retryAfter: 1)
    }
    defer { userLimiter.release(user) }
    let outcome: ClaimOutcome
    do {
      outcome = try await queue.answer(claim)
    } catch {
      throw Problem(error)  // the queue has reported it, once for its group
    }
    logger.debug(
      "a claim was answered",
      metadata: [
        "campaign": "\(claim.campaignID)", "user": pseudonyms.of(user.rawValue), "answer": "\(outcome.word)",
        "request_id": "\(exchange.id)",
      ])
    switch outcome {
    case .accepted(let acceptance): return .content(try JSONText.response(.created, AcceptanceBody(acceptance)))
    case .alreadyAccepted(let acceptance): return .content(try JSONText.response(.ok, AcceptanceBody(acceptance)))
    case .refused(let refusal): return .problem(Problem(refusal, of: claim.campaignID, now: clock()))
    }
  }

  /// Nobody learns anything of another user's claim: every such question has the one answer 404, and the store is not
  /// asked.
  private func status(of text: String, in campaign: String, _ exchange: RequestState) async throws -> Response {
    let user = try await user(of: exchange)
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

  /// A malformed one is as none (W3C Trace Context, section 3.2.1).
  private func trace(of request: Request) -> TraceParent? {
    let values = request.headers[values: .traceParent]
    return values.count == 1 ? TraceParent(values[0]) : nil
  }

  private func campaignID(_ text: String) throws(Problem) -> CampaignID {
    guard let id = CampaignID(text) else { throw .badCampaignID }
    return id
  }

  private func user(of exchange: RequestState) async throws(Problem) -> UserID {
    do {
      return try await identity.user(of: exchange.request.headers, from: exchange.peer)
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
    guard StrictJSON(Array(body.readableBytesView))?.members != nil else { throw Problem.malformedBody }
  }
}

extension Problem {
  init(_ refusal: AuthError) {
    guard refusal.reason != .badUserID else {
      self.init(.badUserID, refusal.detail)
      return
    }
    self.init(.unauthenticated, refusal.detail)
    challenge = refusal.challenge
  }
}

extension Response {
  /// A document that changes only with the program.
  fileprivate static func document(_ text: some Sequence<UInt8>, as type: MediaType) -> Response {
    Response(
      status: .ok, headers: [.contentType: type.contentType, .cacheControl: "public, max-age=300"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: text)))
  }
}

/// What the public listener has.
package enum PublicResource: Route, Equatable {
  /// The ids are as the client wrote them, percent-decoded; whether they are ids is for who uses them.
  case claims(campaign: String)
  case claim(campaign: String, user: String)
  case campaign(String)
  case contract
  case problems
  case problem(String)

  package init?(segments: [String]) {
    switch segments.count {
    case 1 where segments[0] == "openapi.yaml": self = .contract
    case 1 where segments[0] == "problems": self = .problems
    case 2 where segments[0] == "problems": self = .problem(segments[1])
    case 3... where segments[0] == "v1" && segments[1] == "campaigns":
      switch segments.count {
      case 3: self = .campaign(segments[2])
      case 4 where segments[3] == "claims": self = .claims(campaign: segments[2])
      case 5 where segments[3] == "claims" && !segments[4].isEmpty:
        self = .claim(campaign: segments[2], user: segments[4])
      default: return nil
      }
    default: return nil
    }
  }

  var allowedMethods: [String] {
    switch self {
    case .claims: ["OPTIONS", "POST"]
    case .claim, .campaign, .contract, .problems, .problem: ["GET", "HEAD", "OPTIONS"]
    }
  }

  var mediaType: MediaType {
    switch self {
    case .claims, .claim, .campaign: .json
    case .contract: .yaml
    case .problems, .problem: .markdown
    }
  }
}

/// The contract as the listener serves it: `docs/openapi.yaml` and `docs/problems.md`, embedded in the program, so that
/// what it publishes is what it was built with.
package enum PublishedContract {
  /// The body of `GET /openapi.yaml`, `application/yaml` in UTF-8.
  package static let openAPI: [UInt8] = PackageResources.openapi_yaml

  /// The body of `GET /problems`, `text/markdown` in UTF-8: every section.
  package static let problemPages = String(decoding: PackageResources.problems_md, as: UTF8.self)

  /// The words that have a section, in the order of the page.
  package static let problemWords: [String] = sections.map(\.word)

  /// The body of `GET /problems/{type}`: the section whose heading is the word.
  ///
  /// - Returns: `nil` where there is no problem type of this name.
  package static func problemPage(_ word: String) -> String? { pages[word] }

  private static let pages = Dictionary(
    sections.map { ($0.word, $0.text) }, uniquingKeysWith: { first, _ in first })

  /// What stands between one heading of the second level and the next.
  private static let sections: [(word: String, text: String)] = {
    let heading = "## "
    var sections: [(word: String, text: String)] = []
    for line in problemPages.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix(heading) {
        sections.append((String(line.dropFirst(heading.count)), "\(line)\n"))
      } else if let last = sections.indices.last {
        sections[last].text += "\(line)\n"
      }
    }
    return sections.map { ($0.word, String($0.text.trimmingSuffix { $0 == "\n" }) + "\n") }
  }()
}

extension StringProtocol {
  fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> SubSequence {
    guard let last = lastIndex(where: { !isTrimmed($0) }) else { return self[startIndex..<startIndex] }
    return self[...last]
  }
}
