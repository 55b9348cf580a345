internal import GRDB
internal import Issuance
internal import Schema

extension WitnessReading {
  /// How often a witness is read that is being written meanwhile.
  private static let attempts = 100

  init(_ db: Database, of database: StoreFile) throws {
    let facts = try WitnessFacts(db)
    let path = database.witnessPath(at: facts.place)
    guard let file = try WitnessFile(path: path, forWriting: false) else {
      self = facts.hasAcceptances || facts.epoch > 0 ? .unusable("the witness \(path) does not exist") : .record([])
      return
    }
    // Both records are unreadable at once only where a writer overtook the reader, or for good.
    var record: WitnessRecord?
    for _ in 0..<Self.attempts where record == nil { record = try file.read() }
    guard let record else {
      self = .unusable("neither of the two records of the witness \(path) is whole")
      return
    }
    _ = try file.require(record, of: database, id: facts.databaseID, at: facts.place)
    // If seats are missing too, the rules of the witness name them.
    if let fault = facts.logFault(against: record),
      try facts.compare(with: record.tips, in: db).allSatisfy({ $0.fault == nil })
    {
      self = .unusable("\(fault): \(path)")
      return
    }
    self = .record(
      record.tips.map { campaign, tip in
        WitnessedSeat(key: SeatKey(campaign: campaign, seat: tip.seat), chain: tip.chain)
      })
  }
}
