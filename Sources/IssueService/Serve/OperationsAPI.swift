internal import Composition
internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import Synchronization

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
  let store: any CampaignRegistry
  let consumer: Consumer
  let stopping: Stopping

  private struct Body: Encodable { let status: String }

  func content(of resource: OperationsResource) async throws -> Response {
    if resource == .ready, let reason = await reasonNotReady {
      throw Problem(.notReady, reason)
    }
    return try JSONText.response(.ok, Body(status: resource == .ready ? "ready" : "live"))
  }

  private static let anyCampaign = CampaignID("readiness")!

  /// Ready: the store answers, and the consumer's last pass succeeded.
  private var reasonNotReady: String? {
    get async {
      if stopping.isSet { return "The service is stopping." }
      do {
        // One row by its key: a probe costs the same whatever has been given away.
        _ = try await store.campaign(Self.anyCampaign)
      } catch {
        return "The store does not answer: \(error.cause)."
      }
      return consumer.lastFailure.map { "The consumer waits: \($0.cause)." }
    }
  }
}

/// Whether the service has been told to stop.
final class Stopping: Sendable {
  private let flag = Atomic<Bool>(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }
  func set() { flag.store(true, ordering: .relaxed) }
}
