import Issuance
import Testing

@Suite("Values refuse what they cannot be")
struct ValueTests {
  @Test(arguments: ["a", "0", "summer-2026", String(repeating: "a", count: 63)])
  func campaignIDs(text: String) { #expect(CampaignID(text)?.rawValue == text) }

  @Test(arguments: ["", "-a", "A", "a_b", "a b", "é", "a/b", String(repeating: "a", count: 64), "a\u{0}"])
  func notCampaignIDs(text: String) { #expect(CampaignID(text) == nil) }

  @Test(arguments: ["a", "A", "!", "~", "mina@example.com", "a/b?c#%", String(repeating: "x", count: 128)])
  func userIDs(text: String) { #expect(UserID(text)?.rawValue == text) }

  @Test(arguments: ["", " ", "a b", "a\n", "a\u{7F}", "é", "쿠폰", "a\u{0}b", String(repeating: "x", count: 129)])
  func notUserIDs(text: String) { #expect(UserID(text) == nil) }

  /// Byte by byte: no two spellings are one user.
  @Test func caseTellsUsersApart() { #expect(UserID("Mina") != UserID("mina")) }

  @Test func quotas() {
    #expect(Quota(0) == nil && Quota(-1) == nil && Quota(1_000_000_001) == nil)
    #expect(Quota(1)?.count == 1 && Quota(1_000_000_000)?.count == 1_000_000_000)
    #expect(Quota.standard.count == 100)
  }
}

/// The examples are those of https://www.w3.org/TR/trace-context-2/ and what lies just beside them.
@Suite("A traceparent is of the form, or there is none")
struct TraceParentTests {
  static let trace = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

  @Test(arguments: ["00-\(trace)-01", "00-\(trace)-00", "00-\(trace)-03", "00-\(trace)-ff"])
  func isKeptAsItIs(text: String) { #expect(TraceParent(text)?.rawValue == text) }

  /// Flags of a later version may mean something else, but for the lowest bit.
  @Test(arguments: [
    ("01-\(trace)-01", "01"), ("01-\(trace)-00", "00"), ("cc-\(trace)-01-what-the-future-brings", "01"),
    ("fe-\(trace)-02-", "00"), ("0a-\(trace)-fb-A B", "01"), ("10-\(trace)-fe-é", "00"),
  ])
  func aLaterVersionIsReadAsThisOne(text: String, flags: String) {
    #expect(TraceParent(text)?.rawValue == "00-\(Self.trace)-\(flags)")
  }

  @Test(arguments: [
    "", "00", "00-\(trace)", "00-\(trace)-", "00-\(trace)-1", "00-\(trace)-011", "00-\(trace)-01-", "00-\(trace)-01 ",
    "00-\(trace)-01-what-the-future-brings", " 00-\(trace)-01", "00-\(trace)-01\u{0}", "00-\(trace)-0é",
    "00-\(trace)-é",
    "ff-\(trace)-01", "ff-\(trace)-01-x", "FF-\(trace)-01", "0g-\(trace)-01", "0A-\(trace)-01", "0-\(trace)-01",
    "01-\(trace)-011", "01-\(trace)-01.", "01-\(trace)-0", "01-\(trace)-0g", "01-\(trace)-0A-",
    "00-\(trace)-0A", "00-\(trace)-0g", "00-\(trace.uppercased())-01", "00_\(trace)_01", "00-\(trace),01",
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    "01-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "01-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e47-6-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bg-01",
  ])
  func isIgnored(text: String) { #expect(TraceParent(text) == nil) }
}

@Suite("Instants are UTC in microseconds")
struct TimestampTests {
  @Test(arguments: [
    ("2026-12-01T09:00:00Z", 1_796_115_600_000_000), ("2026-12-01T18:00:00+09:00", 1_796_115_600_000_000),
    ("2026-12-01T09:00:00.5Z", 1_796_115_600_500_000), ("2026-12-01T09:00:00.000001Z", 1_796_115_600_000_001),
    ("1970-01-01T00:00:00Z", 0),
  ])
  func reads(text: String, microseconds: Int64) {
    #expect(Timestamp(rfc3339: text) == Timestamp(microseconds: microseconds))
  }

  @Test(arguments: [
    "", "tomorrow", "2026-12-01", "2026-12-01T09:00:00", "2026-12-01 09:00:00Z", "2026-13-01T09:00:00Z",
    "2026-02-30T09:00:00Z", "2026-12-01T25:00:00Z", "2026-12-01T09:00:00.1234567Z", "1796115600",
    // In UTC, of a year that RFC 3339 cannot write, or of another day to some readers.
    "0000-01-01T00:00:00+00:01", "1582-12-31T23:59:59Z", "1583-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59.999999-00:01",
  ])
  func refuses(text: String) { #expect(Timestamp(rfc3339: text) == nil) }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000000Z"), (1_796_115_600_000_001, "2026-12-01T09:00:00.000001Z"),
    (-1, "1969-12-31T23:59:59.999999Z"), (-12_212_553_600_000_000, "1583-01-01T00:00:00.000000Z"),
    (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
  ])
  func prints(microseconds: Int64, text: String) {
    #expect(Timestamp(microseconds: microseconds).description == text)
    #expect(Timestamp(rfc3339: text) == Timestamp(microseconds: microseconds))
  }

  @Test func advances() {
    #expect(Timestamp(microseconds: 5).advanced(by: .milliseconds(-1)) == Timestamp(microseconds: -995))
  }
}
