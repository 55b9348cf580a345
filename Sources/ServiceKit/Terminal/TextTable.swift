/// A table for people, aligned by display width: text at the left, numbers at the right.
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

    /// Text that identifies a row and that people type again. Other text columns are narrowed first.
    package static func key(_ title: String) -> Column { Column(title, .key) }
  }

  /// The treatment of cells that are wider than the terminal allows.
  package enum LongCells: Sendable {
    /// Cut with an ellipsis.
    case shortened
    /// Continued on the next line.
    case folded
  }

  private static let gap = 2
  /// Text columns, and then key columns, are narrowed to this width before numbers are.
  private static let readable = 8

  private let columns: [Column]
  private let hasTitles: Bool
  private var rows: [[String]] = []

  package init(_ columns: [Column], hasTitles: Bool = true) {
    self.columns = columns
    self.hasTitles = hasTitles
  }

  /// - Parameter cells: one for each column. Control characters are escaped.
  package mutating func add(_ cells: [String]) { rows.append(cells.map(EscapedText.ofCell)) }

  /// The whole table, without a width limit.
  package var description: String { text(columns: nil) }

  /// - Parameter limit: the widest line; `nil` for no limit. A file gets every cell whole.
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

  /// The width of the widest cell of each column. If the sum is over the limit, the widest text columns are narrowed
  /// first, and numbers last.
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

extension String {
  /// The number of terminal columns that the text takes.
  ///
  /// It follows Unicode Standard Annex #11, East Asian Width (Unicode 16): Wide and Fullwidth characters take two
  /// columns. Ambiguous characters take one, as everywhere except in old East Asian encodings. Nonspacing and
  /// enclosing marks take none. Vowels and final consonants of Hangul in conjoining Jamo (chapter 3.12 of the Unicode
  /// Standard) also take none. An emoji takes two, even if it has several code points.
  package var displayWidth: Int { reduce(0) { $0 + $1.displayWidth } }
}

extension Character {
  package var displayWidth: Int {
    isEmoji ? 2 : unicodeScalars.reduce(0) { $0 + $1.displayWidth }
  }

  /// Whether it is drawn as an emoji and not as text: by default, by the selector U+FE0F, or as a flag.
  private var isEmoji: Bool {
    guard let first = unicodeScalars.first else { return false }
    let isFlag = ("\u{1F1E6}"..."\u{1F1FF}").contains(first)
    if isFlag { return unicodeScalars.count > 1 }
    return first.properties.isEmojiPresentation || first.properties.isEmoji && unicodeScalars.contains("\u{FE0F}")
  }
}

extension Unicode.Scalar {
  fileprivate var displayWidth: Int {
    if value < 0x300 { return value >= 0x20 && !(0x7F...0x9F).contains(value) ? 1 : 0 }
    switch properties.generalCategory {
    case .control, .format, .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    if Self.joined.contains(where: { $0.contains(value) }) { return 0 }
    return Self.wide.contains { $0.contains(value) } ? 2 : 1
  }

  /// Vowels and final consonants of conjoining Jamo.
  private static let joined: [ClosedRange<UInt32>] = [0x1160...0x11FF, 0xD7B0...0xD7FF]

  /// Wide and Fullwidth characters of EastAsianWidth.txt, without emoji. Unassigned code points between the first and
  /// the last of a script or block count as wide.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F,  // leading consonants of conjoining Jamo
    0x2329...0x232A, 0x2630...0x2637, 0x268A...0x268F,  // angle brackets, trigrams, monograms
    0x2E80...0x303E,  // radicals, ideographic description, CJK punctuation
    0x3041...0x3247, 0x3250...0x4DBF,  // Kana, Bopomofo, Hangul compatibility Jamo, enclosed CJK, CJK extension A
    0x4DC0...0x9FFF,  // hexagrams, CJK
    0xA000...0xA4CF, 0xA960...0xA97F,  // Yi, Jamo extended A
    0xAC00...0xD7A3,  // Hangul syllables
    0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F,  // CJK compatibility, vertical and small forms
    0xFF01...0xFF60, 0xFFE0...0xFFE6,  // fullwidth forms
    0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF,  // Tangut, Khitan, Kana supplements, Nushu
    0x1D300...0x1D356, 0x1D360...0x1D376,  // Tai Xuan Jing, counting rods
    0x1F200...0x1F265,  // enclosed ideographs
    0x20000...0x2FFFD, 0x30000...0x3FFFD,  // planes of CJK ideographs
  ]
}

extension String {
  /// The longest prefix that fits; if text is cut, it ends with an ellipsis.
  package func shortened(columns: Int) -> String {
    guard displayWidth > columns else { return self }
    var result = ""
    var room = columns - 1
    for character in self {
      room -= character.displayWidth
      guard room >= 0 else { break }
      result.append(character)
    }
    return columns > 0 ? result + "…" : ""
  }

  /// Pieces that fit, at least one. A character that is wider than `columns` becomes its own piece.
  package func folded(columns: Int) -> [String] {
    var pieces = [""]
    var width = 0
    for character in self {
      if width > 0, width + character.displayWidth > columns {
        pieces.append("")
        width = 0
      }
      pieces[pieces.count - 1].append(character)
      width += character.displayWidth
    }
    return pieces
  }

  /// The text wrapped at spaces. All lines but the first are indented, and a word that is too long stays whole.
  ///
  /// - Parameter columns: the widest line; `nil` for no limit.
  package func wrapped(columns: Int?, indent: Int) -> String {
    guard let columns, displayWidth > columns else { return self }
    let margin = String(repeating: " ", count: indent)
    var lines: [String] = []
    var line = String(prefix { $0 == " " })
    var isEmpty = true
    for word in split(separator: " ").map(String.init) {
      if !isEmpty, line.displayWidth + 1 + word.displayWidth > columns {
        lines.append(line)
        line = margin + word
      } else {
        line += (isEmpty ? "" : " ") + word
      }
      isEmpty = false
    }
    return (lines + [line]).joined(separator: "\n")
  }

  func padded(columns: Int, isTrailing: Bool) -> String {
    let padding = String(repeating: " ", count: max(0, columns - displayWidth))
    return isTrailing ? padding + self : self + padding
  }
}

extension Duration {
  /// In seconds with three decimals: `1.500`. Zero if the clock went backwards.
  package var secondsText: String {
    let (seconds, attoseconds) = self < .zero ? (0, 0) : components
    let milliseconds = String(attoseconds / 1_000_000_000_000_000)
    return "\(seconds).\(String(repeating: "0", count: 3 - milliseconds.count))\(milliseconds)"
  }

  /// In seconds. Zero if the clock went backwards.
  package var seconds: Double { max(0, self / .seconds(1)) }
}
