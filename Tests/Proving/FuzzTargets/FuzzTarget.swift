/// Something that reads bytes from outside, tried with any bytes: it must neither trap nor break what it says of itself.
package struct FuzzTarget: Sendable {
  package let name: String
  /// Reads the bytes, and traps where what was read is not what it should be.
  package let read: @Sendable ([UInt8]) -> Void

  init(_ name: String, _ read: @escaping @Sendable ([UInt8]) -> Void) {
    self.name = name
    self.read = read
  }

  /// All of them, in the order in which they are run.
  package static func all() async throws -> [FuzzTarget] {
    let identities = try await Identities()
    return [
      .token(identities), .keys(identities), .json, .http(identities), .header, .userID, .codeFile, .commandLine,
      try .configurationFile(), .settings, .webhook, .endpoint, .load, .witness, .log,
    ]
  }
}

extension FuzzTarget {
  static func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  /// What stands before the first line end, and what after it.
  static func split(_ bytes: [UInt8]) -> (first: ArraySlice<UInt8>, rest: ArraySlice<UInt8>) {
    guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return (bytes[...], []) }
    return (bytes[..<end], bytes[(end + 1)...])
  }

  static func lines(_ bytes: [UInt8]) -> [String] {
    bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(text)
  }

  /// Whether a text can be one line of a log or a terminal.
  static func isOneLine(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
  }
}
