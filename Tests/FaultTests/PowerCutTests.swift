import Foundation
import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

/// The power cut on one machine: the database on an ext4 of its own, the process stopped, what was acknowledged read,
/// and then the image copied. What has not reached the image would have been lost with the power.
@Suite("NO-FALSE-YES: what was acknowledged survives a power cut")
struct PowerCutTests {
  private let directory: ScratchDirectory
  private let image: String

  init() async throws {
    directory = try ScratchDirectory()
    image = directory.path("disk.img")
    try await Mount.makeImage(image, mebibytes: 96)
  }

  /// What is there after the power is back.
  private struct Aftermath {
    /// `nil` where the store refuses the file.
    let refusal: StoreFailure.Code?
    let seats: [String: Int]
  }

  private func cut() async throws -> Aftermath {
    let copy = directory.path("after-the-cut.img")
    try await Mount.asRoot("/usr/bin/cp", "--sparse=always", image, copy)
    return try await Mount.withImage(copy, in: directory) { disk in
      let database = disk.path("first-come.db")
      var refusal: StoreFailure.Code?
      do throws(StoreFailure) {
        _ = try SQLiteStore(path: database, clock: TestClock().clock)
      } catch {
        refusal = error.code
      }
      let rows = try DatabaseQueue(path: database).read { db in
        try Row.fetchAll(db, sql: "SELECT user_id, seat FROM accepted_user")
      }
      return Aftermath(
        refusal: refusal, seats: Dictionary(uniqueKeysWithValues: rows.map { ($0["user_id"], $0["seat"]) }))
    }
  }

  /// How many acknowledged seats were lost in all, and how often the store saw it.
  private struct Losses {
    var lost = 0
    var cuts = 0
    var cutsWithLoss = 0
    var refusals = 0
    var cutsWithLossRefused = 0
  }

  private func cutWriter(synchronous: String, cuts: Int) async throws -> Losses {
    let acknowledged = directory.path("acknowledged")
    return try await Mount.withImage(image, in: directory) { disk in
      try await RunningProgram.run(
        "power-cut-writer", [disk.path("first-come.db"), acknowledged, synchronous]
      ) { writer in
        var losses = Losses()
        for _ in 1...cuts {
          for _ in 1...Int.random(in: 5...60) { _ = try await writer.nextLine() }
          try writer.suspend()
          let seats = try String(contentsOfFile: acknowledged, encoding: .utf8).split(separator: "\n")
          let after = try await cut()
          try writer.resume()
          let lost = seats.filter { after.seats[String($0)] == nil }.count
          losses.cuts += 1
          losses.lost += lost
          losses.cutsWithLoss += lost > 0 ? 1 : 0
          losses.refusals += after.refusal == .witnessAhead ? 1 : 0
          losses.cutsWithLossRefused += lost > 0 && after.refusal == .witnessAhead ? 1 : 0
          // The witness is written before the acknowledgement: without a durable commit it may know of a seat that was
          // lost before anybody heard of it.
          let isKnownToWitnessOnly = synchronous == "normal" && after.refusal == .witnessAhead
          if lost == 0 { #expect(after.refusal == nil || isKnownToWitnessOnly) }
        }
        return losses
      }
    }
  }

  @Test func fullLosesNothing() async throws {
    let losses = try await cutWriter(synchronous: "full", cuts: 15)
    #expect(losses.lost == 0 && losses.cuts == 15 && losses.refusals == 0)
  }

  /// The control: a test that could not see a loss would prove nothing. And each loss is seen by the witness.
  @Test func normalLosesAndIsFoundOut() async throws {
    let losses = try await cutWriter(synchronous: "normal", cuts: 10)
    #expect(losses.lost > 0)
    #expect(losses.cutsWithLossRefused == losses.cutsWithLoss)
  }

  /// The service itself, with its answers over HTTP.
  @Test func whatTheServiceAnsweredIsThere() async throws {
    let (heard, hears) = AsyncStream<(user: String, seat: Int)>.makeStream()
    let cuts = try await Mount.withImage(image, in: directory) { disk in
      let database = disk.path("first-come.db")
      _ = try await Program.issueService.run([
        "campaign", "create", "summer", "--quota", "900000", "--database", database,
      ])
      return try await RunningService.run(database: database) { service in
        try await withThrowingTaskGroup(of: Int?.self) { group in
          for client in 1...16 {
            group.addTask {
              for number in 1... {
                let user = "client-\(client)-\(number)"
                // The service is killed in the end: then there is no answer.
                guard let answer = try? await HTTP.claim(user, from: "summer", at: service.claims) else { break }
                guard answer.status == 201, let seat = try answer.json()["seat"]?.int else {
                  Issue.record("\(user) got \(answer.status)")
                  break
                }
                hears.yield((user, seat))
              }
              return nil
            }
          }
          group.addTask {
            var answers = heard.makeAsyncIterator()
            var seats: [String: Int] = [:]
            for _ in 1...10 {
              for _ in 1...Int.random(in: 20...200) {
                guard let answer = await answers.next() else { break }
                seats[answer.user] = answer.seat
              }
              try service.suspend()
              let after = try await cut()
              try service.resume()
              #expect(after.refusal == nil)
              for (user, seat) in seats { #expect(after.seats[user] == seat) }
            }
            try service.kill()
            return seats.count
          }
          return try await group.reduce(0) { $0 + ($1 ?? 0) }
        }
      }.value
    }
    #expect(cuts > 200)
  }
}
