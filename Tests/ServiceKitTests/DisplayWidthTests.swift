import ServiceKit
import Testing

@Suite("Text is as wide as a terminal shows it")
struct DisplayWidthTests {
  /// Widths after UAX #11 and the marks that are drawn onto others.
  static let widths: [(String, Int)] = [
    ("", 0), ("abc", 3), ("여름 쿠폰", 9), ("한글", 4), ("漢字かなカナ", 12), ("ＡＢ！", 6), ("ｶﾅ", 2), ("、。「」", 8),
    // Conjoining Jamo: one syllable, with and without a final consonant, and an old one of Jamo extended A and B.
    ("\u{1112}\u{1161}", 2), ("\u{1112}\u{1161}\u{11AB}", 2), ("\u{A960}\u{D7B0}\u{D7CB}", 2), ("ㄱㅏ", 4),
    ("e\u{301}", 1), ("e\u{301}\u{20DD}", 1), ("\u{E01}\u{E34}", 1), ("\u{3099}", 0), ("か\u{3099}", 2),
    ("🎉", 2), ("👨‍👩‍👧", 2), ("👍🏽", 2), ("🇰🇷", 2), ("☂", 1), ("☂\u{FE0F}", 2), ("1\u{FE0F}\u{20E3}", 2), ("7", 1),
    ("½±×é", 4), ("…", 1), ("─│", 2), ("〿", 1), ("㉈㉐", 3), ("\u{AD}", 1), ("\u{200B}", 0), ("𠀀", 2), ("가\u{AC00}", 4),
  ]

  @Test(arguments: widths.indices)
  func isSoManyColumns(index: Int) {
    let (text, width) = Self.widths[index]
    #expect(text.displayWidth == width, "\(text): \(text.unicodeScalars.map(\.value))")
  }

  @Test func whatDoesNotFitIsShortenedBetweenCharacters() {
    #expect("여름 쿠폰".shortened(columns: 9) == "여름 쿠폰")
    #expect("여름 쿠폰".shortened(columns: 8) == "여름 쿠…")
    #expect("여름 쿠폰".shortened(columns: 7) == "여름 …")
    #expect("여름".shortened(columns: 2) == "…" && "여름".shortened(columns: 0) == "")
    #expect("👨‍👩‍👧👨‍👩‍👧".shortened(columns: 3) == "👨‍👩‍👧…")
    #expect("여름a".folded(columns: 3) == ["여", "름a"] && "".folded(columns: 3) == [""])
  }

  @Test func wordsStayWhole() {
    #expect("  one two three".wrapped(columns: 9, indent: 4) == "  one two\n    three")
    #expect("  one two three".wrapped(columns: nil, indent: 4) == "  one two three")
    #expect("a unbreakably-long b".wrapped(columns: 6, indent: 2) == "a\n  unbreakably-long\n  b")
  }
}

@Suite("A table aligns by what is seen")
struct TextTableTests {
  private static var table: TextTable {
    var table = TextTable([.key("CAMPAIGN"), "NAME", .number("QUOTA")])
    table.add(["summer", "여름 쿠폰 100장 선착순", "3"])
    table.add(["spring-2027", "Spring", "1000000"])
    return table
  }

  @Test func textStandsLeftAndNumbersRight() {
    #expect(
      Self.table.description == """
        CAMPAIGN     NAME                      QUOTA
        summer       여름 쿠폰 100장 선착순        3
        spring-2027  Spring                  1000000
        """)
  }

  @Test func onATerminalTextGivesWayBeforeWhatIsTypedAgain() {
    #expect(
      Self.table.text(columns: 32) == """
        CAMPAIGN     NAME          QUOTA
        summer       여름 쿠폰…        3
        spring-2027  Spring      1000000
        """)
    for columns in 1...45 {
      for longCells in [TextTable.LongCells.shortened, .folded] {
        let text = Self.table.text(columns: columns, longCells: longCells)
        for line in text.split(separator: "\n") { #expect(String(line).displayWidth <= columns, "\(text)") }
      }
    }
  }

  @Test func aFoldedCellLosesNothing() {
    var table = TextTable(["FIELD", "VALUE"], hasTitles: false)
    table.add(["name", "여름 쿠폰 100장 선착순"])
    table.add(["quota", "3"])
    #expect(table.text(columns: 16, longCells: .folded) == "name   여름 쿠폰\n        100장 선\n       착순\nquota  3")
  }

  @Test func aCellCannotActOnTheTerminal() {
    var table = TextTable(["NAME"])
    table.add(["a\u{1B}[31m\nb\u{202E}c👨‍👩‍👧"])
    #expect(table.description == "NAME\na\\u001b[31m\\u000ab\\u202ec👨‍👩‍👧")
  }

  @Test func aNegativeDurationIsPrintedAsZero() {
    #expect(Duration.milliseconds(-1_500).secondsText == "0.000")
    #expect(Duration.milliseconds(1_500).secondsText == "1.500")
  }
}
