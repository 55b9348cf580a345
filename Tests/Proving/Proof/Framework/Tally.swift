internal import Synchronization

/// What the trials of a harness have seen. It may be added to from many tasks.
package final class Tally: Sendable {
  /// A broken promise and the trial that shows it again.
  package struct Break: Sendable, Codable, Equatable {
    package let trial: Int
    package let what: String
  }

  /// One line of a table of FAULTS.md: a control, a planted bug and who caught it.
  package struct Row: Sendable, Codable, Equatable {
    package let cells: [String]

    package init(_ cells: [String]) { self.cells = cells }
  }

  package struct State: Sendable, Codable, Equatable {
    package var counts: [String: Int] = [:]
    package var breaks: [Break] = []
    package var rows: [Row] = []
  }

  private let held: Mutex<State>

  package init(_ state: State = State()) { held = Mutex(state) }

  package var state: State { held.withLock { $0 } }

  package func count(_ what: String, _ number: Int = 1) {
    guard number != 0 else { return }
    held.withLock { $0.counts[what, default: 0] += number }
  }

  /// Keeps the greater of what is there and `number`.
  package func raise(_ what: String, to number: Int) {
    held.withLock { $0.counts[what] = max($0.counts[what] ?? number, number) }
  }

  /// What another process has counted.
  package func add(_ other: State) {
    held.withLock { state in
      state.counts.merge(other.counts, uniquingKeysWith: +)
      state.breaks += other.breaks
      state.rows += other.rows
    }
  }

  package func broke(_ what: String, in trial: Int) {
    held.withLock { $0.breaks.append(Break(trial: trial, what: what)) }
  }

  /// - Parameter cells: the columns that the harness names in its table.
  package func row(_ cells: String...) { held.withLock { $0.rows.append(Row(cells)) } }
}
