internal import Composition
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore
internal import ServiceKit

enum OperationsResource: Route, Equatable {
  case live
  case ready
  case metrics
  /// The live page, of one campaign or of all.
  case page(campaign: String?)
  /// What feeds the page.
  case events

  init?(segments: [String]) {
    switch segments {
    case ["livez"]: self = .live
    case ["readyz"]: self = .ready
    case ["metrics"]: self = .metrics
    case [""]: self = .page(campaign: nil)
    case ["events"]: self = .events
    default:
      guard segments.count == 2, segments[0] == "campaigns" else { return nil }
      self = .page(campaign: segments[1])
    }
  }

  var allowedMethods: [String] { ["GET", "HEAD", "OPTIONS"] }
  var mediaType: MediaType {
    switch self {
    case .live, .ready: .json
    case .metrics: .metrics
    case .page: .html
    case .events: .eventStream
    }
  }
}

/// The API of the operations listener: health, metrics and the live page.
struct OperationsAPI: RouteHandler {
  /// The address of the listener.
  let address: ListenAddress
  let readiness: Readiness
  let live: LiveAPI
  let registry: MetricsRegistry

  private struct Body: Encodable {
    let status: String
    /// What was checked; all of it holds.
    var checks: [String]?
  }

  /// Rejects a request by another name than this machine's: a page from elsewhere whose name resolves to this machine reads
  /// nothing here.
  func admit(_ request: Request, from peer: Peer) throws(Problem) {
    guard address.isNamed(byHost: request.head.authority ?? "") else {
      throw .malformedRequest("The operations listener is asked for by an address of this machine, or localhost.")
    }
  }

  func answer(_ resource: OperationsResource, _ exchange: RequestState) async throws -> RouteAnswer {
    switch resource {
    case .live: return .content(try JSONText.response(.ok, Body(status: "live")))
    case .ready:
      let problems = await readiness.answer().problems
      guard problems.isEmpty else { return .problem(Problem(.notReady, problems.text)) }
      return .content(
        try JSONText.response(.ok, Body(status: "ready", checks: Readiness.Check.allCases.map(\.rawValue))))
    case .metrics: return .content(.metrics(registry.text()))
    case .page(let campaign): return .content(try live.page(of: campaign))
    case .events: return .content(try live.stream())
    }
  }
}

extension Response {
  fileprivate static func metrics(_ text: String) -> Response {
    Response(
      status: .ok, headers: [.contentType: MediaType.metrics.contentType, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
