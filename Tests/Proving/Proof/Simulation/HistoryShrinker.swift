/// Cuts a history that breaks a promise down to the steps without which it does not.
struct HistoryShrinker {
  /// How many shorter histories are tried at most.
  static let most = 600

  /// Whether a history breaks a promise, and how.
  let breaks: (ShortHistory) async throws -> String?

  /// - Returns: the shortest that was found, and how it breaks a promise.
  func shrink(_ history: ShortHistory, _ what: String) async throws -> (history: ShortHistory, what: String) {
    var shortest = history
    var what = what
    var tried = 0
    var size = max(1, history.steps.count / 2)
    while tried < Self.most {
      var hasShrunk = false
      var start = 0
      while start < shortest.steps.count, tried < Self.most {
        var shorter = shortest
        shorter.steps.removeSubrange(start..<min(start + size, shorter.steps.count))
        tried += 1
        if let found = try await breaks(shorter) {
          (shortest, what, hasShrunk) = (shorter, found, true)
        } else {
          start += size
        }
      }
      if size == 1, !hasShrunk { break }
      size = max(1, size / 2)
    }
    return (shortest, what)
  }
}
