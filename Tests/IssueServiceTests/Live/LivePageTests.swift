import Crypto
import Foundation
import Issuance
import TestSupport
import Testing

@testable import IssueService

@Suite("The document of the live page")
struct LivePageTests {
  private static let document = LivePage.embedded.text(of: nil, at: .sample())

  private static func content(of element: String) throws -> String {
    let parts = document.components(separatedBy: "<\(element)>")
    try #require(parts.count == 2)
    return parts[1].components(separatedBy: "</\(element)>")[0]
  }

  @Test func thePolicyNamesTheHashOfEachAndNothingElse() throws {
    let policy = LivePage.embedded.policy
    let directives = Dictionary(
      uniqueKeysWithValues: policy.components(separatedBy: "; ").map { directive in
        let words = directive.split(separator: " ")
        return (String(words[0]), words.dropFirst().map(String.init))
      })
    for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
      let hash = Data(SHA256.hash(data: Data(try Self.content(of: element).utf8))).base64EncodedString()
      #expect(directives[directive] == ["'sha256-\(hash)'"])
    }
    for directive in ["default-src", "base-uri", "frame-ancestors", "form-action"] {
      #expect(directives[directive] == ["'none'"])
    }
    #expect(directives["connect-src"] == ["'self'"] && directives["img-src"] == ["data:"])
    #expect(directives.count == 8)
  }

  @Test func nothingComesFromOutside() throws {
    let text = Self.document
    for outside in [
      "http:", "https:", "//cdn", "src=\"//", "href=\"//", "@import", "url(", "<form", "<iframe", "<input",
    ] {
      #expect(!text.contains(outside), "\(outside)")
    }
    // What is addressed is the service itself, or stands in the document.
    let addresses = text.matches(of: #/(?:href|src|action|srcset|data)="([^"]*)"/#).map { String($0.1) }
    #expect(
      addresses.allSatisfy { $0.hasPrefix("data:image/png;base64,") || ($0.hasPrefix("/") && !$0.hasPrefix("//")) })
    // A style or a handler in an attribute would be refused by the policy.
    #expect(text.firstMatch(of: #/<[^>]* (style|on[a-z]+)="/#) == nil)
    #expect(try !Self.content(of: "script").contains("innerHTML"))
  }

  @Test func withoutScriptTheFiguresStandInTables() {
    let text = LivePage.embedded.text(of: "summer", at: .sample())
    for cell in [
      "<h1>Summer</h1>", "<td>open</td>", "<td>73 / 1,000</td>", "<td>70</td>", "<td>40</td>", "73 · m•••",
      "Failed events, parked", "CLEAN, ended 2026-12-01T09:00:02.000000Z", "5 resolved, ended",
      #"<noscript><meta http-equiv="refresh" content="5"></noscript>"#,
    ] { #expect(text.contains(cell), "\(cell)") }
    #expect(!text.contains("minji"))
    #expect(!text.contains(LivePage.mark))
  }

  @Test func severalCampaignsAreATableThatLeadsToThem() {
    var stats = StoreStats.sample
    stats.campaigns = [
      .sample(.spring, name: "<script>alert(1)</script>"), .sample(.summer, name: "여름 쿠폰 \"&\" '1'"),
      .sample(CampaignID("third")!, name: ""),
    ]
    let text = LivePage.embedded.text(of: nil, at: .sample(stats: stats))
    #expect(text.contains(#"<a href="/campaigns/spring">&lt;script&gt;alert(1)&lt;/script&gt;</a>"#))
    #expect(text.contains(#"<a href="/campaigns/summer">여름 쿠폰 &quot;&amp;&quot; &#39;1&#39;</a>"#))
    #expect(text.contains(#"<a href="/campaigns/third">third</a>"#))
    #expect(!text.contains("<script>alert"))
    let one = LivePage.embedded.text(of: "spring", at: .sample(stats: stats))
    #expect(one.contains("<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>") && !one.contains("여름"))
  }

  @Test func thePageIsThereBeforeTheFirstPointAndWithoutAStore() {
    #expect(LivePage.embedded.text(of: nil, at: nil).contains("There are no figures yet."))
    let point = StatsSample.sample(stats: nil, trouble: "It is busy <now>.", notReadyBecause: "no store")
    let text = LivePage.embedded.text(of: "summer", at: point)
    #expect(text.contains("It is busy &lt;now&gt;.") && text.contains("Not ready: no store"))
    var none = StoreStats.sample
    none.campaigns = []
    #expect(LivePage.embedded.text(of: nil, at: .sample(stats: none)).contains("There is no campaign yet."))
  }

  @Test(arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")])
  func thousandsAreSeparated(number: Int, text: String) { #expect(LiveTables.grouped(number) == text) }
}
