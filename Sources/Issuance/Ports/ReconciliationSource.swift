/// Opens one snapshot of all records for the reconciler. Reads only, but for the rows of its own.
package protocol ReconciliationSource: Sendable {
  /// Runs `body` on one snapshot: everything in it is read as of one instant, also while others write.
  ///
  /// `body` may be run a second time, on a copy: where others write so much meanwhile that the store's log would grow
  /// beyond a bound, the first pass is given up.
  func withSnapshot<Result: Sendable>(
    _ body: @escaping @Sendable (any ReconciliationSnapshot) -> Result
  ) async throws(StoreError) -> Result

  /// Runs `body` on a copy that is gone afterwards, and that may be spoilt.
  func withSelfTestSandbox<Result: Sendable>(
    _ body: @escaping @Sendable (any SelfTestSandbox) throws(StoreError) -> Result
  ) async throws(StoreError) -> Result

  /// A command of this store's own tools that shows what a finding is about.
  func command(toShow place: EvidencePlace) -> String

  /// Writes the row of a run after its verdict, and what became of the findings. One transaction.
  func recordReconciliation(_ record: ReconciliationRecord) async throws(StoreError)

  /// Writes a waiver, and the act where the campaign of the finding exists. One transaction.
  func waive(_ waiver: Waiver, campaign: String?) async throws(StoreError)

  /// One transaction.
  func recordSelfTest(_ record: SelfTestRecord) async throws(StoreError)

  /// The recorded runs of reconcile, the latest first. One snapshot.
  func reconciliations(limit: Int) async throws(StoreError) -> ReconciliationPage
}

/// Where a person sees a finding with their own eyes.
package enum EvidencePlace: Sendable, Equatable {
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

  func identity() throws(StoreError) -> SnapshotIdentity
  func missingTables() throws(StoreError) -> [String]
  /// What in the store's own structure is missing or not as the migrations made it.
  func schemaDifferences() throws(StoreError) -> IntegrityResult
  /// Rows of a form that the store refuses, if it is asked.
  func malformedRows() throws(StoreError) -> IntegrityResult
  func campaigns(_ campaign: CampaignID?) throws(StoreError) -> [CampaignRow]
  func acceptances(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow>
  func outboxRows(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow>
  func failedEvents(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow>
  func coupons(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow>
  /// The attempts of each seat that has some, summed up.
  func attempts(of campaign: CampaignID?) throws(StoreError) -> RowStream<AttemptTally>
  /// The codes of pools that are given, by the seat that has them.
  func poolCodes(of campaign: CampaignID?) throws(StoreError) -> RowStream<PoolCodeRow>
  /// What operators did, by campaign and in the order in which it was done.
  func acts(of campaign: CampaignID?) throws(StoreError) -> RowStream<OperatorActionRow>

  /// The witness as it was read before the snapshot: all that it has seen is in a sound snapshot.
  func witness() throws(StoreError) -> WitnessReading

  /// How many rows there are, by another way than reading them all: a check that read nothing shows against it.
  func count(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreError) -> Int

  /// Users and codes that stand on more than one row of one campaign.
  func duplicates(
    _ kind: SeatRow.Kind, of campaign: CampaignID?
  ) throws(StoreError) -> [DuplicateRows]

  /// The answers that wrote nothing, per campaign: at least so many.
  func tallies(of campaign: CampaignID?) throws(StoreError) -> [TallyRow]

  /// Damage that the store finds in its own structures, and indexes that do not hold just the rows that they should.
  func damage() throws(StoreError) -> StructureResult
  /// References that lead nowhere, by the store's own check.
  func danglingReferences() throws(StoreError) -> IntegrityResult

  /// The runs of retry-batch, as far as liveness needs them.
  func replayRuns() throws(StoreError) -> ReplayRuns
  /// Events that workers pass, by campaign and seat.
  func quarantinedEvents(of campaign: CampaignID?) throws(StoreError) -> [QuarantinedEvent]

  /// Findings that the last recorded run left standing, by id; of all campaigns, or of this one and of no campaign.
  func standingFindings(of campaign: CampaignID?) throws(StoreError) -> [String]
  /// What is known of a finding from recorded runs; `nil` where it was never seen.
  func memory(of finding: String) throws(StoreError) -> FindingMemory?
  /// Waivers that have not expired.
  func waivers() throws(StoreError) -> [Waiver]
  /// The last self-test that is on record.
  func lastSelfTest() throws(StoreError) -> SelfTestRecord?

  /// The seat that a user holds.
  func seat(of user: String, in campaign: String) throws(StoreError) -> Int?
  /// Everything that is known of one seat.
  func story(of key: SeatKey) throws(StoreError) -> SeatTimeline
}

/// Rows one by one, so that memory does not grow with their number.
package struct RowStream<Row> {
  private let advance: () throws(StoreError) -> Row?

  package init(_ advance: @escaping () throws(StoreError) -> Row?) { self.advance = advance }

  /// - Returns: the next row; `nil` at the end.
  package func next() throws(StoreError) -> Row? { try advance() }
}

/// Which file was read, and how.
package struct SnapshotIdentity: Sendable, Equatable {
  package let databaseID: String
  package let schemaVersion: Int
  /// Whether a copy was read, which was made in one step at the instant of the snapshot.
  package let isCopy: Bool

  package init(databaseID: String, schemaVersion: Int, isCopy: Bool) {
    self.databaseID = databaseID
    self.schemaVersion = schemaVersion
    self.isCopy = isCopy
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

/// What a check of the store's own found.
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
  /// The name of what is at fault, where it has one; the same in every report.
  package let subject: String?
  package let what: String

  package init(_ subject: String?, _ what: String) {
    self.subject = subject
    self.what = what
  }
}

/// A copy of a store in which faults are planted, to see whether they are found.
package protocol SelfTestSandbox {
  /// The copy as it stands.
  func snapshot() throws(StoreError) -> any ReconciliationSnapshot

  /// Puts a sound campaign of its own into the copy for each fault, and plants the fault in it.
  ///
  /// Each campaign has eight accepted seats of a quota of ten: 1, 2 and 8 have their coupons, 3 has one by a replay, 4 is
  /// in flight, 5 waits for a replay, 6 is dead, 7 discarded.
  func plant(_ faults: [InjectedCorruption]) throws(StoreError)
}

/// The corruptions that are known: what no program of ours does, and what has been seen elsewhere.
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

  /// The campaign that it is planted in.
  package var campaign: String {
    "self-test-" + rawValue.reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) }
  }
}
