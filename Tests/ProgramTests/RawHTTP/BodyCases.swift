/// Bodies. A claim needs none; one that is sent is a JSON object (RFC 8259), and its members are ignored.
extension RawHTTPTests {
  static let bodyCases: [RawCase] = goodBodies + lenientBodies + badBodies

  private static let goodBodies: [RawCase] = [
    RawCase("no body", request(), [.accepted]),
    RawCase("no body, Content-Length 0", request(claims, "Content-Length: 0"), [.accepted]),
    RawCase("no body, but a type", request(claims, "Content-Type: text/plain"), [.accepted]),
    RawCase("empty body with another type", sending("", type: "text/plain"), [.accepted]),
    RawCase("no chunk", chunked("0\r\n\r\n"), [.accepted]),
    RawCase("body {}", sending("{}"), [.accepted]),
    RawCase("body with white space around", sending(" \t\r\n{ }\n"), [.accepted]),
    RawCase("body with a member", sending(#"{"a":1}"#), [.accepted]),
    RawCase("body with every kind of value", sending(#"{"a":[1,-2.5e3,"x",true,false,null,{}]}"#), [.accepted]),
    RawCase("body that names another user", sending(#"{"user_id":"other","campaign_id":"x"}"#), [.accepted]),
    RawCase("body that asks for a seat", sending(#"{"seat":1}"#), [.accepted]),
    RawCase("body with escapes", sending(#"{"\u0041\n\\":"\ud83d\ude00"}"#), [.accepted]),
    RawCase("body with Korean and an emoji", sending(#"{"이름":"쿠폰 😀"}"#), [.accepted]),
    RawCase("body with right-to-left text", sending(#"{"שם":"قسيمة"}"#), [.accepted]),
    RawCase("body with 15 levels", sending(nested(15)), [.accepted]),
    RawCase("body with 100 levels", sending(nested(100)), [.badBody]),
  ]

  /// RFC 8259 leaves these to the parser (§4, §6, §8.1, §8.2, §9), and what is in the body changes nothing.
  private static let lenientBodies: [RawCase] = [
    RawCase("body with the same member twice", sending(#"{"a":1,"a":2}"#), [.accepted, .badBody]),
    RawCase("body with a lone surrogate", sending(#"{"a":"\ud800"}"#), [.accepted, .badBody]),
    RawCase("body after a byte order mark", sending("\u{FEFF}{}"), [.accepted, .badBody]),
    RawCase("body with a number beyond a double", sending(#"{"a":1e999999}"#), [.accepted, .badBody]),
    RawCase("body with 600 levels", sending(nested(600)), [.badBody]),
    RawCase("body in UTF-16", sending("\u{E07B}\u{E000}\u{E07D}\u{E000}"), [.accepted, .badBody]),
    RawCase("body said to be gzip", sending("{}", "Content-Encoding: gzip"), [.accepted, .badBody, .badMedia]),
  ]

  private static let badBodies: [RawCase] = [
    "{", "}", "{{}}", "[]", "[{}]", #""""#, #""a""#, "0", "1", "-1.5", "true", "null", "NaN", " ", "\n", "{}{}", "{} x",
    "{},", ",{}", "{}]", #"{"a"}"#, #"{"a":}"#, #"{"a" 1}"#, #"{:1}"#, #"{"a":1,}"#, "{,}", #"{"a":1 "b":2}"#,
    #"{"a":1;"b":2}"#, "{a:1}", "{'a':1}", "{1:1}", #"{"a":01}"#, #"{"a":+1}"#, #"{"a":.5}"#, #"{"a":1.}"#,
    #"{"a":1e}"#, #"{"a":0x10}"#, #"{"a":NaN}"#, #"{"a":Infinity}"#, #"{"a":-}"#, #"{"a":tru}"#, #"{"a":True}"#,
    #"{"a":nil}"#, #"{"a":undefined}"#, #"{"a":"b}"#, #"{"a":b"}"#, #"{"a":"\x"}"#, #"{"a":"\u12"}"#, #"{"a":"\"}"#,
    #"{"a":[}"#, #"{"a":[1,]}"#, #"{"a":[1 2]}"#, #"{"a":(1)}"#, #"{"a":1} // why"#, #"/* why */ {}"#, "# why\n{}",
    "a=1&b=2", "<claim/>", "--x\r\n\r\n{}\r\n--x--", "()", "{\"a\":\"\n\"}", "{\"a\":\"\t\"}", "{\"a\":\"\u{E000}\"}",
    "{}\u{E000}", "\u{E000}", "\u{E000}{}", "{\"a\":\"\u{E0FF}\"}", "{\"a\":\"\u{E0C0}\u{E0AF}\"}", "\u{E0FF}\u{E0FE}",
    "{\"a\":\"\u{E0ED}\u{E0A0}\u{E080}\"}", "\u{E01F}\u{E08B}\u{E008}", "{\u{A0}}", "｛｝", "쿠폰",
    #"{"a":"# + String(repeating: "[", count: 2_000) + "}", String(repeating: "[", count: 4_000),
    String(repeating: "{\"a\":", count: 600),
  ].enumerated().map { number, body in
    RawCase("malformed body \(number): \(shown(body))", sending(body), [.badBody])
  }

  private static func nested(_ levels: Int) -> String {
    String(repeating: #"{"a":"#, count: levels) + "{}" + String(repeating: "}", count: levels)
  }

  static let mediaTypeCases: [RawCase] =
    [
      "application/json", "APPLICATION/JSON", "Application/Json", "application/json; charset=utf-8",
      "application/json;charset=UTF-8", " \tapplication/json \t",
    ].map { (type: String) in RawCase("body as \(shown(type))", sending("{}", type: type), [.accepted]) }
    // A parameter that we do not know, or a list of none, takes nothing from the type.
    + [
      "application/json;", "application/json ; a=b", "application/json; charset=utf-16", #"application/json; a="b;c""#,
      "application/json; charset",
    ].map { (type: String) in RawCase("body as \(shown(type))", sending("{}", type: type), [.accepted, .badMedia]) }
    + [
      "text/plain", "text/json", "text/html; charset=utf-8", "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x", "application/xml", "application/octet-stream", "application/jsonp",
      "application/json5", "application/x-ndjson", "application/problem+json", "application/merge-patch+json",
      "application/vnd.api+json", "application/jso", "xapplication/json", "application", "application/", "/json",
      "json",
      "*/*", "application/*", "text/plain; a=application/json", "text/plain, application/json",
      "application/json, text/plain", "application json", "application /json", "\"application/json\"", "",
    ].map { (type: String) in RawCase("body as \(shown(type))", sending("{}", type: type), [.badMedia]) }
    + [
      RawCase("body without a type", sending("{}", type: nil), [.badMedia]),
      RawCase(
        "chunked body as text", request(claims, chunkedField, "Content-Type: text/plain", body: oneChunk), [.badMedia]),
      RawCase("chunked body without a type", request(claims, chunkedField, body: oneChunk), [.badMedia]),
      RawCase(
        "body with the type twice, one of them wrong", sending("{}", "Content-Type: text/plain"),
        [.badMedia, .malformed]),
      RawCase(
        "body with the type twice", sending("{}", "Content-Type: application/json"), [.accepted, .badMedia, .malformed]),
      RawCase("the type is judged before the body", sending("{", type: "text/plain"), [.badMedia]),
      RawCase("the size is judged before the type", sending(object(5_000), type: "text/plain"), [.bodyTooLarge]),
      RawCase("the body is judged before the user", claimOf("a b", sending: "{"), [.badBody]),
      RawCase("the user is judged before the campaign", request("/v1/campaigns/A/claims", user: "a b"), [.badUser]),
      RawCase("nobody is judged before the campaign", request("/v1/campaigns/A/claims", user: nil), [.unauthenticated]),
    ]

  private static func claimOf(_ user: String, sending body: String) -> String {
    request(claims, user: user, "Content-Type: application/json", "Content-Length: \(body.utf8.count)", body: body)
  }

  static let chunkedField = "Transfer-Encoding: chunked"
  static let oneChunk = "2\r\n{}\r\n0\r\n\r\n"

  /// A JSON object of so many bytes.
  static func object(_ bytes: Int) -> String { #"{"a":""# + String(repeating: "x", count: bytes - 8) + #""}"# }

  static let sizeCases: [RawCase] = [
    RawCase("body of 4,095 bytes", sending(object(4_095)), [.accepted]),
    RawCase("body of 4,096 bytes", sending(object(4_096)), [.accepted]),
    RawCase("body of 4,097 bytes", sending(object(4_097)), [.bodyTooLarge]),
    RawCase("body of 8 KB", sending(object(8_192)), [.bodyTooLarge]),
    RawCase("body of 64 KB", sending(object(65_536)), [.bodyTooLarge]),
    RawCase("body of 10 MB", sending(object(10_000_000)), [.bodyTooLarge]),
    RawCase("4,097 bytes of white space", sending(String(repeating: " ", count: 4_097)), [.bodyTooLarge]),
    RawCase("4,096 bytes in one chunk", chunked(inChunks(object(4_096), of: 4_096)), [.accepted]),
    RawCase("4,096 bytes in chunks of 1", chunked(inChunks(object(4_096), of: 1)), [.accepted]),
    RawCase("4,096 bytes in chunks of 1,000", chunked(inChunks(object(4_096), of: 1_000)), [.accepted]),
    RawCase("4,097 bytes in one chunk", chunked(inChunks(object(4_097), of: 4_097)), [.bodyTooLarge]),
    RawCase("4,097 bytes in chunks of 1", chunked(inChunks(object(4_097), of: 1)), [.bodyTooLarge]),
    RawCase("10 MB in one chunk", chunked(inChunks(object(10_000_000), of: 10_000_000)), [.bodyTooLarge]),
    RawCase("10 MB in chunks of 1,000", chunked(inChunks(object(10_000_000), of: 1_000)), [.bodyTooLarge]),
    RawCase("1 MB in chunks of 7", chunked(inChunks(object(1_000_000), of: 7)), [.bodyTooLarge]),
    RawCase("a length of 4,097 and nothing of it", announcing("4097"), [.bodyTooLarge]),
    RawCase("a length of 10 MB and nothing of it", announcing("10000000"), [.bodyTooLarge]),
    RawCase("a length of 10 GB and nothing of it", announcing("10737418240"), [.bodyTooLarge]),
    RawCase("a chunk of 4,097 and nothing of it", chunked("1001\r\n"), [.bodyTooLarge, .silence], finishes: true),
    RawCase("GET with a small body", gettingWith(object(100)), [.ok]),
    RawCase("GET with a body of 4,097 bytes", gettingWith(object(4_097)), [.ok, .bodyTooLarge], .either),
    RawCase("GET with a body of 10 MB", gettingWith(object(10_000_000)), [.ok, .bodyTooLarge], .either),
    RawCase("a body where no resource is", request("/nowhere", "Content-Length: 2", body: "{}"), [.noResource]),
    RawCase(
      "10 MB where no resource is", request("/nowhere", "Content-Length: 10000000", body: object(10_000_000)),
      [.noResource, .bodyTooLarge], .either),
  ]

  private static func announcing(_ length: String) -> String {
    request(claims, "Content-Type: application/json", "Content-Length: \(length)")
  }

  private static func gettingWith(_ body: String) -> String {
    request("/v1/campaigns/raw", method: "GET", "Content-Length: \(body.utf8.count)", body: body)
  }

  static func inChunks(_ text: String, of size: Int) -> String {
    var wire = ""
    var rest = Substring(text).utf8
    while !rest.isEmpty {
      let chunk = rest.prefix(size)
      wire += String(chunk.count, radix: 16) + "\r\n" + String(Substring(chunk)) + "\r\n"
      rest = rest.dropFirst(size)
    }
    return wire + "0\r\n\r\n"
  }
}
