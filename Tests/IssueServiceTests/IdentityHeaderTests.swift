import HTTPTypes
import Issuance
import NIOCore
import ServiceKit
import TestSupport
import Testing

@testable import IssueService

@Suite("X-User-Id is believed from trusted proxies only")
struct IdentityHeaderTests {
  private func answer(
    _ identity: HeaderIdentity = HeaderIdentity(), from peer: String?, _ values: String...
  ) async throws -> IdentityAnswer {
    var headers = HTTPFields()
    for value in values { headers.append(HTTPField(name: .userID, value: value)) }
    let from = try peer.map { Peer(try SocketAddress(ipAddress: $0, port: 4_711)) } ?? .local
    do throws(AuthError) {
      return .user(try await Authenticator.header(identity).user(of: headers, from: from).rawValue)
    } catch {
      #expect(error.challenge == "Gateway" && !error.detail.isEmpty)
      return .refused(error.reason)
    }
  }

  @Test func byDefaultThisMachineIsBelieved() async throws {
    for peer in ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", nil] {
      #expect(try await answer(from: peer, "alice") == .user("alice"))
    }
    for peer in ["128.0.0.1", "10.0.0.1", "::2", "::", "::ffff:10.0.0.1", "::127.0.0.1", "0.0.0.0", "2001:db8::1"] {
      #expect(try await answer(from: peer, "alice") == .refused(.notBelieved), "\(peer)")
      #expect(try await answer(from: peer, "not in form", "twice") == .refused(.notBelieved))
    }
  }

  @Test func theListReplacesTheDefault() async throws {
    let identity = HeaderIdentity(trustedProxies: [try Network("10.0.0.0/8"), try Network("2001:db8::7")])
    for peer in ["10.255.0.1", "::ffff:10.0.0.1", "2001:db8::7", nil] {
      #expect(try await answer(identity, from: peer, "alice") == .user("alice"))
    }
    for peer in ["127.0.0.1", "::1", "11.0.0.0", "2001:db8::8"] {
      #expect(try await answer(identity, from: peer, "alice") == .refused(.notBelieved))
    }
  }

  @Test func theHeaderIsThereOnceAndInForm() async throws {
    let peer = "127.0.0.1"
    #expect(try await answer(from: peer) == .refused(.missing))
    #expect(try await answer(from: peer, "alice", "alice") == .refused(.badUserID))
    #expect(try await answer(from: peer, "alice", "bob") == .refused(.badUserID))
    for value in ["", "a b", "älice", "alice, bob", String(repeating: "a", count: 129)] {
      #expect(try await answer(from: peer, value) == .refused(.badUserID), "\(value)")
    }
    #expect(try await answer(from: peer, String(repeating: "a", count: 128)) != .refused(.badUserID))
  }
}

@Suite("A source address is one and the same however it is written")
struct IdentityNetworkTests {
  @Test func aConnectionHasAPeer() throws {
    #expect(Peer(try SocketAddress(ipAddress: "192.0.2.7", port: 1)) == .address([192, 0, 2, 7]))
    #expect(Peer(try SocketAddress(ipAddress: "::ffff:192.0.2.7", port: 1)) == .address([192, 0, 2, 7]))
    #expect(
      Peer(try SocketAddress(ipAddress: "2001:db8::7", port: 65_535))
        == .address([0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7]))
    #expect(Peer(try SocketAddress(unixDomainSocketPath: "/tmp/first-come.socket")) == .local)
  }

  @Test func anAddressIsNumeric() {
    #expect(Peer(numeric: "192.0.2.7") == .address([192, 0, 2, 7]))
    #expect(Peer(numeric: "::FFFF:c000:0207") == .address([192, 0, 2, 7]))
    for text in [
      "", "localhost", "192.0.2", "192.0.2.07", "192.0.2.256", "fe80::1%lo", "127.0.0.1\u{0}.9", " ::1", "1",
    ] {
      #expect(Peer(numeric: text) == nil, "\(text)")
    }
  }

  @Test(arguments: [
    ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["9.255.255.255", "11.0.0.0", "a00::"]),
    ("192.168.4.0/22", ["192.168.4.0", "192.168.7.255"], ["192.168.3.255", "192.168.8.0"]),
    ("192.0.2.7", ["192.0.2.7"], ["192.0.2.6"]), ("0.0.0.0/0", ["255.255.255.255", "0.0.0.0"], ["::1"]),
    ("::1/128", ["::1"], ["::", "127.0.0.1"]), ("::/0", ["2001:db8::1"], ["10.0.0.1", "::ffff:10.0.0.1"]),
    ("2001:db8:8000::/33", ["2001:db8:ffff::"], ["2001:db8:7fff::"]),
    ("::ffff:10.0.0.0/104", ["10.9.9.9"], ["11.0.0.0"]), ("::ffff:0:0/96", ["192.0.2.7"], ["2001:db8::1"]),
  ])
  func aNetworkContains(text: String, members: [String], strangers: [String]) throws {
    let network = try Network(text)
    for member in members { #expect(network.contains(try #require(Peer(numeric: member))), "\(member)") }
    for stranger in strangers { #expect(!network.contains(try #require(Peer(numeric: stranger))), "\(stranger)") }
    #expect(!network.contains(.local))
    #expect(try Network(network.description) == network)
  }

  @Test(arguments: [
    "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.0/8 ",
    "10.0.0.0/255.0.0.0", "10.0.0/8", "localhost", "example.com/24", "::/129", "[::1]", "::1%lo", "10.0.0.1,10.0.0.2",
    "10.0.0.1/8", "2001:db8::1/32", "::ffff:10.0.0.0/90", "127.0.0.1/0", "10.0.0.0/٨",
  ])
  func whatIsNoNetwork(text: String) {
    #expect(throws: NetworkFormError.self) { try Network(text) }
  }

  @Test func theErrorSaysWhatToWrite() throws {
    let error = try #require(throws: NetworkFormError.self) { try Network("10.1.2.3/8") }
    #expect(error.next == "write 10.0.0.0/8 for the whole network, or 10.1.2.3 for the one address")
    let failure = error.failure(of: "--trusted-proxy")
    #expect(failure.status == .configuration && failure.message == "cannot take '10.1.2.3/8' as --trusted-proxy")
  }
}

@Suite("The client behind trusted proxies is the one that they name")
struct IdentityForwardedTests {
  private func client(from peer: String?, _ values: String...) throws -> Peer {
    var headers = HTTPFields()
    for value in values { headers.append(HTTPField(name: HTTPField.Name("x-forwarded-for")!, value: value)) }
    let proxies = ForwardedPeer(trustedProxies: [try Network("10.0.0.0/8"), try Network("2001:db8:1::/48")])
    return proxies.client(of: headers, from: try peer.map { try #require(Peer(numeric: $0)) } ?? .local)
  }

  private func expect(_ peer: Peer, is text: String, _ location: SourceLocation = #_sourceLocation) {
    #expect(peer == Peer(numeric: text), sourceLocation: location)
  }

  @Test func theLastThatIsNoProxy() throws {
    expect(try client(from: "10.0.0.1", "192.0.2.7"), is: "192.0.2.7")
    expect(try client(from: "10.0.0.1", "198.51.100.1, 192.0.2.7"), is: "192.0.2.7")
    expect(try client(from: "10.0.0.1", "198.51.100.1,192.0.2.7 ,\t10.0.0.2, 2001:db8:1::5"), is: "192.0.2.7")
    expect(try client(from: "10.0.0.1", "198.51.100.1", "192.0.2.7", "10.0.0.2"), is: "192.0.2.7")
    expect(try client(from: "::ffff:10.0.0.1", "::ffff:192.0.2.7"), is: "192.0.2.7")
    expect(try client(from: nil, "192.0.2.7"), is: "192.0.2.7")
    expect(try client(from: "10.0.0.1", "192.0.2.7:4711"), is: "192.0.2.7")
    expect(try client(from: "10.0.0.1", "[2001:db8::7]:4711"), is: "2001:db8::7")
    expect(try client(from: "10.0.0.1", "[2001:db8::7]"), is: "2001:db8::7")
  }

  /// What a client wrote itself stands before what the proxy appended, and is not even read.
  @Test func whatAClientMadeUpCountsNothing() throws {
    for madeUp in ["10.0.0.9", "garbage", "", ",,,,", "\"'; --", String(repeating: "10.0.0.9,", count: 500)] {
      expect(try client(from: "10.0.0.1", "\(madeUp),192.0.2.7"), is: "192.0.2.7")
    }
  }

  @Test func whoIsNotTrustedSpeaksForNobody() throws {
    expect(try client(from: "192.0.2.1", "198.51.100.1"), is: "192.0.2.1")
    expect(try client(from: "127.0.0.1", "198.51.100.1"), is: "127.0.0.1")
  }

  @Test func whatCannotBeReadIsThePeer() throws {
    for value in [
      "", "unknown", "192.0.2", "192.0.2.7,", "192.0.2.7, _hidden", "192.0.2.7:", "[::1", "fe80::1%eth0",
      "192.0.2.7,10.0.0.300", "[192.0.2.7", "2001:db8::7:99999:1",
    ] {
      expect(try client(from: "10.0.0.1", value), is: "10.0.0.1")
    }
    expect(try client(from: "10.0.0.1"), is: "10.0.0.1")
    #expect(try client(from: nil) == .local)
    let hops = Array(repeating: "10.0.0.2", count: ForwardedPeer.maximumHops - 1).joined(separator: ",")
    expect(try client(from: "10.0.0.1", "192.0.2.7,\(hops)"), is: "192.0.2.7")
    expect(try client(from: "10.0.0.1", "192.0.2.7,10.0.0.2,\(hops)"), is: "10.0.0.1")
  }

  @Test func aClientAmongTheProxiesIsTheFarthest() throws {
    expect(try client(from: "10.0.0.1", "10.0.0.3, 10.0.0.2"), is: "10.0.0.3")
  }
}
