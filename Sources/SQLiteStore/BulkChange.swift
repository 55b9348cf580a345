internal import GRDB
internal import Issuance

/// One redrive or discard of many failed events, in one transaction. What fails by itself is undone alone and skipped.
struct BulkChange {
  let word: String
  let author: Operator
  let now: Timestamp
  let savepoint: RowSavepoint
  let db: Database
  private(set) var skipped: [SkippedEvent] = []

  init(word: String, author: Operator, now: Timestamp, savepoint: RowSavepoint, db: Database) {
    self.word = word
    self.author = author
    self.now = now
    self.savepoint = savepoint
    self.db = db
  }

  /// The keys of the rows; a row whose key cannot be read is skipped.
  mutating func keys(of rows: [Row]) throws -> [SeatKey] {
    var keys: [SeatKey] = []
    for row in rows {
      do {
        keys.append(SeatKey(campaign: try row.value("campaign_id"), seat: try row.value("seat")))
      } catch {
        skip(row.shown("campaign_id") + "/" + row.shown("seat"), "its campaign or seat cannot be read")
      }
    }
    return keys
  }

  /// Changes each event, and records one act for each campaign. Without its act no event of a campaign is changed.
  mutating func change(_ keys: [SeatKey], _ body: (SeatKey) throws -> Void) throws -> BulkResult {
    var changed: [SeatKey] = []
    for (campaign, keys) in Dictionary(grouping: keys, by: \.campaign).sorted(by: { $0.key < $1.key }) {
      var done: [SeatKey] = []
      let outcome = try savepoint.run {
        for key in keys {
          switch try savepoint.run({ try body(key) }) {
          case .done: done.append(key)
          case .fault(let evidence): skip("\(campaign)/\(key.seat)", evidence)
          }
        }
        if done.isEmpty { return }
        guard let id = CampaignID(campaign) else { throw StoreError.unknownWord(column: "failed_event.campaign_id") }
        try SQLiteStore.record(
          word, detail: "\(done.count) failed events", on: id, seats: done.map(\.seat), by: author, at: now, in: db)
      }
      switch outcome {
      case .done: changed += done
      case .fault(let evidence):
        for key in done { skip("\(campaign)/\(key.seat)", "the act cannot be recorded: \(evidence)") }
      }
    }
    return .done(changed, skipped: skipped)
  }

  private mutating func skip(_ name: String, _ reason: String) {
    skipped.append(SkippedEvent(name: name, reason: reason))
  }
}
