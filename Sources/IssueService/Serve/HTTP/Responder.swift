internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import Logging

/// What a listener has to ask for. Each has one address, and says which methods it answers and in what form.
protocol AddressedResource: Sendable {
  /// - Parameter segments: the decoded segments of an absolute path.
  init?(segments: [String])
  /// As the field `Allow` lists them.
  var allowedMethods: [String] { get }
  /// Of its answer, besides problem documents.
  var mediaType: MediaType { get }
}

/// Finds the resource of a request, asks for its content, and turns every error into its problem document.
struct Responder<Resource: AddressedResource>: Sendable {
  let problems: ProblemCounts
  let logger: Logger
  /// Whether a request from this peer is heard at all.
  var admit: @Sendable (Request, Peer) throws(Problem) -> Void = { _, _ in }
  let content: @Sendable (Resource, Request, Peer) async throws -> Response

  func answer(_ request: Request, from peer: Peer) async -> Response {
    let requestID = RequestID.of(request.headers[values: .requestID])
    do {
      try admit(request, peer)
      var response = try await respond(to: request, from: peer)
      response.headers[.requestID] = requestID
      return response
    } catch {
      return answer(error, to: request, requestID: requestID)
    }
  }

  private func respond(to request: Request, from peer: Peer) async throws -> Response {
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
    let response = try await content(resource, request, peer)
    return request.method == .head ? response.createHeadResponse() : response
  }

  private func options(_ methods: [String]) -> Response {
    var response = Response(
      status: .noContent, headers: [.allow: methods.joined(separator: ", "), .cacheControl: "no-store"])
    response.headers[.contentLength] = nil
    return response
  }

  private func answer(_ error: any Error, to request: Request, requestID: String) -> Response {
    let problem: Problem
    switch error {
    case let error as Problem: problem = error
    case let error as StoreFailure: problem = Problem(error)
    default:
      logger.error("a request failed: \(error)", metadata: ["request_id": "\(requestID)"])
      problem = .failed
    }
    problems.count(problem.kind)
    let response = (try? problem.response(requestID: requestID)) ?? Response(status: .internalServerError)
    return request.method == .head ? response.createHeadResponse() : response
  }
}
