import GRDB
import Issuance
import Testing

@testable import SQLiteStore

@Suite("A failure's printed form holds no user data")
struct FailureTextTests {
  private struct Telling: Error, CustomStringConvertible { let description = "what mina did" }

  @Test func statementArgumentsAreNotPrinted() throws {
    let database = try DatabaseQueue()
    try database.write { try $0.execute(sql: "CREATE TABLE claim (user_id TEXT PRIMARY KEY) STRICT") }
    let arguments: [(sql: String, arguments: StatementArguments)] = [
      ("INSERT INTO claim VALUES (?)", ["mina", "jun"]), ("INSERT INTO claim VALUES (?), (?)", ["mina", "mina"]),
    ]
    for statement in arguments {
      let error = try #require(throws: DatabaseError.self) {
        try database.write { try $0.execute(sql: statement.sql, arguments: statement.arguments) }
      }
      let failure = StoreError(error, operation: "admit a claim", subject: "first-come.db")
      #expect(!"\(failure)".contains("mina"), "\(failure)")
    }
  }

  @Test func anUnknownErrorIsNamedByItsTypeAlone() {
    let failure = StoreError(Telling(), operation: "admit a claim", subject: "first-come.db")
    #expect("\(failure)".contains("Telling") && !"\(failure)".contains("mina"))
  }

  /// A damaged page can hold any other column's value.
  @Test func whatADamagedRowHoldsIsNotPrinted() throws {
    let database = try DatabaseQueue()
    let error = try database.read { db in
      let row = try #require(try Row.fetchOne(db, sql: "SELECT 'Mina!' AS campaign_id, 'Mina!' AS state"))
      return try (
        #require(throws: StoreError.self) { try row.campaignID() },
        #require(throws: StoreError.self) {
          let _: Campaign.State = try row.word("state", of: "campaign")
        }
      )
    }
    #expect(error.0.code == .malformed && !"\(error.0)".contains("Mina"))
    #expect(error.1.code == .malformed && !"\(error.1)".contains("Mina"))
  }
}
