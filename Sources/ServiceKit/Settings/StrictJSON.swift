/// A strict JSON value (RFC 8259) for tokens, key sets, bodies and configuration files. A name may occur only once in
/// an object, however it is escaped.
///
/// If two readers pick different values of a duplicate name, a forged claim can pass a check. Strings are compared as
/// UTF-8 bytes, because `String` treats different spellings of a character as equal.
package enum StrictJSON: Sendable, Equatable {
  case null
  case boolean(Bool)
  /// The number as written.
  case number(String)
  case string([UInt8])
  case array([StrictJSON])
  case object([[UInt8]: StrictJSON])

  /// The deepest nesting of objects and arrays.
  package static let maximumDepth = 16

  /// - Returns: `nil` if the bytes are not exactly one JSON value in UTF-8.
  package init?(_ bytes: [UInt8]) {
    guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
    var reader = StrictJSONReader(bytes)
    guard let value = reader.document() else { return nil }
    self = value
  }

  /// A member of an object with its source text.
  struct Member {
    let name: String
    let value: StrictJSON
    /// The text of the value.
    let valueText: String
    /// Name and value as JSON.
    let source: String
  }

  /// The members of an object in text order. A duplicate name gives two members.
  ///
  /// - Returns: `nil` if the bytes are not exactly one JSON object.
  static func orderedMembers(of bytes: [UInt8]) -> [Member]? {
    var reader = StrictJSONReader(bytes)
    return reader.orderedMembers()
  }

  package var members: [[UInt8]: StrictJSON]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// The member of an object.
  package subscript(_ name: String) -> StrictJSON? { members?[Array(name.utf8)] }

  package var string: [UInt8]? {
    if case .string(let bytes) = self { bytes } else { nil }
  }

  package var array: [StrictJSON]? {
    if case .array(let values) = self { values } else { nil }
  }
}

/// Parses one JSON value. Each method returns `nil` at a syntax error, and then the whole text is rejected.
private struct StrictJSONReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() -> StrictJSON? {
    guard let value = value(depth: 0) else { return nil }
    skipSpace()
    return position == bytes.count ? value : nil
  }

  mutating func orderedMembers() -> [StrictJSON.Member]? {
    var members: [StrictJSON.Member] = []
    skipSpace()
    guard take("{") else { return nil }
    skipSpace()
    if next != UInt8(ascii: "}") {
      repeat {
        skipSpace()
        let nameStart = position
        guard let name = string() else { return nil }
        let nameText = String(decoding: bytes[nameStart..<position], as: UTF8.self)
        skipSpace()
        guard take(":") else { return nil }
        skipSpace()
        let valueStart = position
        guard let value = value(depth: 1) else { return nil }
        let text = String(decoding: bytes[valueStart..<position], as: UTF8.self)
        members.append(
          StrictJSON.Member(
            name: String(decoding: name, as: UTF8.self), value: value, valueText: text, source: "\(nameText): \(text)"))
        skipSpace()
      } while take(",")
    }
    guard take("}") else { return nil }
    skipSpace()
    return position == bytes.count ? members : nil
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let next, next == 0x20 || next == 0x09 || next == 0x0A || next == 0x0D { position += 1 }
  }

  private mutating func value(depth: Int) -> StrictJSON? {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return depth < StrictJSON.maximumDepth ? object(depth: depth + 1) : nil
    case UInt8(ascii: "["): return depth < StrictJSON.maximumDepth ? array(depth: depth + 1) : nil
    case UInt8(ascii: "\""): return string().map(StrictJSON.string)
    case UInt8(ascii: "t"): return literal("true", .boolean(true))
    case UInt8(ascii: "f"): return literal("false", .boolean(false))
    case UInt8(ascii: "n"): return literal("null", .null)
    default: return number()
    }
  }

  private mutating func literal(_ word: String, _ value: StrictJSON) -> StrictJSON? {
    guard bytes[position...].starts(with: word.utf8) else { return nil }
    position += word.utf8.count
    return value
  }

  private mutating func object(depth: Int) -> StrictJSON? {
    var members: [[UInt8]: StrictJSON] = [:]
    _ = take("{")
    skipSpace()
    if take("}") { return .object(members) }
    repeat {
      skipSpace()
      guard let name = string() else { return nil }
      skipSpace()
      guard take(":"), let value = value(depth: depth), members.updateValue(value, forKey: name) == nil else {
        return nil
      }
      skipSpace()
    } while take(",")
    return take("}") ? .object(members) : nil
  }

  private mutating func array(depth: Int) -> StrictJSON? {
    var values: [StrictJSON] = []
    _ = take("[")
    skipSpace()
    if take("]") { return .array(values) }
    repeat {
      guard let value = value(depth: depth) else { return nil }
      values.append(value)
      skipSpace()
    } while take(",")
    return take("]") ? .array(values) : nil
  }

  private mutating func string() -> [UInt8]? {
    guard take("\"") else { return nil }
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return text
      case UInt8(ascii: "\\"):
        guard let scalar = escaped() else { return nil }
        text.append(contentsOf: Array(String(scalar).utf8))
      case 0..<0x20: return nil
      default: text.append(byte)
      }
    }
    return nil
  }

  /// Parses the rest of an escape sequence, after the backslash.
  private mutating func escaped() -> Unicode.Scalar? {
    guard let byte = next else { return nil }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{08}"
    case UInt8(ascii: "f"): return "\u{0C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: return nil
    }
    guard let first = fourHexDigits() else { return nil }
    guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) }
    guard take("\\"), take("u"), let second = fourHexDigits(), (0xDC00..<0xE000).contains(second) else { return nil }
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
  }

  private mutating func fourHexDigits() -> UInt32? {
    guard position + 4 <= bytes.count else { return nil }
    var value: UInt32 = 0
    for byte in bytes[position..<position + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
      value = value << 4 | UInt32(digit)
    }
    position += 4
    return value
  }

  private mutating func number() -> StrictJSON? {
    let start = position
    _ = take("-")
    if !take("0") { guard digits() else { return nil } }
    if take(".") { guard digits() else { return nil } }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      position += 1
      if !take("+") { _ = take("-") }
      guard digits() else { return nil }
    }
    return .number(String(decoding: bytes[start..<position], as: UTF8.self))
  }

  /// Skips digits, and returns whether there was at least one.
  private mutating func digits() -> Bool {
    let start = position
    while let next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) { position += 1 }
    return position > start
  }
}
