import Foundation
import Issuance
import TestSupport
import Testing

@testable import WebhookIssuer

@Suite("A real issuer is asked", .timeLimit(.minutes(2)))
struct CallTests {
  private static let deadline = Duration.seconds(60)

  @Test func aCodeComesAndTheRequestIsWhatItShouldBe() async throws {
    let server = try await ScriptedIssuer()
    let roots = try WebhookRoots(of: server)
    let answers = try await server.run {
      try await withIssuer(roots: roots) { issuer in
        var answers: [CodeResponse] = []
        for seat in [17, 18, 17] {
          answers.append(await issuer.ask(.sample(server.url, seat: seat), within: Self.deadline))
        }
        return answers
      }
    }
    let codes = ["ISSUER-1", "ISSUER-2", "ISSUER-1"].map { CodeResponse.coded($0) }
    #expect(answers == codes)
    #expect(server.requests.map(\.idempotencyKey) == ["summer/17", "summer/18", "summer/17"])
    #expect(server.connections == 1, "a connection is used again")
    let request = server.requests[0]
    let expected = try WebhookRequest(.sample(server.url), key: .sample, version: "1.2.3", now: TestClock.start)
    #expect(request.method == "POST" && request.target == "/v1/codes" && Array(request.body) == expected.body)
    for field in expected.fields { #expect(request[field.name] == field.value) }
    #expect(request["Host"] == server.url.split(separator: "/")[1].description)
    #expect(request["Content-Length"] == "\(expected.body.count)" && request["Transfer-Encoding"] == nil)
  }

  /// What the issuer does, and what becomes of it.
  @Test(arguments: [
    ("a refusal", ScriptedIssuer.Act.answer(403, "no"), FailureKind.permanent, "answered 403: no"),
    ("a fault", .answer(500), .transient, "answered 500"), ("an outage", .answer(503), .infrastructure, "answered 503"),
    ("a redirect", .answer(307, fields: [("Location", "/elsewhere")]), .infrastructure, "redirects are not followed"),
    ("another page", .answer(303, fields: [("Location", "/elsewhere")]), .infrastructure, "answered 303"),
    ("no content", .answer(204), .transient, "without a usable code"),
    ("a body too long", .answer(200, String(repeating: " ", count: 65_537)), .transient, "more than 65536 bytes"),
    ("a connection lost", .drop, .transient, "it may have made a code"),
    ("a code lost with its connection", .codeThenDrop, .transient, "the connection was closed"),
  ])
  func whatTheIssuerDoes(name: String, act: ScriptedIssuer.Act, kind: FailureKind, words: String) async throws {
    let server = try await ScriptedIssuer()
    let roots = try WebhookRoots(of: server)
    let answer = try await server.run { _ in
      act
    } _: {
      try await withIssuer(roots: roots) { await $0.ask(.sample(server.url), within: Self.deadline) }
    }
    let failure = try #require(answer.failure)
    #expect(failure.kind == kind && failure.error.contains(words), "\(failure)")
    #expect(failure.error.contains("127.0.0.1") && !failure.error.contains("user-17"))
    #expect(server.requests.count == 1, "nothing is sent again, and no redirect is followed")
  }

  @Test func theLargestBodyThatIsRead() async throws {
    let server = try await ScriptedIssuer()
    let roots = try WebhookRoots(of: server)
    let json = #"{"code":"A-1"}"#
    let answer = try await server.run { _ in
      .answer(201, json + String(repeating: " ", count: 65_536 - json.utf8.count))
    } _: {
      try await withIssuer(roots: roots) { await $0.ask(.sample(server.url), within: Self.deadline) }
    }
    #expect(answer == .coded("A-1"))
  }

  /// The answer comes after the deadline: the code is there, and comes at the next asking.
  @Test func anAnswerThatIsLateIsTransient() async throws {
    let server = try await ScriptedIssuer()
    let roots = try WebhookRoots(of: server)
    let gate = Gate()
    try await server.run { request in
      request.number == 0 ? .late(gate, .code) : .code
    } _: {
      try await withIssuer(roots: roots) { issuer in
        let began = ContinuousClock.now
        let late = await issuer.ask(.sample(server.url), within: .seconds(8))
        #expect(ContinuousClock.now - began < .seconds(50))
        #expect(late.failure?.kind == .transient, "\(late)")
        #expect(late.failure?.error.contains("no answer came within 8.0 seconds") == true, "\(late)")
        let next = await issuer.ask(.sample(server.url), within: Self.deadline)
        #expect(next == .coded("ISSUER-1"))
      }
      gate.open()
    }
    #expect(server.codes == ["summer/17": "ISSUER-1"])
  }

  @Test(arguments: [(200, FailureKind.transient), (404, .permanent)])
  func aBodyThatDoesNotEndIsCutOffByTheDeadline(status: Int, kind: FailureKind) async throws {
    let server = try await ScriptedIssuer()
    let roots = try WebhookRoots(of: server)
    let answer = try await server.run { _ in
      .half(status, #"{"code":"A-1"}"#, missing: 1)
    } _: {
      try await withIssuer(roots: roots) { await $0.ask(.sample(server.url), within: .seconds(8)) }
    }
    #expect(answer.failure?.kind == kind && answer.failure?.error.contains("did not end") == true, "\(answer)")
  }

  @Test func callsDoNotWaitForEachOther() async throws {
    let server = try await ScriptedIssuer()
    let roots = try WebhookRoots(of: server)
    let gate = Gate()
    let answers = try await server.run { _ in
      .late(gate, .code)
    } _: {
      try await withIssuer(roots: roots) { issuer in
        await withTaskGroup(of: CodeResponse.self) { group in
          for seat in 1...20 {
            group.addTask { await issuer.ask(.sample(server.url, seat: seat), within: Self.deadline) }
          }
          await server.requests(20)
          gate.open()
          return await group.reduce(into: []) { $0.append($1) }
        }
      }
    }
    #expect(answers.count == 20 && answers.allSatisfy { $0.failure == nil })
  }

  @Test func aIssuerThatIsDownIsInfrastructure() async throws {
    let server = try await ScriptedIssuer()
    let roots = try WebhookRoots(of: server)
    try await withIssuer(roots: roots) { issuer in
      let down = await issuer.ask(.sample(server.url), within: Self.deadline)
      #expect(down.failure?.kind == .infrastructure)
      #expect(down.failure?.error.contains("connection refused") == true, "\(down)")
      try await server.run {
        let up = await issuer.ask(.sample(server.url), within: Self.deadline)
        #expect(up == .coded("ISSUER-1"))
      }
      let gone = await issuer.ask(.sample(server.url), within: Self.deadline)
      #expect(gone.failure != nil)
    }
  }

  /// Accepts connections and never says a word: the handshake does not end.
  @Test func aHandshakeThatDoesNotEndIsInfrastructure() async throws {
    let silent = try await ScriptedIssuer(isSecure: false)
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
    let server = try await ScriptedIssuer(names: isOther ? "DNS:other.example" : "IP:127.0.0.1")
    let roots = isOther ? try WebhookRoots(of: server) : WebhookRoots.system
    let answer = try await server.run {
      try await withIssuer(roots: roots) { await $0.ask(.sample(server.url), within: Self.deadline) }
    }
    #expect(answer.failure?.kind == .infrastructure, "\(answer)")
    #expect(answer.failure?.error.contains("TLS failed") == true, "\(answer)")
    #expect(server.requests.isEmpty)
  }

  @Test func afterShutdownNothingIsSent() async throws {
    let server = try await ScriptedIssuer()
    let roots = try WebhookRoots(of: server)
    try await server.run {
      try await withIssuer(roots: roots) { issuer in
        _ = await issuer.ask(.sample(server.url), within: Self.deadline)
        await issuer.shutdown()
        let answer = await issuer.ask(.sample(server.url), within: Self.deadline)
        #expect(answer.failure?.kind == .infrastructure, "\(answer)")
      }
    }
    #expect(server.requests.count == 1)
  }

  @Test func aCallThatIsStoppedSpendsNoAttempt() async throws {
    let server = try await ScriptedIssuer()
    let roots = try WebhookRoots(of: server)
    let gate = Gate()
    try await server.run { _ in
      .late(gate, .code)
    } _: {
      try await withIssuer(roots: roots) { issuer in
        let call = Task { await issuer.ask(.sample(server.url), within: Self.deadline) }
        await server.requests(1)
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
