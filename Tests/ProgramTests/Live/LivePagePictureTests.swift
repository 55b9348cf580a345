import Foundation
import TestSupport
import Testing

@Suite("The pictures of the live page in the manual")
struct LivePagePictureTests {
  /// Where they are kept; else they are thrown away. Made anew by:
  /// `PICTURES=docs/images swift test --disable-xctest --filter LivePagePictureTests`.
  private static let kept = ProcessInfo.processInfo.environment["PICTURES"]

  /// Claims that come before a campaign opens, a spike until most seats are given, and the rush on the rest.
  @Test func theyAreTakenDuringASpike() async throws {
    let scratch = try ScratchDirectory()
    let pictures = URL(fileURLWithPath: Self.kept ?? scratch.path("."))
    let database = try await makeCampaign(quota: 1_000, ["--name", "Summer coupon"], in: scratch)
    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 0)
    #expect(try await Program.retryBatch.run(["--once", "--database", database]).status == 0)
    #expect(try await Program.issueService.run(["campaign", "pause", "summer", "--database", database]).status == 0)
    try await RunningService.run(database: database) { (service) async throws in
      try await Browser.run { (browser) async throws in
        try await browser.resize(width: 1_280, height: 870)
        try await browser.open("\(service.operations)/")
        try await browser.wait(for: "document.getElementById('state').textContent === 'Paused'")
        for users in [1..<20, 1..<60] { try await Self.wave(users, at: service, seenBy: browser) }
        let resumed = try await Program.issueService.run(["campaign", "resume", "summer", "--database", database])
        #expect(resumed.status == 0)
        try await browser.wait(for: "document.getElementById('state').textContent === 'Open'")
        var first = 1
        for size in [4, 9, 26, 71, 154, 248, 143, 72] {
          let repeating = max(1, first - size / 3)..<first
          try await Self.wave(first..<first + size, repeating: repeating, at: service, seenBy: browser)
          first += size
        }
        try await browser.wait(for: "document.getElementById('counter').textContent === '727'")
        let desktop = try await browser.screenshot()
        for _ in 1...5 {
          try await Self.wave(first..<first + 320, repeating: first - 90..<first, at: service, seenBy: browser)
          first += 320
        }
        try await browser.wait(for: "document.getElementById('state').textContent === 'Sold out'")
        try await browser.resize(width: 360, height: 780, scale: 2, isPhone: true)
        try await browser.setDark(true)
        let phone = try await browser.screenshot()
        for (name, picture) in [("live-page", desktop), ("live-page-phone", phone)] {
          #expect(picture.count > 10_000 && picture.count < 200_000)
          try picture.write(to: pictures.appendingPathComponent("\(name).png"))
        }
      }
    }
  }

  /// Claims of one second, until the page has the next.
  private static func wave(
    _ users: Range<Int>, repeating: Range<Int> = 0..<0, at service: RunningService, seenBy browser: Browser
  ) async throws {
    let beat = try await browser.text("#beat")
    _ = try await Spike(users: users, repeating: repeating).run(at: service.claims)
    try await browser.wait(for: "document.getElementById('beat').innerText !== '\(beat)'")
  }
}
