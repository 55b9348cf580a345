import Foundation
import Issuance
import TestSupport
import Testing

@testable import WebhookIssuer

@Suite("A real partner is asked", .timeLimit(.minutes(2)))
struct CallTests {
  private static let deadline = Duration.seconds(60)

  @Test func aCodeComesAndTheRequestIsWhatItShouldBe() async throws {
    let partner = try await ScriptedPartner()
    let roots = try PartnerRoots(of: partner)
    let answers = try await partner.run {
      try await withIssuer(roots: roots) { issuer in
        var answers: [IssuerAnswer] = []
        for seat in [17, 18, 17] {
          answers.append(await issuer.ask(.sample(partner.url, seat: seat), within: Self.deadline))
        }
        return answers
      }
    }
    let codes = ["PARTNER-1", "PARTNER-2", "PARTNER-1"].map { IssuerAnswer.coded($0) }
    #expect(answers == codes)
    #expect(partner.requests.map(\.idempotencyKey) == ["summer/17", "summer/18", "summer/17"])
    #expect(partner.connections == 1, "a connection is used again")
    let request = partner.requests[0]
    let expected = try WebhookRequest(.sample(partner.url), key: .sample, version: "1.2.3", now: TestClock.start)
    #expect(request.method == "POST" && request.target == "/v1/codes" && Array(request.body) == expected.body)
    for field in expected.fields { #expect(request[field.name] == field.value) }
    #expect(request["Host"] == partner.url.split(separator: "/")[1].description)
    #expect(request["Content-Length"] == "\(expected.body.count)" && request["Transfer-Encoding"] == nil)
  }

  /// What the partner does, and what becomes of it.
  @Test(arguments: [
    ("a refusal", ScriptedPartner.Act.answer(403, "no"), FailureKind.permanent, "answered 403: no"),
    ("a fault", .answer(500), .transient, "answered 500"), ("an outage", .answer(503), .infrastructure, "answered 503"),
    ("a redirect", .answer(307, fields: [("Location", "/elsewhere")]), .infrastructure, "redirects are not followed"),
    ("another page", .answer(303, fields: [("Location", "/elsewhere")]), .infrastructure, "answered 303"),
    ("no content", .answer(204), .transient, "without a usable code"),
    ("a body too long", .answer(200, String(repeating: " ", count: 65_537)), .transient, "more than 65536 bytes"),
    ("a connection lost", .drop, .transient, "it may have made a code"),
    ("a code lost with its connection", .codeThenDrop, .transient, "the connection was closed"),
  ])
  func whatThePartnerDoes(name: String, act: ScriptedPartner.Act, kind: FailureKind, words: String) async throws {
    let partner = try await ScriptedPartner()
    let roots = try PartnerRoots(of: partner)
    let answer = try await partner.run { _ in
      act
    } _: {
      try await withIssuer(roots: roots) { await $0.ask(.sample(partner.url), within: Self.deadline) }
    }
    let failure = try #require(answer.failure)
    #expect(failure.kind == kind && failure.error.contains(words), "\(failure)")
    #expect(failure.error.contains("127.0.0.1") && !failure.error.contains("user-17"))
    #expect(partner.requests.count == 1, "nothing is sent again, and no redirect is followed")
  }

  @Test func theLargestBodyThatIsRead() async throws {
    let partner = try await ScriptedPartner()
    let roots = try PartnerRoots(of: partner)
    let json = #"{"code":"A-1"}"#
    let answer = try await partner.run { _ in
      .answer(201, json + String(repeating: " ", count: 65_536 - json.utf8.count))
    } _: {
      try await withIssuer(roots: roots) { await $0.ask(.sample(partner.url), within: Self.deadline) }
    }
    #expect(answer == .coded("A-1"))
  }

  /// The answer comes after the deadline: the code is there, and comes at the next asking.
  @Test func anAnswerThatIsLateIsTransient() async throws {
    let partner = try await ScriptedPartner()
    let roots = try PartnerRoots(of: partner)
    let gate = Gate()
    try await partner.run { request in
      request.number == 0 ? .late(gate, .code) : .code
    } _: {
      try await withIssuer(roots: roots) { issuer in
        let began = ContinuousClock.now
        let late = await issuer.ask(.sample(partner.url), within: .seconds(8))
        #expect(ContinuousClock.now - began < .seconds(50))
        #expect(late.failure?.kind == .transient, "\(late)")
        #expect(late.failure?.error.contains("no answer came within 8.0 seconds") == true, "\(late)")
        let next = await issuer.ask(.sample(partner.url), within: Self.deadline)
        #expect(next == .coded("PARTNER-1"))
      }
      gate.open()
    }
    #expect(partner.codes == ["summer/17": "PARTNER-1"])
  }

  @Test(arguments: [(200, FailureKind.transient), (404, .permanent)])
  func aBodyThatDoesNotEndIsCutOffByTheDeadline(status: Int, kind: FailureKind) async throws {
    let partner = try await ScriptedPartner()
    let roots = try PartnerRoots(of: partner)
    let answer = try await partner.run { _ in
      .half(status, #"{"code":"A-1"}"#, missing: 1)
    } _: {
      try await withIssuer(roots: roots) { await $0.ask(.sample(partner.url), within: .seconds(8)) }
    }
    #expect(answer.failure?.kind == kind && answer.failure?.error.contains("did not end") == true, "\(answer)")
  }

  @Test func callsDoNotWaitForEachOther() async throws {
    let partner = try await ScriptedPartner()
    let roots = try PartnerRoots(of: partner)
    let gate = Gate()
    let answers = try await partner.run { _ in
      .late(gate, .code)
    } _: {
      try await withIssuer(roots: roots) { issuer in
        await withTaskGroup(of: IssuerAnswer.self) { group in
          for seat in 1...20 {
            group.addTask { await issuer.ask(.sample(partner.url, seat: seat), within: Self.deadline) }
          }
          await partner.requests(20)
          gate.open()
          return await group.reduce(into: []) { $0.append($1) }
        }
      }
    }
    #expect(answers.count == 20 && answers.allSatisfy { $0.failure == nil })
  }

  @Test func aPartnerThatIsDownIsInfrastructure() async throws {
    let partner = try await ScriptedPartner()
    let roots = try PartnerRoots(of: partner)
    try await withIssuer(roots: roots) { issuer in
      let down = await issuer.ask(.sample(partner.url), within: Self.deadline)
      #expect(down.failure?.kind == .infrastructure)
      #expect(down.failure?.error.contains("connection refused") == true, "\(down)")
      try await partner.run {
        let up = await issuer.ask(.sample(partner.url), within: Self.deadline)
        #expect(up == .coded("PARTNER-1"))
      }
      let gone = await issuer.ask(.sample(partner.url), within: Self.deadline)
      #expect(gone.failure != nil)
    }
  }

  /// Accepts connections and never says a word: the handshake does not end.
  @Test func aHandshakeThatDoesNotEndIsInfrastructure() async throws {
    let silent = try await ScriptedPartner(isSecure: false)
    try await silent.run {
      try await withIssuer { issuer in
        let url = silent.url.replacing("http://", with: "https://")
        let answer = await issuer.ask(.sample(url), within: .seconds(6))
        #expect(answer.failure?.kind == .infrastructure, "\(answer)")
        #expect(answer.failure?.error.contains("TLS failed") == true, "\(answer)")
      }
    }
    #expect(silent.requests.isEmpty)
  }

  @Test(arguments: ["an authority that nobody knows", "a certificate of another host"])
  func aCertificateThatIsNotBelievedIsInfrastructure(fault: String) async throws {
    let isOther = fault.contains("another host")
    let partner = try await ScriptedPartner(names: isOther ? "DNS:other.example" : "IP:127.0.0.1")
    let roots = isOther ? try PartnerRoots(of: partner) : PartnerRoots.system
    let answer = try await partner.run {
      try await withIssuer(roots: roots) { await $0.ask(.sample(partner.url), within: Self.deadline) }
    }
    #expect(answer.failure?.kind == .infrastructure, "\(answer)")
    #expect(answer.failure?.error.contains("TLS failed") == true, "\(answer)")
    #expect(partner.requests.isEmpty)
  }

  @Test func afterShutdownNothingIsSent() async throws {
    let partner = try await ScriptedPartner()
    let roots = try PartnerRoots(of: partner)
    try await partner.run {
      try await withIssuer(roots: roots) { issuer in
        _ = await issuer.ask(.sample(partner.url), within: Self.deadline)
        await issuer.shutdown()
        let answer = await issuer.ask(.sample(partner.url), within: Self.deadline)
        #expect(answer.failure?.kind == .infrastructure, "\(answer)")
      }
    }
    #expect(partner.requests.count == 1)
  }

  @Test func aCallThatIsStoppedSpendsNoAttempt() async throws {
    let partner = try await ScriptedPartner()
    let roots = try PartnerRoots(of: partner)
    let gate = Gate()
    try await partner.run { _ in
      .late(gate, .code)
    } _: {
      try await withIssuer(roots: roots) { issuer in
        let call = Task { await issuer.ask(.sample(partner.url), within: Self.deadline) }
        await partner.requests(1)
        call.cancel()
        let answer = await call.value
        #expect(answer.failure?.kind == .infrastructure, "\(answer)")
      }
      gate.open()
    }
  }

  @Test func aCampaignWithoutAKeySaysSo() async throws {
    try await withIssuer(keys: WebhookKeys(common: nil)) { issuer in
      let answer = await issuer.ask(.sample("https://127.0.0.1:1"), within: Self.deadline)
      #expect(answer.failure?.kind == .infrastructure)
      #expect(answer.failure?.error.contains("campaign summer has no key") == true)
    }
    let keys = WebhookKeys { (_) throws(WebhookKeyError) in throw WebhookKeyError(why: "it is torn", next: "mend it") }
    try await withIssuer(keys: keys) { issuer in
      let answer = await issuer.ask(.sample("https://127.0.0.1:1"), within: Self.deadline)
      #expect(answer.failure?.kind == .infrastructure && answer.failure?.error.contains("it is torn") == true)
    }
  }
}
