import Foundation
import History
import TestSupport
import Testing

@Suite("Readings of the database are held against each other and against what was heard")
struct ReadingTests {
  /// mina is accepted, the process that jun and sora asked dies, jun has got a seat; sora asks again.
  static let sound = HistoryFile(
    history: ClaimHistory(
      operations: [
        Operation(campaign: "summer", user: "mina", begun: 10, ended: 20, answer: .yes(1), process: "a"),
        Operation(campaign: "summer", user: "jun", begun: 30, ended: 50, answer: .unknown, process: "a"),
        Operation(campaign: "summer", user: "sora", begun: 30, ended: 50, answer: .unknown, process: "a"),
        Operation(campaign: "summer", user: "sora", begun: 110, ended: 120, answer: .yes(3), process: "b"),
      ],
      shown: [
        Shown(campaign: "summer", user: "mina", begun: 80, ended: 90, seat: 1, code: "M"),
        Shown(campaign: "summer", user: "sora", begun: 80, ended: 90, seat: nil, code: nil),
      ],
      deaths: [Death(process: "a", at: 60)],
      readings: [
        reading("under way", 40, [seat(1, "mina", "M")]),
        reading("before anybody asks again", 70, [seat(1, "mina", "M"), seat(2, "jun", nil, .inFlight)]),
        reading("healed", 130, [seat(1, "mina", "M"), seat(2, "jun", "J"), seat(3, "sora", "S")]),
      ]),
    final: [.summer(quota: 5, "mina", "jun", "sora")])

  static func seat(_ seat: Int, _ user: String, _ code: String?, _ standing: ReadSeat.Standing = .coupon) -> ReadSeat {
    ReadSeat(seat: seat, user: user, code: code, standing: standing)
  }

  static func reading(_ label: String, _ at: UInt64, _ seats: [ReadSeat]) -> Reading {
    Reading(
      label: label, begun: at, ended: at + 1,
      campaigns: [ReadCampaign(id: "summer", quota: 5, counter: seats.count, seats: seats)])
  }

  typealias Damage = @Sendable (inout ClaimHistory) -> Void

  /// What is changed in the sound history, and the promise that is broken by it.
  static let damages: [(String, String, Damage)] = [
    ("a counter above the set", "BOOKS-BALANCE", { $0.readings[0].campaigns[0].counter = 2 }),
    ("a counter above the quota", "NEVER-OVER", { $0.readings[2].campaigns[0].quota = 2 }),
    ("a gap in the seats", "BOOKS-BALANCE", { $0.readings[1].campaigns[0].seats[1].seat = 3 }),
    ("one user twice", "ONE-EACH", { $0.readings[2].campaigns[0].seats[2].user = "mina" }),
    ("a user who is nowhere", "NOTHING-LOST", { $0.readings[1].campaigns[0].seats[1].standing = .missing }),
    (
      "a yes that is not there before anybody asks again", "NO-FALSE-YES",
      { history in for index in 0...1 { history.readings[index].campaigns[0].seats[0].user = "eve" } }
    ),
    (
      "a coupon that vanished", "SAME-ANSWER",
      {
        $0.readings[2].campaigns[0].seats[0].code = nil
        $0.readings[2].campaigns[0].seats[0].standing = .retryable
      }
    ),
    ("a coupon that changed", "SAME-ANSWER", { $0.readings[2].campaigns[0].seats[0].code = "X" }),
    (
      "a quota that fell", "NEVER-OVER", { $0.readings[0].campaigns[0].quota = 9 }
    ),
    (
      "a seat that came after the process was dead", "THREE-ANSWERS",
      {
        $0.readings[1].campaigns[0].seats.removeLast()
        $0.readings[1].campaigns[0].counter = 1
      }
    ),
    ("a status that forgot a seat", "SAME-ANSWER", { $0.shown[0].seat = nil }),
    ("a status with another code", "SAME-ANSWER", { $0.shown[0].code = "X" }),
    ("a status with a seat that never came", "NO-FALSE-YES", { $0.shown[1].seat = 4 }),
  ]

  @Test func whatIsSoundIsSound() {
    #expect(HistoryChecker.violations(in: Self.sound.history, final: Self.sound.final).isEmpty)
  }

  @Test(arguments: damages.indices)
  func eachDamageIsNamed(index: Int) {
    let (what, promise, damage) = Self.damages[index]
    var history = Self.sound.history
    damage(&history)
    let violations = HistoryChecker.violations(in: history, final: Self.sound.final)
    #expect(violations.contains { $0.promise == promise }, "\(what): \(violations)")
  }

  // MARK: Lines of JSON, and the command

  @Test func linesKeepEverything() throws {
    var file = Self.sound
    file.history.acts = [.act(.raised(to: 9), 1, 2), .act(.paused, 3, 4), .act(.resumed, 5, 6), .act(.closed, 7, 8)]
    for answer in [Answer.again(1), .soldOut, .paused, .closed, .nothingHappened] {
      file.history.operations.append(.claim("all", 1, 2, answer))
    }
    #expect(try HistoryFile(reading: try file.text) == file)
  }

  @Test(arguments: [
    (#"{"kind":"claim","campaign":"s","user":"u","begun":1,"ended":2,"outcome":"maybe"}"#, "no outcome is maybe"),
    (#"{"kind":"death","process":"a","at":1,"when":2}"#, "a death has no key when"),
    (#"{"kind":"claim","campaign":"s","user":"u","begun":1,"outcome":"no"}"#, "ended is missing"),
    ("{}", "kind is missing"), ("[", "JSON"),
  ])
  func aBadLineIsRefused(line: String, why: String) async throws {
    let directory = try ScratchDirectory()
    let file = try directory.write("\n\(line)\n", to: "bad.jsonl")
    let result = try await Program("check-history").run([file])
    #expect(result.status == 65 && result.errors.contains("line 2") && result.errors.contains(why), "\(result.errors)")
  }

  @Test func theCommandJudges() async throws {
    let directory = try ScratchDirectory()
    var file = Self.sound
    let sound = try await Program("check-history").run([try directory.write(try file.text, to: "sound.jsonl")])
    #expect(sound.status == 0 && sound.output.contains("every promise held"), "\(sound.output)\(sound.errors)")
    let vacuous = try await Program("check-history").run([
      try directory.write(try file.text, to: "few.jsonl"), "--least-accepted", "3",
    ])
    #expect(vacuous.status == 3 && vacuous.output.contains("PROVES NOTHING"))
    Self.damages[7].2(&file.history)
    let broken = try await Program("check-history").run([try directory.write(try file.text, to: "broken.jsonl")])
    #expect(broken.status == 2 && broken.output.contains("BROKEN: SAME-ANSWER in campaign summer"))
  }
}
