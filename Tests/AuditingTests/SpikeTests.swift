import Foundation
import GRDB
import Issuance
import SQLiteStore
import Synchronization
import TestSupport
import Testing

@testable import Auditing

private final class Flag: Sendable {
  private let value = Atomic<Bool>(false)

  var isSet: Bool { value.load(ordering: .relaxed) }
  func set() { value.store(true, ordering: .relaxed) }
}

@Suite("A report under load")
struct SpikeTests {
  private static let load = CampaignID("load")!

  /// 1,000 reports while seats are given and coupons made: none is DIRTY. Then one row is gone, and the next says whose.
  ///
  /// About one write to each report, so that the campaign does not grow faster than it can be read.
  @Test func aThousandReportsDuringASpike() async throws {
    let file = try await AuditedFile()
    _ = try await file.store.create(.test(Self.load, quota: 10_000), by: .test)
    let (turns, turn) = AsyncStream<Void>.makeStream()
    let source = try file.source()
    let verdicts = try await withThrowingTaskGroup(of: [Verdict: Int].self) { group in
      group.addTask {
        var user = 0
        for await _ in turns {
          user += 1
          _ = try await file.store.admit([.of(user, in: Self.load)])
          if user.isMultiple(of: 3) { _ = try await file.store.deliverPending(limit: 2) }
        }
        return [:]
      }
      group.addTask {
        var verdicts: [Verdict: Int] = [:]
        for _ in 1...1_000 {
          turn.yield()
          let verdict = try await source.withSnapshot { Audit($0, AuditOptions(scope: Self.load)).judge().verdict }
          verdicts[verdict, default: 0] += 1
        }
        turn.finish()
        return verdicts
      }
      return try await group.reduce(into: [:]) { $0.merge($1) { $0 + $1 } }
    }
    #expect(verdicts == [.clean: 1_000])
    let whole = try await file.report(scope: Self.load)
    #expect(whole.verdict == .clean && (whole.totals.first?.counter ?? 0) > 100)
    try file.corrupt("DELETE FROM coupon WHERE campaign_id = 'load' AND seat = 17")
    let report = try await file.report(scope: Self.load)
    #expect(report.verdict == .dirty)
    #expect(report.findings.map(\.id).contains("acceptance-accounted-for/load/17"))
  }

  /// Where the log grows beyond its bound while the snapshot is read, the pass is given up and a copy is read.
  @Test func aGrowingLogMakesItReadACopy() async throws {
    let file = try await AuditedFile()
    _ = try await file.store.create(.test(Self.load, quota: 1_000_000), by: .test)
    for start in stride(from: 1, through: 4_001, by: 500) {
      _ = try await file.store.admit((start..<start + 500).map { .of($0, in: Self.load) })
    }
    let isOver = Flag()
    let source = try SQLiteReconciliationSource(path: file.store.file.path, logGrowth: 0, clock: TestClock().clock)
    let reports = try await withThrowingTaskGroup(of: [Report].self) { group in
      group.addTask {
        var user = 5_001
        while !isOver.isSet {
          _ = try await file.store.admit((user..<user + 20).map { .of($0, in: Self.load) })
          user += 20
        }
        return []
      }
      group.addTask {
        defer { isOver.set() }
        var reports: [Report] = []
        while reports.last?.identity?.isCopy != true, reports.count < 1_000 {
          reports.append(try await source.withSnapshot { Audit($0).judge() })
        }
        return reports
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(reports.last?.identity?.isCopy == true)
    #expect(reports.allSatisfy { $0.verdict == .clean })
    #expect(try file.directory.names().allSatisfy { !$0.contains("copy") })
  }
}
