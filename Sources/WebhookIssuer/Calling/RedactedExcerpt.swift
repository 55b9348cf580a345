package import Issuance

/// Makes the first bytes of what an issuer said fit for a message: one line, and without the user's id.
package struct RedactedExcerpt: Sendable {
  /// How many bytes of a body are kept.
  static let maximumBytes = 200

  let user: UserID

  package init(user: UserID) { self.user = user }

  func beginning(of body: [UInt8]) -> String {
    let clean = withoutUser(body)
    guard clean.count > Self.maximumBytes else { return Self.escaped(String(decoding: clean, as: UTF8.self)) }
    var text = String(decoding: clean.prefix(Self.maximumBytes), as: UTF8.self)
    // A character that was cut in two.
    if text.unicodeScalars.last == "\u{FFFD}" { text.unicodeScalars.removeLast() }
    return Self.escaped(text) + "…"
  }

  /// The id where it stands as a word of its own: an id such as `1` is also a part of numbers.
  private func withoutUser(_ body: [UInt8]) -> [UInt8] {
    let id = Array(user.rawValue.utf8)
    // What is beyond does not come to be seen, however much the replacements shorten what is before it.
    let body = body.prefix(Self.maximumBytes * (id.count + 1))
    var result: [UInt8] = []
    var position = body.startIndex
    while position < body.endIndex {
      let end = position + id.count
      let isWord =
        (position == body.startIndex || !Self.isWordByte(body[position - 1]))
        && (end >= body.endIndex || !Self.isWordByte(body[end]))
      if isWord, body[position...].starts(with: id) {
        result += "(user)".utf8
        position = end
      } else {
        result.append(body[position])
        position += 1
      }
    }
    return result
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }

  /// The text on one line, with what is not seen written out as in JSON.
  static func escaped(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
          result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
      }
    }
  }
}
