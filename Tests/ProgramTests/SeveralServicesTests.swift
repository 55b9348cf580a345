import Foundation
import TestSupport
import Testing

@Suite("Several services on one file give each seat once")
struct SeveralServicesTests {
  /// NEVER-OVER, ONE-EACH and SAME-ANSWER across processes, one of which is killed in the middle of the spike.
  @Test func twoServicesAndAKill() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 60, in: directory)
    let killed = try await RunningService.run(database: database) { doomed in
      try await RunningService.run(database: database) { survivor in
        let answers = try await withThrowingTaskGroup(of: (Int, Int, Data)?.self) { group in
          for user in 1...400 {
            for service in [doomed, survivor] {
              group.addTask {
                // A claim whose service died has no answer: it may have happened or not.
                guard let answer = try? await HTTP.claim("user-\(user)", from: "summer", at: service.claims) else {
                  return nil
                }
                return (user, answer.status, answer.body)
              }
            }
          }
          var answers: [(Int, Int, Data)] = []
          for try await answer in group {
            guard let answer else { continue }
            answers.append(answer)
            if answers.count == 100 { try doomed.kill() }
          }
          return answers
        }
        var bodyOfUser: [Int: Data] = [:]
        for (user, status, body) in answers where status != 409 {
          #expect(status == 200 || status == 201)
          if let known = bodyOfUser[user] { #expect(known == body) }
          bodyOfUser[user] = body
        }
        for (user, status, _) in answers where status == 409 { #expect(bodyOfUser[user] == nil) }
        // Who got no answer asks again and learns what is true; nobody is told anything else than before.
        for user in 1...400 {
          let again = try await HTTP.claim("user-\(user)", from: "summer", at: survivor.claims)
          if let known = bodyOfUser[user] { #expect(again.status == 200 && again.body == known) }
        }
      }
    }
    #expect(killed.status == 128 + 9)
    let report = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
    #expect(report.status == 0, "\(report.output)")
    let books = try #require(try report.json()["campaigns"]?[0])
    #expect(["counter", "set", "coupons"].allSatisfy { books[$0]?.int == 60 })
  }
}
