internal import Foundation
internal import Glibc

/// What one of the standard streams leads to: a person's terminal, or a file or program.
package struct Terminal: Sendable {
  package static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
  package static let standardError = Terminal(descriptor: STDERR_FILENO)

  /// What tables are made for where nobody says how wide it is.
  package static let usualColumns = 80

  private let descriptor: Int32

  package var isTerminal: Bool { isatty(descriptor) == 1 }

  /// How many columns it has: as the variable `COLUMNS` or the terminal says, else 80; `nil` where it is no terminal,
  /// so that nothing is cut for whoever reads it later.
  package var columns: Int? {
    guard isTerminal else { return nil }
    if let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text), columns > 0 {
      return columns
    }
    var size = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return Self.usualColumns }
    return Int(size.ws_col)
  }

  /// Whether colours are welcome: on a terminal that knows them, unless `NO_COLOR` is set to anything but nothing
  /// (https://no-color.org).
  package var allowsColour: Bool {
    let environment = ProcessInfo.processInfo.environment
    return isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }
}

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

/// A question to the person at the terminal, before what cannot be undone.
package enum Confirmation {
  /// Asks on standard error, and reads one line from standard input.
  ///
  /// - Parameter what: as in "cannot discard failed events".
  /// - Throws: ``CLIError`` with exit code 64 where nobody is there to be asked, or the answer is not yes.
  package static func ask(_ question: String, doing what: String) throws(CLIError) {
    guard isatty(STDIN_FILENO) == 1 else {
      throw CLIError(
        .usage, "cannot \(what) without asking", reason: "standard input is no terminal",
        hint: "say --yes where it is meant; nothing was changed")
    }
    printError("\(question) Type yes:")
    guard line() == "yes" else {
      throw CLIError(
        .usage, "did not \(what)", reason: "the answer was not yes",
        hint: "nothing was changed; run it again to change it"
      )
    }
  }

  /// One line of at most 100 bytes; `nil` at the end. The standard library's own reading of lines spins after an
  /// interrupted read.
  private static func line() -> String? {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while bytes.count < 100 {
      let got = unsafe read(STDIN_FILENO, &byte, 1)
      if got < 0, errno == EINTR { continue }
      guard got == 1 else { return nil }
      if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
    return nil
  }
}
