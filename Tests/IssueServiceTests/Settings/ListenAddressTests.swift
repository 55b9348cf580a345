import Testing

@testable import IssueService

@Suite("Where a listener is")
struct ListenAddressTests {
  static let longestPath = "/" + String(repeating: "x", count: ListenAddress.maximumPathBytes - 1)

  @Test(arguments: [
    ("127.0.0.1:8080", ListenAddress.host("127.0.0.1", port: 8_080), true),
    ("localhost:0", .host("localhost", port: 0), true), ("[::1]:81", .host("::1", port: 81), true),
    ("127.8.9.1:1", .host("127.8.9.1", port: 1), true), ("0.0.0.0:8080", .host("0.0.0.0", port: 8_080), false),
    ("[::]:65535", .host("::", port: 65_535), false), ("10.0.0.1:80", .host("10.0.0.1", port: 80), false),
    ("127.evil.example:80", .host("127.evil.example", port: 80), false),
    ("example.com:80", .host("example.com", port: 80), false),
    ("unix:/run/first-come.sock", .unix(path: "/run/first-come.sock"), true),
    ("unix:\(longestPath)", .unix(path: longestPath), true),
  ])
  func reads(text: String, expected: ListenAddress, isLoopback: Bool) {
    #expect(ListenAddress(text) == expected)
    #expect(expected.description == text)
    #expect(expected.isLoopback == isLoopback)
  }

  @Test(arguments: [
    "", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+80", "::1:80",
    "[127.0.0.1]:80", "[]:80", "[nonsense]:80", "a b:80", "a\u{1B}:80", "http://a:80", "unix:", "unix:relative.sock",
    "unix:/", "unix:/directory/", "unix:/a\u{0}b", "unix:\(longestPath)x",
  ])
  func refuses(text: String) { #expect(ListenAddress(text) == nil) }
}
