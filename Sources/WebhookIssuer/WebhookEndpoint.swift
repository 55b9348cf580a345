internal import ServiceKit

/// The URL of an issuer, as an operator wrote it: `https://issuer.example/v1/codes`.
///
/// Accepts only URLs that every parser reads the same way, so that the host that is checked is the host that is
/// called.
package struct WebhookEndpoint: Sendable, Hashable {
  package enum Scheme: String, Sendable {
    case https
    /// Only for addresses that the operator allows explicitly.
    case http

    var defaultPort: Int { self == .https ? 443 : 80 }
  }

  /// The maximum number of bytes in a URL.
  package static let maximumBytes = 2_048
  /// The format in words, for an error message.
  package static let form = "a URL such as https://issuer.example/v1/codes"

  package let scheme: Scheme
  /// In lower case; an IPv6 address has no brackets.
  package let host: String
  package let port: Int
  /// Path and query. They may hold a secret of the issuer, so no message shows them.
  let target: String

  /// - Throws: ``WebhookEndpointError``.
  package init(_ text: String) throws(WebhookEndpointError) {
    guard (1...Self.maximumBytes).contains(text.utf8.count) else {
      throw WebhookEndpointError(why: "it must have 1 to \(Self.maximumBytes) bytes", next: "write \(Self.form)")
    }
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw WebhookEndpointError(
        why: "it has characters other than printable ASCII",
        next: "write a name in its xn-- form, and anything else in percent encoding")
    }
    guard let end = text.firstRange(of: "://"), let scheme = Scheme(rawValue: text[..<end.lowerBound].lowercased())
    else {
      throw WebhookEndpointError(
        why: "it does not begin with https:// (or http://, for an address of your own network)",
        next: "write \(Self.form)")
    }
    let rest = text[end.upperBound...]
    guard !rest.contains("#") else {
      throw WebhookEndpointError(why: "it has a fragment, which is never sent", next: "leave out # and what follows")
    }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    guard !authority.contains("@") else {
      throw WebhookEndpointError(
        why: "it names a user or a password, which everybody who sees the campaign would read",
        next: "leave out what stands before @; the issuer knows us by the signature")
    }
    self.scheme = scheme
    let (name, port) = try Self.split(authority)
    host = name
    self.port = port ?? scheme.defaultPort
    let path = rest[authority.endIndex...]
    try Self.check(path)
    target = path.hasPrefix("/") ? String(path) : "/\(path)"
  }

  /// Host and port as in messages: `issuer.example`, or `issuer.example:8443`.
  package var authority: String { port == scheme.defaultPort ? bracketedHost : "\(bracketedHost):\(port)" }

  /// The URL in the form that is called.
  package var url: String { "\(scheme.rawValue)://\(authority)\(target)" }

  private var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }
}

extension WebhookEndpoint {
  private static func split(_ authority: Substring) throws(WebhookEndpointError) -> (host: String, port: Int?) {
    var host = authority
    var digits: Substring?
    if authority.hasPrefix("[") {
      guard let close = authority.firstIndex(of: "]") else { throw badHost(authority) }
      host = authority[...close]
      let after = authority[authority.index(after: close)...]
      guard after.isEmpty || after.hasPrefix(":") else { throw badHost(authority) }
      digits = after.isEmpty ? nil : after.dropFirst()
    } else if let colon = authority.firstIndex(of: ":") {
      host = authority[..<colon]
      digits = authority[authority.index(after: colon)...]
    }
    return (try readHost(host), try digits.map { (text) throws(WebhookEndpointError) in try readPort(text) })
  }

  private static func readPort(_ digits: Substring) throws(WebhookEndpointError) -> Int {
    guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let port = Int(digits), (1...65_535).contains(port)
    else { throw WebhookEndpointError(why: "its port must be 1 to 65535", next: "correct or leave out the port") }
    return port
  }

  private static func readHost(_ text: Substring) throws(WebhookEndpointError) -> String {
    guard !text.isEmpty else { throw WebhookEndpointError(why: "it names no host", next: "write \(form)") }
    if text.hasPrefix("[") {
      let inner = String(text.dropFirst().dropLast()).lowercased()
      guard inner.contains(":"), IPAddress(numeric: inner) != nil else { throw badHost(text) }
      return inner
    }
    let host = text.lowercased()
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    guard host.utf8.count <= 253, labels.allSatisfy(isLabel) else { throw badHost(text) }
    // Some parsers read 127.1 and 0x7f000001 as addresses, others as names.
    if labels.last?.utf8.first.map({ (0x30...0x39).contains($0) }) == true, IPAddress(numeric: host) == nil {
      throw WebhookEndpointError(
        why: "its host '\(text)' is neither a name nor a whole address", next: "write an IPv4 address as four numbers")
    }
    return host
  }

  private static func isLabel(_ label: Substring) -> Bool {
    (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
      && label.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D }
  }

  private static func badHost(_ text: Substring) -> WebhookEndpointError {
    WebhookEndpointError(
      why: "its host '\(text)' is no name of letters, digits and hyphens, and no numeric address",
      next: "write \(form), or https://[2001:db8::7]/ for an IPv6 address")
  }

  /// Checks that path and query have only the characters of RFC 3986.
  private static func check(_ target: Substring) throws(WebhookEndpointError) {
    var bytes = Array(target.utf8)[...]
    while let byte = bytes.popFirst() {
      if byte == UInt8(ascii: "%") {
        let digits = bytes.prefix(2)
        guard digits.count == 2, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
          throw WebhookEndpointError(why: "it has a % without two hexadecimal digits", next: "write %25 for a %")
        }
      } else if !legal.contains(byte) {
        throw WebhookEndpointError(
          why: "its path or query has the character '\(Character(Unicode.Scalar(byte)))'",
          next: "write it in percent encoding")
      }
    }
  }

  private static let legal = Set(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?".utf8)
}

/// The reason that a text is not a valid ``WebhookEndpoint``.
package struct WebhookEndpointError: Error, Sendable, Equatable {
  package let why: String
  package let next: String
}
