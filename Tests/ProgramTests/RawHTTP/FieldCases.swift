/// Header fields: who asks, what is accepted, and the syntax of fields (RFC 9110 §5, RFC 9112 §5).
extension RawHTTPTests {
  static let identityCases: [RawCase] =
    [
      "!", "~", "\"", "%", "%61", "/", "\\", "..", "<b>", "{}", "a,b", "a;b", "a:b", "'", "`", "Mina", "mina",
      long("u", 128),
    ].map { (user: String) in RawCase("user \(shown(user))", request(user: user), [.accepted]) }
    // White space around a value is not part of it.
    + [" around ", "\taround-tab\t"].map { (user: String) in
      RawCase("user \(shown(user))", request(user: user), [.accepted])
    }
    + ["", " ", "\t", "a b", "a\tb", "a, b", long("u", 129), long("u", 5_000)].map { (user: String) in
      RawCase("user \(shown(user))", request(user: user), [.badUser])
    }
    // No text of a field value, or text that is no user id.
    + [
      "쿠폰", "שם", "😀", "a\u{A0}", "\u{FEFF}a", "ａ", "\u{E0E9}", "\u{E0FF}", "a\u{E001}", "\u{E01B}[31m", "a\u{E07F}",
      "a\u{E00B}b", "a\u{E00C}", "\u{E080}",
    ].map { (user: String) in
      RawCase("user \(shown(user))", request(user: user), [.badUser, .malformed], .either)
    }
    + ["a\u{E000}", "\u{E000}", "a\rb", "a\r", "a\r\rb", "\ra"].map { (user: String) in
      RawCase("user \(shown(user))", request(user: user), [.malformed])
    }
    + [
      RawCase("no user", request(user: nil), [.unauthenticated]),
      RawCase("a token, but no user", request(user: nil, "Authorization: Bearer a.b.c"), [.unauthenticated]),
      RawCase("a token beside the user", request(claims, "Authorization: Bearer a.b.c"), [.accepted]),
      RawCase("two users", request(claims, "X-User-Id: other"), [.badUser]),
      RawCase("two users, the same", request(claims, "X-User-Id: @USER@"), [.badUser]),
      RawCase("two users in two cases", request(claims, "x-user-id: other"), [.badUser]),
      RawCase("two users, one of them empty", request(claims, "X-User-Id:"), [.badUser]),
      RawCase("three users", request(claims, "X-User-Id: b", "X-User-Id: c"), [.badUser]),
      RawCase("user in small letters", request(user: nil, "x-user-id: @USER@"), [.accepted]),
      RawCase("user in capital letters", request(user: nil, "X-USER-ID: @USER@"), [.accepted]),
      RawCase("user without a space", request(user: nil, "X-User-Id:@USER@"), [.accepted]),
      RawCase("user with underscores", request(user: nil, "X_User_Id: @USER@"), [.unauthenticated]),
      RawCase("user and another with underscores", request(claims, "X_User_Id: other"), [.accepted]),
      RawCase("user with a space before the colon", request(user: nil, "X-User-Id : @USER@"), [.malformed]),
      RawCase("user after a space", request(user: nil, " X-User-Id: @USER@"), [.malformed]),
      RawCase("user on a folded line", request(user: nil, "X-User-Id:\r\n @USER@"), [.malformed, .accepted]),
      RawCase("user folded", request(claims, " and-more"), [.malformed, .badUser], .either),
      RawCase("a query for the user", request("\(claims)?X-User-Id=@USER@", user: nil), [.unauthenticated]),
      RawCase("a cookie for the user", request(user: nil, "Cookie: X-User-Id=@USER@"), [.unauthenticated]),
      RawCase("Connection names the user field", request(claims, "Connection: X-User-Id"), [.accepted]),
    ]

  static let fieldCases: [RawCase] = syntaxCases + countCases + ignoredCases

  private static let syntaxCases: [RawCase] =
    [
      "X:y", "X:", "X: ", "X:\ty", "X: y \t", "X: a:b", "X: \u{00E9}", "X: \u{E0FF}", "!#$%&'*+-.^_`|~0: y", "X: \"",
      "1: y",
    ].map {
      // RFC 9110 §5.5: text beyond ASCII is opaque, in a field that nobody reads.
      RawCase("field \(shown($0))", request(claims, $0), [.accepted])
    }
    + [
      "X", "X y", ":", ": y", " : y", "X : y", "X\t: y", "X Y: z", "X(: y", "X): y", "X/: y", "X@: y", "X[: y", "X]: y",
      "X{: y", "X}: y", "X=: y", "X?: y", "X,: y", "X;: y", "X<: y", "X>: y", "X\\: y", "\"X\": y", "쿠폰: y",
      "\u{E0FF}: y",
      "X\u{E000}: y", "X: \u{E000}", "X: a\u{E000}b", "\u{E001}X: y", "X: a\rb", "X: a\rX-User-Id: b", "X: a\r\rb",
      "X\r: y", "\rX: y", "X: y\r", "GET / HTTP/1.1",
    ].map { RawCase("field \(shown($0))", request(claims, $0), [.malformed]) }
    // RFC 9110 §5.5: other controls are invalid, but a recipient may keep them in a field that it does not read.
    + ["X: \u{E001}", "X: \u{E07F}", "X: \u{E00B}", "X: \u{E01B}"].map {
      RawCase("field \(shown($0))", request(claims, $0), [.malformed, .accepted])
    }
    + [
      RawCase("a folded field", request(claims, "X: a\r\n b"), [.malformed, .accepted]),
      RawCase("a field folded by a tab", request(claims, "X: a\r\n\tb"), [.malformed, .accepted]),
      RawCase("a folded field of white space", request(claims, "X: a\r\n "), [.malformed, .accepted]),
      RawCase(
        "white space before the first field", "POST \(claims) HTTP/1.1\r\n Host: a\r\nX-User-Id: @USER@\r\n\r\n",
        [.malformed]),
      // RFC 9112 §2.2: LF alone may be read as the end of a line.
      RawCase(
        "LF for CRLF everywhere", request().replacing("\r\n", with: "\n"), [.malformed, .accepted], finishes: true),
      RawCase("LF after one field", request(claims, "X: y\nY: z"), [.malformed, .accepted]),
      RawCase(
        "LF after the request line", "POST \(claims) HTTP/1.1\nHost: a\r\nX-User-Id: @USER@\r\n\r\n",
        [.malformed, .accepted]),
      RawCase("LF for the empty line", String(request().dropLast()) + "\n", [.malformed, .accepted], finishes: true),
      RawCase("CR for CRLF everywhere", request().replacing("\r\n", with: "\r"), [.malformed], finishes: true),
      RawCase("LF CR for CRLF", request().replacing("\r\n", with: "\n\r"), [.malformed], finishes: true),
      RawCase("CR CR LF for CRLF", request().replacing("\r\n", with: "\r\r\n"), [.malformed], finishes: true),
      RawCase("no fields at all", "POST \(claims) HTTP/1.1\r\n\r\n", [.malformed]),
    ]

  /// Host and X-User-Id count as well.
  private static func fields(_ count: Int) -> String {
    (0..<(count - 2)).map { "X-\($0): y" }.joined(separator: "\r\n")
  }

  /// A claim whose request line and fields are so many bytes on the wire.
  private static func header(_ bytes: Int, in count: Int = 1) -> String {
    let empty = request(claims, user: "@USER@", (0..<count).map { "F\($0 % 10): " }.joined(separator: "\r\n"))
    let filler = bytes - empty.utf8.count
    return request(
      claims,
      (0..<count).map { "F\($0 % 10): " + long("x", filler / count + ($0 == 0 ? filler % count : 0)) }
        .joined(separator: "\r\n"))
  }

  private static let countCases: [RawCase] = [
    RawCase("63 fields", request(claims, fields(63)), [.accepted]),
    RawCase("64 fields", request(claims, fields(64)), [.accepted]),
    RawCase("65 fields", request(claims, fields(65)), [.headerTooLarge]),
    RawCase("66 fields", request(claims, fields(66)), [.headerTooLarge]),
    RawCase("1,000 fields", request(claims, fields(1_000)), [.headerTooLarge]),
    RawCase("100,000 fields", request(claims, fields(100_000)), [.headerTooLarge]),
    RawCase("a header of 4,000 bytes", header(4_000), [.accepted]),
    RawCase("a header of 7,900 bytes", header(7_900), [.accepted]),
    RawCase("a header of 7,900 bytes in 50 fields", header(7_900, in: 50), [.accepted]),
    // Whether the limit counts the request line, colons, white space and line ends is left open.
    RawCase("a header of 8,192 bytes", header(8_192), [.accepted, .headerTooLarge]),
    RawCase("a header of 8,193 bytes", header(8_193), [.accepted, .headerTooLarge]),
    RawCase("a header of 8,600 bytes", header(8_600), [.headerTooLarge]),
    RawCase("a header of 9,000 bytes in 50 fields", header(9_000, in: 50), [.headerTooLarge]),
    RawCase("a header of 16 KB", header(16_384), [.headerTooLarge]),
    RawCase("a header of 1 MB", header(1_000_000), [.headerTooLarge]),
    RawCase("a header of 10 MB", header(10_000_000), [.headerTooLarge]),
    RawCase("a field name of 9,000 bytes", request(claims, long("X", 9_000) + ": y"), [.headerTooLarge]),
    RawCase("a cookie of 9,000 bytes", request(claims, "Cookie: " + long("a=b; ", 1_800)), [.headerTooLarge]),
    RawCase("X-User-Id of 1 MB", request(user: long("u", 1_000_000)), [.headerTooLarge]),
    RawCase(
      "a value of 1 MB of white space", request(claims, "X: " + long(" ", 1_000_000) + "y"),
      [.headerTooLarge, .accepted, .malformed], .either),
    RawCase(
      "1,000 folded lines", request(claims, "X: a" + long("\r\n b", 1_000)), [.malformed, .headerTooLarge, .accepted],
      .either),
  ]

  private static let ignoredCases: [RawCase] =
    [
      "Idempotency-Key: 1", "Idempotency-Key:", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "traceparent: 00-0-0-0", "traceparent:", "tracestate: a=b", "X-Request-Id: checkout-4711", "X-Request-Id:",
      "X-Request-Id: a b", "X-Request-Id: 쿠폰", "X-Request-Id: \(long("a", 128))", "X-Request-Id: \(long("a", 129))",
      "X-Request-Id: a\r\nX-Request-Id: b", "X-Forwarded-For: 203.0.113.1", "X-Forwarded-Host: other",
      "X-HTTP-Method-Override: DELETE", "X-Original-URL: /other", "Forwarded: for=203.0.113.1", "Range: bytes=0-0",
      "If-None-Match: *", "If-Match: \"x\"", "If-Modified-Since: never", "Max-Forwards: 0", "TE: trailers",
      "TE: gzip;q=x",
      "Trailer: X", "Accept-Encoding: gzip, br", "Accept-Language: ko", "Accept-Charset: utf-16", "Cookie: a=b",
      "Origin: https://example.org", "Date: never", "From: a@example.org", "Via: 1.1 a", "Content-Language: x",
      "Content-Range: bytes 0-0/1", "Content-MD5: x", "Proxy-Connection: keep-alive", "Keep-Alive: timeout=1000000",
    ].map { RawCase("ignored: \(shown($0))", request(claims, $0), [.accepted]) }

  static let acceptCases: [RawCase] =
    [
      "*/*", "application/*", "application/json", "APPLICATION/JSON", "application/json;q=0.5",
      "application/json; q=0.001",
      "text/html, */*;q=0.1", "text/html,application/json", "application/json, text/html;q=0", "*/*, text/html;q=0",
      "application/json;q=1.000", "text/html, application/xml;q=0.9, */*;q=0.8", "application/*;q=0.3, text/*",
      "text/html\r\nAccept: application/json", "application/json;q=0.5, */*;q=0",
    ].map { RawCase("Accept \(shown($0))", request(claims, "Accept: \($0)"), [.accepted]) }
    + [
      "text/html", "text/*", "application/xml", "application/problem+json", "application/jso", "application/jsonx",
      "application/json;q=0", "application/json; q=0.0", "application/json;q=0.000", "*/*;q=0", "application/*;q=0",
      "text/html, image/*", "application/json;q=0, */*", "application/json;q=0, application/*", "application/yaml",
    ].map { RawCase("Accept \(shown($0))", request(claims, "Accept: \($0)"), [.notAcceptable]) }
    // RFC 9110 §12.5.1 does not say what a field that it does not allow means.
    + [
      "", "json", "*", "application/json;q=x", "application/json;q=2", "application/json;q=-1", ",", ";",
      "application/json;v=2",
    ]
    .map {
      RawCase(
        "Accept \(shown($0))", request(claims, "Accept: \($0)"), [.accepted, .notAcceptable, .malformed],
        .either)
    }
    + [
      ("/openapi.yaml", "application/yaml", true), ("/openapi.yaml", "application/*", true),
      ("/openapi.yaml", "application/json", false), ("/openapi.yaml", "text/yaml", false),
      ("/problems", "text/*", true),
      ("/problems", "text/markdown", true), ("/problems", "text/html", false),
      ("/problems/closed", "text/markdown", true),
      ("/problems/closed", "application/json", false), ("/v1/campaigns/raw", "application/json", true),
      ("/v1/campaigns/raw", "text/html", false),
    ].map { path, accept, matches in
      RawCase(
        "Accept \(accept) at \(path)", request(path, method: "GET", "Accept: \(accept)"),
        [matches ? .ok : .notAcceptable])
    }
    + [
      RawCase("Accept is judged before the body", sending("{", "Accept: text/html"), [.notAcceptable]),
      RawCase("Accept is judged before the user", request(user: nil, "Accept: text/html"), [.notAcceptable]),
      RawCase(
        "HEAD with an Accept of no match", request("/problems", method: "HEAD", "Accept: image/png"), [.notAcceptable]),
    ]
}
