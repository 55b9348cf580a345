import ServiceKit
import Testing

@testable import WebhookIssuer

@Suite("Which endpoints and addresses are called")
struct EndpointTests {
  @Test(arguments: [
    ("https://issuer.example", "issuer.example", 443, "issuer.example", "https://issuer.example/"),
    (
      "HTTPS://Issuer.Example/v1?a=b%20c", "issuer.example", 443, "issuer.example",
      "https://issuer.example/v1?a=b%20c"
    ),
    (
      "https://issuer.example:8443/", "issuer.example", 8_443, "issuer.example:8443", "https://issuer.example:8443/"
    ),
    ("https://issuer.example:443/x", "issuer.example", 443, "issuer.example", "https://issuer.example/x"),
    ("https://issuer.example?q=1", "issuer.example", 443, "issuer.example", "https://issuer.example/?q=1"),
    ("http://10.0.0.7/codes", "10.0.0.7", 80, "10.0.0.7", "http://10.0.0.7/codes"),
    ("https://[2001:DB8::7]:9/x", "2001:db8::7", 9, "[2001:db8::7]:9", "https://[2001:db8::7]:9/x"),
    (
      "https://xn--3e0b707e/@:!$&'()*+,;=~._-", "xn--3e0b707e", 443, "xn--3e0b707e",
      "https://xn--3e0b707e/@:!$&'()*+,;=~._-"
    ),
    ("https://a/?redirect=https://b@c:1/d", "a", 443, "a", "https://a/?redirect=https://b@c:1/d"),
  ])
  func reads(text: String, host: String, port: Int, authority: String, url: String) throws {
    let endpoint = try WebhookEndpoint(text)
    #expect(endpoint.host == host && endpoint.port == port)
    #expect(endpoint.authority == authority && endpoint.url == url)
    #expect(try WebhookEndpoint(endpoint.url) == endpoint)
  }

  @Test(arguments: [
    ("", "bytes"), ("https://a/" + String(repeating: "x", count: 2_039), "bytes"), ("ftp://a/", "begin with https://"),
    ("issuer.example/x", "begin with https://"), ("//issuer.example", "begin with https://"),
    ("https:/a", "begin with"),
    ("unix:///run/x.sock", "begin with"), ("https+unix://%2Frun%2Fx/", "begin with"), ("https://", "no host"),
    ("https:///path", "no host"), ("https://:443/", "no host"), ("https://user:pass@a/", "password"),
    ("https://a@b/", "password"), ("https://@a/", "password"), ("https://a/#x", "fragment"),
    ("https://a#@b/", "fragment"),
    ("https://a:0/", "port"), ("https://a:65536/", "port"), ("https://a:/", "port"), ("https://a:+1/", "port"),
    ("https://a:1:2/", "port"), ("https://a b/", "ASCII"), ("https://한국.example/", "ASCII"), ("https://a/\n", "ASCII"),
    ("https://a\u{0}b/", "ASCII"), ("https://a_b/", "host"), ("https://-a/", "host"), ("https://a./", "host"),
    ("https://a..b/", "host"), ("https://a\\b/", "host"), ("https://a%2eb/", "host"), ("https://[::1/", "host"),
    ("https://[::1]x/", "host"), ("https://[127.0.0.1]/", "host"), ("https://[fe80::1%25eth0]/", "host"),
    ("https://[::1%eth0]/", "host"), ("https://127.1/", "whole address"), ("https://2130706433/", "whole address"),
    ("https://0x7f000001/", "whole address"), ("https://0177.0.0.1/", "whole address"), ("https://1.2.3.4.5/", "whole"),
    ("https://256.0.0.1/", "whole address"), ("https://a/%", "hexadecimal"), ("https://a/%2", "hexadecimal"),
    ("https://a/%zz", "hexadecimal"), ("https://a/\\x", "character"), ("https://a/<x>", "character"),
    ("https://a/?a[]=1", "character"), ("https://\(String(repeating: "a", count: 64)).example/", "host"),
  ])
  func refuses(text: String, why: String) {
    let error = #expect(throws: WebhookEndpointError.self) { try WebhookEndpoint(text) }
    #expect(error?.why.contains(why) == true && error?.next.isEmpty == false, "\(String(describing: error))")
  }

  @Test func aURLMayHave2048Bytes() throws {
    #expect(try WebhookEndpoint("https://a/" + String(repeating: "x", count: 2_038)).port == 443)
  }

  /// The first and the last address of each special network, and those just outside.
  @Test(arguments: [
    ("0.0.0.0", "0.255.255.255", nil, "1.0.0.0"), ("10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"),
    ("100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"),
    ("127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"),
    ("168.63.129.16", "168.63.129.16", "168.63.129.15", "168.63.129.17"),
    ("169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"),
    ("172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"),
    ("192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"),
    ("192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"),
    ("192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"),
    ("192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"),
    ("198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"),
    ("198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"),
    ("203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"),
    ("224.0.0.0", "255.255.255.255", "223.255.255.255", nil), ("::", "1fff:ffff::", nil, "2000::"),
    ("::ffff:8.8.8.8", "::ffff:127.0.0.1", nil, nil), ("::8.8.8.8", "::127.0.0.1", nil, nil), ("::1", "::1", nil, nil),
    ("64:ff9b::8.8.8.8", "64:ff9b:1::1", nil, nil), ("2001::", "2001:1ff:ffff::1", nil, "2001:200::"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff::", "2001:db9::"),
    ("2002::", "2002:ffff:ffff::1", "2001:ffff::1", "2003::"), ("3fff::", "3fff:fff:ffff::", "3ffe::", "3fff:1000::"),
    ("4000::", "fbff::", "3fff:ffff::", nil), ("fc00::", "fdff::1", nil, nil), ("fd00:ec2::254", "fe80::1", nil, nil),
    ("febf::1", "fec0::1", nil, nil), ("ff00::", "ff02::1", nil, nil),
  ])
  func specialAddressesAreNotPublic(first: String, last: String, before: String?, after: String?) throws {
    for text in [first, last] { #expect(try #require(IPAddress(numeric: text)).privacy != nil, "\(text)") }
    for text in [before, after].compactMap(\.self) {
      #expect(try #require(IPAddress(numeric: text)).privacy == nil, "\(text)")
    }
  }

  @Test(arguments: ["1.1.1.1", "8.8.8.8", "52.95.110.1", "2606:4700::1111", "2a00:1450:4001::200e"])
  func publicAddressesArePublic(text: String) throws {
    let address = try #require(IPAddress(numeric: text))
    #expect(address.privacy == nil && address.description == text)
  }

  @Test func aMappedAddressIsItsIPv4AddressToTheOperator() throws {
    let mapped = try #require(IPAddress(numeric: "::ffff:10.1.2.3"))
    #expect(mapped.folded.bytes == [10, 1, 2, 3] && mapped.bytes.count == 16)
  }
}
