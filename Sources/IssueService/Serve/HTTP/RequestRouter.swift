internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import Logging
internal import ServiceKit

/// What a listener has to ask for. Each has one address, and says which methods it answers and in what form.
protocol Route: Sendable {
  /// - Parameter segments: the decoded segments of an absolute path.
  init?(segments: [String])
  /// As the field `Allow` lists them.
  var allowedMethods: [String] { get }
  /// Of its answer, besides problem documents.
  var mediaType: MediaType { get }
}

/// A request, whom it comes from, and what names it in answers and logs.
struct RequestState: Sendable {
  let request: Request
  let peer: Peer
  let id: String
}

/// Finds the resource of a request, asks for its content, and turns every error into its problem document.
struct RequestRouter<Resource: Route>: Sendable {
  let problems: ProblemCounts
  let logger: Logger
  /// Whether a request from this peer is heard at all.
  var admit: @Sendable (Request, Peer) throws(Problem) -> Void = { _, _ in }
  let content: @Sendable (Resource, RequestState) async throws -> Response

  func answer(_ request: Request, from peer: Peer) async -> Response {
    let exchange = RequestState(request: request, peer: peer, id: RequestID.of(request.headers[values: .requestID]))
    do {
      try admit(request, peer)
      var response = try await respond(to: exchange)
      response.headers[.requestID] = exchange.id
      return response
    } catch {
      return answer(error, to: exchange)
    }
  }

  private func respond(to exchange: RequestState) async throws -> Response {
    let request = exchange.request
    guard let target = RequestTarget(request.head.path ?? "") else {
      throw Problem.malformedRequest("The target of the request is not one.")
    }
    guard case .path(let segments) = target else {
      guard request.method == .options else { throw Problem.noSuchResource }
      return options(["GET", "HEAD", "OPTIONS", "POST"])
    }
    guard let resource = Resource(segments: segments) else { throw Problem.noSuchResource }
    guard resource.allowedMethods.contains(request.method.rawValue) else {
      throw Problem.methodNotAllowed(resource.allowedMethods)
    }
    if request.method == .options { return options(resource.allowedMethods) }
    guard resource.mediaType.isAccepted(by: request.headers[values: .accept]) else {
      throw Problem(.notAcceptable, "The answer is \(resource.mediaType.rawValue), which the field Accept excludes.")
    }
    let response = try await content(resource, exchange)
    return request.method == .head ? response.createHeadResponse() : response
  }

  private func options(_ methods: [String]) -> Response {
    var response = Response(
      status: .noContent, headers: [.allow: methods.joined(separator: ", "), .cacheControl: "no-store"])
    response.headers[.contentLength] = nil
    return response
  }

  private func answer(_ error: any Error, to exchange: RequestState) -> Response {
    let problem: Problem
    switch error {
    case let error as Problem: problem = error
    case let error as StoreError:
      logger.error(
        "\(error)", metadata: ["outcome": "\(error.outcome.rawValue)", "request_id": "\(exchange.id)"])
      problem = Problem(error)
    default:
      logger.error("a request failed: \(type(of: error))", metadata: ["request_id": "\(exchange.id)"])
      problem = .failed
    }
    problems.count(problem.kind)
    let response = (try? problem.response(requestID: exchange.id)) ?? Response(status: .internalServerError)
    return exchange.request.method == .head ? response.createHeadResponse() : response
  }
}
