internal import CrashPoints
internal import Issuance
internal import Schema
internal import Synchronization

/// The witness of an open store. It is read and written inside the write lock only, so that one process at a time does.
final class Witness: Sendable {
  private struct State {
    var record: WitnessRecord
    var heads: [UInt8]
  }

  /// A record that only needs to be written: its space is reserved.
  struct Prepared: Sendable {
    fileprivate let record: WitnessRecord
    fileprivate let bytes: [UInt8]
  }

  var path: String { file.path }
  private let file: WitnessFile
  private let state: Mutex<State>

  init(_ file: WitnessFile, record: WitnessRecord) throws(StoreError) {
    self.file = file
    state = Mutex(State(record: record, heads: try file.heads()))
  }

  /// Takes up what other processes have written since.
  ///
  /// - Throws: ``StoreError`` with `witnessMissing` or `witnessForeign` where the file is not the one any more.
  func refresh() throws(StoreError) {
    guard file.isInPlace else {
      throw .witnessMissing(file.path, cause: "it was removed or replaced while it was open")
    }
    let heads = try file.heads()
    let known = state.withLock { $0 }
    if heads == known.heads { return }
    guard let record = try file.read() else {
      throw .witnessMissing(file.path, cause: "neither of its two records is whole")
    }
    guard record.databaseID == known.record.databaseID, record.databasePath == known.record.databasePath else {
      throw .witnessForeign(file.path, cause: "it was written for another database while it was open")
    }
    state.withLock { $0 = State(record: record, heads: heads) }
  }

  /// The last acceptances that stand in the file at present, also those that other processes have witnessed. Needs no
  /// lock: of its two records at most one is being written.
  ///
  /// - Throws: ``StoreError`` where it cannot be read; with `witnessMissing` where neither record is whole.
  func recordedTips() throws(StoreError) -> [String: WitnessRecord.Tip] {
    guard let record = try file.read() else {
      throw .witnessMissing(file.path, cause: "neither of its two records is whole")
    }
    return record.tips
  }

  /// The last acceptance that was witnessed; of a campaign without one, what comes before the first.
  func tip(of campaign: CampaignID) -> WitnessRecord.Tip {
    state.withLock { $0.record.tips[campaign.rawValue] } ?? .beginning
  }

  /// Makes the next record ready, before the commit that it will witness.
  ///
  /// - Parameter logSequence: the number of that commit; `nil` if it is not known: then the last known number stays.
  /// - Throws: ``StoreError``, with `diskFull` where there is no space for it; nothing has happened.
  func prepare(_ tips: [String: WitnessRecord.Tip], logSequence: Int?) throws(StoreError) -> Prepared {
    var record = state.withLock { $0.record }
    if let logSequence { record.logSequence = logSequence }
    record.tips.merge(tips) { _, new in new }
    return try prepare(record)
  }

  /// Makes a record ready that holds these campaigns and no other.
  func prepare(only tips: [String: WitnessRecord.Tip], logSequence: Int?) throws(StoreError) -> Prepared {
    var record = state.withLock { $0.record }
    record.logSequence = logSequence
    record.tips = tips
    return try prepare(record)
  }

  private func prepare(_ record: WitnessRecord) throws(StoreError) -> Prepared {
    var record = record
    record.sequence += 1
    let bytes = record.encoded
    try file.reserve(bytes.count)
    crashPoint(.witnessReserved)
    return Prepared(record: record, bytes: bytes)
  }

  /// Writes the record after its commit, and returns when it is durable.
  ///
  /// - Throws: ``StoreError`` with `inputOutput` and the outcome `unknown`: the commit stands, but whether it would be
  ///   missed is not certain, so nobody is told.
  func seal(_ prepared: Prepared) throws(StoreError) {
    do {
      try file.write(prepared.bytes, sequence: prepared.record.sequence)
      let heads = try file.heads()
      state.withLock { $0 = State(record: prepared.record, heads: heads) }
    } catch {
      throw StoreError(
        .inputOutput, outcome: .unknown, operation: error.operation, subject: error.subject, cause: error.cause,
        hint: "stop the programs and check the disk of the witness")
    }
  }
}

extension WitnessRecord.Tip {
  static let beginning = WitnessRecord.Tip(seat: 0, chain: AcceptanceChain.beginning)
}

extension StoreError {
  static func witnessMissing(_ path: String, cause: String) -> StoreError {
    StoreError(
      .witnessMissing, operation: "use the witness", subject: path, cause: cause,
      hint: "put the file back; if it is lost: issue-service witness rebuild --reason TEXT")
  }

  static func witnessForeign(_ path: String, cause: String) -> StoreError {
    StoreError(
      .witnessForeign, operation: "use the witness", subject: path, cause: cause,
      hint: "check --database and --witness; to begin anew: issue-service witness rebuild --reason TEXT")
  }

  static func witnessAhead(_ path: String, faults: [String]) -> StoreError {
    StoreError(
      .witnessAhead, operation: "use the witness", subject: path, cause: faults.joined(separator: "; "),
      hint: "put the lost -wal or a newer copy of the database back; if there is none: "
        + "issue-service witness accept-loss --reason TEXT")
  }
}
