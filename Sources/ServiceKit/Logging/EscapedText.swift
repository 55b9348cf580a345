/// Escapes untrusted text so that it cannot end a line or control the terminal that shows it.
///
/// It escapes control characters (C0, DEL, C1), line and paragraph separators, and invisible format characters, such
/// as those that change the writing direction. The form is that of JSON.
enum EscapedText {
  /// - Parameters:
  ///   - limit: of the result, in bytes. Text that is cut ends with an ellipsis.
  ///   - quotes: whether the result will stand between double quotes.
  ///   - isCut: becomes `true` if the limit was reached.
  static func of(_ text: String, limit: Int, quotes: Bool, isCut: inout Bool) -> String {
    let ellipsis = "…"
    var result = ""
    var count = 0
    // The end of the longest prefix that leaves room for the ellipsis.
    var lastFit = result.endIndex
    for scalar in text.unicodeScalars {
      let piece = spelling(of: scalar, quotes: quotes)
      count += piece.utf8.count
      guard count <= limit else {
        isCut = true
        return result[..<lastFit] + ellipsis
      }
      result += piece
      if count + ellipsis.utf8.count <= limit { lastFit = result.endIndex }
    }
    return result
  }

  /// Escapes text without a limit. Line ends and tabs stay, because the program wrote them itself.
  static func ofParagraph(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if scalar == "\n" || scalar == "\t" || !isActive(scalar) {
        result.unicodeScalars.append(scalar)
      } else {
        result += hexadecimal(scalar)
      }
    }
    return result
  }

  /// Escapes the text of a table cell, on one line. Joiners stay, because emoji and some scripts need them.
  static func ofCell(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
      let isJoiner = scalar == "\u{200C}" || scalar == "\u{200D}"
      if isActive(scalar) && !isJoiner { result += hexadecimal(scalar) } else { result.unicodeScalars.append(scalar) }
    }
  }

  private static func spelling(of scalar: Unicode.Scalar, quotes: Bool) -> String {
    switch scalar {
    case "\\": "\\\\"
    case "\"" where quotes: "\\\""
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    default: isActive(scalar) ? hexadecimal(scalar) : String(scalar)
    }
  }

  /// Whether the character acts on the display instead of being shown.
  private static func isActive(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  private static func hexadecimal(_ scalar: Unicode.Scalar) -> String {
    UTF16.encode(scalar)!.map { unit in
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined()
  }
}
