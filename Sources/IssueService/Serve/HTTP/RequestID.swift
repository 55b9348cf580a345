/// What names a request in answers and logs.
package enum RequestID {
  /// The client's own, where it is 1 to 128 of A-Z, a-z, 0-9, `.`, `_` and `-`; else a new one.
  package static func of(_ fields: [String]) -> String {
    guard fields.count == 1, isWellFormed(fields[0]) else { return new() }
    return fields[0]
  }

  static func new() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func isWellFormed(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}
