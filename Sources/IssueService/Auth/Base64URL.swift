internal import ServiceKit

/// Base64url without padding (RFC 4648, 5), in the one form that each sequence of bytes has.
package enum Base64URL {
  /// - Returns: `nil` for a character outside of the alphabet, `=`, `+` and `/` included, for an impossible length, and
  ///   where bits are left over that are not zero.
  package static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    guard text.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count * 3 / 4)
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for character in text {
      guard let value = value(of: character) else { return nil }
      bits = bits << 6 | value
      count += 6
      guard count >= 8 else { continue }
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> count))
      bits &= (1 << count) - 1
    }
    return bits == 0 ? bytes : nil
  }

  private static func value(of character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "-"): 62
    case UInt8(ascii: "_"): 63
    default: nil
    }
  }
}

extension Base64URL {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  /// The text of bytes, without padding.
  package static func encoded(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count * 4 + 2) / 3)
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(alphabet[Int(bits >> count)])
        bits &= (1 << count) - 1
      }
    }
    if count > 0 { text.append(alphabet[Int(bits << (6 - count))]) }
    return text
  }
}

/// Bytes that are shown to nobody: not printed, not dumped, in no error.
struct Secret: Sendable, Redacted {
  let bytes: [UInt8]

  /// The fewest bytes: as many as the hash of HS256 has (RFC 7518, 3.2).
  static let minimumBytes = 32

  /// Reads the secret from a file; one line break at its end is none of it.
  ///
  /// - Throws: ``CLIError``, exit code 78, for a file that cannot be used, a short secret, and a key of another
  ///   kind: a public key that served as a secret would let everybody sign.
  init(file path: String) throws(CLIError) {
    let file = KeyFile(path: path, content: "the secret of tokens", forbidden: .use)
    var bytes = try file.bytes()
    if bytes.last == UInt8(ascii: "\n") {
      bytes.removeLast()
      if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    }
    guard !bytes.starts(with: "-----BEGIN ".utf8), StrictJSON(bytes)?.members == nil else {
      throw file.refusal(
        "it holds a key in PEM or JSON, not a secret", next: "give public keys as a JWKS: --jwt-jwks-file FILE")
    }
    guard bytes.count >= Self.minimumBytes else {
      throw file.refusal(
        "a secret must have \(Self.minimumBytes) bytes or more",
        next: "make one with: openssl rand -base64 48; who signs the tokens needs the same")
    }
    self.bytes = bytes
  }
}

/// Shows nothing of itself, in whatever way it is printed or dumped.
protocol Redacted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Redacted {
  var description: String { "(concealed)" }
  var debugDescription: String { description }
  var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
