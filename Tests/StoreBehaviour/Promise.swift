package import Issuance

/// Opens stores of one backend for the behaviour suite.
package protocol BackendUnderTest: Sendable {
  /// Opens the store of this instance; again after an earlier one was let go: a restart.
  func open(clock: @escaping WallClock) async throws -> any CouponStore
}

/// The promises that every backend keeps, each as checks that any store can be put to.
package struct Promise: Sendable, CustomStringConvertible {
  package let name: String
  package let what: String
  /// Fails by `#expect`.
  package let check: @Sendable (any BackendUnderTest) async throws -> Void

  package var description: String { "\(name): \(what)" }

  init(
    _ name: String, _ what: String, _ check: @escaping @Sendable (any BackendUnderTest) async throws -> Void
  ) {
    self.name = name
    self.what = what
    self.check = check
  }

  package static let all: [Promise] =
    admission + answersWithoutSeat + coupons + replay + issuers + desk + traces + stats
}
