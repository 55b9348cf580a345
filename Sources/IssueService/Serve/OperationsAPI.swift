internal import Composition
internal import HTTPTypes
internal import HummingbirdCore

enum OperationsResource: AddressedResource {
  case live
  case ready

  init?(segments: [String]) {
    switch segments {
    case ["livez"]: self = .live
    case ["readyz"]: self = .ready
    default: return nil
    }
  }

  var allowedMethods: [String] { ["GET", "HEAD", "OPTIONS"] }
  var mediaType: MediaType { .json }
}

/// What the machine's own watchers ask, on a listener of its own.
struct OperationsAPI: Sendable {
  let readiness: Readiness

  private struct Body: Encodable {
    let status: String
    /// What was checked; all of it holds.
    var checks: [String]?
  }

  func content(of resource: OperationsResource) async throws -> Response {
    switch resource {
    case .live: return try JSONText.response(.ok, Body(status: "live"))
    case .ready:
      let problems = await readiness.problems()
      guard problems.isEmpty else { throw Problem(.notReady, problems.text) }
      return try JSONText.response(
        .ok, Body(status: "ready", checks: Readiness.Check.allCases.map(\.rawValue)))
    }
  }
}
