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

/// What the machine's own watchers ask, on a listener of its own.
struct OperationsAPI: Sendable {
  let readiness: Readiness
  let live: LiveAPI
  let registry: MetricsRegistry

  private struct Body: Encodable {
    let status: String
    /// What was checked; all of it holds.
    var checks: [String]?
  }

  func content(of resource: OperationsResource) async throws -> Response {
    switch resource {
    case .live: return try JSONText.response(.ok, Body(status: "live"))
    case .ready:
      let problems = await readiness.answer().problems
      guard problems.isEmpty else { throw Problem(.notReady, problems.text) }
      return try JSONText.response(
        .ok, Body(status: "ready", checks: Readiness.Check.allCases.map(\.rawValue)))
    case .metrics: return .metrics(registry.text())
    case .page(let campaign): return try live.page(of: campaign)
    case .events: return try live.stream()
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
