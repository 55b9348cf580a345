import TestSupport

/// Many users who claim at once over real HTTP.
struct Spike: Sendable {
  /// What they heard.
  struct Answers: Sendable, Equatable {
    var accepted = 0
    var repeated = 0
    var soldOut = 0
    /// The user's other claim was in hand.
    var inHand = 0
    var others: [Int] = []

    var count: Int { accepted + repeated + soldOut + inHand + others.count }
  }

  let users: Range<Int>
  /// Those of them, or of others, who claim once more.
  var repeating = 0..<0

  func run(from campaign: String = "summer", at base: String) async throws -> Answers {
    let users = (Array(users) + Array(repeating)).shuffled()
    return try await withThrowingTaskGroup(of: HTTP.Response.self) { group in
      for user in users {
        group.addTask { try await HTTP.claim("user-\(user)", from: campaign, at: base) }
      }
      return try await group.reduce(into: Answers()) { answers, response in
        switch response.status {
        case 201: answers.accepted += 1
        case 200: answers.repeated += 1
        case 409 where try response.problem == "sold-out": answers.soldOut += 1
        case 429: answers.inHand += 1
        default: answers.others.append(response.status)
        }
      }
    }
  }
}
