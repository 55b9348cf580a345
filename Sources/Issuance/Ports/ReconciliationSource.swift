/// Opens one snapshot of all records for the reconciler. Reads only, but for the row of its own run.
package protocol ReconciliationSource: Sendable {
  /// Runs `body` on one snapshot: everything in it is read as of one instant, also while others write.
  func withSnapshot<Result: Sendable>(
    _ body: @escaping @Sendable (any ReconciliationSnapshot) -> Result
  ) async throws(StoreFailure) -> Result

  /// A command of this store's own tools that shows what a finding is about.
  func command(toShow evidence: Evidence) -> String

  /// Writes the row of a run after its verdict. One transaction.
  func recordReconciliation(_ record: ReconciliationRecord) async throws(StoreFailure)
}

/// What a person looks at to see a finding with their own eyes.
package enum Evidence: Sendable, Equatable {
  case rows(SeatRow.Kind, SeatKey)
  case campaign(String)
  case structure, references, integrity, witness
}

/// The records of one instant, each kind in the order of campaign and seat.
///
/// Rows are given as they stand, with the raw words of the store: the reconciler judges also what must not be there.
/// A `campaign` of `nil` is all campaigns.
package protocol ReconciliationSnapshot {
  /// The instant of the snapshot, by the clock of this machine.
  var asOf: Timestamp { get }

  func missingTables() throws(StoreFailure) -> [String]
  /// What in the store's own structure is missing or not as the migrations made it.
  func schemaDifferences() throws(StoreFailure) -> IntegrityResult
  /// Rows of a form that the store refuses, if it is asked.
  func malformedRows() throws(StoreFailure) -> IntegrityResult
  func campaigns(_ campaign: CampaignID?) throws(StoreFailure) -> [CampaignRow]
  func acceptances(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow>
  func outboxRows(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow>
  func failedEvents(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow>
  func coupons(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow>

  /// The witness as it was read before the snapshot: all that it has seen is in a sound snapshot.
  func witness() throws(StoreFailure) -> WitnessReading

  /// How many rows there are, by another way than reading them all: a check that read nothing shows against it.
  func count(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreFailure) -> Int

  /// Users, seats and codes that stand on more than one row of one campaign, found without the unique indexes.
  func duplicates(
    _ kind: SeatRow.Kind, of campaign: CampaignID?
  ) throws(StoreFailure) -> [DuplicateRows]

  /// The answers that wrote nothing, per campaign: at least so many.
  func tallies(of campaign: CampaignID?) throws(StoreFailure) -> [TallyRow]

  /// Damage that the store finds in its own structures.
  func structuralDamage() throws(StoreFailure) -> IntegrityResult
  /// Indexes that do not hold just the rows that they should.
  func indexDamage() throws(StoreFailure) -> IntegrityResult
  /// References that lead nowhere, by the store's own check.
  func danglingReferences() throws(StoreFailure) -> IntegrityResult
}

/// Rows one by one, so that memory does not grow with their number.
package struct RowStream<Row> {
  private let advance: () throws(StoreFailure) -> Row?

  package init(_ advance: @escaping () throws(StoreFailure) -> Row?) { self.advance = advance }

  /// - Returns: the next row; `nil` at the end.
  package func next() throws(StoreFailure) -> Row? { try advance() }
}

/// One campaign as stored.
package struct CampaignRow: Sendable, Equatable {
  package let id: String
  package let quota: Int
  package let counter: Int

  package init(id: String, quota: Int, counter: Int) {
    self.id = id
    self.quota = quota
    self.counter = counter
  }
}

/// The identity of an acceptance as stored, ordered as the store orders it: campaign by bytes, then seat.
package struct SeatKey: Hashable, Sendable, Comparable {
  package let campaign: String
  package let seat: Int

  package init(campaign: String, seat: Int) {
    self.campaign = campaign
    self.seat = seat
  }

  package static func < (left: Self, right: Self) -> Bool {
    left.campaign == right.campaign
      ? left.seat < right.seat : left.campaign.utf8.lexicographicallyPrecedes(right.campaign.utf8)
  }
}

/// One row of the set, the outbox, the failed events or the coupons.
package struct SeatRow: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case acceptance, outbox, failedEvent, coupon
  }

  package let key: SeatKey
  package let user: String
  /// The state of an outbox row or failed event; the code of a coupon; empty for an acceptance.
  package let word: String
  /// Of an acceptance only.
  package let link: ChainLink?
  /// Of an outbox row or a coupon only.
  package let traceParent: String?

  package init(key: SeatKey, user: String, word: String, link: ChainLink? = nil, traceParent: String? = nil) {
    self.key = key
    self.user = user
    self.word = word
    self.link = link
    self.traceParent = traceParent
  }
}

/// What ties an acceptance to the one before.
package struct ChainLink: Sendable, Equatable {
  package let acceptedAt: Int64
  /// `nil` in a row from before the chain began.
  package let value: [UInt8]?

  package init(acceptedAt: Int64, value: [UInt8]?) {
    self.acceptedAt = acceptedAt
    self.value = value
  }
}

/// What the witness outside the store says.
package enum WitnessReading: Sendable, Equatable {
  case record([WitnessedSeat])
  /// There is none, it is another store's, or it cannot be read: nobody knows whether acceptances are missing.
  case unusable(String)
}

/// The last acceptance of one campaign that was witnessed.
package struct WitnessedSeat: Sendable, Equatable {
  package let key: SeatKey
  package let chain: [UInt8]

  package init(key: SeatKey, chain: [UInt8]) {
    self.key = key
    self.chain = chain
  }
}

/// One value that stands on several rows.
package struct DuplicateRows: Sendable, Equatable {
  package enum Field: String, Sendable { case seat, user, code }

  package let campaign: String
  package let field: Field
  package let value: String
  package let seats: [Int]

  package init(campaign: String, field: Field, value: String, seats: [Int]) {
    self.campaign = campaign
    self.field = field
    self.value = value
    self.seats = seats
  }
}

package struct TallyRow: Sendable, Equatable {
  package let campaign: String
  package let answer: String
  package let answered: Int

  package init(campaign: String, answer: String, answered: Int) {
    self.campaign = campaign
    self.answer = answer
    self.answered = answered
  }
}

/// What a check of the store's own found.
package struct IntegrityResult: Sendable, Equatable {
  package let examined: Int
  package let faults: [IntegrityFault]

  package init(examined: Int, faults: [IntegrityFault]) {
    self.examined = examined
    self.faults = faults
  }
}

package struct IntegrityFault: Sendable, Equatable {
  /// The name of what is at fault, where it has one; the same in every report.
  package let subject: String?
  package let what: String

  package init(_ subject: String?, _ what: String) {
    self.subject = subject
    self.what = what
  }
}

package struct ReconciliationRecord: Sendable, Equatable {
  package let run: RunStart
  package let startedAt: Timestamp
  package let verdict: String
  package let findings: Int
  package let exitCode: Int32

  package init(run: RunStart, startedAt: Timestamp, verdict: String, findings: Int, exitCode: Int32) {
    self.run = run
    self.startedAt = startedAt
    self.verdict = verdict
    self.findings = findings
    self.exitCode = exitCode
  }
}
