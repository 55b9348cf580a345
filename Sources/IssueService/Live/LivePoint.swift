internal import Issuance
internal import ServiceKit

/// A point as the live page gets it. No user id is in it but masked.
struct LivePoint: Encodable, Sendable {
  struct Latency: Encodable {
    let claims: Int
    let p50Ms: Double
    let p90Ms: Double
    let p99Ms: Double
    let maxMs: Double
  }

  struct Reconciliation: Encodable {
    let verdict: Nullable<String>
    let endedAt: Nullable<String>
    let findings: Nullable<Int>
  }

  struct Replay: Encodable {
    let startedAt: String
    let endedAt: Nullable<String>
    let exitCode: Nullable<Int>
    let resolved: Nullable<Int>
  }

  let schemaVersion = 1
  let number: Int
  let at: String
  /// When the store was read: a large one is read less often than points are made.
  let figuresAt: Nullable<String>
  let ready: Bool
  let notReadyBecause: Nullable<String>
  let trouble: Nullable<String>
  let queueDepth: Int
  let shedPerSecond: Int
  let viewers: Int
  let latency: Nullable<Latency>
  let lastReconciliation: Nullable<Reconciliation>
  let lastReplay: Nullable<Replay>
  /// Empty where the store did not answer.
  let campaigns: [LiveCampaign]

  init(_ point: StatsSample, viewers: Int) {
    number = point.number
    at = "\(point.at)"
    figuresAt = Nullable(point.stats.map { "\($0.asOf)" })
    ready = point.notReadyBecause == nil
    notReadyBecause = Nullable(point.notReadyBecause)
    trouble = Nullable(point.trouble)
    queueDepth = point.queueDepth
    shedPerSecond = point.shedPerSecond
    self.viewers = viewers
    latency = Nullable(
      point.latency.map {
        Latency(
          claims: $0.claims, p50Ms: $0.p50.milliseconds, p90Ms: $0.p90.milliseconds, p99Ms: $0.p99.milliseconds,
          maxMs: $0.max.milliseconds)
      })
    lastReconciliation = Nullable(
      point.stats?.lastReconciliation.map {
        Reconciliation(
          verdict: Nullable($0.verdict), endedAt: Nullable($0.endedAt.map { "\($0)" }), findings: Nullable($0.findings))
      })
    lastReplay = Nullable(
      point.stats?.lastReplay.map {
        Replay(
          startedAt: "\($0.startedAt)", endedAt: Nullable($0.endedAt.map { "\($0)" }), exitCode: Nullable($0.exitCode),
          resolved: Nullable($0.resolved))
      })
    campaigns = (point.stats?.campaigns ?? []).map { LiveCampaign($0, rates: point.rates[$0.summary.campaign.id]) }
  }
}

/// One campaign of a point.
struct LiveCampaign: Encodable, Sendable {
  struct Failed: Encodable {
    let kind: String
    let dead: Bool
    let count: Int
  }

  struct GivenSeat: Encodable {
    let seat: Int
    let user: String
    let acceptedAt: String
  }

  let id: String
  let name: String
  let phase: String
  let quota: Int
  let counter: Int
  let coupons: Int
  let issuer: String
  let opensAt: Nullable<String>
  let closesAt: Nullable<String>
  let freeCodes: Nullable<Int>
  let pending: Int
  let oldestPendingAt: Nullable<String>
  let failed: [Failed]
  let rates: LiveRates
  let latest: [GivenSeat]

  init(_ stats: CampaignStats, rates: ClaimRates?) {
    let campaign = stats.summary.campaign
    id = campaign.id.rawValue
    name = campaign.name
    phase = stats.summary.phase.word
    quota = campaign.quota.count
    counter = campaign.counter
    coupons = stats.summary.coupons
    issuer = campaign.issuer.rawValue
    opensAt = Nullable(campaign.opensAt.map { "\($0)" })
    closesAt = Nullable(campaign.closesAt.map { "\($0)" })
    freeCodes = Nullable(stats.summary.freeCodes)
    pending = stats.pending
    oldestPendingAt = Nullable(stats.oldestPendingAt.map { "\($0)" })
    failed = stats.failed.map { Failed(kind: $0.kind.rawValue, dead: $0.isDead, count: $0.count) }
    self.rates = LiveRates(rates ?? ClaimRates())
    latest = stats.latest.map {
      GivenSeat(seat: $0.seat.number, user: $0.userID.masked, acceptedAt: "\($0.acceptedAt)")
    }
  }
}

/// Answers of one second.
struct LiveRates: Encodable, Sendable {
  let accepted: Int
  let repeated: Int
  let soldOut: Int
  let refused: Int

  init(_ rates: ClaimRates) {
    accepted = rates.accepted
    repeated = rates.repeated
    soldOut = rates.soldOut
    refused = rates.refused
  }
}

/// What the charts need of the points before.
struct LiveHistory: Encodable, Sendable {
  struct Point: Encodable {
    let at: String
    /// Without those of which nobody heard in that second.
    let campaigns: [String: LiveRates]
    let p50Ms: Nullable<Double>
    let p99Ms: Nullable<Double>
  }

  let schemaVersion = 1
  let points: [Point]

  init(_ points: [StatsSample]) {
    self.points = points.map { point in
      let rates = point.rates.filter { $0.value != ClaimRates() }.map { ($0.key.rawValue, LiveRates($0.value)) }
      return Point(
        at: "\(point.at)", campaigns: Dictionary(rates, uniquingKeysWith: { first, _ in first }),
        p50Ms: Nullable(point.latency?.p50.milliseconds), p99Ms: Nullable(point.latency?.p99.milliseconds))
    }
  }
}

extension UserID {
  /// The first character, where there is more than one, and three dots however many follow: what an onlooker may see.
  var masked: String { (rawValue.utf8.count > 1 ? rawValue.prefix(1) : "") + "•••" }
}

extension Duration {
  /// Whole microseconds, in milliseconds.
  fileprivate var milliseconds: Double {
    Double(components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000) / 1_000
  }
}
