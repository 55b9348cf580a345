internal import ServiceKit

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
