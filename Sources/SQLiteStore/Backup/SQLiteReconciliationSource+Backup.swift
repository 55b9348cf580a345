internal import GRDB
package import Issuance

extension SQLiteReconciliationSource: BackupSource {
  package func backup<Judgement: Sendable>(
    to path: String, replacesExisting: Bool,
    judge: @escaping @Sendable (any ReconciliationSnapshot) -> Judgement,
    isAccepted: @escaping @Sendable (Judgement) -> Bool
  ) async throws(StoreError) -> BackupOutcome<Judgement> {
    let target = try await backupTarget(path, replacesExisting: replacesExisting)
    if let refusal = try target.refusal() { return .refused(why: refusal.why, next: refusal.next) }
    let copy = try BackupFile(path: target.path)
    do {
      let (judgement, seats) = try await judged(copy, judge)
      let accepted = isAccepted(judgement)
      let name = accepted ? copy.path : target.rejectedPath
      // A program may have begun to use the file that is to be replaced.
      let refusal = try target.refusal()
      guard refusal == nil,
        let bytes = try copy.publish(as: name, replacesExisting: !accepted || replacesExisting)
      else {
        copy.discard()
        let found = refusal ?? BackupTarget.takenName
        return .refused(why: found.why, next: found.next)
      }
      return .made(Backup(path: name, isAccepted: accepted, bytes: bytes, seats: seats), judgement)
    } catch {
      copy.discard()
      throw error
    }
  }

  private func backupTarget(_ path: String, replacesExisting: Bool) async throws(StoreError) -> BackupTarget {
    let target = StoreFile(path: path).path
    let made = try await read("find the witness") { [file] db in
      BackupTarget(
        path: target, replacesExisting: replacesExisting, database: file,
        databaseID: try String.fetchOne(db, sql: "SELECT id FROM database_identity"),
        witnessPath: file.witnessPath(at: try WitnessFacts.place(in: db)))
    }
    guard let made else {
      throw StoreError(.unexpected, operation: "back up the database", subject: file.path, cause: "interrupted")
    }
    return made
  }

  /// Copies one snapshot and judges the copy. Its connection is closed when this returns.
  private func judged<Judgement: Sendable>(
    _ copy: BackupFile, _ judge: @escaping @Sendable (any ReconciliationSnapshot) -> Judgement
  ) async throws(StoreError) -> (Judgement, seats: Int) {
    // Before the snapshot: a commit is witnessed after it, so the snapshot has at least what was witnessed.
    let witness = await readWitness()
    let made = try await read("back up the database") { [clock] db -> (queue: DatabaseQueue, asOf: Timestamp) in
      _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master")
      let asOf = clock()
      return (try copy.fill(from: db), asOf)
    }
    guard let made else {
      throw StoreError(.unexpected, operation: "back up the database", subject: file.path, cause: "interrupted")
    }
    let path = copy.path
    let judged = try await Self.run("check the backup", on: made.queue, path: path) { db -> (Judgement, seats: Int) in
      try Self.requireLogLink(in: db, path: path)
      let snapshot = try SQLiteSnapshot(db, path: path, witness: witness, isCopy: true) { made.asOf }
      let judgement = judge(snapshot)
      return (judgement, try Int.fetchOne(db, sql: "SELECT count(*) FROM accepted_user") ?? 0)
    }
    do {
      try made.queue.close()
    } catch {
      throw StoreError(error, operation: "close the backup", subject: path)
    }
    return judged
  }

  /// Requires the row by which programs tell whether a log belongs to the file.
  private static func requireLogLink(in db: Database, path: String) throws {
    let rows = try db.tableExists("log_link") ? Int.fetchOne(db, sql: "SELECT count(*) FROM log_link") : 0
    guard rows != 1 else { return }
    throw StoreError(
      .corrupt, operation: "check the backup", subject: path, cause: "the row of log_link is missing",
      hint: "look with: reconcile report")
  }
}
