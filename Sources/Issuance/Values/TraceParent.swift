/// Where in a trace a claim was made: the `traceparent` of W3C Trace Context, in the form of its version 00.
///
/// The form, and what a reader does with a version that it does not know: https://www.w3.org/TR/trace-context-2/
package struct TraceParent: Hashable, Sendable, CustomStringConvertible {
  /// How many bytes version 00 has; a later version has at least as many.
  private static let length = 55

  /// `00-`, trace id, `-`, parent id, `-`, flags: 55 characters.
  package let rawValue: String

  /// Reads the value of one header field.
  ///
  /// Of a later version the trace id, the parent id and the one flag that every version has, sampled, are taken; what
  /// follows them is dropped.
  ///
  /// - Returns: `nil` where `text` is malformed. Such a header is to be ignored: it says nothing about the claim.
  package init?(_ text: String) {
    let bytes = Array(text.utf8.prefix(Self.length + 1))
    guard bytes.count >= Self.length, [2, 35, 52].allSatisfy({ bytes[$0] == Self.hyphen }) else { return nil }
    let fields = [bytes[0..<2], bytes[3..<35], bytes[36..<52], bytes[53..<55]]
    guard fields.allSatisfy({ $0.allSatisfy(Self.isDigit) }), !fields[0].elementsEqual("ff".utf8),
      fields[1...2].allSatisfy({ !$0.allSatisfy { $0 == Self.zero } })
    else { return nil }
    if fields[0].allSatisfy({ $0 == Self.zero }) {
      guard bytes.count == Self.length else { return nil }
      rawValue = text
    } else {
      guard bytes.count == Self.length || bytes[Self.length] == Self.hyphen else { return nil }
      let flags = UInt8(String(decoding: fields[3], as: UTF8.self), radix: 16) ?? 0
      rawValue = "00" + String(decoding: bytes[2..<53], as: UTF8.self) + (flags & 1 == 1 ? "01" : "00")
    }
  }

  package var description: String { rawValue }

  private static let hyphen = UInt8(ascii: "-")
  private static let zero = UInt8(ascii: "0")

  /// Lower case only, in every field.
  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}
