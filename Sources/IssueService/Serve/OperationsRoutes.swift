internal import Composition
internal import Hummingbird
internal import Issuance

/// What the machine's own watchers ask, on a listener of its own.
struct OperationsRoutes: Sendable {
  let store: any CampaignRegistry
  let consumer: Consumer

  private struct Body: Encodable { let status: String }

  func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.add(middleware: ProblemMiddleware())
    router.get("livez") { _, _ in try JSONText.response(.ok, Body(status: "live")) }
    router.get("readyz") { _, _ in try await ready() }
    return router
  }

  /// Ready: the store answers, and the consumer's last pass succeeded.
  private func ready() async throws -> Response {
    do {
      _ = try await store.campaigns()
    } catch {
      throw Problem(.notReady, .serviceUnavailable, "Not ready", "The store does not answer: \(error.cause).")
    }
    if let failure = consumer.lastFailure {
      throw Problem(.notReady, .serviceUnavailable, "Not ready", "The consumer waits: \(failure.cause).")
    }
    return try JSONText.response(.ok, Body(status: "ready"))
  }
}
