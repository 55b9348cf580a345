import TestSupport

/// What becomes of the connection (RFC 9112 §9), several requests on one, and bytes that are no HTTP.
extension RawHTTPTests {
  static let connectionCases: [RawCase] =
    ["keep-alive", "Keep-Alive", "x", "", "te", "keep-alive, x"].map {
      RawCase("Connection \(shown($0))", request(claims, "Connection: \($0)"), [.accepted], .open)
    }
    + ["close", "Close", "CLOSE", "x, close", "close, x", "close, keep-alive", "keep-alive, close"].map {
      RawCase("Connection \(shown($0))", request(claims, "Connection: \($0)"), [.accepted], .closed)
    }
    + [
      RawCase(
        "Connection in two fields", request(claims, "Connection: keep-alive", "Connection: close"), [.accepted], .closed
      ),
      RawCase("close on a 404", request("/nowhere", "Connection: close"), [.noResource], .closed),
      RawCase("close on a 422", request(user: "a b", "Connection: close"), [.badUser], .closed),
      RawCase("close on HEAD", request("/problems", method: "HEAD", "Connection: close"), [.ok], .closed),
      RawCase("close on OPTIONS", request(method: "OPTIONS", "Connection: close"), [.noContent], .closed),
      // An upgrade that is not offered is ignored (RFC 9110 §7.8).
      RawCase(
        "an upgrade to h2c",
        request(claims, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
        [.accepted], .either),
      RawCase(
        "an upgrade to websocket", request(claims, "Connection: Upgrade", "Upgrade: websocket", webSocketKey),
        [.accepted], .either),
      RawCase(
        "GET with an upgrade to websocket",
        request("/v1/campaigns/raw", method: "GET", "Connection: Upgrade", "Upgrade: websocket", webSocketKey), [.ok],
        .either),
      RawCase("Upgrade without Connection", request(claims, "Upgrade: h2c"), [.accepted], .either),
      RawCase("Expect: 100-continue without a body", request(claims, "Expect: 100-continue"), [.accepted]),
      RawCase("Expect: 100-continue and the body", sending("{}", "Expect: 100-continue"), [.accepted]),
      RawCase("Expect: 100-Continue and the body", sending("{}", "Expect: 100-Continue"), [.accepted]),
      RawCase("Expect: 100-continue and a bad body", sending("{", "Expect: 100-continue"), [.badBody]),
      RawCase(
        "Expect: 100-continue and a wrong type", sending("{}", type: "text/plain", "Expect: 100-continue"), [.badMedia],
        .either),
      RawCase("Expect: 100-continue and too much", sending(object(5_000), "Expect: 100-continue"), [.bodyTooLarge]),
      RawCase(
        "Expect: 100-continue, too much announced",
        request(claims, "Content-Type: application/json", "Content-Length: 99999", "Expect: 100-continue"),
        [.bodyTooLarge]),
      RawCase(
        "Expect: 100-continue in HTTP/1.0", request(version: "HTTP/1.0", "Expect: 100-continue"), [.accepted], .closed),
      // A server may ignore another expectation (RFC 9110 §10.1.1).
      RawCase("Expect: something", request(claims, "Expect: something"), [.accepted]),
      RawCase("a claim, and nothing more comes", request(), [.accepted], finishes: true),
      RawCase("a claim with a body, and nothing more comes", sending("{}"), [.accepted], finishes: true),
      RawCase("a claim in chunks, and nothing more comes", chunked(oneChunk), [.accepted], finishes: true),
      RawCase("a question, and nothing more comes", request("/v1/campaigns/raw", method: "GET"), [.ok], finishes: true),
    ]

  private static let webSocketKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"

  private static func user(_ number: Int) -> String { request(user: "@USER@-\(number)") }
  private static let bad = "POST \(claims) HTTP/1.1\r\nHost: a\r\nX User: b\r\n\r\n"
  private static let campaign = request("/v1/campaigns/raw", method: "GET")

  static let pipelineCases: [RawCase] =
    [2, 3, 10, 50].map { count in
      RawCase(
        "\(count) claims at once", pipeline: (1...count).map(user).joined(), Array(repeating: [.accepted], count: count)
      )
    }
    + [
      RawCase(
        "10 claims, and nothing more comes", pipeline: (1...10).map(user).joined(),
        Array(repeating: [.accepted], count: 10),
        finishes: true),
      RawCase("the same claim twice", pipeline: request() + request(), [[.accepted], [.again, .tooMany]]),
      RawCase("a claim and a question", pipeline: request() + campaign, [[.accepted], [.ok]]),
      RawCase("a question and a claim", pipeline: campaign + request(), [[.ok], [.accepted]]),
      RawCase("50 questions", pipeline: long(campaign, 50), Array(repeating: [.ok], count: 50)),
      RawCase("a claim with a body and a claim", pipeline: sending("{}") + user(2), [[.accepted], [.accepted]]),
      RawCase("a claim in chunks and a claim", pipeline: chunked(oneChunk) + user(2), [[.accepted], [.accepted]]),
      RawCase("CRLF between two claims", pipeline: user(1) + "\r\n" + user(2), [[.accepted], [.accepted]]),
      RawCase("a malformed body and a claim", pipeline: sending("{") + user(2), [[.badBody], [.accepted]]),
      RawCase("a 415 and a claim", pipeline: sending("{}", type: "x/y") + user(2), [[.badMedia], [.accepted]]),
      RawCase("a 404 and a claim", pipeline: request("/nowhere") + user(2), [[.noResource], [.accepted]]),
      RawCase("a 405 and a claim", pipeline: request(method: "PUT") + user(2), [[.noMethod], [.accepted]]),
      RawCase("a 422 and a claim", pipeline: request(user: "a b") + user(2), [[.badUser], [.accepted]]),
      RawCase("a 401 and a claim", pipeline: request(user: nil) + user(2), [[.unauthenticated], [.accepted]]),
      RawCase("a good one and a bad one", pipeline: user(1) + bad, [[.accepted], [.malformed]], .closed),
      RawCase(
        "nine good ones and a bad one", pipeline: (1...9).map(user).joined() + bad,
        Array(repeating: [.accepted], count: 9) + [[.malformed]], .closed),
      // After what cannot be read nothing is: where the next request begins is not known.
      RawCase("a bad one and a good one", pipeline: bad + user(2), [[.malformed]], .closed),
      RawCase(
        "a body that is too large and a good one", pipeline: sending(object(5_000)) + user(2),
        [[.bodyTooLarge], [.accepted, .silence]], .either),
      // RFC 9112 §9.6: what comes after close is not looked at.
      RawCase(
        "close and a claim", pipeline: request(user: "@USER@-1", "Connection: close") + user(2), [[.accepted]], .closed),
      RawCase(
        "HTTP/1.0 and a claim", pipeline: request(version: "HTTP/1.0", user: "@USER@-1") + user(2), [[.accepted]],
        .closed),
      RawCase(
        "a good one and half a one", pipeline: user(1) + user(2).dropLast(10), [[.accepted], [.silence]], finishes: true
      ),
      // The two readings of one message: whoever believes the length sees a second request inside.
      RawCase(
        "a request in the body of another",
        pipeline: request(
          user: "@USER@-1", "Content-Length: 5", "Transfer-Encoding: chunked", body: "0\r\n\r\n" + user(2)),
        [[.malformed]], .closed),
      RawCase(
        "a request behind an unknown coding",
        pipeline: request(user: "@USER@-1", "Content-Length: 0", "Transfer-Encoding: xchunked", body: user(2)),
        [[.malformed]],
        .closed),
      RawCase(
        "a request behind a second length",
        pipeline: request(user: "@USER@-1", "Content-Length: 0", "Content-Length: 99", body: user(2)), [[.malformed]],
        .closed),
      RawCase(
        "a request behind a chunk extension with LF",
        pipeline: request(
          user: "@USER@-1", "Content-Type: application/json", chunkedField, body: "2;\n{}\r\n0\r\n\r\n" + user(2)),
        [[.malformed]], .closed),
    ]

  static let brokenCases: [RawCase] = truncated + strangers + noise

  /// A claim that breaks off: nobody is there any more, and nothing may have happened.
  private static let truncated: [RawCase] = {
    let claim = request(claims, "Content-Type: application/json", "Content-Length: 7", body: #"{"a":1}"#)
    let bytes = claim.utf8.count
    return stride(from: 0, to: bytes, by: 3).map { cut in
      RawCase("a claim that breaks off after \(cut) bytes", String(claim.utf8.prefix(cut))!, [.silence], finishes: true)
    }
  }()

  private static let strangers: [RawCase] = [
    RawCase("the ClientHello of TLS", clientHello, [.malformed, .silence], finishes: true),
    RawCase(
      "the ClientHello of SSL 2", "\u{E080}\u{E02E}\u{E001}\u{E000}\u{E002}", [.malformed, .silence], finishes: true),
    RawCase("SSH", "SSH-2.0-OpenSSH_9.2\r\n", [.malformed, .silence], finishes: true),
    RawCase("SMTP", "EHLO example.org\r\n", [.malformed, .silence], finishes: true),
    RawCase("Redis", "*1\r\n$4\r\nPING\r\n", [.malformed, .silence], finishes: true),
    RawCase(
      "PostgreSQL", "\u{E000}\u{E000}\u{E000}\u{E008}\u{E004}\u{E0D2}\u{E016}\u{E02F}", [.malformed, .silence],
      finishes: true),
    RawCase("the PROXY protocol", "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + request(), [.malformed], finishes: true),
    RawCase("JSON", #"{"method":"claim"}"#, [.malformed, .silence], finishes: true),
    RawCase("only CRLF", long("\r\n", 100), [.malformed, .silence], finishes: true),
    RawCase("only NUL", long("\u{E000}", 1_000), [.malformed, .silence], finishes: true),
    RawCase("only spaces", long(" ", 1_000), [.malformed, .silence], finishes: true),
    RawCase("1 MB of letters", long("A", 1_000_000), [.malformed, .headerTooLarge, .silence], finishes: true),
    RawCase("1 MB of CRLF", long("\r\n", 500_000), [.malformed, .headerTooLarge, .silence], finishes: true),
  ]

  private static let clientHello =
    "\u{E016}\u{E003}\u{E001}\u{E000}\u{E0A5}\u{E001}\u{E000}\u{E000}\u{E0A1}\u{E003}\u{E003}" + long("\u{E05A}", 32)
    + "\u{E000}\u{E000}\u{E002}\u{E013}\u{E001}\u{E001}\u{E000}"

  /// Bytes of a fixed seed.
  private static let noise: [RawCase] = (0..<30).map { number in
    var random = SplitMix(state: 4_711 + UInt64(number))
    let bytes = (0..<(16 << random.below(6))).map { _ in Unicode.Scalar(0xE000 + random.below(256))! }
    let text = String(String.UnicodeScalarView(bytes))
    return RawCase("random bytes \(number)", text, [.malformed, .silence, .headerTooLarge], finishes: true)
  }
}
