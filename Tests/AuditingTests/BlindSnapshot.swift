import Issuance

/// A snapshot whose coupons cannot be seen, as a broken reader would show it.
struct BlindSnapshot: ReconciliationSnapshot {
  let snapshot: any ReconciliationSnapshot

  var asOf: Timestamp { snapshot.asOf }
  func coupons(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow> { RowStream { nil } }

  func identity() throws(StoreError) -> SnapshotIdentity { try snapshot.identity() }
  func missingTables() throws(StoreError) -> [String] { try snapshot.missingTables() }
  func schemaDifferences() throws(StoreError) -> IntegrityResult { try snapshot.schemaDifferences() }
  func malformedRows() throws(StoreError) -> IntegrityResult { try snapshot.malformedRows() }
  func witness() throws(StoreError) -> WitnessReading { try snapshot.witness() }
  func damage() throws(StoreError) -> StructureResult { try snapshot.damage() }
  func danglingReferences() throws(StoreError) -> IntegrityResult { try snapshot.danglingReferences() }
  func replayRuns() throws(StoreError) -> ReplayRuns { try snapshot.replayRuns() }
  func quarantinedEvents(of campaign: CampaignID?) throws(StoreError) -> [QuarantinedEvent] {
    try snapshot.quarantinedEvents(of: campaign)
  }
  func waivers() throws(StoreError) -> [Waiver] { try snapshot.waivers() }
  func lastSelfTest() throws(StoreError) -> SelfTestRecord? { try snapshot.lastSelfTest() }
  func acceptances(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow> {
    try snapshot.acceptances(of: campaign)
  }
  func outboxRows(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow> {
    try snapshot.outboxRows(of: campaign)
  }
  func failedEvents(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow> {
    try snapshot.failedEvents(of: campaign)
  }
  func attempts(of campaign: CampaignID?) throws(StoreError) -> RowStream<AttemptTally> {
    try snapshot.attempts(of: campaign)
  }
  func poolCodes(of campaign: CampaignID?) throws(StoreError) -> RowStream<PoolCodeRow> {
    try snapshot.poolCodes(of: campaign)
  }
  func acts(of campaign: CampaignID?) throws(StoreError) -> RowStream<OperatorActionRow> {
    try snapshot.acts(of: campaign)
  }
  func tallies(of campaign: CampaignID?) throws(StoreError) -> [TallyRow] {
    try snapshot.tallies(of: campaign)
  }
  func standingFindings(of campaign: CampaignID?) throws(StoreError) -> [String] {
    try snapshot.standingFindings(of: campaign)
  }
  func campaigns(_ campaign: CampaignID?) throws(StoreError) -> [CampaignRow] { try snapshot.campaigns(campaign) }
  func count(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreError) -> Int {
    try snapshot.count(kind, of: campaign)
  }
  func duplicates(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreError) -> [DuplicateRows] {
    try snapshot.duplicates(kind, of: campaign)
  }
  func memory(of finding: String) throws(StoreError) -> FindingMemory? { try snapshot.memory(of: finding) }
  func seat(of user: String, in campaign: String) throws(StoreError) -> Int? {
    try snapshot.seat(of: user, in: campaign)
  }
  func story(of key: SeatKey) throws(StoreError) -> SeatTimeline { try snapshot.story(of: key) }
}
