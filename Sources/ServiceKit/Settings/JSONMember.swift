internal import Foundation

/// A member of a JSON object as it stands in the text: parsers keep one of two with the same key, and say nothing.
struct JSONMember {
  let key: String
  /// The form of its value where a setting can have it; `nil` for an object, a list of others than strings, `true`,
  /// `false` and `null`. An integer may still have a fraction.
  let form: SettingJSONForm?
  let value: String
  /// Key and value as they stand in the text.
  let source: String

  /// The members of the object in order.
  ///
  /// - Parameter bytes: JSON, which a parser has taken already.
  /// - Returns: `nil` where it is not an object.
  static func members(of bytes: [UInt8]) -> [JSONMember]? {
    var scanner = JSONScanner(bytes)
    guard scanner.take(UInt8(ascii: "{")) else { return nil }
    var members: [JSONMember] = []
    while let (key, value) = scanner.takeMember() {
      guard let name = try? JSONDecoder().decode(String.self, from: Data(key)) else { return nil }
      let (keyText, valueText) = (String(decoding: key, as: UTF8.self), String(decoding: value, as: UTF8.self))
      members.append(
        JSONMember(key: name, form: form(of: value), value: valueText, source: "\(keyText): \(valueText)"))
    }
    return members
  }

  /// Whether a comma stands before the end of an object or list, which the parser takes and JSON does not have.
  static func haveCommaAtEnd(_ bytes: [UInt8]) -> Bool {
    var scanner = JSONScanner(bytes)
    return scanner.findCommaAtEnd()
  }

  private static func form(of value: ArraySlice<UInt8>) -> SettingJSONForm? {
    switch value.first {
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "["):
      var scanner = JSONScanner(Array(value))
      return scanner.take(UInt8(ascii: "[")) && scanner.hasStringsOnly() ? .list : nil
    case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return .integer
    default: return nil
    }
  }
}

/// Walks through JSON that is known to be well formed.
private struct JSONScanner {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }  // a byte order mark
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func take(_ byte: UInt8) -> Bool {
    skip(while: Self.isSpace)
    guard current == byte else { return false }
    position += 1
    return true
  }

  /// The next key, with its quotes, and its value; `nil` at the end of the object.
  mutating func takeMember() -> (key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)? {
    skip { Self.isSpace($0) || $0 == UInt8(ascii: ",") }
    guard current == UInt8(ascii: "\"") else { return nil }
    let key = takeString()
    skip { Self.isSpace($0) || $0 == UInt8(ascii: ":") }
    return (key, takeValue())
  }

  /// Whether the list, whose opening bracket was taken, has no other values than strings.
  mutating func hasStringsOnly() -> Bool {
    while let current, current != UInt8(ascii: "]") {
      switch current {
      case UInt8(ascii: "\""): _ = takeString()
      case UInt8(ascii: ","): position += 1
      default:
        guard Self.isSpace(current) else { return false }
        position += 1
      }
    }
    return true
  }

  mutating func findCommaAtEnd() -> Bool {
    var last: UInt8?
    while let current {
      if current == UInt8(ascii: "\"") {
        _ = takeString()
      } else {
        if current == UInt8(ascii: "}") || current == UInt8(ascii: "]"), last == UInt8(ascii: ",") { return true }
        position += 1
      }
      if !Self.isSpace(current) { last = current }
    }
    return false
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  private mutating func skip(while isSkipped: (UInt8) -> Bool) {
    while let current, isSkipped(current) { position += 1 }
  }

  private mutating func takeString() -> ArraySlice<UInt8> {
    let start = position
    position += 1
    while let current, current != UInt8(ascii: "\"") { position += current == UInt8(ascii: "\\") ? 2 : 1 }
    position = min(position + 1, bytes.count)
    return bytes[start..<position]
  }

  private mutating func takeValue() -> ArraySlice<UInt8> {
    let start = position
    var depth = 0
    while let current {
      switch current {
      case UInt8(ascii: "\""): _ = takeString()
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        position += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","):
        if depth == 0 { return bytes[start..<position] }
        if current != UInt8(ascii: ",") { depth -= 1 }
        position += 1
      default:
        if depth == 0, Self.isSpace(current) { return bytes[start..<position] }
        position += 1
      }
    }
    return bytes[start..<position]
  }
}
