import Foundation
import TestSupport
import Testing

@Suite("Those who watch the live page")
struct ViewerTests {
  private static func watch(_ service: RunningService) throws -> RawConnection {
    let viewer = try RawConnection(to: URL(string: service.operations)!)
    try viewer.send(Array("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
    return viewer
  }

  private static func points(in bytes: Data) -> Int {
    String(decoding: bytes, as: UTF8.self).matches(of: #/event: point\n/#).count
  }

  /// Two hundred watch while two thousand claim: everybody is answered, and everybody sees it.
  @Test func twoHundredDisturbNobody() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100, in: directory)
    try await RunningService.run(database: database) { (service) async throws in
      var viewers = try (1...200).map { _ in try Self.watch(service) }
      for viewer in viewers {
        #expect(Self.points(in: try await viewer.reply(until: { Self.points(in: $0) > 0 }).bytes) > 0)
      }
      let answers = try await Spike(users: 1..<2_001).run(at: service.claims)
      #expect(answers == Spike.Answers(accepted: 100, soldOut: 1_900))
      for viewer in viewers {
        let seen = try await viewer.reply(within: .seconds(60)) {
          String(decoding: $0, as: UTF8.self).contains(#""counter":100,"#)
        }
        #expect(!seen.isLate && !seen.hasEnded)
      }
      // They leave, and the next points find that out.
      viewers = []
      let last = try Self.watch(service)
      let alone = try await last.reply(within: .seconds(60)) {
        String(decoding: $0, as: UTF8.self).contains(#""viewers":1}"#)
      }
      #expect(!alone.isLate)
    }
  }

  /// What clients heard is what the page counts. A second that took longer is counted per second.
  @Test func theRatesAreThoseOfTheAnswers() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 50, in: directory)
    try await RunningService.run(database: database) { (service) async throws in
      let answers = try await Spike(users: 1..<401).run(at: service.claims)
      let again = try await HTTP.claim("user-1", from: "summer", at: service.claims)
      #expect([200, 409].contains(again.status) && answers.accepted == 50 && answers.soldOut == 350)
      let viewer = try Self.watch(service)
      let seen = try await viewer.reply(within: .seconds(60)) {
        Rates(in: $0).soldOut > 0 && Rates(in: $0).accepted > 0
      }
      #expect(!seen.isLate, "\(Rates(in: seen.bytes))")
      let rates = Rates(in: seen.bytes)
      // Each second may be rounded up by a half.
      #expect(rates.accepted <= 50 + rates.seconds && rates.soldOut <= 351 + rates.seconds && rates.repeated <= 1)
      #expect(rates.refused == 0)
    }
  }

  /// Sums of what a stream has told so far.
  private struct Rates {
    var accepted = 0
    var repeated = 0
    var soldOut = 0
    var refused = 0

    /// How many of them something happened in.
    var seconds = 0

    init(in bytes: Data) {
      // The chunks' own lines end in CR LF; the events' do not. Seconds that are told twice count once.
      let text = String(decoding: bytes, as: UTF8.self)
      var told: [String: JSONValue] = [:]
      for line in text.split(separator: "\n") where line.hasPrefix("data: ") {
        guard let json = try? JSONDecoder().decode(JSONValue.self, from: Data(line.dropFirst(6).utf8)) else { continue }
        for point in json["points"]?.array ?? [] {
          told[point["at"]?.string ?? ""] = point["campaigns"]?["summer"] ?? .null
        }
        for campaign in json["campaigns"]?.array ?? [] {
          told[json["at"]?.string ?? ""] = campaign["rates"] ?? .null
        }
      }
      for rates in told.values {
        seconds += rates.keys.isEmpty ? 0 : 1
        accepted += rates["accepted"]?.int ?? 0
        repeated += rates["repeated"]?.int ?? 0
        soldOut += rates["sold_out"]?.int ?? 0
        refused += rates["refused"]?.int ?? 0
      }
    }
  }

  /// An answer has its time, and a stream that is read lasts longer.
  @Test func aStreamOutlivesTheTimeOfAnAnswer() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 10, in: directory)
    try await RunningService.run(database: database, environment: ["FIRST_COME_LIMIT_ANSWER_TIMEOUT": "8s"]) {
      (service) async throws in
      let viewer = try Self.watch(service)
      let seen = try await viewer.reply(within: .seconds(120)) { Self.points(in: $0) >= 12 }
      #expect(Self.points(in: seen.bytes) >= 12 && !seen.hasEnded)
    }
  }

  /// Open streams end with the service, and do not hold its end up.
  @Test func theServiceEndsWhilePeopleWatch() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 10, in: directory)
    let clock = ContinuousClock()
    let ended = try await RunningService.run(database: database) { (service) async throws in
      let viewers = try (1...20).map { _ in try Self.watch(service) }
      for viewer in viewers { _ = try await viewer.reply(until: { Self.points(in: $0) > 0 }) }
      let begun = clock.now
      try service.terminate()
      for viewer in viewers {
        #expect(
          String(decoding: try await onOwnThread { try viewer.readToEnd() }, as: UTF8.self).hasSuffix("0\r\n\r\n"))
      }
      return begun
    }
    #expect(ended.status == 0, "\(ended.errors)")
    // An answer may take a minute, and so would a stream that did not end by itself.
    #expect(ended.value.duration(to: clock.now) < .seconds(50))
  }
}
