import TestSupport
import Testing

@Suite("The log knows users by pseudonyms only")
struct LoggedUserTests {
  /// Also where all is logged: a claim, its repeat, a refusal and a question after a claim.
  @Test func noUserIDIsLogged() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 1, in: directory)
    let ended = try await RunningService.run(
      database: database, environment: ["FIRST_COME_LOG_LEVEL": "trace", "FIRST_COME_LOG_FORMAT": "json"]
    ) { service in
      let first = try await HTTP.claim("mina-of-seoul", from: "summer", at: service.claims)
      let again = try await HTTP.claim("mina-of-seoul", from: "summer", at: service.claims)
      let late = try await HTTP.claim("late-jun", from: "summer", at: service.claims)
      let status = try await HTTP.status(of: "mina-of-seoul", in: "summer", at: service.claims)
      return [first, again, late, status].map(\.status)
    }
    #expect(ended.value == [201, 200, 409, 200])
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(ended.errors.contains("a claim was answered"), "the claims are logged")
    #expect(!ended.errors.contains("mina-of-seoul") && !ended.errors.contains("late-jun"))
  }
}
