internal import Glibc

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
