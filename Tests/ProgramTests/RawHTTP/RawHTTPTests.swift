import Dispatch
import Foundation
import TestSupport
import Testing

/// Hundreds of requests as bytes, well formed and not, against one running service. Right answers are those of RFC 9110,
/// RFC 9112 and `docs/openapi.yaml`.
@Suite("Raw HTTP")
struct RawHTTPTests {
  static let cases =
    bodyCases + mediaTypeCases + sizeCases + lengthCases + transferCodingCases + chunkCases + methodCases + versionCases
    + hostCases + targetCases + identityCases + fieldCases + acceptCases + connectionCases + pipelineCases
    + brokenCases

  @Test func eachCaseGetsOneOfItsRightAnswers() async throws {
    #expect(Self.cases.count >= 300)
    #expect(Set(Self.cases.map(\.name)).count == Self.cases.count, "each case has a name of its own")
    let directory = try ScratchDirectory()
    let database = try await makeCampaign("raw", quota: 10_000, in: directory)
    let ended = try await RunningService.run(database: database) { service in
      let accepted = try await withThrowingTaskGroup(of: Int.self) { group in
        var accepted = 0
        for (number, rawCase) in Self.cases.enumerated() {
          if number >= Trial.width { accepted += try await group.next() ?? 0 }
          group.addTask { try await Trial(of: rawCase, number: number, at: service).run() }
        }
        return try await group.reduce(accepted, +)
      }
      let campaign = try await HTTP.send("GET", "\(service.claims)/v1/campaigns/raw")
      let given = try #require(campaign.json()["accepted"]?.int)
      #expect(given == accepted, "as many seats as were answered with 201, and no other")
    }
    #expect(ended.status == 0, "\(ended.errors)")
  }
}

/// One case at a running service.
private struct Trial: Sendable {
  /// How many run at once.
  static let width = 8
  /// Waiting for bytes blocks: not on the threads that all tests share.
  private static let queue = DispatchQueue(label: "raw-http", attributes: .concurrent)

  let rawCase: RawCase
  let isHead: Bool
  let user: String
  let service: RunningService

  init(of rawCase: RawCase, number: Int, at service: RunningService) {
    self.rawCase = rawCase
    isHead = rawCase.isHead
    self.user = "raw-\(number)"
    self.service = service
  }

  /// What was seen: the answers, and whatever was not as it must be.
  private struct Sight: Sendable {
    var accepted = 0
    var complaints: [String] = []
  }

  /// - Returns: how many seats were given by answers that the service gave.
  func run() async throws -> Int {
    var sight = try await withCheckedThrowingContinuation { continuation in
      Self.queue.async { continuation.resume(with: Result { try exchange() }) }
    }
    if !rawCase.users.isEmpty {
      var holders: [String] = []
      for suffix in rawCase.users {
        let status = try await HTTP.status(of: user + suffix, in: "raw", at: service.claims).status
        if status == 200 { holders.append(user + suffix) }
      }
      if holders.count != sight.accepted {
        sight.complaints.append("\(sight.accepted) times 201, but seats of \(holders)")
      }
    }
    let life = try await HTTP.send("GET", "\(service.operations)/livez").status
    if life != 200 { sight.complaints.append("/livez answers \(life) afterwards") }
    let good = try await HTTP.claim("\(user)-afterwards", from: "raw", at: service.claims).status
    if good != 201 { sight.complaints.append("a good claim is answered \(good) afterwards") }
    if !sight.complaints.isEmpty {
      Issue.record("\(rawCase.name): \(sight.complaints.joined(separator: "; "))")
    }
    return sight.accepted + (good == 201 ? 1 : 0)
  }

  private func exchange() throws -> Sight {
    let url = try #require(URL(string: service.claims))
    let connection = try RawConnection(to: url)
    let reply = try connection.exchange(rawCase.bytes(user: user), finishing: rawCase.finishes) { bytes in
      RawAnswer.parse(bytes, headOnly: isHead).answers.count >= rawCase.expected.count
    }
    let (answers, rest) = RawAnswer.parse(reply.bytes, headOnly: isHead, hasEnded: reply.hasEnded)
    var sight = Sight()
    var outcomes = answers.map { answer in
      answer.status < 400 ? RawCase.Outcome.success(answer.status) : .problem(answer.status, answer.problem ?? "?")
    }
    if isHead { outcomes = outcomes.map(asHead) }
    if outcomes.count < rawCase.expected.count, reply.hasEnded { outcomes.append(.silence) }
    if reply.isLate { sight.complaints.append("no answer and not closed in time") }
    for (number, outcome) in outcomes.enumerated() where !isRight(outcome, number) {
      sight.complaints.append("answer \(number + 1) is \(outcome)")
    }
    // A connection that was closed for good reason has no further answers.
    if !rest.isEmpty { sight.complaints.append("\(rest.count) bytes that are no answer: \(readable(rest))") }
    for answer in answers { sight.complaints += complaints(about: answer) }
    sight.accepted = answers.count { $0.status == 201 }
    if !reply.isLate {
      sight.complaints += try self.complaints(about: connection, after: outcomes, hasEnded: reply.hasEnded)
    }
    return sight
  }

  /// After the first answer of a pipeline that ends the connection nothing more is due.
  private func isRight(_ outcome: RawCase.Outcome, _ number: Int) -> Bool {
    guard number < rawCase.expected.count else { return false }
    return rawCase.expected[number].contains(outcome)
  }

  /// HEAD has no body that could tell the problem's type: any that has the status will do.
  private func asHead(_ outcome: RawCase.Outcome) -> RawCase.Outcome {
    guard case .problem(let status, _) = outcome else { return outcome }
    return rawCase.expected[0].first { if case .problem(status, _) = $0 { true } else { false } } ?? outcome
  }

  /// What every answer must have.
  private func complaints(about answer: RawAnswer) -> [String] {
    var complaints: [String] = []
    func check(_ holds: Bool, _ complaint: String) { if !holds { complaints.append("\(answer.status): \(complaint)") } }
    check(answer.status < 500, "is never right here")
    check(answer.version == "HTTP/1.1", "says \(answer.version)")
    let identifiers = answer.values("x-request-id")
    check(
      identifiers.count == 1 && identifiers[0].wholeMatch(of: #/[A-Za-z0-9._-]{1,128}/#) != nil,
      "X-Request-Id is \(identifiers)")
    check(answer.values("date").count == 1, "Date is there \(answer.values("date").count) times")
    check(answer.values("cache-control").count == 1, "Cache-Control is \(answer.values("cache-control"))")
    check(answer.values("allow").isEmpty == (answer.status != 405 && answer.status != 204), "Allow is or is not there")
    check(answer.values("www-authenticate").isEmpty == (answer.status != 401), "WWW-Authenticate is or is not there")
    if answer.status >= 400, !isHead {
      let document = try? answer.json()
      check(document?["status"]?.int == answer.status, "the document has the status \(document?["status"]?.int ?? 0)")
      check(document?["request_id"]?.string == identifiers.first, "the document has another request_id")
    }
    if answer.status == 201, rawCase.template().contains("X-User-Id: @USER@") {
      let accepted = (try? answer.json())?["user_id"]?.string
      check(accepted?.hasPrefix(user) == true, "the seat is of \(accepted ?? "nobody")")
    }
    return complaints
  }

  private func complaints(
    about connection: RawConnection, after outcomes: [RawCase.Outcome], hasEnded: Bool
  ) throws -> [String] {
    switch rawCase.connection(after: outcomes) {
    case .either: return []
    case .closed:
      if hasEnded { return [] }
      if rawCase.finishes { connection.finishSending() }
      let rest = try connection.exchange([], until: { _ in false })
      if rest.isLate { return ["the connection is not closed"] }
      return rest.bytes.isEmpty ? [] : ["after the answer came \(readable(rest.bytes))"]
    case .open:
      if hasEnded { return ["the connection is closed"] }
      let question = request("/v1/campaigns/raw", method: "GET", user: nil)
      let reply = try connection.exchange(Array(question.utf8)) { !RawAnswer.parse($0).answers.isEmpty }
      let status = RawAnswer.parse(reply.bytes).answers.first?.status
      return status == 200 ? [] : ["the next request on the connection is answered \(status ?? 0)"]
    }
  }

  private func readable(_ bytes: Data) -> String {
    String(decoding: bytes.prefix(80), as: UTF8.self).debugDescription
  }
}
