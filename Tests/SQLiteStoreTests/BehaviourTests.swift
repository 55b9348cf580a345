import StoreBehaviour
import Testing

@Suite("SQLite keeps the promises")
struct BehaviourTests {
  @Test(arguments: Promise.all)
  func promise(_ promise: Promise) async throws {
    try await promise.check(SQLiteBackend())
  }
}
