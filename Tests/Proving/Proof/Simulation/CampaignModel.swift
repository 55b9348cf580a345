internal import Issuance
internal import TestSupport

/// What should stand in the store of one campaign: written from the promises, without a line of the store's or the
/// domain's decisions. Every step of a history is done to it too, and both must say the same.
struct CampaignModel {
  struct Hold: Equatable {
    var holder: RunID?
    var until: Timestamp?
    var generation = 0

    /// Nobody has it in hand, or whoever has must have lost it: one that reaches further than a lease of this length
    /// could is from before a clock was set back.
    func isFree(at now: Timestamp, _ duration: Duration) -> Bool {
      guard let until else { return true }
      return until <= now || isFromTheFuture(at: now, duration)
    }

    func isFromTheFuture(at now: Timestamp, _ duration: Duration) -> Bool {
      guard holder != nil, let until else { return false }
      return until > now.advanced(by: duration)
    }

    func holds(_ lease: Lease, at now: Timestamp) -> Bool {
      guard let until else { return false }
      return holder == lease.holder && generation == lease.generation && until > now
    }
  }

  struct Failed: Equatable {
    var state: FailedEventState
    var kind: FailureKind
    var attempts: Int
    var maxAttempts: Int
    var nextAttemptAt: Timestamp?
    var hold: Hold
    var failedAt: Timestamp
    var isReported = false
  }

  /// An event whose lease ran out without being settled or given back.
  struct Suspect: Equatable {
    var lapses = 0
    /// The generation of the lease that it has alone.
    var alone: Int?
  }

  struct Given {
    let user: Int
    let acceptedAt: Timestamp
    var outbox = "pending"
    var hold = Hold()
    var failed: Failed?
    /// `""` until its code, which only the store can make, was seen.
    var coupon: String?
    var attempts: [Int: String] = [:]
    /// When each attempt ended.
    var attemptEnds: [Int: Timestamp] = [:]
    var suspect: Suspect?
  }

  static let storePolicy = RetryPolicy(base: .seconds(32), cap: .seconds(128), maxAttempts: 3)

  let id: CampaignID
  let issuer: Issuer
  let endpoint: String?
  let opensAt: Timestamp?
  let closesAt: Timestamp?
  let policy: RetryPolicy
  var quota: Int
  var state = Campaign.State.open
  /// By seat; the first is seat 1.
  var seats: [Given] = []
  /// In the order of import.
  var codes: [(code: String, seat: Int?)] = []
  var circuit = IssuerFailures()
  /// What was seen on the way, for the counts of the proof.
  var seen: [String: Int] = [:]

  mutating func saw(_ what: String, _ count: Int = 1) { if count > 0 { seen[what, default: 0] += count } }

  var counter: Int { seats.count }
  var coupons: Int { seats.count { $0.coupon != nil } }
  var freeCodes: Int { codes.count { $0.seat == nil } }

  func event(_ seat: Int) -> Event {
    Event(campaignID: id, seat: Seat(seat), userID: UserID(number: seats[seat - 1].user), traceParent: nil)
  }

  // MARK: Admission

  /// What a claim meets; it changes nothing.
  func answer(_ user: Int, at now: Timestamp) -> ClaimOutcome {
    if let place = seats.firstIndex(where: { $0.user == user }) { return .alreadyAccepted(acceptance(place + 1)) }
    if state == .closed { return .refused(.closed) }
    if let closesAt, closesAt <= now { return .refused(.closed) }
    if let opensAt, opensAt > now { return .refused(.notOpenYet(opensAt: opensAt)) }
    if state == .paused { return .refused(.paused) }
    if seats.count >= quota { return .refused(.soldOut) }
    let acceptedAt = seats.last.map { max($0.acceptedAt, now) } ?? now
    return .accepted(
      Acceptance(
        campaignID: id, userID: UserID(number: user), seat: Seat(seats.count + 1), acceptedAt: acceptedAt))
  }

  mutating func admit(_ users: [Int], at now: Timestamp) -> [ClaimOutcome] {
    users.map { user in
      let outcome = answer(user, at: now)
      switch outcome {
      case .accepted(let acceptance):
        seats.append(Given(user: user, acceptedAt: acceptance.acceptedAt))
        saw("claims accepted")
      case .alreadyAccepted: saw("claims repeated")
      case .refused(.soldOut): saw("claims sold out")
      case .refused: saw("claims refused otherwise")
      }
      return outcome
    }
  }

  func acceptance(_ seat: Int) -> Acceptance {
    let given = seats[seat - 1]
    return Acceptance(
      campaignID: id, userID: UserID(number: given.user), seat: Seat(seat), acceptedAt: given.acceptedAt)
  }

  /// `pending`, `issued`, `delayed` or `discarded`.
  func standing(_ seat: Int) -> String {
    let given = seats[seat - 1]
    if given.coupon != nil { return "issued" }
    guard let failed = given.failed else { return "pending" }
    return failed.state == .discarded ? "discarded" : "delayed"
  }

  func phase(at now: Timestamp) -> String {
    if state == .closed { return "closed" }
    if let closesAt, closesAt <= now { return "closed" }
    if let opensAt, opensAt > now { return "scheduled" }
    if state == .paused { return "paused" }
    return seats.count < quota ? "open" : "sold_out"
  }
}

/// How often an issuer has failed since it last answered.
struct IssuerFailures: Equatable {
  var inARow = 0
  var seats: Set<Int> = []

  var isDown: Bool { inARow >= 5 }

  /// Nobody there counts always; a bad answer once per seat; any other answer ends the row. Of five seats at most it is
  /// remembered that they were counted.
  mutating func hear(_ answer: CodeResponse, of seat: Int) {
    guard case .failure(let failure) = answer, [.infrastructure, .transient].contains(failure.kind) else {
      self = IssuerFailures()
      return
    }
    if failure.kind == .infrastructure || !seats.contains(seat) { inARow += 1 }
    if seats.count < 5 { seats.insert(seat) }
  }
}
