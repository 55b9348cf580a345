/// Text from anywhere, spelt so that it can neither end a line nor act on the terminal that shows it.
///
/// Escaped as in JSON are control characters (C0, DEL, C1), separators of lines and paragraphs, and invisible characters
/// of formatting, such as those that turn the direction of writing.
enum EscapedText {
  /// - Parameters:
  ///   - limit: of the result, in bytes. What is cut ends with an ellipsis.
  ///   - quotes: whether the result will stand between double quotes.
  ///   - isCut: becomes `true` where the limit was reached.
  static func of(_ text: String, limit: Int, quotes: Bool, isCut: inout Bool) -> String {
    let ellipsis = "…"
    var result = ""
    var count = 0
    // Where to go back to, so that the ellipsis has room.
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

  /// The text without a limit; line ends and tabs stay, since they are the writer's own.
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

  /// The text as a cell of a table: on one line. What joins characters stays; emoji and some scripts are written with it.
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

  /// Whether it does something else than to be seen.
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
