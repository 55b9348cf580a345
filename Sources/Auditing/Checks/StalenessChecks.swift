internal import Issuance

/// Overdue work. The records are consistent, but no worker has done the work yet.
package struct Warning: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case inFlightTooLong = "in-flight-too-long"
    case dueNotPicked = "due-not-picked"
    case leaseExpired = "lease-expired"
    case clockSkew = "clock-skew"
    case retryRunMissing = "retry-run-missing"
    case runCrashed = "run-crashed"
    case deadLetters = "dead-letters"
    case quarantined = "quarantined-events"
  }

  package let kind: Kind
  package let count: Int
  /// The age of the oldest one, in whole seconds.
  package let oldestSeconds: Int?
  /// The campaign of the oldest one.
  package let campaign: String?
  package let seat: Int?
  package let what: String
  /// The command that resolves it.
  package let next: String
}

/// Finds overdue work in each seat of the pass. Pure: rows and an instant in, warnings out.
struct StalenessChecks {
  /// A count of seats, with the oldest of them.
  private struct Oldest {
    var count = 0
    var since = Int64.max
    var key: SeatKey?

    mutating func add(_ key: SeatKey, since moment: Int64) {
      count += 1
      if moment < since { (since, self.key) = (moment, key) }
    }
  }

  private let now: Int64
  private let grace: Int64
  private let retryEvery: Int64
  private var inFlight = Oldest()
  private var due = Oldest()
  private var expired = Oldest()
  private var dead = Oldest()
  /// Events and leases with times from a clock that was ahead.
  private var skewed = Oldest()
  /// The latest end that a lease can have.
  private let horizon: Int64

  init(now: Timestamp, grace: Duration, retryEvery: Duration) {
    self.now = now.microseconds
    horizon = now.advanced(by: IssuerDispatcher.Limits.longestLease).microseconds
    self.grace = grace.microsecondsSaturated
    self.retryEvery = retryEvery.microsecondsSaturated
  }

  /// - Parameter freeCodesSince: of its campaign: parked events are due while codes are free.
  mutating func add(_ record: SeatSnapshot, freeCodesSince: Int64? = nil) {
    if let outbox = record.outbox, outbox.state == "pending" {
      if age(of: outbox.at) > grace, record.coupon == nil { inFlight.add(record.key, since: outbox.at) }
      judgeLease(of: record.key, until: outbox.leasedUntil)
    }
    guard let failed = record.failedEvent else { return }
    if failed.state == "dead" { dead.add(record.key, since: failed.settledAt ?? failed.at) }
    judgeLease(of: record.key, until: failed.leasedUntil)
    let isSkewed = failed.state == "waiting" && failed.failure?.hasSkewedClock ?? false
    if isSkewed { skewed.add(record.key, since: now) }
    let isInHand = failed.leasedUntil.map { $0 > now && $0 <= horizon } ?? false
    let dueAt: Int64? =
      switch failed.state {
      case "waiting": failed.failure?.nextAttemptAt
      case "parked": freeCodesSince.map { max($0, failed.at) }
      default: nil
      }
    if !isInHand, let dueAt, age(of: dueAt) > grace { due.add(record.key, since: dueAt) }
  }

  /// A lease that reaches further than a lease can was taken under a clock that was ahead. It counts as expired.
  private mutating func judgeLease(of key: SeatKey, until: Int64?) {
    guard let until else { return }
    if until <= now { expired.add(key, since: until) }
    if until > horizon {
      expired.add(key, since: now)
      skewed.add(key, since: now)
    }
  }

  func warnings(_ runs: ReplayRuns, quarantined: [QuarantinedEvent] = []) -> [Warning] {
    var warnings: [Warning] = []
    func warn(_ kind: Warning.Kind, _ oldest: Oldest, _ what: String, next: String) {
      guard oldest.count > 0, let key = oldest.key else { return }
      let seconds = Int(max(0, age(of: oldest.since)) / 1_000_000)
      warnings.append(
        Warning(
          kind: kind, count: oldest.count, oldestSeconds: seconds, campaign: key.campaign, seat: key.seat,
          what: "\(oldest.count) \(what), the oldest for \(seconds) s: \(key.campaign)/\(key.seat)", next: next))
    }
    warn(
      .inFlightTooLong, inFlight, "in flight longer than \(seconds(grace)) s",
      next: "see that issue-service serve runs, or: issue-service consume --once")
    warn(.dueNotPicked, due, "failed events due that nobody has picked", next: "retry-batch --once")
    warn(
      .leaseExpired, expired, "leases that have run out",
      next: "retry-batch --once takes them up; to release them: reconcile plan")
    warnings += skewWarnings(runs) + runWarnings(runs)
    warn(
      .deadLetters, dead, "dead letters wait for a person",
      next: "reconcile explain --campaign \(dead.key?.campaign ?? "ID") --seat \(dead.key?.seat ?? 0)")
    if let first = quarantined.first {
      warnings.append(
        Warning(
          kind: .quarantined, count: quarantined.count, oldestSeconds: nil, campaign: first.key.campaign,
          seat: first.key.seat,
          what:
            "\(quarantined.count) events that no program can settle, the first: \(first.key.campaign)/\(first.key.seat)",
          next: "retry-batch list"))
    }
    return warnings
  }

  private func skewWarnings(_ runs: ReplayRuns) -> [Warning] {
    let count = skewed.count + runs.ahead
    guard count > 0 else { return [] }
    return [
      Warning(
        kind: .clockSkew, count: count, oldestSeconds: nil, campaign: skewed.key?.campaign, seat: skewed.key?.seat,
        what: """
          \(skewed.count) failed events or leases and \(runs.ahead) runs have times of a clock that was ahead; they count \
          as due and over
          """,
        next: "compare the clocks: timedatectl; the next retry-batch takes the events up")
    ]
  }

  private func runWarnings(_ runs: ReplayRuns) -> [Warning] {
    var warnings: [Warning] = []
    let lastStartedAt = runs.lastStartedAt.flatMap { $0 <= now ? $0 : nil }
    let isMissing =
      due.count > 0 && age(of: max(due.since, lastStartedAt ?? 0)) > retryEvery.addingSaturated(grace)
    if isMissing {
      let last = lastStartedAt.map { "the last began at \(Timestamp(microseconds: $0))" } ?? "none ever began"
      warnings.append(
        Warning(
          kind: .retryRunMissing, count: 1,
          oldestSeconds: lastStartedAt.map { Int(max(0, age(of: $0)) / 1_000_000) },
          campaign: nil, seat: nil,
          what: "retry-batch should run every \(seconds(retryEvery)) s, and \(last)",
          next: "see the timer: systemctl list-timers retry-batch.timer"))
    }
    // A start in the future comes from another clock: that run is not in progress.
    let crashed = runs.unfinished.filter { $0.value > now || age(of: $0.value) > grace }.sorted {
      ($0.value, $0.key) < ($1.value, $1.key)
    }
    if let first = crashed.first {
      warnings.append(
        Warning(
          kind: .runCrashed, count: crashed.count, oldestSeconds: Int(max(0, age(of: first.value)) / 1_000_000),
          campaign: nil,
          seat: nil, what: "\(crashed.count) runs of retry-batch never ended, the first is \(first.key)",
          next: "see its log, then: retry-batch --once"))
    }
    return warnings
  }

  /// The age of a stored moment, in microseconds. A moment far outside the calendar does not overflow.
  private func age(of moment: Int64) -> Int64 { now.subtractingSaturated(moment) }

  private func seconds(_ microseconds: Int64) -> Int64 { microseconds / 1_000_000 }
}
