import Issuance
import Testing

@testable import IssueService

@Suite("Readiness is judged from its parts")
struct ReadinessJudgingTests {
  private static func judge(
    _ probe: Result<StoreProbe, StoreError>, consumer: StoreError? = nil, hasPassed: Bool = true
  ) -> [Readiness.Check: String] {
    Readiness.judge(probe, consumerFailure: consumer, hasConsumerPassed: hasPassed, minimumFreeBytes: 100 << 20)
      .problems
  }

  private static func failure(_ code: StoreError.Code) -> StoreError {
    StoreError(code, operation: "ask", subject: "the file", cause: "of a cause")
  }

  private static let sound = StoreProbe(freeBytes: ["database": 100 << 20, "witness": 1 << 40])

  @Test func allThatHoldsIsReady() {
    #expect(Self.judge(.success(Self.sound)).isEmpty)
  }

  @Test(arguments: [
    (StoreError.Code.busy, Readiness.Check.writable), (.inputOutput, .writable), (.corrupt, .writable),
    (.readOnly, .writable), (.schemaOlder, .schema), (.schemaNewer, .schema), (.schemaAltered, .schema),
    (.witnessMissing, .witness), (.witnessForeign, .witness), (.witnessAhead, .witness), (.diskFull, .disk),
  ])
  func whatTheStoreFailsWithIsNamed(code: StoreError.Code, check: Readiness.Check) {
    #expect(Self.judge(.failure(Self.failure(code))) == [check: "the file: of a cause."])
  }

  @Test func aNearlyFullDiskIsNamed() {
    let probe = StoreProbe(freeBytes: ["witness": (100 << 20) - 1, "database": 1 << 40])
    #expect(
      Self.judge(.success(probe)) == [.disk: "The disk is nearly full: 99 MiB are left for the witness."])
  }

  @Test func allThatIsWrongIsSaid() {
    let problems = Self.judge(
      .failure(Self.failure(.busy)), consumer: Self.failure(.diskFull), hasPassed: false)
    #expect(problems.text == "the file: of a cause. Coupons wait: of a cause.")
    #expect(Self.judge(.success(Self.sound), hasPassed: false).keys.map(\.self) == [.consumer])
  }
}
