/// Opens one consistent snapshot of all records for the reconciler. Writes only the reconciler's own rows.
package protocol ReconciliationSource: Sendable {
  /// Runs `body` on one snapshot: all reads see the same instant, even while other processes write.
  ///
  /// `body` may run a second time, on a copy. This happens if other processes write so much that the store's log
  /// would grow beyond a limit; the first pass is then abandoned.
  func withSnapshot<Result: Sendable>(
    _ body: @escaping @Sendable (any ReconciliationSnapshot) -> Result
  ) async throws(StoreError) -> Result

  /// Runs `body` on a temporary copy that it may corrupt. The copy is deleted afterwards.
  func withSelfTestSandbox<Result: Sendable>(
    _ body: @escaping @Sendable (any SelfTestSandbox) throws(StoreError) -> Result
  ) async throws(StoreError) -> Result

  /// A command of the store's own tools that shows the rows of a finding.
  func command(toShow place: EvidencePlace) -> String

  /// Writes the row of a run after its verdict, and the new status of the findings. One transaction.
  func recordReconciliation(_ record: ReconciliationRecord) async throws(StoreError)

  /// Writes a waiver, and the operator action if the campaign of the finding exists. One transaction.
  func waive(_ waiver: Waiver, campaign: String?) async throws(StoreError)

  /// Writes the result of a self-test. One transaction.
  func recordSelfTest(_ record: SelfTestRecord) async throws(StoreError)

  /// The recorded runs of reconcile, the latest first. One snapshot.
  func reconciliations(limit: Int) async throws(StoreError) -> ReconciliationPage
}

/// The place that an operator inspects to confirm a finding.
package enum EvidencePlace: Sendable, Equatable {
  case rows(SeatRow.Kind, SeatKey)
  case campaign(String)
  case structure, references, integrity, witness
}

/// The records of one instant, each kind ordered by campaign and seat.
///
/// Rows have the raw values of the store, because the reconciler also judges invalid rows. A `campaign` of `nil`
/// means all campaigns.
package protocol ReconciliationSnapshot {
  /// The instant of the snapshot, by the clock of this machine.
  var asOf: Timestamp { get }

  func identity() throws(StoreError) -> SnapshotIdentity
  func missingTables() throws(StoreError) -> [String]
  /// The parts of the store's schema that are missing or differ from the migrations.
  func schemaDifferences() throws(StoreError) -> IntegrityResult
  /// Rows that break a constraint, a bound or a type of the schema.
  func malformedRows() throws(StoreError) -> IntegrityResult
  func campaigns(_ campaign: CampaignID?) throws(StoreError) -> [CampaignRow]
  func acceptances(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow>
  func outboxRows(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow>
  func failedEvents(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow>
  func coupons(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow>
  /// The attempts of each seat that has any, summed.
  func attempts(of campaign: CampaignID?) throws(StoreError) -> RowStream<AttemptTally>
  /// The pool codes that are assigned to seats, by seat.
  func poolCodes(of campaign: CampaignID?) throws(StoreError) -> RowStream<PoolCodeRow>
  /// The operator actions, by campaign and in the order in which they were done.
  func acts(of campaign: CampaignID?) throws(StoreError) -> RowStream<OperatorActionRow>

  /// The witness, as read before the snapshot. A sound snapshot holds every acceptance that the witness has seen.
  func witness() throws(StoreError) -> WitnessReading

  /// The number of rows, counted by another way than reading them all. A check that read no rows does not match it.
  func count(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreError) -> Int

  /// Users and codes that appear on more than one row of one campaign.
  func duplicates(
    _ kind: SeatRow.Kind, of campaign: CampaignID?
  ) throws(StoreError) -> [DuplicateRows]

  /// The answers that wrote nothing, per campaign. Each count is a lower bound.
  func tallies(of campaign: CampaignID?) throws(StoreError) -> [TallyRow]

  /// Damage that the store finds in its own structures, and indexes that do not hold exactly the rows they should.
  func damage() throws(StoreError) -> StructureResult
  /// Dangling references, by the store's own check.
  func danglingReferences() throws(StoreError) -> IntegrityResult

  /// The runs of retry-batch, as far as the liveness checks need them.
  func replayRuns() throws(StoreError) -> ReplayRuns
  /// Quarantined events, by campaign and seat. Workers skip them.
  func quarantinedEvents(of campaign: CampaignID?) throws(StoreError) -> [QuarantinedEvent]

  /// The ids of the findings that the last recorded run left unresolved. `nil` means all campaigns; otherwise the
  /// result covers this campaign and the findings of no campaign.
  func standingFindings(of campaign: CampaignID?) throws(StoreError) -> [String]
  /// The history of a finding in recorded runs; `nil` if no run has seen it.
  func memory(of finding: String) throws(StoreError) -> FindingMemory?
  /// Waivers that have not expired.
  func waivers() throws(StoreError) -> [Waiver]
  /// The last recorded self-test.
  func lastSelfTest() throws(StoreError) -> SelfTestRecord?

  /// The seat that a user holds.
  func seat(of user: String, in campaign: String) throws(StoreError) -> Int?
  /// All records of one seat.
  func story(of key: SeatKey) throws(StoreError) -> SeatTimeline
}

/// Streams rows one by one, so that memory does not grow with their number.
package struct RowStream<Row> {
  private let advance: () throws(StoreError) -> Row?

  package init(_ advance: @escaping () throws(StoreError) -> Row?) { self.advance = advance }

  /// - Returns: the next row; `nil` at the end.
  package func next() throws(StoreError) -> Row? { try advance() }
}

/// The identity of the file that was read.
package struct SnapshotIdentity: Sendable, Equatable {
  package let databaseID: String
  package let schemaVersion: Int
  /// Whether a copy was read. The copy was made in one step, at the instant of the snapshot.
  package let isCopy: Bool

  package init(databaseID: String, schemaVersion: Int, isCopy: Bool) {
    self.databaseID = databaseID
    self.schemaVersion = schemaVersion
    self.isCopy = isCopy
  }
}

/// The content of the witness outside the store.
package enum WitnessReading: Sendable, Equatable {
  case record([WitnessedSeat])
  /// The witness is missing, belongs to another store, or cannot be read. It is unknown whether acceptances are
  /// missing.
  case unusable(String)
}

/// The last witnessed acceptance of one campaign.
package struct WitnessedSeat: Sendable, Equatable {
  package let key: SeatKey
  package let chain: [UInt8]

  package init(key: SeatKey, chain: [UInt8]) {
    self.key = key
    self.chain = chain
  }
}

/// The result of one of the store's own checks.
package struct IntegrityResult: Sendable, Equatable {
  package let examined: Int
  package let faults: [IntegrityFault]

  package init(examined: Int, faults: [IntegrityFault]) {
    self.examined = examined
    self.faults = faults
  }
}

package struct StructureResult: Sendable, Equatable {
  package let structure: IntegrityResult
  package let indexes: IntegrityResult

  package init(structure: IntegrityResult, indexes: IntegrityResult) {
    self.structure = structure
    self.indexes = indexes
  }
}

package struct IntegrityFault: Sendable, Equatable {
  /// The name of the faulty object, if it has a name; the same in every report.
  package let subject: String?
  package let what: String

  package init(_ subject: String?, _ what: String) {
    self.subject = subject
    self.what = what
  }
}

/// A copy of a store in which faults are planted, to verify that the reconciler finds them.
package protocol SelfTestSandbox {
  /// The copy in its present state.
  func snapshot() throws(StoreError) -> any ReconciliationSnapshot

  /// Adds a sound campaign to the copy for each fault, and plants the fault in it.
  ///
  /// Each campaign has eight accepted seats and a quota of ten. Seats 1, 2 and 8 have their coupons, 3 has a coupon
  /// from a replay, 4 is in flight, 5 waits for a replay, 6 is dead, and 7 is discarded.
  func plant(_ faults: [InjectedCorruption]) throws(StoreError)
}

/// The known corruptions: faults that no program of ours causes, and faults seen in other systems.
package enum InjectedCorruption: String, Sendable, CaseIterable {
  // The counter and the quota.
  case counterBehind, counterAhead, quotaLowered, quotaRaisedWithoutAct
  // The set.
  case acceptanceLost, acceptanceExchanged, acceptancesLostAtTheEnd, timesBackwards, outsideWindow
  case givenWhilePaused, givenAfterClose
  // Outbox, failed events and coupons.
  case outboxLost, deliveredWithoutCoupon, pendingBesideCoupon, traceExchanged, failedEventLost
  case resolvedWithoutCoupon, openBesideCoupon, attemptsDisagree
  case couponForAnother, couponWithoutAcceptance, codeNotRecomputed
  case poolCodeOfNobody, poolCodeOfAnother
  // Operators, campaigns and rows.
  case actWithoutReason, campaignLost, rowMalformed, referenceToNothing
  // Numbers that no program writes.
  case timeOutOfBounds, generationOutOfBounds
  // The store itself: one of each in the whole copy.
  case couponsOfOneUser, poolCodesOfOneSeat, triggerLost, triggerAltered, indexLost, strayTable, pageLost
  case indexIncomplete

  /// The campaign that the fault is planted in.
  package var campaign: String {
    "self-test-" + rawValue.reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) }
  }
}
