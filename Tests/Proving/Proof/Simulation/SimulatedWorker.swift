internal import Issuance

/// A consumer or a run of the batch that does one thing at a time, so that it can be gone between any two.
struct SimulatedWorker {
  enum Phase: Equatable {
    case idle
    /// Of a run: its row stands, and it goes on from here.
    case begun(ReplayCursor)
    /// Holds leases, some of which may have been asked for. A run goes on from `next`.
    case working(next: ReplayCursor)
    /// Of a run that has nothing left to take.
    case finishing
  }

  let slot: Int
  /// How many have been in the slot.
  let number: Int
  let id: RunID
  var phase = Phase.idle
  /// Whom it may ask; `nil` until it has looked who is down.
  var book: CircuitBreakers?
  /// Not asked for yet.
  var leases: [Lease] = []
  /// Not settled yet.
  var attempts: [Attempt] = []
  /// What it settled last, but what was fenced.
  var settled: [Attempt] = []
  var tally = ReplayTally()
  var startedAt = Timestamp(microseconds: 0)

  init(slot: Int, number: Int, of campaign: CampaignID) {
    self.slot = slot
    self.number = number
    id = RunID("\(campaign)-\(slot < 2 ? "consumer" : "run")-\(slot)-\(number)")
  }

  var isConsumer: Bool { slot < 2 }
  /// The two runs lease for different times.
  var lease: Duration { slot == 3 ? .seconds(20) : .seconds(60) }
  var inHand: [Lease] { leases + attempts.map(\.lease) }

  /// Where a crash finds it.
  var place: String {
    switch phase {
    case .idle: "an idle worker"
    case .begun: "a run before it leases"
    case .working where attempts.isEmpty: "a worker with leases"
    case .working: leases.isEmpty ? "a worker with all its answers" : "a worker between two calls"
    case .finishing: "a run before its end is written"
    }
  }

  func start(of campaign: CampaignID) -> RunStart {
    RunStart(id: id, host: "simulation", processID: slot, filter: EventFilter(campaign: campaign))
  }
}
