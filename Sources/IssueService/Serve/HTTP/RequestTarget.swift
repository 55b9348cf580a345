/// The target of a request line (RFC 9112, section 3.2).
package enum RequestTarget: Equatable, Sendable {
  case asterisk
  /// The decoded segments of the path. Empty and dot segments stay as they are: nothing is normalised, so that there is
  /// one way to name a thing.
  case path([String])

  /// Reads the origin form, the absolute form and the asterisk form; what follows a `?` is ignored.
  ///
  /// - Returns: `nil` for any other form, for a byte that a target cannot hold, and for a bad percent-encoding.
  package init?(_ text: String) {
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else { return nil }
    if text == "*" {
      self = .asterisk
      return
    }
    var path = text.utf8.prefix { $0 != UInt8(ascii: "?") }
    if path.first != UInt8(ascii: "/") {
      guard let start = Self.pathOfAbsoluteForm(path) else { return nil }
      path = start
    }
    var segments: [String] = []
    for segment in path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      guard let decoded = Self.percentDecoded(segment) else { return nil }
      segments.append(decoded)
    }
    self = .path(segments)
  }

  private static func pathOfAbsoluteForm(_ target: Substring.UTF8View) -> Substring.UTF8View? {
    let text = Substring(target)
    for scheme in ["http://", "https://"] where text.lowercased().hasPrefix(scheme) {
      let authority = text.dropFirst(scheme.count)
      guard let slash = authority.firstIndex(of: "/"), slash != authority.startIndex else { return nil }
      return authority[slash...].utf8
    }
    return nil
  }

  private static func percentDecoded(_ segment: Substring.UTF8View) -> String? {
    guard segment.contains(UInt8(ascii: "%")) else { return String(Substring(segment)) }
    var bytes: [UInt8] = []
    var rest = segment[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(Self.hexadecimal), let low = rest.popFirst().flatMap(Self.hexadecimal)
      else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func hexadecimal(_ digit: UInt8) -> UInt8? {
    Character(UnicodeScalar(digit)).hexDigitValue.map(UInt8.init)
  }
}
