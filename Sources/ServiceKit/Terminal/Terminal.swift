internal import Foundation
internal import Glibc

/// The target of a standard stream: a terminal, or a file or program.
package struct Terminal: Sendable {
  package static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
  package static let standardError = Terminal(descriptor: STDERR_FILENO)

  /// The table width if the terminal does not report one.
  package static let usualColumns = 80

  private let descriptor: Int32

  package var isTerminal: Bool { isatty(descriptor) == 1 }

  /// The width in columns, from `COLUMNS`, else from the terminal, else 80. It is `nil` if the stream is not a
  /// terminal, so that files and pipes get every line whole.
  package var columns: Int? {
    guard isTerminal else { return nil }
    if let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text), columns > 0 {
      return columns
    }
    var size = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return Self.usualColumns }
    return Int(size.ws_col)
  }

  /// Whether to print colours: on a terminal that supports them, unless `NO_COLOR` has a value
  /// (https://no-color.org).
  package var allowsColour: Bool {
    let environment = ProcessInfo.processInfo.environment
    return isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }
}

/// The colour of a word in messages. It only repeats the meaning of the word.
package enum Colour: Int, Sendable {
  case red = 31
  case green = 32
  case yellow = 33
}

extension Terminal {
  /// The text in bold and in a colour if colours are allowed; otherwise unchanged.
  package func painted(_ text: String, _ colour: Colour) -> String {
    allowsColour ? "\u{1B}[1;\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }
}

/// A confirmation at the terminal before an irreversible action.
package enum Confirmation {
  /// Asks on standard error, and reads one line from standard input.
  ///
  /// - Parameter what: the action, as in "cannot discard failed events".
  /// - Throws: ``CLIError`` with exit code 64 if standard input is not a terminal, or the answer is not `yes`.
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

  /// Reads one line of at most 100 bytes; `nil` at the end of input. The line reader of the standard library spins after
  /// an interrupted read.
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
