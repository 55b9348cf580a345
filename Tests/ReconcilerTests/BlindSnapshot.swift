import Issuance

/// A snapshot whose coupons cannot be seen, as a broken reader would show it.
struct BlindSnapshot: ReconciliationSnapshot {
  let snapshot: any ReconciliationSnapshot

  var asOf: Timestamp { snapshot.asOf }
  func coupons(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> { RowStream { nil } }

  func identity() throws(StoreFailure) -> SnapshotIdentity { try snapshot.identity() }
  func missingTables() throws(StoreFailure) -> [String] { try snapshot.missingTables() }
  func schemaDifferences() throws(StoreFailure) -> IntegrityResult { try snapshot.schemaDifferences() }
  func malformedRows() throws(StoreFailure) -> IntegrityResult { try snapshot.malformedRows() }
  func witness() throws(StoreFailure) -> WitnessReading { try snapshot.witness() }
  func damage() throws(StoreFailure) -> StructureResult { try snapshot.damage() }
  func danglingReferences() throws(StoreFailure) -> IntegrityResult { try snapshot.danglingReferences() }
  func replayRuns() throws(StoreFailure) -> ReplayRuns { try snapshot.replayRuns() }
  func quarantinedEvents(of campaign: CampaignID?) throws(StoreFailure) -> [QuarantinedEvent] {
    try snapshot.quarantinedEvents(of: campaign)
  }
  func waivers() throws(StoreFailure) -> [Waiver] { try snapshot.waivers() }
  func lastSelfTest() throws(StoreFailure) -> SelfTestRecord? { try snapshot.lastSelfTest() }
  func acceptances(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try snapshot.acceptances(of: campaign)
  }
  func outboxRows(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try snapshot.outboxRows(of: campaign)
  }
  func failedEvents(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try snapshot.failedEvents(of: campaign)
  }
  func attempts(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<AttemptTally> {
    try snapshot.attempts(of: campaign)
  }
  func poolCodes(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<PoolCodeRow> {
    try snapshot.poolCodes(of: campaign)
  }
  func acts(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<OperatorActRow> {
    try snapshot.acts(of: campaign)
  }
  func tallies(of campaign: CampaignID?) throws(StoreFailure) -> [TallyRow] {
    try snapshot.tallies(of: campaign)
  }
  func standingFindings(of campaign: CampaignID?) throws(StoreFailure) -> [String] {
    try snapshot.standingFindings(of: campaign)
  }
  func campaigns(_ campaign: CampaignID?) throws(StoreFailure) -> [CampaignRow] { try snapshot.campaigns(campaign) }
  func count(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreFailure) -> Int {
    try snapshot.count(kind, of: campaign)
  }
  func duplicates(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreFailure) -> [DuplicateRows] {
    try snapshot.duplicates(kind, of: campaign)
  }
  func memory(of finding: String) throws(StoreFailure) -> FindingMemory? { try snapshot.memory(of: finding) }
  func seat(of user: String, in campaign: String) throws(StoreFailure) -> Int? {
    try snapshot.seat(of: user, in: campaign)
  }
  func story(of key: SeatKey) throws(StoreFailure) -> SeatStory { try snapshot.story(of: key) }
}
