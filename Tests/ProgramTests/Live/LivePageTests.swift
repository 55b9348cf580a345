import Foundation
import TestSupport
import Testing

/// A real browser before a real service.
@Suite("The live page in a browser")
struct LivePageTests {
  /// What the page shows as a number.
  private static func number(_ id: String) -> String {
    "Number(document.getElementById('\(id)').textContent.replaceAll(',', ''))"
  }

  /// Writes down each number of seats and coupons that the page shows from now on.
  private static let writeDown = """
    (() => {
      window.written = [];
      const write = () => window.written.push([\(number("counter")), \(number("coupons"))]);
      new MutationObserver(write).observe(document.body, { subtree: true, childList: true, characterData: true });
      return true;
    })()
    """

  /// 3,000 users race for 100 seats, and 600 of them ask twice.
  @Test func theNumbersAreThoseOfTheReport() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100, ["--name", "Summer"], in: directory)
    try await RunningService.run(database: database) { service in
      try await Browser.run { (browser) async throws in
        try await browser.open("\(service.operations)/")
        try await browser.wait(for: "document.getElementById('state').textContent === 'Open'")
        _ = try await browser.value(of: Self.writeDown)

        let heard = try await Spike(users: 1..<3_001, repeating: 1..<601).run(at: service.claims)
        #expect(heard.accepted == 100)
        try await browser.wait(
          for:
            "\(Self.number("counter")) === 100 && \(Self.number("coupons")) === 100 && \(Self.number("pending")) === 0")
        try await browser.wait(for: "document.getElementById('state').textContent === 'Sold out'")

        let written = try await browser.value(of: "window.written").array.map { [$0[0]?.int ?? -1, $0[1]?.int ?? -1] }
        #expect(written.count > 1)
        for (before, after) in zip(written, written.dropFirst()) {
          #expect(before[0] <= after[0] && before[1] <= after[1], "\(before) \(after)")
        }
        #expect(written.allSatisfy { $0[0] <= 100 && $0[1] <= $0[0] })

        let report = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
        let books = try #require(try report.json()["campaigns"]?[0])
        for (id, key) in [("counter", "counter"), ("quota", "quota"), ("coupons", "coupons")] {
          #expect(try await browser.value(of: Self.number(id)).int == books[key]?.int, "\(key)")
        }
        #expect(try await browser.text("#failed") == "none\n0")
        // The batch that was just run is on the page too.
        try await browser.wait(for: "document.getElementById('verdict').textContent === 'CLEAN'")
        // The latest seats are the last of all, and nobody's name is readable.
        #expect(try await browser.value(of: "document.querySelectorAll('#seats tr').length").int == 10)
        #expect(try await browser.text("#seats tr td") == "100")
        #expect(try await browser.text("#seats tr td + td") == "u•••")
        #expect(try await browser.console() == [])
        try await Self.expectOneOrigin(browser)
      }
    }
  }

  /// Nothing was loaded from anywhere but the service.
  private static func expectOneOrigin(_ browser: Browser) async throws {
    let others = try await browser.value(
      of:
        "performance.getEntriesByType('resource').map((each) => each.name).filter((each) => !each.startsWith(location.origin) && !each.startsWith('data:'))"
    )
    #expect(others == .array([]))
  }

  /// How many seconds the line of a chart has.
  private static let seconds =
    "(document.querySelector('.accepted .first').getAttribute('d') ?? '').split(/[ML]/).length - 1"

  @Test func aRestartIsSaidAndSurvived() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 10, in: directory)
    let address = "127.0.0.1:\(try FreePort.find())"
    try await Browser.run { (browser) async throws in
      try await RunningService.run(database: database, operations: address) { (service) async throws in
        try await browser.open("\(service.operations)/campaigns/summer")
        #expect(try await HTTP.claim("mina", from: "summer", at: service.claims).status == 201)
        try await browser.wait(for: "\(Self.number("counter")) === 1")
        try await browser.wait(for: "\(Self.seconds) >= 6")
        _ = try await browser.value(of: "window.same = true")
      }
      try await browser.wait(
        for:
          "/^connection lost, since \\d\\d:\\d\\d:\\d\\d; trying again$/.test(document.getElementById('notice').innerText)"
      )
      #expect(
        try await browser.value(of: "getComputedStyle(document.querySelector('main')).opacity < 0.6") == .bool(true))
      #expect(try await browser.text("#beat") == "not connected")
      #expect(try await browser.value(of: Self.number("counter")).int == 1, "what was known stays")
      try await RunningService.run(database: database, operations: address) { (service) async throws in
        #expect(try await HTTP.claim("jun", from: "summer", at: service.claims).status == 201)
        try await browser.wait(for: "document.getElementById('notice').hidden && \(Self.number("counter")) === 2")
        #expect(try await browser.value(of: "window.same") == .bool(true), "it is the same page")
        #expect(try await browser.value(of: Self.seconds).int ?? 0 > 6, "the chart keeps what it had")
      }
    }
  }

  @Test func severalCampaignsHaveAnOverview() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign("autumn", quota: 1, ["--name", "<script>alert(1)</script>"], in: directory)
    _ = try await makeCampaign("spring", quota: 1_000_000, ["--name", "여름 쿠폰"], in: directory)
    _ = try await makeCampaign("winter", quota: 30, in: directory)
    #expect(try await Program.issueService.run(["campaign", "pause", "winter", "--database", database]).status == 0)
    try await RunningService.run(database: database) { (service) async throws in
      #expect(try await HTTP.claim("mina", from: "autumn", at: service.claims).status == 201)
      try await Browser.run { (browser) async throws in
        try await browser.open("\(service.operations)/")
        try await browser.wait(for: "document.querySelectorAll('#list li').length === 3")
        try await browser.wait(for: "document.querySelector('#list .word').textContent === 'Sold out'")
        let rows = try await browser.value(
          of:
            "[...document.querySelectorAll('#list li')].map((row) => ['strong', '.word', '.taken'].map((part) => row.querySelector(part).innerText))"
        ).array.map { $0.array.compactMap(\.string) }
        #expect(
          rows == [
            ["<script>alert(1)</script>", "Sold out", "1 / 1 seats"], ["여름 쿠폰", "Open", "0 / 1,000,000 seats"],
            ["winter", "Paused", "0 / 30 seats"],
          ])
        try await Self.expectNoScroll(browser)
        try await browser.click("#list li:nth-child(2) a")
        try await browser.wait(for: "document.getElementById('name').innerText === '여름 쿠폰'")
        #expect(try await browser.value(of: "location.pathname").string == "/campaigns/spring")
        #expect(try await browser.text("#quota") == "1,000,000")
        try await Self.expectNoScroll(browser)
        try await browser.open("\(service.operations)/campaigns/autumn")
        try await browser.wait(for: "document.getElementById('state').innerText === 'Sold out'")
        #expect(try await browser.text("#name") == "<script>alert(1)</script>")
        #expect(try await browser.value(of: "document.title").string == "1 / 1 · <script>alert(1)</script>")
        try await Self.expectNoScroll(browser)
        #expect(try await browser.console() == [])
      }
    }
  }

  /// At the width of a small phone, nothing stands beyond the edge.
  private static func expectNoScroll(_ browser: Browser) async throws {
    try await browser.resize(width: 360, height: 780, scale: 2, isPhone: true)
    #expect(try await browser.value(of: "innerWidth").int == 360)
    #expect(try await browser.value(of: "document.documentElement.scrollWidth").int == 360)
  }

  @Test func theDarkIsDarkAndBothAreReadable() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 10, in: directory)
    try await RunningService.run(database: database) { (service) async throws in
      try await Browser.run { (browser) async throws in
        var grounds: [Double?] = []
        for isDark in [false, true] {
          try await browser.setDark(isDark)
          try await browser.open("\(service.operations)/")
          try await browser.wait(for: "document.getElementById('state').textContent === 'Open'")
          grounds.append(
            try await browser.value(of: "(\(Self.luminance))(getComputedStyle(document.body).backgroundColor)").number)
          // WCAG 2.2, success criterion 1.4.3: 4.5 to 1 for text.
          let faint = try await browser.value(of: Self.faintTexts)
          #expect(faint == .array([]))
        }
        #expect((grounds[0] ?? 0) > 0.9 && (grounds[1] ?? 1) < 0.02, "\(grounds)")
        // Every heading is within the one above it, and the page has one of the first rank.
        let ranks = try await browser.value(
          of:
            "[...document.querySelectorAll('h1, h2, h3')].filter((each) => each.checkVisibility()).map((each) => Number(each.tagName[1]))"
        ).array.compactMap(\.int)
        #expect(ranks.first == 1 && ranks.dropFirst().allSatisfy { $0 == 2 } && ranks.count > 4, "\(ranks)")
        #expect(
          try await browser.value(of: "document.getElementById('notice').getAttribute('role')").string == "status")
      }
    }
  }

  /// Relative luminance of a colour (WCAG 2.2).
  private static let luminance = """
    (colour) => {
      const [red, green, blue] = colour.match(/[\\d.]+/g).map((each) => each / 255)
        .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    }
    """

  private static let faintTexts = """
    (() => {
      const luminance = \(luminance), ground = luminance(getComputedStyle(document.body).backgroundColor);
      return [...document.querySelectorAll('body *')].filter((each) => each.checkVisibility()
        && [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())).filter((each) => {
          const text = luminance(getComputedStyle(each).color);
          return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05) < 4.5;
        }).map((each) => each.outerHTML);
    })()
    """

  /// The same figures, written by the service into the document.
  @Test func withoutScriptThereIsATable() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 3, ["--name", "여름 <b>"], in: directory)
    try await RunningService.run(database: database) { (service) async throws in
      try await Browser.run { (browser) async throws in
        for user in ["mina", "jun"] {
          #expect(try await HTTP.claim(user, from: "summer", at: service.claims).status == 201)
        }
        try await browser.open("\(service.operations)/")
        try await browser.wait(for: "\(Self.number("counter")) === 2 && \(Self.number("coupons")) === 2")
        try await browser.resize(width: 360, height: 780, isPhone: true)
        try await browser.setScriptsRun(false)
        try await browser.open("\(service.operations)/")
        #expect(try await browser.value(of: "document.getElementById('live').hidden") == .bool(true))
        let text = try await browser.value(of: "document.body.innerText").string ?? ""
        for line in ["여름 <b>", "State\topen", "Seats\t2 / 3", "Coupons\t2", "Failed events\t0", "2 · j•••\t"] {
          #expect(text.contains(line), "\(line) in \(text)")
        }
        #expect(!text.contains("mina") && !text.contains("jun"))
        #expect(try await browser.value(of: "document.documentElement.scrollWidth").int == 360)
        // It asks again by itself.
        #expect(try await HTTP.claim("sora", from: "summer", at: service.claims).status == 201)
        try await browser.wait { $0.contains("Seats\t3 / 3") }
      }
    }
  }
}
