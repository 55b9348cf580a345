internal import GRDB
internal import Issuance
internal import Schema

extension StoreFile {
  /// Where the witness stands unless another place is on record.
  package var witnessPath: String { path + ".witness" }

  /// The place on record for a path that an operator gave: `nil` for beside the database.
  func witnessPlace(_ given: String) throws(StoreError) -> String? {
    let resolved = StoreFile(path: given).path
    var fault: String?
    if owns(resolved) { fault = "it is a file of the database itself" }
    if (resolved + path).contains("\n") { fault = "its path, or that of the database, holds a line feed" }
    if let fault {
      throw StoreError(
        .witnessForeign, operation: "use the witness", subject: resolved, cause: fault,
        hint: "give another path with --witness")
    }
    return resolved == witnessPath ? nil : resolved
  }

  func witnessPath(at place: String?) -> String { place ?? witnessPath }

  /// What a witness at that place says of the place of its database.
  func pathInWitness(at place: String?) -> String? { place == nil ? nil : path }
}

extension Witness {
  /// Opens the witness of a database, or begins it where the database has no acceptance yet.
  ///
  /// Call inside the write lock, on the writer, outside a transaction. A database that is ahead, because a process died
  /// between its commit and the witness, is verified by its chain and witnessed.
  ///
  /// - Parameter requested: the place that an operator asks for; `nil` for the one on record.
  /// - Throws: ``StoreError`` with `witnessMissing`, `witnessForeign` or `witnessAhead`; nothing was changed.
  static func open(
    _ db: Database, of database: StoreFile, at requested: String?, now: Timestamp
  ) throws -> (witness: Witness, hasBegun: Bool) {
    let facts = try WitnessFacts(db)
    let place = try requested.map { given in try database.witnessPlace(given) } ?? facts.place
    let path = database.witnessPath(at: place)
    let hasMoved = facts.epoch > 0 && place != facts.place
    guard !hasMoved || !facts.hasAcceptances else {
      throw StoreError.witnessForeign(
        path, cause: "the witness on record is \(database.witnessPath(at: facts.place))")
    }
    let leaves = hasMoved ? try unused(facts, of: database, in: db) : nil
    let witness: Witness
    if let file = try WitnessFile(path: path, forWriting: true) {
      let record = try file.record(of: database, id: facts.databaseID, at: place)
      witness = try Witness(file, record: record)
      try witness.takeUp(facts, since: record, path: path, in: db)
    } else {
      guard facts.epoch == 0 || hasMoved else {
        throw StoreError.witnessMissing(path, cause: "the database says that it is there, but the file is not")
      }
      witness = try begin(facts, of: database, at: place)
    }
    guard facts.epoch == 0 || hasMoved else { return (witness, false) }
    try LogLink.commit(in: db) {
      try register(
        facts.epoch.addingSaturated(1), place: place, by: Operator(name: "first-come", reason: nil),
        detail: facts.detail, at: now, in: db)
    }
    if let leaves { _ = try WitnessFile.setAside(leaves, now: now) }
    return (witness, true)
  }

  /// The witness on record of a database without acceptances, which another is to take the place of.
  ///
  /// The database alone is not believed: it may have lost its acceptances with its log.
  ///
  /// - Returns: its path; `nil` where there is none, or another database's stands there.
  private static func unused(
    _ facts: WitnessFacts, of database: StoreFile, in db: Database
  ) throws -> String? {
    let path = database.witnessPath(at: facts.place)
    guard let file = try WitnessFile(path: path, forWriting: false) else { return nil }
    guard let record = try file.read() else {
      throw StoreError.witnessMissing(path, cause: "neither of its two records is whole")
    }
    guard record.databaseID == facts.databaseID, record.databasePath == database.pathInWitness(at: facts.place) else {
      return nil
    }
    let faults = try facts.compare(with: record.tips, in: db).compactMap(\.fault)
    guard faults.isEmpty else { throw StoreError.witnessAhead(path, faults: faults) }
    return path
  }

  /// Makes the file anew from the acceptances that the database has.
  static func begin(_ facts: WitnessFacts, of database: StoreFile, at place: String?) throws -> Witness {
    let path = database.witnessPath(at: place)
    let record = WitnessRecord(
      databaseID: facts.databaseID, databasePath: database.pathInWitness(at: place), sequence: 1, tips: facts.tips)
    try WitnessFile.create(record, at: path)
    guard let file = try WitnessFile(path: path, forWriting: true) else {
      throw StoreError.witnessMissing(path, cause: "it was removed as soon as it was made")
    }
    return try Witness(file, record: record)
  }

  /// Requires that a database has all that its witness has seen, on a connection that only reads: a file that is refused
  /// was not changed. Everything else about the witness is judged when it is opened.
  ///
  /// - Throws: ``StoreError`` with `witnessAhead`.
  static func requireNotAhead(_ db: Database, of database: StoreFile, at requested: String?) throws {
    let facts = try WitnessFacts(db)
    let place = try requested.map { given in try database.witnessPlace(given) } ?? facts.place
    let path = database.witnessPath(at: place)
    guard let record = try WitnessFile(path: path, forWriting: false)?.read(), record.databaseID == facts.databaseID,
      record.databasePath == database.pathInWitness(at: place)
    else { return }
    let faults = try facts.compare(with: record.tips, in: db).compactMap(\.fault)
    guard faults.isEmpty else { throw StoreError.witnessAhead(path, faults: faults) }
    guard let fault = facts.logFault(against: record) else { return }
    throw StoreError.witnessAhead(path, faults: [fault])
  }

  /// Puts the place of the witness on record.
  static func register(
    _ epoch: Int, place: String?, by author: Operator, detail: String, at now: Timestamp, in db: Database
  ) throws {
    try db.execute(
      sql: "INSERT INTO witness (epoch, path, operator, reason, detail, began_at) VALUES (?, ?, ?, ?, ?, ?)",
      arguments: [epoch, place, author.name, author.reason, detail, now.microseconds])
  }

  /// Requires that the database has all that was witnessed, and witnesses what it has besides.
  private func takeUp(_ facts: WitnessFacts, since record: WitnessRecord, path: String, in db: Database) throws {
    let campaigns = try facts.compare(with: record.tips, in: db)
    let faults = campaigns.compactMap(\.fault)
    guard faults.isEmpty else { throw StoreError.witnessAhead(path, faults: faults) }
    let ahead = campaigns.filter { $0.standing == .databaseAhead }
    if ahead.isEmpty { return }
    for campaign in ahead.map(\.campaign) {
      guard let seat = try WitnessFacts.firstBreak(in: campaign, after: record.tips[campaign] ?? .beginning, in: db)
      else { continue }
      throw StoreError(
        .witnessAhead, operation: "use the witness", subject: path,
        cause: "the acceptance of \(campaign)/\(seat) does not follow from those that were witnessed",
        hint: "look with: reconcile report; to take it as it is: issue-service witness rebuild --reason TEXT")
    }
    try seal(try prepare(facts.tips, logSequence: nil))
  }

  /// Requires that the database has all that was witnessed of a campaign, and that what it has besides, because another
  /// process died between its commit and the witness, follows from it.
  ///
  /// - Throws: ``StoreError``: `witnessAhead`, which nothing more can be done after; `malformed`, where an acceptance
  ///   was put in behind the programs' back, which is its own campaign's trouble.
  func require(_ last: WitnessRecord.Tip, of id: CampaignID, in db: Database) throws {
    let tip = tip(of: id)
    if last == tip { return }
    let compared = WitnessedCampaign(
      campaign: id.rawValue, witnessed: tip.seat, found: last.seat,
      isSame: try WitnessFacts.tip(of: id.rawValue, upTo: tip.seat, in: db) == tip)
    if let fault = compared.fault { throw StoreError.witnessAhead(path, faults: [fault]) }
    guard let seat = try WitnessFacts.firstBreak(in: id.rawValue, after: tip, in: db) else { return }
    throw StoreError(
      .malformed, operation: "admit to campaign \(id)", subject: "accepted_user \(id)/\(seat)",
      cause: "its chain value does not follow from the acceptance before", hint: "look with: reconcile report")
  }
}

extension WitnessFacts {
  /// Commits that the witness has seen and the database does not have: the log was cut, or an older state was put back.
  ///
  /// - Returns: `nil` if there are none.
  func logFault(against record: WitnessRecord) -> String? {
    guard let witnessed = record.logSequence, let logSequence, witnessed > logSequence else { return nil }
    return "the witness has seen commit \(witnessed), and the database ends at commit \(logSequence)"
  }

  /// For the record of an epoch: what the witness begins from.
  var detail: String {
    let seats = tips.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.seat)" }
    return seats.isEmpty ? "no acceptances" : "acceptances up to " + seats.joined(separator: ", ")
  }
}

extension WitnessFile {
  /// The newest whole record, if it is of this database at this place.
  ///
  /// - Throws: ``StoreError`` with `witnessMissing` or `witnessForeign`.
  func record(of database: StoreFile, id: String, at place: String?) throws(StoreError) -> WitnessRecord {
    guard let record = try read() else {
      throw .witnessMissing(path, cause: "neither of its two records is whole")
    }
    return try require(record, of: database, id: id, at: place)
  }

  /// - Throws: ``StoreError`` with `witnessForeign` unless the record is of this database at this place.
  func require(
    _ record: WitnessRecord, of database: StoreFile, id: String, at place: String?
  ) throws(StoreError) -> WitnessRecord {
    guard record.databaseID == id else {
      throw .witnessForeign(path, cause: "it is of the database with the id \(record.databaseID), this one is \(id)")
    }
    guard record.databasePath == database.pathInWitness(at: place) else {
      throw .witnessForeign(
        path,
        cause: "it is of a database \(record.databasePath.map { "at \($0)" } ?? "beside it"), this one is at "
          + database.path)
    }
    return record
  }
}
