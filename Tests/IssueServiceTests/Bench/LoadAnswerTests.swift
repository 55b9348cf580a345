import Foundation
import NIOCore
import TestSupport
import Testing

@testable import IssueService

@Suite("What an answer means to the load client")
struct LoadAnswerTests {
  private let question = LoadRequest(campaign: "summer", user: "user-7")

  private func answer(_ status: Int, _ body: String, retryAfter: Int? = nil) -> LoadAnswer {
    LoadAnswer(status: status, retryAfter: retryAfter, body: ByteBuffer(string: body), to: question)
  }

  private func yes(_ seat: String, user: String = "user-7", campaign: String = "summer") -> String {
    #"{"accepted_at":"2026-12-01T09:00:00.000000Z","campaign_id":"\#(campaign)","seat":\#(seat),"user_id":"\#(user)"}"#
  }

  private func problem(_ type: String, outcome: String? = nil) -> String {
    let outcome = outcome.map { #""outcome":"\#($0)","# } ?? ""
    return #"{"detail":"x",\#(outcome)"status":409,"title":"x","type":"/problems/\#(type)"}"#
  }

  @Test func yesNamesTheSeat() {
    #expect(answer(201, yes("7")) == .seat(7, isRepeat: false))
    #expect(answer(200, yes("7")) == .seat(7, isRepeat: true))
    #expect(
      answer(200, "{ \"seat\" : 7, \"user_id\":\"user-7\", \"campaign_id\":\"summer\" }") == .seat(7, isRepeat: true))
  }

  @Test func aYesThatIsNoneIsNotBelieved() {
    for body in [
      "", "{}", "seat 7", yes("0"), yes("-1"), yes("7.5"), yes("\"7\""), yes("7", user: "user-8"),
      yes("7", campaign: "spring"),
    ] {
      for status in [200, 201] { #expect(answer(status, body).word == LoadAnswer.brokenWord, "\(body)") }
    }
    for status in [202, 204, 302] { #expect(answer(status, yes("7")).word == LoadAnswer.brokenWord) }
  }

  @Test func aNoSaysWhichOne() {
    #expect(answer(409, problem("sold-out")) == .no(.soldOut))
    #expect(answer(409, problem("sold-out").replacing("\",\"", with: "\" , \"")) == .no(.soldOut))
    #expect(answer(409, problem("paused")) == .no(.paused))
    #expect(answer(409, problem("not-open-yet")) == .no(.notOpenYet))
    #expect(answer(410, problem("closed")) == .no(.closed))
    #expect(answer(404, problem("unknown-campaign")) == .refused(.unknownCampaign))
    #expect(answer(401, problem("unauthenticated")) == .refused(.unauthenticated))
    for (status, body) in [(409, ""), (409, problem("nonsense")), (410, problem("sold-out")), (409, problem("closed"))]
    {
      #expect(answer(status, body).word == LoadAnswer.brokenWord)
    }
    let hidden = #"{"detail":"x","type":"/problems/paused","title":",\"type\":\"/problems/sold-out\"}"}"#
    #expect(answer(409, hidden) == .no(.paused), "what a text holds is not what the document says")
  }

  @Test func noErrorIsANo() {
    #expect(answer(503, problem("unavailable", outcome: "none"), retryAfter: 2) == .undecided(.none, retryAfter: 2))
    #expect(answer(503, problem("unavailable", outcome: "unknown")) == .undecided(.unknown, retryAfter: nil))
    #expect(answer(500, problem("failed", outcome: "none")) == .undecided(.none, retryAfter: nil))
    #expect(answer(502, "<html>") == .undecided(.unknown, retryAfter: nil), "who does not say leaves it open")
    #expect(
      answer(429, problem("too-many-requests", outcome: "none"), retryAfter: 1)
        == .undecided(.tooManyRequests, retryAfter: 1))
    #expect(answer(408, "") == .undecided(.timeout, retryAfter: nil))
    #expect(!LoadAnswer.undecided(.noAnswer, retryAfter: nil).isAnswer && answer(503, "").isAnswer)
  }

  /// Every word that an answer can be counted under stands in the schema of the JSON.
  @Test func theSchemaKnowsEachOutcome() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../docs/schemas/bench.json").standardized
    let schema = try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: file))
    let known = try #require(schema["properties"]?["outcomes"]?["propertyNames"]?["enum"]).array.compactMap(\.string)
    let problems = ProblemKind.allCases.filter { (400..<500).contains($0.status) }.map(\.rawValue)
    let words =
      ["accepted", "repeat", LoadAnswer.brokenWord] + problems + LoadAnswer.Undecided.allCases.map(\.rawValue)
    #expect(Set(known) == Set(words))
  }
}

@Suite("Times of claims")
struct LoadTallyTests {
  @Test func theWorstIsInTheTailOfTheIntendedStartOnly() {
    var tally = LoadTally()
    // A hundred claims a millisecond apart over one connection; the first takes a second, the others come late by it.
    for index in 0..<100 {
      let intended = Int64(index) * 1_000_000
      let sent = index == 0 ? 0 : 1_000_000_000 + Int64(index) * 100_000
      let answered = index == 0 ? 1_000_000_000 : sent + 50_000
      tally.add(.no(.soldOut), intended: intended, sent: sent, answered: answered)
    }
    #expect(tally.serviceTime.microseconds(at: 50) == 50 && tally.serviceTime.microseconds(at: 99) == 50)
    #expect(tally.response.microseconds(at: 50) > 900_000)
    #expect(tally.startedLate == 99 && tally.claims == 100 && tally.answered == 100)
  }

  @Test func threeDigitsAreKept() {
    var record = LatencyRecord()
    for value in [1, 999, 1_234_567, 30_000_000] {
      record = LatencyRecord()
      record.record(nanoseconds: Int64(value) * 1_000)
      let kept = record.microseconds(at: 99)
      #expect(abs(kept - value) <= value / 1_000, "\(kept) for \(value)")
      #expect(record.count == 1)
    }
    record.record(nanoseconds: 0)
    #expect(record.microseconds(at: 1) == 1, "nothing takes no time")
  }

  @Test func talliesAddUp() {
    var whole = LoadTally()
    for worker in 0..<3 {
      var tally = LoadTally()
      for index in 0..<10 {
        tally.add(
          .seat(1, isRepeat: index > 0), intended: nil, sent: 0, answered: Int64(worker * 10 + index) * 1_000_000)
      }
      tally.add(.undecided(.noAnswer, retryAfter: nil), intended: nil, sent: 0, answered: 99_000_000)
      whole.add(tally)
    }
    #expect(whole.outcomes == ["accepted": 3, "repeat": 27, "no-answer": 3])
    #expect(whole.claims == 33 && whole.answered == 30 && whole.unanswered == 3 && whole.serviceTime.count == 30)
    #expect(whole.lastAnswer == 99_000_000)
    #expect(abs(whole.serviceTime.maximum - 29_000) < 30)
  }
}
