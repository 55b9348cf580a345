internal import Glibc
internal import Synchronization

/// Shows the progress of long work on standard error. On a terminal it is a bar, which is removed when the work ends.
/// Otherwise it is a line every 10 seconds, and nothing for shorter work.
///
/// Any thread may report steps. A step costs an atomic increment and a look at the clock.
package final class ProgressMeter: Sendable {
  /// The output for progress.
  enum Display: Sendable {
    /// A terminal. `write` takes text without a line end, and `columns` gives the present width.
    case bar(columns: @Sendable () -> Int, write: @Sendable (String) -> Void)
    case lines(@Sendable (String) -> Void)

    var interval: Duration {
      switch self {
      case .bar: .milliseconds(100)
      case .lines: .seconds(10)
      }
    }

    static var standardError: Display {
      let terminal = Terminal.standardError
      guard terminal.isTerminal, unsafe getenv("TERM").map({ unsafe String(cString: $0) }) != "dumb" else {
        return .lines { printError($0) }
      }
      return .bar(columns: { terminal.columns ?? Terminal.usualColumns }) { text in
        LineWriter.standardError.writeUnlessStalled(text)
      }
    }
  }

  private let what: String
  private let total: Int?
  private let unit: String
  private let display: Display
  private let now: @Sendable () -> ContinuousClock.Instant
  private let begun: ContinuousClock.Instant
  private let done = Atomic<Int>(0)
  /// The next time to show progress, in milliseconds since the start.
  private let nextShow: Atomic<Int64>
  private let state = Mutex(State())

  private struct State {
    var isFinished = false
    var isBarThere = false
  }

  /// - Parameters:
  ///   - what: the work, such as `sending claims`.
  ///   - total: the number of steps; `nil` if it is unknown.
  ///   - unit: a step in the plural: `claims`.
  package convenience init(_ what: String, total: Int?, unit: String = "") {
    self.init(what, total: total, unit: unit, on: .standardError) { .now }
  }

  init(
    _ what: String, total: Int?, unit: String = "", on display: Display,
    now: @escaping @Sendable () -> ContinuousClock.Instant
  ) {
    self.what = what
    self.total = total
    self.unit = unit
    self.display = display
    self.now = now
    begun = now()
    nextShow = Atomic(display.interval.inMilliseconds)
  }

  /// Adds completed steps.
  package func advance(by steps: Int = 1) {
    let steps = done.wrappingAdd(steps, ordering: .relaxed).newValue
    showIfDue(steps)
  }

  /// Sets the total of completed steps.
  package func set(_ steps: Int) {
    done.store(steps, ordering: .relaxed)
    showIfDue(steps)
  }

  /// Removes the bar. Nothing is shown afterwards.
  package func finish() {
    state.withLock { state in
      if state.isBarThere, case .bar(_, let write) = display { write("\r\u{1B}[K") }
      state = State(isFinished: true)
    }
  }

  private func showIfDue(_ steps: Int) {
    let elapsed = begun.duration(to: now())
    let milliseconds = elapsed.inMilliseconds
    let due = nextShow.load(ordering: .relaxed)
    guard milliseconds >= due else { return }
    let next = milliseconds + display.interval.inMilliseconds
    // Of several concurrent calls, one shows the progress.
    guard nextShow.compareExchange(expected: due, desired: next, ordering: .relaxed).exchanged else { return }
    state.withLock { state in
      guard !state.isFinished else { return }
      switch display {
      case .lines(let write): write("\(what): \(figures(steps, after: elapsed).joined(separator: ", "))")
      case .bar(let columns, let write):
        state.isBarThere = true
        write("\r\(bar(steps, after: elapsed, columns: columns()))\u{1B}[K")
      }
    }
  }

  /// The steps done, the total, the rate and the remaining time.
  private func figures(_ steps: Int, after elapsed: Duration) -> [String] {
    let units = unit.isEmpty ? "" : " \(unit)"
    let perSecond = Double(steps) / max(Double(elapsed.inMilliseconds) / 1_000, 0.001)
    let rate = perSecond < 10 ? "\((perSecond * 10).rounded() / 10)/s" : "\(Int(perSecond.rounded()))/s"
    guard let total else { return ["\(steps)\(units)", rate] }
    var figures = ["\(steps) of \(total)\(units) (\(share(steps, of: total)) %)", rate]
    if perSecond > 0, steps < total { figures.append("\(timeText(Double(total - steps) / perSecond)) left") }
    return figures
  }

  private func share(_ steps: Int, of total: Int) -> Int {
    total > 0 ? min(100, Int(Double(steps) / Double(total) * 100)) : 100
  }

  private func timeText(_ seconds: Double) -> String {
    guard seconds < 1_000_000 else { return "long" }
    let seconds = Int(seconds.rounded(.up))
    if seconds < 60 { return "\(seconds) s" }
    return seconds < 3_600 ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds / 3_600) h \(seconds / 60 % 60) min"
  }

  /// One line that fits. The last column stays free, because some terminals wrap there. The bar is left out if there
  /// is no room.
  private func bar(_ steps: Int, after elapsed: Duration, columns: Int) -> String {
    let text = figures(steps, after: elapsed).joined(separator: ", ")
    let room = columns - 1 - what.count - text.count - 4
    guard let total, room >= 10 else { return String("\(what)  \(text)".prefix(max(0, columns - 1))) }
    let width = min(room, 40)
    let filled = share(steps, of: total) * width / 100
    let cells = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    return "\(what) [\(cells)] \(text)"
  }
}

extension Duration {
  fileprivate var inMilliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
