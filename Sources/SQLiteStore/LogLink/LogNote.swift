/// The state of the database at the last checkpoint that moved the whole log into the main file: the number of its last
/// commit and its nonce. The next log starts on this state.
///
/// It is one line in the file of the write lock, written inside the lock.
struct LogNote: Equatable {
  private static let prefix = "log moved into the file at "

  /// The number of the last commit and the nonce in hexadecimal digits, with a space between them.
  let state: String

  init(_ state: String) { self.state = state }

  /// - Returns: `nil` if the text is no such note.
  init?(text: String) {
    guard text.hasPrefix(Self.prefix), text.hasSuffix("\n") else { return nil }
    state = String(text.dropFirst(Self.prefix.count).dropLast())
    guard Self.sequence(of: state) != nil else { return nil }
  }

  var text: String { Self.prefix + state + "\n" }

  enum Verdict: Equatable {
    /// The main file is at the noted state, so a log without links was started on it.
    case begunHere
    /// The main file is older than the state that the log was started on: the reason.
    case begunLater(String)
    case unknown
  }

  /// Decides whether a log without links was started on the main file.
  ///
  /// - Parameter main: the state of the main file without its log; `nil` if it cannot be read.
  func verdict(on main: String?) -> Verdict {
    guard let main, let found = Self.sequence(of: main), let noted = Self.sequence(of: state) else { return .unknown }
    if main == state { return .begunHere }
    guard found < noted else { return .unknown }
    return .begunLater("the file is at commit \(found), and the log was started after commit \(noted)")
  }

  /// Whether the state is another one, or follows it.
  func isAtLeast(_ other: String) -> Bool {
    if state == other { return true }
    guard let own = Self.sequence(of: state), let before = Self.sequence(of: other) else { return false }
    return own > before
  }

  private static func sequence(of state: String) -> Int64? {
    let words = state.split(separator: " ", omittingEmptySubsequences: false)
    return words.count == 2 && words[1].count == 32 ? Int64(words[0]) : nil
  }
}
