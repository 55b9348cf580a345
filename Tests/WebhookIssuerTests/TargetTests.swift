import Foundation
import Issuance
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import WebhookIssuer

@Suite("Only targets that were judged are called", .timeLimit(.minutes(2)))
struct TargetTests {
  private static let deadline = Duration.seconds(60)

  private func addresses(_ texts: String...) -> DNSResolver.Answer {
    .success(texts.compactMap { IPAddress(numeric: $0) })
  }

  @Test(arguments: [
    "127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "[::1]", "[fd00:ec2::254]", "[fe80::1]",
    "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "0.0.0.0", "[::]",
  ])
  func numericHostsThatAreNotPublicAreRefused(host: String) async throws {
    try await withIssuer(isAllowed: { _ in false }) { issuer in
      let failure = await issuer.ask(.sample("https://\(host)/"), within: Self.deadline).failure
      #expect(failure?.kind == .infrastructure)
      #expect(failure?.error.hasPrefix("refused to call \(host)") == true, "\(String(describing: failure))")
      #expect(failure?.error.contains("--webhook-allow") == true)
    }
  }

  /// One private address among public ones is enough; nobody is called.
  @Test func everyAddressOfANameMustDo() async throws {
    let server = try await ScriptedIssuer()
    let names = DNSResolver { _ in addresses("127.0.0.1", "10.0.0.1") }
    let roots = try WebhookRoots(of: server)
    try await server.run {
      try await withIssuer(roots: roots, names: names) { issuer in
        let url = server.url.replacing("127.0.0.1", with: "localhost")
        let failure = await issuer.ask(.sample(url), within: Self.deadline).failure
        #expect(failure?.kind == .infrastructure)
        #expect(failure?.error.contains("its address 10.0.0.1 is a private address") == true)
      }
    }
    #expect(server.connections == 0)
  }

  /// The name exists for the first look-up only: whoever looked it up again would get nowhere.
  @Test func theConnectionGoesToTheAddressThatWasJudged() async throws {
    let server = try await ScriptedIssuer(host: "issuer.invalid", names: "DNS:issuer.invalid")
    let roots = try WebhookRoots(of: server)
    let asked = Mutex<[String]>([])
    let names = DNSResolver { name in
      let count = asked.withLock { names in
        names.append(name)
        return names.count
      }
      return count == 1 ? addresses("127.0.0.1") : addresses("10.0.0.1")
    }
    try await server.run {
      try await withIssuer(roots: roots, names: names) { issuer in
        let answer = await issuer.ask(.sample(server.url), within: Self.deadline)
        #expect(answer == .coded("ISSUER-1"))
        #expect(asked.withLock { $0 } == ["issuer.invalid"])
        // It is judged anew for each call.
        let rebound = await issuer.ask(.sample(server.url), within: Self.deadline)
        #expect(rebound.failure?.error.contains("refused") == true, "\(rebound)")
      }
    }
    #expect(server.requests.first?["Host"]?.hasPrefix("issuer.invalid:") == true)
  }

  @Test(arguments: [
    ("issuer.example", "issuer.example", true), ("Issuer.Example", "issuer.example", true),
    ("*.example.com", "a.example.com", true), ("*.example.com", "a.b.example.com", false),
    ("*.example.com", "example.com", false), ("*", "example", false), ("*.com", "example.com", false),
    ("a*.example.com", "ab.example.com", false), ("", "a", false), ("issuer.example.", "issuer.example", false),
  ])
  func theNamesOfACertificate(name: String, host: String, isFor: Bool) {
    #expect(CertificateName.isName(name, for: host) == isFor)
  }

  @Test func aCertificateForManyNames() async throws {
    let server = try await ScriptedIssuer(host: "eu.issuer.invalid", names: "DNS:a.invalid,DNS:*.issuer.invalid")
    let roots = try WebhookRoots(of: server)
    let names = DNSResolver { _ in addresses("127.0.0.1") }
    let answer = try await server.run {
      try await withIssuer(roots: roots, names: names) { await $0.ask(.sample(server.url), within: Self.deadline) }
    }
    #expect(answer.failure == nil, "\(answer)")
  }

  /// The certificate must be for the name, not for the address that the name leads to.
  @Test func theCertificateIsCheckedAgainstTheName() async throws {
    let server = try await ScriptedIssuer(host: "issuer.invalid", names: "IP:127.0.0.1,DNS:other.invalid")
    let roots = try WebhookRoots(of: server)
    let names = DNSResolver { _ in addresses("127.0.0.1") }
    let answer = try await server.run {
      try await withIssuer(roots: roots, names: names) { await $0.ask(.sample(server.url), within: Self.deadline) }
    }
    #expect(answer.failure?.error.contains("TLS failed") == true, "\(answer)")
    #expect(server.requests.isEmpty)
  }

  @Test func theNextAddressIsTriedWhereOneCannotBeReached() async throws {
    let server = try await ScriptedIssuer(host: "issuer.invalid", names: "DNS:issuer.invalid")
    let roots = try WebhookRoots(of: server)
    let names = DNSResolver { _ in addresses("127.0.0.2", "127.0.0.1") }
    let answer = try await server.run {
      try await withIssuer(roots: roots, names: names) { await $0.ask(.sample(server.url), within: Self.deadline) }
    }
    #expect(answer == .coded("ISSUER-1"))
  }

  @Test func plainHTTPIsForNamedAddressesOnly() async throws {
    let server = try await ScriptedIssuer(isSecure: false)
    try await server.run {
      try await withIssuer { issuer in
        let answer = await issuer.ask(.sample(server.url), within: Self.deadline)
        #expect(answer == .coded("ISSUER-1"))
      }
      let names = DNSResolver { _ in addresses("8.8.8.8") }
      try await withIssuer(names: names) { issuer in
        let answer = await issuer.ask(.sample("http://issuer.invalid/"), within: Self.deadline)
        #expect(answer.failure?.kind == .infrastructure)
        #expect(answer.failure?.error.contains("not called without TLS") == true, "\(answer)")
      }
    }
  }

  @Test func aBadURLIsInfrastructureWithItsReason() async throws {
    try await withIssuer { issuer in
      let answer = await issuer.ask(.sample("https://user:pass@issuer.example/"), within: Self.deadline)
      #expect(answer.failure?.kind == .infrastructure)
      #expect(answer.failure?.error.contains("password") == true)
      #expect(answer.failure?.error.contains("pass@") == false)
    }
  }

  @Test func aNameThatDoesNotExistIsInfrastructure() async throws {
    try await withIssuer { issuer in
      let answer = await issuer.ask(.sample("https://no-such-host.invalid/"), within: Self.deadline)
      #expect(answer.failure?.kind == .infrastructure)
      #expect(answer.failure?.error.hasPrefix("cannot look up no-such-host.invalid: ") == true, "\(answer)")
    }
  }

  /// A resolver that hangs holds up nobody beyond half of the deadline, and one thread for all who ask for the name.
  @Test func aResolverThatHangsIsInfrastructure() async throws {
    let hanging = DispatchSemaphore(value: 0)
    let lookups = Atomic<Int>(0)
    let names = DNSResolver { _ in
      lookups.wrappingAdd(1, ordering: .relaxed)
      hanging.wait()
      return addresses("127.0.0.1")
    }
    let began = ContinuousClock.now
    try await withIssuer(names: names) { issuer in
      await withTaskGroup(of: CodeResponse.self) { group in
        for seat in 1...20 {
          group.addTask { await issuer.ask(.sample("https://issuer.invalid/", seat: seat), within: .seconds(4)) }
        }
        for await answer in group {
          #expect(answer.failure?.kind == .infrastructure)
          #expect(answer.failure?.error == "cannot look up issuer.invalid: no answer within 2.0 seconds")
        }
      }
    }
    #expect(ContinuousClock.now - began < .seconds(30))
    #expect(lookups.load(ordering: .relaxed) == 1)
    hanging.signal()
  }

  /// Clients of many addresses come and go; only so many stay.
  @Test func clientsAreKeptWithinABound() async throws {
    let server = try await ScriptedIssuer(isSecure: false, host: "issuer.invalid")
    let next = Atomic<Int>(0)
    let names = DNSResolver { _ in
      let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
      return addresses("127.0.0.1", "127.0.1.\(number)")
    }
    try await server.run {
      try await withIssuer(names: names) { issuer in
        for number in 0..<80 {
          let url = server.url.replacing("issuer.invalid", with: "p\(number).invalid")
          #expect(await issuer.ask(.sample(url), within: Self.deadline).failure == nil)
        }
        #expect(issuer.keptClients <= 32)
      }
    }
  }
}
