import Foundation
import TestSupport
import Testing

@Suite("A failure of the file ends the service in an orderly way")
struct FailedSyncTests {
  /// Also while hundreds of connections come in: the process ends with 74 and does not trap, and whoever was told yes
  /// is accepted after the restart.
  @Test func underLoad() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 1_000, in: directory)
    let ended = try await RunningService.run(
      database: database,
      under: [
        "/usr/bin/strace", "-D", "-f", "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=7+", "-o",
        "/dev/null",
      ]
    ) { service in
      try await withThrowingTaskGroup(of: (Int, HTTP.Response)?.self) { group in
        for user in 1...400 {
          group.addTask {
            // No answer at all is "not known" too.
            guard let answer = try? await HTTP.claim("user-\(user)", from: "summer", at: service.claims) else {
              return nil
            }
            return (user, answer)
          }
        }
        return try await group.reduce(into: [(Int, HTTP.Response)]()) { answers, answer in
          if let answer { answers.append(answer) }
        }
      }
    }
    #expect(ended.status == 74, "\(ended.errors)")
    for (_, answer) in ended.value where answer.status != 201 {
      #expect(answer.status == 500)
      #expect(try answer.json()["outcome"]?.string == "unknown")
    }
    try await RunningService.run(database: database) { service in
      for (user, answer) in ended.value where answer.status == 201 {
        let again = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims)
        #expect(again.status == 200 && again.body == answer.body)
      }
    }
  }
}
