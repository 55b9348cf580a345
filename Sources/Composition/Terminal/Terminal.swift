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
