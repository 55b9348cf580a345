/// Columns for people, aligned by what a terminal shows: text at the left, numbers at the right.
package struct TextTable: Sendable, CustomStringConvertible {
  package struct Column: Sendable, ExpressibleByStringLiteral {
    fileprivate enum Kind { case text, key, number }

    fileprivate let title: String
    fileprivate let kind: Kind

    private init(_ title: String, _ kind: Kind) {
      self.title = title
      self.kind = kind
    }

    package init(stringLiteral title: String) { self.init(title, .text) }

    package static func number(_ title: String) -> Column { Column(title, .number) }

    /// Text by which a row is known, and which is typed again: other text gives way first.
    package static func key(_ title: String) -> Column { Column(title, .key) }
  }

  /// What becomes of cells for which a terminal has no room.
  package enum LongCells: Sendable {
    /// They end with an ellipsis.
    case shortened
    /// They go on in the next line.
    case folded
  }

  private static let gap = 2
  /// Columns of text are narrowed to this before numbers are.
  private static let readable = 8

  private let columns: [Column]
  private let hasTitles: Bool
  private var rows: [[String]] = []

  package init(_ columns: [Column], hasTitles: Bool = true) {
    self.columns = columns
    self.hasTitles = hasTitles
  }

  /// - Parameter cells: one for each column. What would act on a terminal is spelt out.
  package mutating func add(_ cells: [String]) { rows.append(cells.map(EscapedText.ofCell)) }

  /// All of it, however wide.
  package var description: String { text(columns: nil) }

  /// - Parameter limit: how wide a line may be; `nil` for no limit: a file gets every cell whole.
  package func text(columns limit: Int?, longCells: LongCells = .shortened) -> String {
    let lines = (hasTitles ? [columns.map(\.title)] : []) + rows
    let widths = widths(of: lines, limit: limit)
    return lines.flatMap { cells in
      longCells == .shortened
        ? [zip(cells, widths).map { $0.shortened(columns: $1) }] : Self.folded(cells, widths)
    }.map { cells in
      let padded = zip(zip(cells, widths), columns).map { cell, column in
        cell.0.padded(columns: cell.1, isTrailing: column.kind == .number)
      }
      let line = padded.joined(separator: String(repeating: " ", count: Self.gap))
      let trimmed = String(line.reversed().drop { $0 == " " }.reversed())
      return limit.map(trimmed.shortened) ?? trimmed
    }.joined(separator: "\n")
  }

  /// As wide as the widest cell; where the sum is too much, the widest columns of text give way first, and numbers
  /// last.
  private func widths(of lines: [[String]], limit: Int?) -> [Int] {
    var widths = columns.indices.map { column in lines.map { $0[column].displayWidth }.max() ?? 0 }
    guard let limit else { return widths }
    let gaps = Self.gap * max(0, columns.count - 1)
    func narrow(_ candidates: [Int], to minimum: (Int) -> Int) {
      while widths.reduce(gaps, +) > limit {
        let wide = candidates.filter { widths[$0] > minimum($0) }
        guard let widest = wide.max(by: { widths[$0] < widths[$1] }) else { return }
        widths[widest] -= 1
      }
    }
    for kind in [Column.Kind.text, .key] {
      narrow(columns.indices.filter { columns[$0].kind == kind }) { column in
        max(Self.readable, hasTitles ? columns[column].title.displayWidth : 0)
      }
    }
    narrow(Array(columns.indices)) { _ in 1 }
    return widths
  }

  private static func folded(_ cells: [String], _ widths: [Int]) -> [[String]] {
    let pieces = zip(cells, widths).map { $0.folded(columns: $1) }
    return (0..<(pieces.map(\.count).max() ?? 0)).map { line in
      pieces.map { $0.indices.contains(line) ? $0[line] : "" }
    }
  }
}
