/// Request lines: methods, versions and Host (RFC 9112 §3, RFC 9110 §9).
extension RawHTTPTests {
  static let methodCases: [RawCase] =
    ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "MKCOL", "LOCK", "REPORT", "PURGE", "SEARCH"].map {
      RawCase("\($0) at the claims", request(method: $0), [.noMethod])
    }
    + ["POST", "PUT", "DELETE", "PATCH", "TRACE"].map {
      RawCase("\($0) at the campaign", request("/v1/campaigns/raw", method: $0), [.noMethod])
    }
    + ["POST", "PUT", "DELETE"].map {
      RawCase("\($0) at a claim", request("\(claims)/@USER@", method: $0), [.noMethod])
    }
    + ["POST", "DELETE"].flatMap { method in
      ["/openapi.yaml", "/problems", "/problems/sold-out"].map {
        RawCase("\(method) at \($0)", request($0, method: method), [.noMethod])
      }
    }
    // RFC 9110 §9.1 would have 501 for a method that the server does not know. Llhttp knows a fixed list, others are a
    // request that it cannot read.
    + ["QUERY", "BREW", "FOO", "post", "Post", "POSTPOST", "PO", "GETPOST", "POST-", "SOURCE", "PRI", "DESCRIBE"].map {
      RawCase("method \($0)", request(method: $0), [.noMethod, .malformed])
    }
    + ["P@ST", "PO(ST", "\"POST\"", "", "\u{E000}POST", "POST\u{E000}", "ＰＯＳＴ", "P\u{E0D6}ST", "POST:", "{}", "POST/"]
    .map {
      RawCase("method \(shown($0))", request(method: $0), [.malformed])
    }
    + [claims, "\(claims)/x", "/v1/campaigns/raw", "/openapi.yaml", "/problems", "/problems/sold-out", "*"].map {
      RawCase("OPTIONS \($0)", request($0, method: "OPTIONS", user: nil), [.noContent])
    }
    + ["/v1/campaigns/raw", "/openapi.yaml", "/problems", "/problems/sold-out"].flatMap { path in
      ["GET", "HEAD"].map { RawCase("\($0) \(path)", request(path, method: $0, user: nil), [.ok]) }
    }
    + [
      RawCase("HEAD of an unknown campaign", request("/v1/campaigns/none", method: "HEAD"), [.noCampaign]),
      RawCase("HEAD of nothing", request("/nowhere", method: "HEAD"), [.noResource]),
      RawCase("HEAD of a claim that is not there", request("\(claims)/@USER@", method: "HEAD"), [.noClaim]),
      RawCase("GET of an unknown problem", request("/problems/unknown", method: "GET"), [.noResource]),
      RawCase("a method of 10,000 letters", request(method: long("A", 10_000)), [.malformed, .headerTooLarge]),
      RawCase(
        "CONNECT first-come:80", request("first-come:80", method: "CONNECT"), [.malformed, .noMethod, .noResource],
        .closed),
      RawCase("CONNECT at the claims", request(method: "CONNECT"), [.malformed, .noMethod], .either),
      RawCase("GET *", request("*", method: "GET"), [.malformed, .noResource], .either),
      RawCase("POST *", request("*"), [.malformed, .noResource], .either),
    ]

  static func long(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

  static let versionCases: [RawCase] =
    [
      "HTTP/0.9", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9", "HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/1.10", "HTTP/11",
      "HTTP/11.1",
      "HTTP/1,1", "HTTP/-1.1", "HTTP/a.b", "HTTP /1.1", "HTTP/ 1.1", "HTTP/1 .1", "http/1.1", "Http/1.1", "HTTPS/1.1",
      "HTP/1.1", "XHTTP/1.1", "ICE/1.0", "HTTP", "HTTP/", "/1.1", "HTTP/1.1 x", "HTTP/1.1\u{E000}",
      "HTTP/１.1",
    ].map { RawCase("version \(shown($0))", request(version: $0), [.malformed], finishes: true) }
    // Llhttp knows this protocol too and NIO does not say which one it was: read as HTTP/1.0, which harms nobody.
    + ["RTSP/1.0"].map {
      RawCase("version \(shown($0))", request(version: $0), [.malformed, .accepted], finishes: true)
    }
    // RFC 9112 §2.3: a higher minor version is read as the highest one that is known.
    + ["HTTP/1.2", "HTTP/1.9"].map { RawCase("version \(shown($0))", request(version: $0), [.malformed, .accepted]) }
    // White space around the version: a parser may be lenient (RFC 9112 §3).
    + ["HTTP/1.1 ", " HTTP/1.1", "\tHTTP/1.1"].map {
      RawCase("version \(shown($0))", request(version: $0), [.malformed, .accepted])
    }
    + [
      RawCase("HTTP/1.0", request(version: "HTTP/1.0"), [.accepted], .closed),
      RawCase("HTTP/1.0 without Host", request(version: "HTTP/1.0", host: nil), [.accepted], .closed),
      RawCase("HTTP/1.0 kept alive", request(version: "HTTP/1.0", "Connection: keep-alive"), [.accepted], .either),
      RawCase("HTTP/1.0 with close", request(version: "HTTP/1.0", "Connection: close"), [.accepted], .closed),
      RawCase("HTTP/0.9: GET and a path", "GET /v1/campaigns/raw\r\n", [.malformed, .silence], finishes: true),
      RawCase("HTTP/0.9: POST and a path", "POST \(claims)\r\n", [.malformed, .silence], finishes: true),
      RawCase(
        "no version, but fields", "POST \(claims)\r\nHost: a\r\nX-User-Id: @USER@\r\n\r\n", [.malformed], finishes: true
      ),
      RawCase("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [.malformed, .silence], finishes: true),
      RawCase("a bare CR after the version", "POST \(claims) HTTP/1.1\rHost: a\r\n\r\n", [.malformed], finishes: true),
      RawCase("two spaces after the method", request(method: "POST "), [.malformed, .accepted]),
      RawCase(
        "a tab after the method", "POST\t\(claims) HTTP/1.1\r\nHost: a\r\nX-User-Id: @USER@\r\n\r\n", [.malformed]),
      RawCase("a space before the method", request(method: " POST"), [.malformed, .accepted]),
      RawCase(
        "an answer instead of a request", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", [.malformed], finishes: true),
      RawCase("no target", "POST HTTP/1.1\r\nHost: a\r\n\r\n", [.malformed], finishes: true),
      RawCase("only a method", "POST\r\nHost: a\r\n\r\n", [.malformed], finishes: true),
      RawCase("CRLF before the request", "\r\n" + request(), [.accepted]),
      // More than one empty line may be passed over (RFC 9112 §2.2).
      RawCase("five CRLF before the request", long("\r\n", 5) + request(), [.accepted, .malformed]),
      RawCase("LF before the request", "\n" + request(), [.accepted, .malformed]),
      RawCase("a NUL before the request", "\u{E000}" + request(), [.malformed]),
      RawCase("a byte order mark before the request", "\u{FEFF}" + request(), [.malformed]),
    ]

  static let hostCases: [RawCase] =
    ["localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080", "FIRST-COME", "a.b.c."].map {
      (host: String) in
      RawCase("Host \(shown(host))", request(host: host), [.accepted])
    }
    // RFC 9112 §3.2: an invalid value is answered with 400.
    + [
      "a b", "a/b", "a@b", "user:pw@a", "a:b", "a:80:80", "a:-1", "a?b", "a#b", "a\\b", "[::1", "::1", "http://a",
      "a, b",
      "쿠폰", "a\u{E000}", "<a>", "a\"b",
    ].map { (host: String) in RawCase("Host \(shown(host))", request(host: host), [.malformed]) }
    + [
      RawCase("an empty Host", request(host: ""), [.accepted, .malformed]),
      RawCase("no Host", request(host: nil), [.malformed]),
      RawCase("no Host at OPTIONS", request(method: "OPTIONS", host: nil), [.malformed]),
      RawCase("no Host where no resource is", request("/nowhere", host: nil), [.malformed]),
      RawCase("two Hosts", request(claims, "Host: other"), [.malformed]),
      RawCase("two Hosts, the same", request(claims, "Host: first-come"), [.malformed]),
      RawCase("two Hosts in two cases", request(claims, "HOST: first-come"), [.malformed]),
      RawCase("Host with a space before the colon", request(host: nil, "Host : first-come"), [.malformed]),
      RawCase("Host with a port out of range", request(host: "a:99999"), [.accepted, .malformed]),
    ]
}
