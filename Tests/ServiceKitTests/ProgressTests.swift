import Synchronization
import Testing

@testable import ServiceKit

@Suite("Progress is shown, and disturbs nobody")
struct ProgressTests {
  /// A display that keeps what it gets, and a clock that a test moves.
  private final class Screen: Sendable {
    let pieces = Mutex<[String]>([])
    let time = Mutex(ContinuousClock.now)
    let columns = Mutex(80)

    func advance(_ duration: Duration) { time.withLock { $0 += duration } }
    var shown: [String] { pieces.withLock { $0 } }
    func take(_ piece: String) { pieces.withLock { $0.append(piece) } }

    func lines(_ what: String, total: Int?, unit: String = "") -> ProgressMeter {
      ProgressMeter(what, total: total, unit: unit, on: .lines { self.take($0) }) { self.time.withLock { $0 } }
    }

    func bar(_ what: String, total: Int?, unit: String = "") -> ProgressMeter {
      let display = ProgressMeter.Display.bar(columns: { self.columns.withLock { $0 } }, write: { self.take($0) })
      return ProgressMeter(what, total: total, unit: unit, on: display) { self.time.withLock { $0 } }
    }
  }

  @Test func aFileGetsALineEveryTenSeconds() {
    let screen = Screen()
    let progress = screen.lines("claiming", total: 10_000, unit: "claims")
    for _ in 0..<1_000 { progress.advance() }
    screen.advance(.milliseconds(9_999))
    progress.advance()
    #expect(screen.shown.isEmpty, "what takes less than 10 seconds says nothing")
    screen.advance(.milliseconds(1))
    progress.advance(by: 999)
    for _ in 0..<100 { progress.set(2_000) }
    #expect(screen.shown == ["claiming: 2000 of 10000 claims (20 %), 200/s, 40 s left"])
    screen.advance(.seconds(9))
    progress.set(3_000)
    #expect(screen.shown.count == 1)
    screen.advance(.seconds(1))
    progress.set(9_999)
    #expect(screen.shown.last == "claiming: 9999 of 10000 claims (99 %), 500/s, 1 s left")
    progress.finish()
    screen.advance(.seconds(60))
    progress.advance()
    #expect(screen.shown.count == 2)
  }

  @Test func withoutATotalThereIsNoTimeLeft() {
    let screen = Screen()
    let progress = screen.lines("delivering", total: nil)
    screen.advance(.seconds(10))
    progress.advance(by: 5)
    #expect(screen.shown == ["delivering: 5, 0.5/s"])
  }

  @Test func aTerminalGetsABarTenTimesASecond() {
    let screen = Screen()
    let progress = screen.bar("claiming", total: 1_000, unit: "claims")
    for _ in 0..<1_000 {
      progress.advance()
      screen.advance(.milliseconds(1))
    }
    #expect((8...10).contains(screen.shown.count), "\(screen.shown.count)")
    progress.finish()
    let shown = screen.shown
    #expect(
      shown.dropLast().allSatisfy { $0.hasPrefix("\rclaiming [") && $0.hasSuffix("\u{1B}[K") && !$0.contains("\n") })
    #expect(shown[4].contains("###") && shown[4].contains("of 1000 claims"))
    #expect(shown.last == "\r\u{1B}[K", "nothing of it stays")
    progress.advance()
    progress.finish()
    #expect(screen.shown == shown)
  }

  @Test(arguments: [1, 20, 40, 60, 80, 200], [1, 7, 1_000_000])
  func aBarFitsIntoOneLine(columns: Int, total: Int) {
    let screen = Screen()
    screen.columns.withLock { $0 = columns }
    let progress = screen.bar("claiming", total: total, unit: "claims")
    for step in [0, total / 2, total, total * 2] {
      screen.advance(.seconds(70))
      progress.set(step)
    }
    #expect(screen.shown.count == 4)
    for piece in screen.shown { #expect(piece.dropFirst().dropLast(3).count < columns, "\(piece)") }
  }

  @Test func aBarThatWasNeverThereIsNotTakenAway() {
    let screen = Screen()
    let progress = screen.bar("claiming", total: 2)
    progress.advance(by: 2)
    progress.finish()
    #expect(screen.shown.isEmpty)
  }

  @Test func stepsOfManyThreadsAreAllCounted() async {
    let screen = Screen()
    let progress = screen.lines("claiming", total: 80_000)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { for _ in 0..<10_000 { progress.advance() } } }
    }
    screen.advance(.seconds(10))
    progress.advance(by: 0)
    #expect(screen.shown == ["claiming: 80000 of 80000 (100 %), 8000/s"])
  }
}
