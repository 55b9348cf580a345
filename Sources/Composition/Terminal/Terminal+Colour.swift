/// What a word is painted in, so that the eye finds it. It never says anything that the word does not.
package enum Colour: Int, Sendable {
  case red = 31
  case green = 32
  case yellow = 33
}

extension Terminal {
  /// The text in bold and in a colour, where colours are welcome; else as it is.
  package func painted(_ text: String, _ colour: Colour) -> String {
    allowsColour ? "\u{1B}[1;\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }
}
