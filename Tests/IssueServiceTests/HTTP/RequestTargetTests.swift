import Testing

@testable import IssueService

@Suite("The target of a request names one thing")
struct RequestTargetTests {
  @Test(arguments: [
    ("/", [""]), ("/v1/campaigns/summer", ["v1", "campaigns", "summer"]), ("/a?b=/c", ["a"]), ("/a?", ["a"]),
    ("/a//b/", ["a", "", "b", ""]), ("/a/../b", ["a", "..", "b"]), ("/a%2Fb", ["a/b"]), ("/%00", ["\0"]),
    ("/%ed%95%9c", ["한"]), ("/%25", ["%"]), ("http://host/a", ["a"]), ("HTTPS://host:1/a/b", ["a", "b"]),
  ])
  func path(text: String, segments: [String]) { #expect(RequestTarget(text) == .path(segments)) }

  @Test(arguments: [
    "", "a", "host:80", "/%", "/%2", "/%zz", "/%c3", "/%ff", "/%ed%a0%80", "/a b", "/a\u{7F}", "/한", "/a#b", "/a\n",
    "http://", "http:///a", "http://host", "ftp://host/a", "**", "?a",
  ])
  func none(text: String) { #expect(RequestTarget(text) == nil) }

  @Test func asterisk() { #expect(RequestTarget("*") == .asterisk) }

  @Test(arguments: [
    ("/v1/campaigns/summer/claims", PublicResource.claims(campaign: "summer")),
    ("/v1/campaigns/summer/claims/a%2Fb", .claim(campaign: "summer", user: "a/b")),
    ("/v1/campaigns/summer", .campaign("summer")), ("/v1/campaigns/", .campaign("")),
    ("/openapi.yaml", .contract), ("/problems", .problems), ("/problems/paused", .problem("paused")),
  ])
  func resource(text: String, resource: PublicResource) { #expect(Self.resource(text) == resource) }

  @Test(arguments: [
    "/", "/v1", "/v1/campaigns", "/V1/campaigns/a", "//v1/campaigns/a", "/v1/campaigns/a/claims/b/c",
    "/v1/campaigns/a/claim", "/v1/./campaigns/a", "/problems/a/b", "/openapi.yaml/", "/livez",
  ])
  func nothing(text: String) { #expect(Self.resource(text) == nil) }

  private static func resource(_ text: String) -> PublicResource? {
    guard case .path(let segments)? = RequestTarget(text) else { return nil }
    return PublicResource(segments: segments)
  }
}

@Suite("What a client takes and sends")
struct MediaTypeTests {
  @Test(arguments: [
    ([], true), ([""], true), ([","], true), (["*/*"], true), (["application/*"], true), (["application/json"], true),
    (["APPLICATION/JSON ; q=0.5"], true), (["text/html, application/json;q=0.1"], true),
    (["text/html", "application/json"], true), (["text/html;q=0, */*"], true), (["text/html"], false),
    (["application/json;q=0"], false), (["application/json;q=0, */*"], false), (["application/*;q=0, */*"], false),
    (["application/*;q=0, application/json"], true), (["*/*;q=0"], false), (["application/problem+json"], false),
    (["application/json;q=x"], false), (["*"], false),
  ])
  func accept(fields: [String], isAccepted: Bool) {
    #expect(MediaType.json.isAccepted(by: fields) == isAccepted)
  }

  @Test(arguments: [
    ("application/json", true), ("Application/JSON", true), ("application/json; charset=utf-8", true),
    (" application/json ;x", true), ("application/jsonp", false), ("text/json", false), ("", false),
    ("application/json, text/html", false),
  ])
  func contentType(field: String, isNamed: Bool) { #expect(MediaType.json.isNamed(by: field) == isNamed) }
}
