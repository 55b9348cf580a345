import Foundation
import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

@Suite("The trace of a claim in the file")
struct TraceTests {
  private let trace = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"

  /// The outbox row is what tells of the acceptance to others: it has the trace before any coupon is made.
  @Test func theOutboxRowHasTheTraceOfTheAcceptedClaim() async throws {
    let backend = try SQLiteBackend()
    let store = try backend.openStore()
    _ = try await store.create(.test(), by: .test)
    _ = try await store.admit([.of(1, trace: .test), .of(2), .of(1, trace: .of(9)), .of(2, trace: .of(9))])
    let rows = try await backend.plain().read { db in
      try String.fetchAll(
        db, sql: "SELECT state || ' ' || ifnull(traceparent, 'none') FROM outbox ORDER BY seat")
    }
    #expect(rows == ["pending \(TraceParent.test)", "pending none"])
  }

  /// The database and the programs have one notion of the form.
  @Test func theDatabaseTakesWhatTheProgramsWrite() async throws {
    let backend = try SQLiteBackend()
    try await IllegalStatementTests.fill(backend)
    let queue = try backend.plain()
    let texts = [
      "00-\(trace)-01", "00-\(trace)-00", "00-\(trace)-ff", "", "00", "00-\(trace)-", "00-\(trace)-1",
      "00-\(trace)-011", "00-\(trace)-01-", "01-\(trace)-01", "ff-\(trace)-01", "00-\(trace.uppercased())-01",
      "00-\(trace)-0G", "00-\(trace)-0-", "00_\(trace)-01", " 00-\(trace)-01", "00-\(trace)-01 ",
      "00-\(trace)-01\n", "00-\(trace)-01\u{0}", "00-\(trace)-0é",
      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
      "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
      "00-0af7651916cd43dd-448eb211c80319c-b7ad6b7169203331-01",
    ]
    for text in texts {
      let isOfTheForm = TraceParent(text)?.rawValue == text
      #expect(
        try isTaken(text, by: "INSERT INTO coupon VALUES ('summer', 2, 'user-2', 'NEW', 1, CAST(? AS TEXT))", queue)
          == isOfTheForm)
      #expect(
        try isTaken(
          text,
          by: "INSERT INTO outbox VALUES ('spring', 1, 'user-9', 'pending', 1, NULL, CAST(? AS TEXT), NULL, NULL, 0)",
          queue,
          after: "INSERT INTO accepted_user VALUES ('spring', 1, 'user-9', 1, zeroblob(32))") == isOfTheForm,
        "\(text)")
    }
  }

  /// A damaged file: nobody goes without a coupon for the sake of a trace.
  @Test func aTraceThatCannotBeReadHoldsNoCouponUp() async throws {
    let backend = try SQLiteBackend()
    let store = try backend.openStore()
    _ = try await store.create(.test(), by: .test)
    _ = try await store.admit([.of(1, trace: .test), .of(2, trace: .test)])
    try await backend.plain().write { db in
      let trigger = try String.fetchOne(db, sql: "SELECT sql FROM sqlite_master WHERE name = 'outbox_identity'")
      try db.execute(sql: "DROP TRIGGER outbox_identity; PRAGMA ignore_check_constraints = ON")
      try db.execute(sql: "UPDATE outbox SET traceparent = 'trace' WHERE seat = 1")
      try db.execute(sql: try #require(trigger))
    }
    #expect(try await store.deliverPending(limit: 10).delivered == 2)
    let traces = try await backend.plain().read { db in
      try String?.fetchAll(db, sql: "SELECT traceparent FROM coupon ORDER BY seat")
    }
    #expect(traces == [nil, TraceParent.test.rawValue])
  }

  /// Tries it and takes it back.
  private func isTaken(
    _ text: String, by sql: String, _ queue: DatabaseQueue, after preparation: String? = nil
  ) throws -> Bool {
    try queue.write { db in
      var isTaken = false
      try db.inSavepoint {
        if let preparation { try db.execute(sql: preparation) }
        do {
          try db.execute(sql: sql, arguments: [Data(text.utf8)])  // as bytes: a zero byte is not the end
          isTaken = true
        } catch let error as DatabaseError {
          #expect(error.message?.contains("_traceparent_form") == true, "\(error)")
        }
        return .rollback
      }
      return isTaken
    }
  }
}
