internal import Foundation
internal import GRDB
internal import History
internal import Issuance
internal import SQLiteStore
internal import TestSupport

@testable import Auditing

/// The files that are damaged, made once by the real programs.
actor DamageGround {
  static let shared = DamageGround()

  private var prepared: PreparedFiles?

  func ready() async throws -> PreparedFiles {
    if let prepared { return prepared }
    let made = try await PreparedFiles()
    prepared = made
    return made
  }
}

/// A database whose service was killed with acknowledged claims in its log, an earlier copy of it, and what was heard.
struct PreparedFiles: Sendable {
  static let names = ["first-come.db", "first-come.db-wal", "first-come.db.witness"]

  private let place: CrashPlace
  private let early: ScratchDirectory
  private let content: String
  private let set: String
  private let facts: String
  private let objects: [String]
  private let linkPage: Int?
  private let claims: [History.Operation]

  init() async throws {
    place = try await CrashPlace(crashAt: "claim.before-answer:25")
    early = try ScratchDirectory()
    try await place.createCampaigns()
    _ = try await place.claims("first")
    try await place.run(.issueService, ["consume", "--once"])
    // In one step and with the log moved into it, as a backup is.
    let backup = try await Program.system("/usr/bin/sqlite3").run([
      place.database, ".backup \(early.path("first-come.db"))",
    ])
    _ = try await place.claims("second", many: 200, crash: true)
    claims = place.recorder.history.operations.filter { operation in
      if case .accepted = operation.answer { true } else { false }
    }
    guard backup.status == 0, claims.count > 20 else {
      throw HarnessFailure(description: "the ground of damages was not prepared: \(backup.errors)")
    }
    let copy = try ScratchDirectory()
    try Self.copy(from: place.directory, to: copy)
    content = try await Self.dump(copy.path("first-come.db"))
    set = try await Self.set(copy.path("first-come.db"))
    facts = try await Self.facts(copy.path("first-come.db"))
    let listed = try await Self.sql(
      copy.path("first-come.db"), "SELECT type || ' ' || name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY 1")
    objects = listed.split(separator: "\n").map(String.init)
    linkPage = Int(
      try await Self.sql(copy.path("first-come.db"), "SELECT rootpage FROM sqlite_master WHERE name = 'log_link'")
        .trimmingCharacters(in: .whitespacesAndNewlines))
  }

  func damage(_ kind: Damage, trial: Int, seed: UInt64, tally: Tally) async throws {
    let directory = try ScratchDirectory()
    try Self.copy(from: place.directory, to: directory)
    var random = SplitMix(state: seed &* 7_919 &+ UInt64(trial))
    let page = try await inflict(kind, on: directory, &random)
    tally.count(kind.rawValue)

    let asked = try ScratchDirectory()
    try Self.copy(from: directory, to: asked)
    let database = directory.path("first-come.db")
    let report = try await Program.reconcile.run(["report", "--no-record", "--database", database])
    let left = try? await Self.dump(asked.path("first-come.db"))
    var isHarmless = left.map { $0 == content }
    if isHarmless == false, kind == .logByte || kind == .logCut {
      // What was lost after the last acceptance is made again: coupons with the same codes.
      let left = try? await Self.set(asked.path("first-come.db"))
      isHarmless = left == set
      if report.status == 0, let left, left != set {
        let lines = Set(set.split(separator: "\n")).symmetricDifference(left.split(separator: "\n")).sorted()
        tally.broke("\(kind.rawValue): a CLEAN report, and other lines: \(lines.prefix(4))", in: trial)
      }
      if isHarmless == true { tally.count("only work after the last acceptance lost") }
    }
    if isHarmless == false, report.status == 0, let known = try? await Self.facts(asked.path("first-come.db")) {
      isHarmless = known == facts
      if isHarmless == true { tally.count("only texts for people or times changed") }
    }
    tally.count(report.status == 0 ? "CLEAN" : "DIRTY or UNKNOWN")
    let others = Set(content.split(separator: "\n")).symmetricDifference((left ?? "").split(separator: "\n")).sorted()
    for what in judge(kind, report, others: isHarmless == true ? [] : others) {
      tally.broke("\(kind.rawValue): \(what)", in: trial)
    }
    if report.status == 0 { tally.count("harmless") }
    let outcome = try await start(database, asOtherwise: kind.altersAcceptances, tally)
    if outcome.hasStarted, kind.mustBeRefused { tally.broke("\(kind.rawValue): a service started on it", in: trial) }
    for what in outcome.wrong { tally.broke("\(kind.rawValue): \(what)", in: trial) }
    // Of the header and the log link, any byte counts: they say which file it is. A file that was cut lacks pages.
    let isOther = kind.mustBeRefused || kind == .witnessByte || kind == .fileCut || page == 1 || page == linkPage
    let couldBeServed = isHarmless == true && !isOther
    if couldBeServed, !outcome.hasStarted {
      tally.broke("\(kind.rawValue): no service started on a file that could be served", in: trial)
    }
    if couldBeServed { tally.count("served as it could be") }
  }

  private func judge(_ kind: Damage, _ report: Program.Result, others: [Substring]) -> [String] {
    let said = report.output + report.errors
    if report.status == 0 {
      if kind.mustBeRefused { return ["the report is CLEAN"] }
      if others.isEmpty || kind == .witnessByte { return [] }
      return ["the report is CLEAN, and there are other lines: \(others.prefix(4))"]
    }
    if ![2, 3, 69, 74, 78].contains(report.status) {
      return ["the report ended \(report.status): \(said.prefix(300))"]
    }
    return said.contains("next") || said.contains("what to do") ? [] : ["the report does not say what to do: \(said)"]
  }

  /// What the self-test of `reconcile` plants in a copy, planted in the file: the report names it, and so does a start.
  func plant(_ fault: InjectedCorruption, trial: Int, tally: Tally) async throws {
    let directory = try ScratchDirectory()
    try Self.copy(from: place.directory, to: directory)
    let database = directory.path("first-come.db")
    // Nothing is held against anything while it is spoilt.
    var unguarded = Configuration()
    unguarded.foreignKeysEnabled = false
    try DatabaseQueue(path: database, configuration: unguarded).inDatabase { db in
      try SQLiteSelfTestSandbox(
        db, path: database, witness: .unusable("not asked"), asOf: Timestamp(microseconds: 1_700_000_000_000_000)
      ).plant([fault])
    }
    tally.count("planted: \(fault.rawValue)")
    let report = try await Program.reconcile.run(["report", "--no-record", "--database", database])
    tally.count(report.status == 0 ? "CLEAN" : "DIRTY or UNKNOWN")
    let found = try await findings(database)
    if report.status != 2 || found != fault.findings {
      tally.broke("\(fault): the report ended \(report.status) and found \(found.sorted())", in: trial)
    }
    let outcome = try await start(database, asOtherwise: false, tally)
    for what in outcome.wrong { tally.broke("\(fault): \(what)", in: trial) }
    // A schema that would not refuse what it has to is refused itself, and pages that do not fit together. So are acceptances that do not follow from those
    // that the witness has seen. All other wrong rows are named, and the rest is served.
    let isOfStructure = fault.findings.contains { finding in
      ["schema-", "quick-check", "indexes-agree"].contains { finding.hasPrefix($0) }
    }
    let isRefused = isOfStructure || Self.breakTheChain.contains(fault)
    if !isRefused, !outcome.hasStarted {
      tally.broke("\(fault): no service started, because of rows that are wrong", in: trial)
    }
  }

  private static let breakTheChain: Set<InjectedCorruption> = [.acceptanceLost, .acceptanceExchanged, .timesBackwards]

  /// How a service did on damaged files.
  private struct Start {
    let hasStarted: Bool
    let wrong: [String]
  }

  /// A service on it refuses to start. Otherwise it names what a report names, or makes it good, and gives everybody who
  /// was accepted the same seat.
  ///
  /// - Parameter asOtherwise: whether acceptances were changed, so that somebody may be told something else.
  private func start(_ database: String, asOtherwise: Bool, _ tally: Tally) async throws -> Start {
    let wrong = try await findings(database)
    let claims = claims.suffix(8)
    do {
      let ended = try await RunningService.run(database: database, environment: place.environment) { service in
        var different: [String] = []
        for claim in claims {
          guard let answer = try? await HTTP.claim(claim.user, from: claim.campaign, at: service.claims) else { break }
          let seat = try answer.json()["seat"]?.int
          if answer.status < 500, answer.status != 200 || seat != claim.answer.seat {
            different.append(
              "\(claim.user) was told \(answer.status), seat \(seat ?? 0), instead of \(claim.answer.seat ?? 0)")
          }
        }
        return await Self.isAudited(service) ? different : nil
      }
      guard let different = ended.value else {
        tally.count("ended soon after the start")
        let saysWhy = [1, 74, 78].contains(ended.status) && ended.errors.contains("\nerror: ")
        return Start(
          hasStarted: false,
          wrong: saysWhy ? [] : ["the audit of the start did not end, and the service ended with \(ended.status)"])
      }
      tally.count("started")
      if !wrong.isEmpty { tally.count("named by the start") }
      let named = ended.errors
      let silent = wrong.filter { !named.contains("\"finding\":\"\($0)\"") }
      let left = silent.isEmpty ? [] : try await findings(database).intersection(silent).sorted()
      return Start(
        hasStarted: true,
        wrong: (asOtherwise ? [] : different)
          + left.prefix(5).map { "the start of a service does not name \($0)" })
    } catch RunningService.Failure.didNotStart {
      tally.count("refused at the start")
      return Start(hasStarted: false, wrong: [])
    }
  }

  /// The ids of what a report finds, as many of a rule as a start names at most.
  private func findings(_ database: String) async throws -> Set<String> {
    let report = try await Program.reconcile.run(["report", "--no-record", "--json", "--database", database])
    guard report.output.hasPrefix("{") else { return [] }
    let ids = try report.json()["findings"]?.array.compactMap { $0["id"]?.string } ?? []
    return Set(Dictionary(grouping: ids) { $0.prefix { $0 != "/" } }.values.flatMap { $0.prefix(10) })
  }

  /// - Returns: false where it took longer than a minute, or the service has ended.
  private static func isAudited(_ service: RunningService) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
      guard let metrics = try? await HTTP.send("GET", "\(service.operations)/metrics") else { return false }
      if String(decoding: metrics.body, as: UTF8.self).contains("\nfirst_come_audit_end_seconds ") { return true }
    }
    return false
  }

  // MARK: The damages

  /// - Returns: the page of the main file that was changed, if it was one.
  private func inflict(_ kind: Damage, on directory: ScratchDirectory, _ random: inout SplitMix) async throws -> Int? {
    var page: Int?
    let (database, log, witness) = (
      directory.path("first-come.db"), directory.path("first-come.db-wal"), directory.path("first-come.db.witness")
    )
    let backup = try Data(contentsOf: early.url.appendingPathComponent("first-come.db"))
    switch kind {
    case .logDeleted: try FileManager.default.removeItem(atPath: log)
    case .logByte: _ = try turnBit(of: log, &random)
    case .logCut: try cut(log, &random)
    case .pageByte: page = try turnBit(of: database, &random) / 4_096 + 1
    case .pageOverwritten:
      try change(database) { bytes in
        let drawn = Int.random(in: 0..<bytes.count / 4_096, using: &random)
        for index in drawn * 4_096..<(drawn + 1) * 4_096 { bytes[index] = 0x5A }
        page = drawn + 1
      }
    case .fileCut: try cut(database, &random)
    case .tableDropped: try await drop("table", database, &random)
    case .triggerDropped: try await drop("trigger", database, &random)
    case .indexDropped: try await drop("index", database, &random)
    case .lyingDisk:
      // The later half of the log was never written, whatever its syncs said.
      try change(log) { bytes in bytes.removeLast(bytes.count / 2) }
    case .oldBackup:
      try FileManager.default.removeItem(atPath: log)
      try FileManager.default.removeItem(atPath: database)
      try FileManager.default.copyItem(atPath: early.path("first-come.db"), toPath: database)
    case .backupUnderLog:
      try change(database) { bytes in bytes = backup }
    case .witnessByte: _ = try turnBit(of: witness, &random)
    case .witnessDeleted: try FileManager.default.removeItem(atPath: witness)
    case .codeChanged:
      try await behind(
        "coupon_update", database, "UPDATE coupon SET code = 'FORGED' WHERE campaign_id = 'summer' AND seat = 1")
    case .userChanged:
      try await behind(
        "accepted_user_update", database,
        "UPDATE accepted_user SET user_id = 'eve' WHERE campaign_id = 'pool' AND seat = 2")
    case .seatDeleted:
      try await behind(
        "accepted_user_delete", database, "DELETE FROM accepted_user WHERE campaign_id = 'summer' AND seat = 3")
    }
    return page
  }

  private func drop(_ type: String, _ database: String, _ random: inout SplitMix) async throws {
    let candidates = objects.filter { $0.hasPrefix(type + " ") }
    let object = candidates[random.below(candidates.count)]
    _ = try await Self.sql(database, "PRAGMA foreign_keys = OFF; DROP \(object)")
  }

  /// Takes a trigger away, does what it would refuse, and puts it back.
  private func behind(_ trigger: String, _ database: String, _ statement: String) async throws {
    let definition = try await Self.sql(database, "SELECT sql FROM sqlite_master WHERE name = '\(trigger)'")
    guard !definition.isEmpty else { throw HarnessFailure(description: "there is no trigger \(trigger)") }
    _ = try await Self.sql(
      database, "PRAGMA foreign_keys = OFF; DROP TRIGGER \(trigger); \(statement); \(definition);")
  }

  /// - Returns: the offset of the byte.
  private func turnBit(of path: String, _ random: inout SplitMix) throws -> Int {
    var offset = 0
    try change(path) { bytes in
      offset = random.below(bytes.count)
      bytes[offset] ^= 1 << UInt8(random.below(8))
    }
    return offset
  }

  private func cut(_ path: String, _ random: inout SplitMix) throws {
    try change(path) { bytes in bytes.removeLast(1 + random.below(bytes.count - 1)) }
  }

  private func change(_ path: String, _ body: (inout Data) -> Void) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    body(&bytes)
    // In place, as a disk would: the file stays the file.
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: 0)
    try file.write(contentsOf: bytes)
    try file.close()
  }

  private static func copy(from: ScratchDirectory, to: ScratchDirectory) throws {
    for name in names where FileManager.default.fileExists(atPath: from.path(name)) {
      try FileManager.default.copyItem(atPath: from.path(name), toPath: to.path(name))
    }
  }

  private static func dump(_ database: String) async throws -> String { try await sql(database, ".dump") }

  /// Campaigns and acceptances: what users were told.
  private static func set(_ database: String) async throws -> String {
    try await sql(
      database,
      "SELECT id, quota, counter, state FROM campaign ORDER BY id; SELECT * FROM accepted_user ORDER BY campaign_id, seat"
    )
  }

  /// All that a promise speaks of. What else there is, texts for people and times to the microsecond, has nothing beside
  /// it that it could be held against.
  private static func facts(_ database: String) async throws -> String {
    try await sql(
      database,
      """
      SELECT id, issuer, quota, counter, state FROM campaign ORDER BY id;
      SELECT * FROM accepted_user ORDER BY campaign_id, seat;
      SELECT campaign_id, seat, user_id, code FROM coupon ORDER BY campaign_id, seat;
      SELECT campaign_id, code, seat FROM pool_code ORDER BY campaign_id, code;
      SELECT campaign_id, seat, state FROM outbox ORDER BY campaign_id, seat;
      SELECT campaign_id, seat, user_id, state FROM failed_event ORDER BY campaign_id, seat;
      """)
  }

  private static func sql(_ database: String, _ command: String) async throws -> String {
    let result = try await Program.system("/usr/bin/sqlite3").run([database, command])
    guard result.status == 0 else { throw HarnessFailure(description: "sqlite3 \(command): \(result.errors)") }
    return result.output
  }
}

extension Answer {
  fileprivate var seat: Int? {
    switch self {
    case .accepted(let seat, _), .same(let seat, _): seat
    default: nil
    }
  }
}
