import AsyncHTTPClient
import Foundation
import Issuance
import NIOCore
import ServiceKit
import TestSupport
import Testing

@testable import WebhookIssuer

@Suite("What an issuer's answer means")
struct ReplyTests {
  private func answer(
    _ status: Int, _ body: WebhookReply.Body, retryAfter: String? = nil, user: String = "user-1"
  ) throws -> CodeResponse {
    WebhookReply(head: WebhookReply.Head(status: status, retryAfter: retryAfter), body: body).answer(
      from: try WebhookEndpoint("https://issuer.example:8443/secret?token=t0ken"), now: TestClock.start,
      RedactedExcerpt(user: try #require(UserID(user))))
  }

  private func answer(_ status: Int, _ text: String, user: String = "user-1") throws -> CodeResponse {
    try answer(status, .whole(Array(text.utf8)), user: user)
  }

  @Test func everyStatusHasItsKind() throws {
    let transient: Set = [408, 425, 429]
    let infrastructure: Set = [502, 503, 504]
    for status in 100...599 {
      let expected: FailureKind =
        if transient.contains(status) {
          .transient
        } else if infrastructure.contains(status) || status / 100 == 3 {
          .infrastructure
        } else {
          status / 100 == 4 ? .permanent : .transient
        }
      #expect(try answer(status, "no").failure?.kind == expected, "\(status)")
      #expect(try answer(status, .lost("gone")).failure?.kind == expected, "\(status), its body lost")
      #expect(try answer(status, .tooLong([0x41])).failure?.kind == expected, "\(status), its body too long")
      // A code counts with a 2xx only.
      let withCode = try answer(status, #"{"code":"A-1","more":[1]}"#)
      #expect((withCode == .coded("A-1")) == (status / 100 == 2), "\(status)")
    }
  }

  @Test(arguments: [
    "", "{}", "[]", "A-1", #""A-1""#, #"{"code":null}"#, #"{"code":17}"#, #"{"code":""}"#, #"{"code":"a b"}"#,
    #"{"code":"한"}"#, #"{"Code":"A-1"}"#, #"{"code":"A-1""#, #"{"code":"A\n1"}"#, #"[{"code":"A-1"}]"#,
    #"{"code":"\#(String(repeating: "x", count: 129))"}"#,
  ])
  func aSuccessWithoutAUsableCodeIsTransient(body: String) throws {
    let failure = try #require(try answer(200, body).failure)
    #expect(failure.kind == .transient)
    #expect(failure.error.hasPrefix("issuer.example:8443 answered 200 without a usable code"))
  }

  @Test func theWordsSayWhatHappened() throws {
    #expect(try answer(503, "").failure?.error == "issuer.example:8443 answered 503, with an empty body")
    #expect(
      try answer(400, "no\r\nstock\u{1B}[31m\u{202E}\u{2028}\u{0}").failure?.error
        == #"issuer.example:8443 answered 400: no\r\nstock\u{1b}[31m\u{202e}\u{2028}\u{0}"#)
    #expect(try answer(302, "").failure?.error.contains("redirects are not followed") == true)
    #expect(try answer(200, .tooLong([0x41])).failure?.error.contains("more than 65536 bytes: A") == true)
    #expect(try answer(200, .lost("gone")).failure?.error.hasSuffix("but its body was lost: gone") == true)
    // Path and query may hold a secret.
    for status in [200, 302, 400, 503] {
      let words = try #require(try answer(status, "x").failure?.error)
      #expect(!words.contains("secret") && !words.contains("t0ken"))
    }
  }

  @Test func theFirstTwoHundredBytesAreKept() throws {
    func words(_ body: [UInt8]) throws -> String {
      try #require(try answer(400, .whole(body)).failure?.error.dropFirst("issuer.example:8443 answered 400: ".count))
        .description
    }
    let exact = String(repeating: "x", count: 200)
    #expect(try words(Array(exact.utf8)) == exact)
    #expect(try words(Array((exact + "y").utf8)) == exact + "…")
    // The cut goes through a character of three bytes.
    #expect(try words(Array((exact.dropLast() + "한국").utf8)) == exact.dropLast() + "…")
    #expect(try words([0x41, 0xFF, 0x42]) == "A\u{FFFD}B")
  }

  @Test(arguments: [
    ("alice", "alice is unknown", "(user) is unknown"), ("alice", #"{"user":"alice"}"#, #"{"user":"(user)"}"#),
    ("alice", "malice alice2 alice", "malice alice2 (user)"),
    ("1", #"{"status":101,"user":1}"#, #"{"status":101,"user":(user)}"#),
    ("a@b.example", "no a@b.example here", "no (user) here"), ("x", "x x", "(user) (user)"),
  ])
  func theUserIsNotNamed(user: String, body: String, expected: String) throws {
    #expect(try answer(404, body, user: user).failure?.error == "issuer.example:8443 answered 404: \(expected)")
  }

  /// Also where it stands across the cut.
  @Test func theUserIsNotNamedAtTheCut() throws {
    let user = String(repeating: "u", count: 60)
    for length in 100...200 {
      let body = String(repeating: "-", count: length) + user + "."
      #expect(try answer(404, body, user: user).failure?.error.contains("u-") == false)
      #expect(try answer(404, body, user: user).failure?.error.contains("uu") == false)
    }
  }

  @Test(arguments: [
    ("0", 0), ("120", 120), ("9999999999", 9_999_999_999), ("Tue, 01 Dec 2026 09:00:30 GMT", 30),
    ("Tuesday, 01-Dec-26 09:01:00 GMT", 60), ("Tue Dec  1 09:02:00 2026", 120), ("Thu Dec 10 09:00:00 2026", 777_600),
    ("Tue, 01 Dec 2026 08:00:00 GMT", 0), ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
    ("Sunday, 01-Dec-75 09:00:00 GMT", 1_546_300_800), ("Sunday, 01-Dec-77 09:00:00 GMT", 0),
  ])
  func retryAfterIsRead(text: String, seconds: Int) throws {
    for status in [200, 302, 400, 429, 500, 503] {
      let failure = try answer(status, .whole([]), retryAfter: text).failure
      #expect(failure?.retryAfter == .seconds(seconds), "\(status)")
    }
  }

  @Test(arguments: [
    "", "soon", "-1", "+1", "1.5", "1 ", "12345678901", "Tue, 31 Feb 2026 09:00:00 GMT",
    "Tue, 01 Foo 2026 09:00:00 GMT",
    "Tue, 01 Dec 2026 25:00:00 GMT", "Tue, 01 Dec 2026 09:00:00", "Tue, 01 Dec 2026 09:00:00 KST",
    "2026-12-01T09:00:00Z",
  ])
  func retryAfterOfNoFormIsNone(text: String) throws {
    let failure = try #require(try answer(503, .whole([]), retryAfter: text).failure)
    #expect(failure.retryAfter == nil && failure.kind == .infrastructure)
  }

  /// What a deadline means in each phase of a call.
  @Test func aTimeoutMeansWhatThePhaseSays() throws {
    let endpoint = try WebhookEndpoint("https://issuer.example")
    let address = IPAddress(bytes: [192, 0, 2, 7])
    let cases: [(CallProgress.Phase, FailureKind, String)] = [
      (.lookingUp, .infrastructure, "cannot look up issuer.example"),
      (.connecting(address), .infrastructure, "cannot reach issuer.example at 192.0.2.7"),
      (.sent(address), .transient, "it may have made a code"),
      (.answering(WebhookReply.Head(status: 200, retryAfter: nil)), .transient, "answered 200"),
      (.answering(WebhookReply.Head(status: 404, retryAfter: nil)), .permanent, "answered 404"),
      (.answering(WebhookReply.Head(status: 503, retryAfter: "7")), .infrastructure, "answered 503"),
    ]
    for (phase, kind, words) in cases {
      let failure = phase.timeout(
        of: endpoint, after: .seconds(10), now: TestClock.start, RedactedExcerpt(user: UserID(number: 1)))
      #expect(failure.kind == kind && failure.error.contains(words), "\(failure)")
    }
  }

  @Test func errorsHaveWords() {
    #expect(CallError.words(for: IOError(errnoCode: ECONNREFUSED, reason: "connect")) == "connection refused")
    #expect(CallError.words(for: IOError(errnoCode: EHOSTUNREACH, reason: "connect")) == "no route to host")
    #expect(CallError.words(for: HTTPClientError.connectTimeout) == "no connection in time")
    #expect(CallError.words(for: HTTPClientError.remoteConnectionClosed) == "the connection was closed")
    #expect(CallError.words(for: HTTPClientError.tlsHandshakeTimeout).hasPrefix("TLS failed"))
  }
}
