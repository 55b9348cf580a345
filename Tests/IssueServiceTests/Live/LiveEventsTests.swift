import Foundation
import Issuance
import NIOCore
import TestSupport
import Testing

@testable import IssueService

@Suite("What the live page is sent")
struct LiveEventsTests {
  @Test(arguments: [
    ("m", "•••"), ("mi", "m•••"), ("minji.kim", "m•••"), (String(repeating: "x", count: 128), "x•••"),
  ])
  func aUserIsTheFirstCharacterAndThreeDots(id: String, masked: String) {
    #expect(UserID(id)!.masked == masked)
  }

  @Test func aPointIsTheDocumentedJSON() throws {
    let text = String(buffer: try LiveEvents().bytes(of: .sample(), viewers: 3))
    #expect(
      text == """
        id: 7
        event: point
        data: {"at":"2026-12-01T09:00:07.000000Z","campaigns":[{"closes_at":null,"counter":73,"coupons":70,\
        "failed":[{"count":1,"dead":false,"kind":"parked"}],"free_codes":40,"id":"summer","issuer":"pool",\
        "latest":[{"accepted_at":"2026-12-01T09:00:00.000000Z","seat":73,"user":"m•••"}],"name":"Summer",\
        "oldest_pending_at":"2026-12-01T09:00:00.500000Z","opens_at":"2026-12-01T09:00:00.000000Z","pending":2,\
        "phase":"open","quota":1000,"rates":{"accepted":3,"refused":2,"repeated":1,"sold_out":0}}],\
        "figures_at":"2026-12-01T09:00:00.000000Z",\
        "last_reconciliation":{"ended_at":"2026-12-01T09:00:02.000000Z","findings":0,"verdict":"CLEAN"},\
        "last_replay":{"ended_at":"2026-12-01T09:00:01.000000Z","exit_code":2,"resolved":5,\
        "started_at":"2026-12-01T09:00:00.000000Z"},\
        "latency":{"claims":6,"max_ms":2000,"p50_ms":1.25,"p90_ms":4,"p99_ms":31.875},"not_ready_because":null,\
        "number":7,"queue_depth":12,"ready":true,"schema_version":1,"shed_per_second":4,"trouble":null,"viewers":3}


        """)
  }

  @Test func aStoreThatDoesNotAnswerIsSaid() throws {
    let point = StatsSample.sample(stats: nil, trouble: "busy", notReadyBecause: "The store does not answer.")
    let text = String(buffer: try LiveEvents().bytes(of: point, viewers: 1))
    let data = try #require(text.split(separator: "data: ", maxSplits: 1).last)
    let json = try JSONDecoder().decode(JSONValue.self, from: Data(data.utf8))
    #expect(json["campaigns"] == .array([]) && json["trouble"]?.string == "busy" && json["ready"] == .bool(false))
    #expect(json["last_reconciliation"] == .null && json["last_replay"] == .null)
    #expect(json["not_ready_because"]?.string == "The store does not answer.")
  }

  @Test func historyHoldsWhatTheChartsDraw() throws {
    let text = String(buffer: try LiveEvents().bytes(of: [.sample(1), .sample(2)]))
    #expect(
      text == """
        retry: 2000
        event: history
        data: {"points":[{"at":"2026-12-01T09:00:01.000000Z","campaigns":{"summer":{"accepted":3,"refused":2,\
        "repeated":1,"sold_out":0}},"p50_ms":1.25,"p99_ms":31.875},{"at":"2026-12-01T09:00:02.000000Z",\
        "campaigns":{"summer":{"accepted":3,"refused":2,"repeated":1,"sold_out":0}},"p50_ms":1.25,"p99_ms":31.875}],\
        "schema_version":1}


        """)
  }

  /// Two hundred viewers get what the first had encoded: the same bytes, also its number of viewers.
  @Test func aPointIsEncodedOnce() throws {
    let events = LiveEvents()
    let first = try events.bytes(of: .sample(7), viewers: 1)
    #expect(try events.bytes(of: .sample(7), viewers: 200) == first)
    #expect(try events.bytes(of: .sample(8), viewers: 200) != first)
    // Who comes late with an older point gets it, and spoils nothing.
    #expect(try String(buffer: events.bytes(of: .sample(7), viewers: 5)).contains(#""viewers":5"#))
    #expect(try String(buffer: events.bytes(of: .sample(8), viewers: 5)).contains(#""viewers":200"#))
  }

  @Test func aPlaceIsGivenBackWithItsLastOwner() {
    let viewers = Viewers(limit: 2)
    var places = [viewers.take(), viewers.take()]
    #expect(places.allSatisfy { $0 != nil } && viewers.take() == nil && viewers.count == 2)
    places.removeLast()
    #expect(viewers.count == 1 && viewers.take() != nil && viewers.count == 1)
    places = []
    #expect(viewers.count == 0)
  }
}
