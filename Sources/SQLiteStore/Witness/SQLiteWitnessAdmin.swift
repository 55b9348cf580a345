internal import CrashPoints
internal import GRDB
package import Issuance
internal import Schema

/// Shows and repairs the witness of one file. It takes the place of the store, which would refuse the file.
package final class SQLiteWitnessAdmin: WitnessAdmin {
  private enum Access {
    case reading(SQLiteReconciliationSource)
    case writing(SQLiteStore)
  }

  private let access: Access
  private let requested: String?

  /// - Parameters:
  ///   - witness: the requested place; `nil` for the place on record.
  ///   - task: all but `show` need the file alone.
  /// - Throws: ``StoreError``; nothing is created or changed.
  package init(
    path: String, witness: String?, for task: WitnessTask, limits: SQLiteStore.Limits = SQLiteStore.Limits(),
    clock: @escaping WallClock
  ) throws(StoreError) {
    requested = witness
    switch task {
    case .show: access = .reading(try SQLiteReconciliationSource(path: path, limits: limits, clock: clock))
    case .rebuild, .acceptLoss:
      access = .writing(
        try SQLiteStore(
          path: path, witness: task == .rebuild ? .notAhead : .notRequired, schema: .ofItsVersion, use: .exclusive,
          limits: limits, clock: clock))
    }
  }

  package func close() async -> String? {
    switch access {
    case .reading(let source): await source.close()
    case .writing(let store): await store.close()
    }
  }

  /// The store of a task that changes the witness.
  private var store: SQLiteStore {
    get throws(StoreError) {
      guard case .writing(let store) = access else {
        throw StoreError(
          .readOnly, operation: "change the witness", subject: requested ?? "", cause: "it was opened to be shown")
      }
      return store
    }
  }

  package func witnessState() async throws(StoreError) -> WitnessState {
    switch access {
    case .reading(let source): return try await source.witnessState(at: requested)
    case .writing(let store):
      let (database, requested) = (store.file, requested)
      return try await store.write("look at the witness") { db in try WitnessState(db, of: database, at: requested) }
    }
  }

  package func rebuildWitness(by author: Operator) async throws(StoreError) -> WitnessRebuild {
    let store = try store
    let (database, requested, clock) = (store.file, requested, store.clock)
    var (rebuild, obsolete) = try await store.write("rebuild the witness", as: .rebuildWitness, isAct: true) { db in
      let facts = try WitnessFacts(db)
      let place = try requested.map { given in try database.witnessPlace(given) } ?? facts.place
      var setAside: [String] = []
      try Self.requireNotAhead(at: place, facts, of: database, in: db)
      if facts.place != place { try Self.requireOnRecordNotAhead(facts, of: database, in: db) }
      let path = database.witnessPath(at: place)
      if place != facts.place { try Self.requireReplaceable(path) }
      if let aside = try WitnessFile.setAside(path, now: clock()) { setAside.append(aside) }
      _ = try Witness.begin(facts, of: database, at: place)
      try Witness.register(
        facts.epoch.addingSaturated(1), place: place, by: author, detail: "rebuilt from \(facts.detail)", at: clock(),
        in: db)
      let state = WitnessState(
        path: path, databaseID: facts.databaseID, sequence: 1, campaigns: try facts.compare(with: facts.tips, in: db))
      let isElsewhere = facts.place != place && facts.epoch > 0
      return (
        WitnessRebuild(state: state, setAside: setAside), isElsewhere ? database.witnessPath(at: facts.place) : nil
      )
    }
    // After the commit, so that an old copy of the database does not find it in step.
    if let obsolete, let aside = try WitnessFile.setAside(obsolete, now: store.clock()) {
      rebuild = WitnessRebuild(state: rebuild.state, setAside: rebuild.setAside + [aside])
    }
    return rebuild
  }

  /// Refuses to set a file aside at a new place that is no witness. The place on record may hold a damaged one.
  private static func requireReplaceable(_ path: String) throws {
    guard let file = try WitnessFile(path: path, forWriting: false), try file.read() == nil else { return }
    throw StoreError(
      .witnessForeign, operation: "rebuild the witness", subject: path, cause: "the file there is not a witness",
      hint: "name another place: issue-service witness rebuild --witness PATH --reason TEXT")
  }

  /// Where another place is asked for: what stands at the old one counts if it is this database's.
  private static func requireOnRecordNotAhead(
    _ facts: WitnessFacts, of database: StoreFile, in db: Database
  ) throws {
    do {
      try requireNotAhead(at: facts.place, facts, of: database, in: db)
    } catch let failure as StoreError where failure.code == .witnessForeign {
      return  // a copy's inheritance: the original goes on using it
    }
  }

  /// A witness of this database that has seen more than the database has is not passed over.
  private static func requireNotAhead(
    at place: String?, _ facts: WitnessFacts, of database: StoreFile, in db: Database
  ) throws {
    let path = database.witnessPath(at: place)
    guard let record = try WitnessFile(path: path, forWriting: false)?.read() else { return }
    if let other = record.databasePath, other != database.path {
      throw StoreError(
        .witnessForeign, operation: "rebuild the witness", subject: path,
        cause: "it is the witness of the database at \(other), and may be in use",
        hint: "give a new place: issue-service witness rebuild --witness PATH --reason TEXT")
    }
    guard record.databaseID == facts.databaseID else { return }
    let faults = try facts.compare(with: record.tips, in: db).compactMap(\.fault)
    guard faults.isEmpty else { throw StoreError.witnessAhead(path, faults: faults) }
  }

  package func acceptLoss(by author: Operator) async throws(StoreError) -> [SeatLoss] {
    let store = try store
    let (database, clock) = (store.file, store.clock)
    let accepted = try await store.write("accept the loss of acceptances", isAct: true) { db in
      let facts = try WitnessFacts(db)
      let place = facts.place
      let path = database.witnessPath(at: place)
      guard let file = try WitnessFile(path: path, forWriting: true) else {
        throw StoreError.witnessMissing(path, cause: "nobody knows what is missing: the file does not exist")
      }
      let record = try file.record(of: database, id: facts.databaseID, at: place)
      let losses = try facts.compare(with: record.tips, in: db)
        .compactMap { campaign in try Self.loss(in: campaign, in: db) }
      let isCut = facts.logFault(against: record) != nil
      if losses.isEmpty, !isCut { return AcceptedLoss(losses: [], sealing: nil) }
      let now = clock()
      for loss in losses { try Self.record(loss, by: author, at: now, in: db) }
      let seats =
        losses.isEmpty ? "none" : losses.map { "\($0.campaign) \($0.first) to \($0.last)" }.joined(separator: ", ")
      try Witness.register(
        facts.epoch.addingSaturated(1), place: place, by: author, detail: "accepted the loss of the seats \(seats)",
        at: now, in: db)
      let witness = try Witness(file, record: record)
      return AcceptedLoss(
        losses: losses, sealing: (witness, try witness.prepare(only: facts.tips, logSequence: nil)))
    } seal: { accepted in
      if let (witness, prepared) = accepted.sealing { try witness.seal(prepared) }
    }
    return accepted.losses
  }

  private struct AcceptedLoss: Sendable {
    let losses: [SeatLoss]
    let sealing: (Witness, Witness.Prepared)?
  }

  /// The seats whose acceptances are lost or in doubt; `nil` where there are none.
  private static func loss(in campaign: WitnessedCampaign, in db: Database) throws -> SeatLoss? {
    let first: Int
    switch campaign.standing {
    case .inStep, .databaseAhead: return nil
    case .witnessAhead: first = campaign.found + 1
    // Where every value follows from the one before, it is another history from its first seat on.
    case .contradicted: first = try WitnessFacts.firstBreak(in: campaign.campaign, after: .beginning, in: db) ?? 1
    }
    return SeatLoss(
      campaign: campaign.campaign, first: Seat(first), last: Seat(max(first, campaign.witnessed)))
  }

  /// The loss, the pause and the act. Of a campaign whose row is lost, too, the loss alone: it is paused when it is
  /// created again.
  private static func record(_ loss: SeatLoss, by author: Operator, at now: Timestamp, in db: Database) throws {
    try db.execute(
      sql: """
        INSERT INTO seat_loss (campaign_id, first_seat, last_seat, accepted_at) SELECT ?1, ?2, ?3, ?4
        WHERE NOT EXISTS (SELECT 1 FROM seat_loss
          WHERE campaign_id = ?1 AND first_seat = ?2 AND last_seat = ?3 AND reissued_at IS NULL)
        """,
      arguments: [loss.campaign, loss.first.number, loss.last.number, now.microseconds])
    try db.execute(
      sql: "UPDATE campaign SET state = 'paused' WHERE id = ? AND state = 'open'", arguments: [loss.campaign])
    guard let id = CampaignID(loss.campaign) else { return }
    try SQLiteStore.record(
      "accept-loss", detail: "seats \(loss.first) to \(loss.last)", on: id, by: author, at: now, in: db)
  }
}

extension SQLiteReconciliationSource {
  /// Compares witness and database inside the write lock, so that no commit falls between the two readings.
  func witnessState(at requested: String?) async throws(StoreError) -> WitnessState {
    let state = try await read("look at the witness") { [file, writeLock, limits] db in
      try writeLock.withLock(.shared, within: limits.lockTimeout) { try WitnessState(db, of: file, at: requested) }
    }
    guard let state else {
      throw StoreError(.unexpected, operation: "look at the witness", subject: file.path, cause: "it was interrupted")
    }
    return state
  }
}

extension WitnessState {
  init(_ db: Database, of database: StoreFile, at requested: String?) throws {
    let facts = try WitnessFacts(db)
    let place = try requested.map { given in try database.witnessPlace(given) } ?? facts.place
    let path = database.witnessPath(at: place)
    let file = try WitnessFile(path: path, forWriting: false)
    let record = try file?.read()
    if let file, let record { _ = try file.require(record, of: database, id: facts.databaseID, at: place) }
    self.init(
      path: path, databaseID: facts.databaseID, sequence: record?.sequence,
      campaigns: try facts.compare(with: record?.tips ?? [:], in: db))
  }
}
