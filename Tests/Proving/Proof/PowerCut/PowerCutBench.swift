internal import Foundation
internal import GRDB
internal import History
internal import Issuance
internal import SQLiteStore
internal import TestSupport

/// One writer on one image, whose power is cut again and again.
struct PowerCutBench: Sendable {
  let directory: ScratchDirectory
  let image: String
  let trials: Range<Int>
  let seed: UInt64

  /// What is there after the power is back.
  private struct Aftermath {
    /// `nil` where the store takes the file.
    let refusal: StoreError.Code?
    let seats: [String: Int]
    let broken: [String]
  }

  private func cut() async throws -> Aftermath {
    let copy = directory.path("after-the-cut.img")
    try await Mount.asRoot("/usr/bin/cp", "--sparse=always", image, copy)
    return try await Mount.withImage(copy, in: directory) { disk in
      let database = disk.path("first-come.db")
      var refusal: StoreError.Code?
      do throws(StoreError) {
        _ = try SQLiteStore(path: database, clock: TestClock().clock)
      } catch {
        refusal = error.code
      }
      let campaigns = try DatabaseReading.campaigns(of: database)
      let reading = Reading(label: "after the cut", begun: 0, ended: 1, campaigns: campaigns)
      let broken = HistoryChecker.violations(
        in: ClaimHistory(readings: [reading]), final: campaigns.map { $0.asFinalSet })
      let seats = campaigns.flatMap(\.seats).map { ($0.user, $0.seat) }
      return Aftermath(
        refusal: refusal, seats: Dictionary(seats, uniquingKeysWith: { first, _ in first }),
        broken: broken.filter { $0.promise == "BOOKS-BALANCE" || $0.promise == "NEVER-OVER" }.map { "\($0)" })
    }
  }

  private func add(_ after: Aftermath, acknowledged: [String: Int], to losses: inout PowerCutLosses) {
    let lost = acknowledged.filter { after.seats[$0.key] != $0.value }
    losses.cuts += 1
    losses.acknowledged += acknowledged.count
    losses.lost += lost.count
    losses.broken += after.broken
    if !lost.isEmpty {
      losses.cutsWithLoss += 1
      losses.seen += after.refusal == .witnessAhead ? 1 : 0
    }
    // Under NORMAL the witness may know of a seat that was lost before anybody heard of it.
    let isControl = losses.synchronous == "NORMAL"
    if !isControl, !lost.isEmpty {
      losses.broken.append("\(lost.count) acknowledged seats were lost, \(lost.first!.key) among them")
    }
    if let refusal = after.refusal, !(isControl && refusal == .witnessAhead) {
      losses.broken.append("the store refused what the cut left: \(refusal)")
    }
  }

  /// `power-cut-writer`, which admits group after group, makes coupons, imports and replays between them.
  func cutWriter(synchronous: String) async throws -> PowerCutLosses {
    let acknowledged = directory.path("acknowledged")
    return try await Mount.withImage(image, in: directory) { disk in
      try await RunningProgram.run(
        "power-cut-writer", [disk.path("first-come.db"), acknowledged, synchronous]
      ) { writer in
        var losses = PowerCutLosses(synchronous: synchronous.uppercased(), writer: "power-cut-writer")
        var random = SplitMix(state: seed &+ UInt64(trials.lowerBound))
        for _ in trials {
          for _ in 0..<5 + random.below(30) { _ = try await writer.nextLine() }
          try writer.suspend()
          let lines = try String(contentsOfFile: acknowledged, encoding: .utf8).split(separator: "\n")
          let seats = lines.compactMap { line -> (String, Int)? in
            let parts = line.split(separator: " ")
            return parts.count == 2 ? Int(parts[1]).map { (String(parts[0]), $0) } : nil
          }
          let after = try await cut()
          try writer.resume()
          add(after, acknowledged: Dictionary(seats, uniquingKeysWith: { first, _ in first }), to: &losses)
        }
        return losses
      }
    }
  }

  /// The service itself, with its answers over HTTP.
  func cutService() async throws -> PowerCutLosses {
    let (heard, hears) = AsyncStream<(user: String, seat: Int)>.makeStream()
    return try await Mount.withImage(image, in: directory) { disk in
      let database = disk.path("first-come.db")
      _ = try await Program.issueService.run([
        "campaign", "create", "summer", "--quota", "900000", "--database", database,
      ])
      return try await RunningService.run(database: database) { service in
        try await withThrowingTaskGroup(of: PowerCutLosses?.self) { group in
          for client in 1...16 {
            group.addTask {
              for number in 1... {
                let user = "client-\(client)-\(number)"
                // The service is killed in the end: then there is no answer.
                guard let answer = try? await HTTP.claim(user, from: "summer", at: service.claims) else { break }
                guard answer.status == 201, let seat = try answer.json()["seat"]?.int else { break }
                hears.yield((user, seat))
              }
              return nil
            }
          }
          group.addTask { try await cut(service, heard) }
          return try await group.reduce(nil) { $0 ?? $1 }
        }
      }.value
    } ?? PowerCutLosses(synchronous: "FULL", writer: "issue-service")
  }

  private func cut(
    _ service: RunningService, _ heard: AsyncStream<(user: String, seat: Int)>
  ) async throws -> PowerCutLosses {
    var losses = PowerCutLosses(synchronous: "FULL", writer: "issue-service")
    var answers = heard.makeAsyncIterator()
    var random = SplitMix(state: seed &+ UInt64(trials.lowerBound))
    var seats: [String: Int] = [:]
    for _ in trials {
      for _ in 0..<20 + random.below(120) {
        guard let answer = await answers.next() else { break }
        seats[answer.user] = answer.seat
      }
      try service.suspend()
      let after = try await cut()
      try service.resume()
      add(after, acknowledged: seats, to: &losses)
    }
    try service.kill()
    return losses
  }
}

extension ReadCampaign {
  /// For a judgement of the set alone: coupons may still be on their way.
  fileprivate var asFinalSet: FinalCampaign {
    FinalCampaign(
      id: id, firstQuota: quota, quota: quota, counter: counter,
      rows: seats.map { FinalRow(seat: $0.seat, user: $0.user, hasCoupon: true) })
  }
}
