import Foundation
import TestSupport
import Testing

@Suite("What can be repaired is planned, reviewed and done once")
struct RepairTests {
  private func plan(_ database: String, in directory: ScratchDirectory) async throws -> (path: String, JSONValue) {
    let path = directory.path("plan.json")
    let planned = try await Program.reconcile.run(["plan", "--output", path, "--database", database])
    #expect(planned.status == 0, "\(planned.errors)")
    return (path, try JSONDecoder().decode(JSONValue.self, from: try directory.contents("plan.json")))
  }

  private func apply(_ path: String, _ database: String) async throws -> Program.Result {
    try await Program.reconcile.run([
      "apply", path, "--reason", "lost by hand", "--operator", "kim", "--database", database,
    ])
  }

  private func rows(_ database: String, _ sql: String) async throws -> String {
    try await Program.system("/usr/bin/sqlite3").run(["-readonly", database, sql]).output
  }

  /// Takes a trigger away for as long as a statement needs, as somebody would who leaves no trace in the schema.
  private func alterBehind(_ trigger: String, _ database: String, _ sql: String) async throws {
    let definition = try await rows(database, "SELECT sql FROM sqlite_master WHERE name = '\(trigger)'")
    try await alter(database, "DROP TRIGGER \(trigger); \(sql); \(definition);")
  }

  /// The code of an issuer's campaign is the issuer's: it is asked again, and gives the same.
  @Test func aMissingCouponOfAnIssuerIsAskedForAgain() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.accept(2)
    _ = try await campaign.issuer.run { try await campaign.consume() }
    _ = try await campaign.replay()
    let codes = try await campaign.couponCodes()
    #expect(codes.count == 2)
    for table in ["failed_event", "coupon"] {
      try await alterBehind("\(table)_delete", campaign.database, "DELETE FROM \(table) WHERE seat = 2")
    }
    _ = try await campaign.sql(
      "UPDATE outbox SET state = 'delivered' WHERE seat = 2; DELETE FROM attempt WHERE seat = 2")
    let (path, plan) = try await plan(campaign.database, in: campaign.directory)
    #expect(plan["actions"]?.array.compactMap { $0["id"]?.string } == ["reopen-failed-event/summer/2"])
    #expect(try await apply(path, campaign.database).status == 0)
    #expect(try await apply(path, campaign.database).output.contains("done before"))
    #expect(try await campaign.replay().status == 0)
    #expect(try await campaign.couponCodes() == codes, "the code that the user had")
    #expect(try await Program.reconcile.run(["report", "--database", campaign.database]).status == 0)
  }

  /// A trigger that is gone is a person's to put back; what can be made good is made good meanwhile.
  @Test func aTriggerThatIsGoneIsNoReasonToLeaveTheRest() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    let codes = try await rows(database, "SELECT seat, code FROM coupon ORDER BY seat")
    try await alter(database, "DROP TRIGGER coupon_delete; DELETE FROM coupon WHERE seat = 2")
    let (path, _) = try await plan(database, in: directory)
    let done = try await apply(path, database)
    #expect(done.status == 2 && done.output.contains("done: make-coupon/summer/2"), "\(done.output)\(done.errors)")
    #expect(try await rows(database, "SELECT seat, code FROM coupon ORDER BY seat") == codes)
    let report = try await Program.reconcile.run(["report", "--database", database])
    #expect(report.status == 2 && report.output.contains("trigger coupon_delete"), "\(report.output)")
  }

  @Test func everythingThatWasPromisedIsMadeGoodOnce() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    let codes = try await rows(database, "SELECT seat, code FROM coupon ORDER BY seat")
    try await alterBehind("coupon_delete", database, "DELETE FROM coupon WHERE seat IN (2, 3, 4)")
    try await alterBehind("outbox_delete", database, "DELETE FROM outbox WHERE seat = 3")
    try await alterBehind("campaign_counter", database, "UPDATE campaign SET counter = 4")
    // Of seat 4 the outbox row says that it failed, and the failed event that it was resolved.
    try await alter(
      database,
      """
      UPDATE outbox SET state = 'failed' WHERE seat = 4;
      INSERT INTO failed_event (campaign_id, seat, user_id, state, failure_kind, error, attempts, max_attempts,
        generation, failed_at, settled_at) VALUES ('summer', 4, 'user-4', 'resolved', 'transient', 'x', 0, 10, 1, 5, 6)
      """)
    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 2)
    let (path, plan) = try await plan(database, in: directory)
    #expect(
      plan["actions"]?.array.compactMap { $0["id"]?.string } == [
        "make-coupon/summer/2", "recreate-outbox/summer/3", "reopen-failed-event/summer/4", "raise-counter/summer",
      ])
    #expect(plan["refused"]?.array == [])
    let done = try await apply(path, database)
    #expect(done.output.contains("backup: ") && done.status == 0, "\(done.output)\(done.errors)")
    for action in ["make-coupon/summer/2", "recreate-outbox/summer/3"] {
      #expect(done.output.contains("done: \(action)"))
    }
    // The backup is what was there before.
    let backup = try #require(done.firstLine.split(separator: " ").last.map(String.init))
    #expect(try await rows(backup, "SELECT count(*) FROM coupon; PRAGMA integrity_check") == "2\nok\n")
    // The programs do the rest, and everybody has the code that they had.
    #expect(try await Program.issueService.run(["consume", "--once", "--database", database]).status == 0)
    #expect(try await Program.retryBatch.run(["--once", "--database", database]).status == 0)
    #expect(try await rows(database, "SELECT seat, code FROM coupon ORDER BY seat") == codes)
    #expect(
      try await rows(database, "SELECT act, operator, reason FROM operator_act WHERE act = 'repair'")
        == String(repeating: "repair|kim|lost by hand\n", count: 4))
    #expect(
      try await rows(database, "SELECT seat FROM operator_act_seat ORDER BY seat") == "2\n3\n4\n")
    // Again: nothing is done twice.
    let before = try await rows(database, "SELECT * FROM outbox; SELECT * FROM coupon; SELECT * FROM operator_act")
    let again = try await apply(path, database)
    #expect(!again.output.contains("\ndone: "), "\(again.output)")
    #expect(
      try await rows(database, "SELECT * FROM outbox; SELECT * FROM coupon; SELECT * FROM operator_act") == before)
  }

  /// Between plan and apply somebody else has been there.
  @Test func aRowThatIsNotAsThePlanSawItIsLeftAlone() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alterBehind("coupon_delete", database, "DELETE FROM coupon WHERE seat IN (2, 3)")
    let (path, _) = try await plan(database, in: directory)
    try await alter(
      database,
      """
      UPDATE outbox SET state = 'failed' WHERE seat = 2;
      INSERT INTO failed_event (campaign_id, seat, user_id, state, failure_kind, error, attempts, max_attempts,
        generation, failed_at, settled_at) VALUES ('summer', 2, 'user-2', 'discarded', 'permanent', 'x', 0, 10, 1, 5, 6)
      """)
    let done = try await apply(path, database)
    #expect(done.status == 2, "\(done.output)")
    #expect(done.output.contains("refused: make-coupon/summer/2: the rows are not as the plan saw them"))
    #expect(done.output.contains("done: make-coupon/summer/3"))
    #expect(try await rows(database, "SELECT seat FROM coupon ORDER BY seat") == "1\n3\n4\n5\n")
  }

  /// What could give away more than was promised is no action, and the plan says why.
  @Test func whatCouldOverIssueIsRefused() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alterBehind("campaign_quota", database, "UPDATE campaign SET quota = 9")
    try await alterBehind(
      "coupon_insert", database, "INSERT INTO coupon VALUES ('summer', 7, 'jun', 'EXTRA', 1, NULL)")
    try await alterBehind("campaign_counter", database, "UPDATE campaign SET counter = 8")
    let (path, plan) = try await plan(database, in: directory)
    #expect(plan["actions"]?.array == [])
    let refused = plan["refused"]?.array ?? []
    for id in ["coupon-has-acceptance/summer/7", "quota-by-act/summer", "counter-equals-set/summer"] {
      let why = refused.first { $0["finding"]?.string == id }?["why"]?.string
      #expect(why?.isEmpty == false, "\(id)")
    }
    let before = try await rows(database, "SELECT * FROM coupon; SELECT * FROM campaign")
    #expect(try await apply(path, database).status == 2)
    #expect(try await rows(database, "SELECT * FROM coupon; SELECT * FROM campaign") == before)
  }

  @Test func badPlans() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    let (path, _) = try await plan(database, in: directory)
    let other = try ScratchDirectory()
    let foreign = try await apply(path, try await filled(in: other))
    #expect(foreign.status == 65 && foreign.errors.contains("another database"), "\(foreign.errors)")
    for (name, text) in [("text.json", "no plan"), ("empty.json", "{}"), ("old.json", "{\"schema_version\": 99}")] {
      let bad = try await apply(try directory.write(text, to: name), database)
      #expect(bad.status == 65 && bad.errors.contains("next: "), "\(bad.errors)")
    }
    #expect(try await apply(directory.path("missing.json"), database).status == 74)
    let noReason = try await Program.reconcile.run(["apply", path, "--reason", " ", "--database", database])
    #expect(noReason.status == 64)
    #expect(try directory.names().allSatisfy { !$0.contains("backup") })
  }
}
