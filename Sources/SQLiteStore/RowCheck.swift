internal import Foundation
internal import GRDB
internal import Issuance

/// One condition that every row of a table meets, and that the file may not hold by itself.
struct RowCheck {
  let name: String
  let condition: String

  /// The named CHECKs in the SQL of a table of ours.
  static func constraints(in sql: String) -> [RowCheck] {
    sql.matches(of: #/CONSTRAINT (\w+) CHECK \(/#).map { match in
      RowCheck(name: String(match.1), condition: condition(in: sql[match.range.upperBound...]))
    }
  }

  /// The bounds of numbers in the SQL of an insert trigger of ours, one check a column: `outbox_created_at_bounds`. NULL is
  /// within every bound.
  static func bounds(of table: String, in sql: String) -> [RowCheck] {
    sql.matches(of: #/NEW\.(\w+) NOT (BETWEEN -?\d+ AND -?\d+)/#).map { match in
      RowCheck(name: "\(table)_\(match.1)_bounds", condition: "\(match.1) \(match.2)")
    }
  }

  /// The type of each column, one check a column: `outbox_user_id_type`. STRICT refuses another type, but a damaged page
  /// holds it all the same. A text holds no NUL and is UTF-8.
  static func types(of columns: [ColumnInfo], of table: String) -> [RowCheck] {
    columns.map { column in
      let name = column.name
      var condition = "typeof(\(name)) = '\(column.type.lowercased())'"
      if column.type == "TEXT" {
        condition += " AND instr(\(name), char(0)) = 0"
        if !asciiTables.contains(table) { condition += " AND is_utf8(CAST(\(name) AS BLOB))" }
      }
      return RowCheck(
        name: "\(table)_\(name)_type", condition: column.isNotNull ? condition : "\(name) IS NULL OR \(condition)")
    }
  }

  /// Tables with a row a seat. Their texts are ASCII: CHECKs hold it, or the pass over the seats compares them. A call of
  /// a function for each of them would cost more than the rest of the pass.
  private static let asciiTables: Set = ["accepted_user", "outbox", "coupon", "pool_code"]

  static let isUTF8 = DatabaseFunction("is_utf8", argumentCount: 1, pure: true) { values in
    switch values[0].storage {
    case .blob(let bytes): String(validating: bytes, as: UTF8.self) != nil
    default: true
    }
  }

  /// What stands before the parenthesis that closes the one before `text`. Quoted text of ours holds none.
  private static func condition(in text: Substring) -> String {
    var depth = 1
    return String(
      text.prefix { character in
        if character == "(" { depth += 1 }
        if character == ")" { depth -= 1 }
        return depth > 0
      })
  }

  private static func isListOfTexts(_ column: String) -> String {
    """
    CASE WHEN json_valid(\(column)) THEN json_type(\(column)) = 'array' AND NOT EXISTS (
      SELECT 1 FROM json_each(\(column)) WHERE json_each.type <> 'text') ELSE 0 END
    """
  }

  private static let isSeat = "seat BETWEEN \(Seat.range.lowerBound) AND \(Seat.range.upperBound)"

  /// By table: what triggers alone refuse, and what only the programs hold.
  static let ofPrograms: [String: [RowCheck]] = [
    "issuer_circuit": [
      RowCheck(
        name: "issuer_circuit_form",
        condition: """
          endpoint GLOB 'http*://?*' AND endpoint NOT GLOB '*[^!-~]*' AND failures < 2147483647
          AND \(isListOfTexts("events"))
          """)
    ],
    "campaign": [
      RowCheck(name: "campaign_issuer_word", condition: "issuer IN ('generated', 'pool', 'webhook')"),
      RowCheck(
        name: "campaign_webhook_url",
        condition: "CASE WHEN issuer = 'webhook' THEN \(Campaign.isWebhookURL) ELSE webhook_url IS NULL END"),
    ],
    "operator_act": [
      RowCheck(
        name: "operator_act_word",
        condition: """
          act IN ('create', 'raise', 'pause', 'resume', 'close', 'import', 'configure', 'redrive', 'discard', 'prune',
            'repair', 'move', 'waive', 'accept-loss')
          """)
    ],
    "lease_lapse": [
      RowCheck(name: "lease_lapse_runs_texts", condition: isListOfTexts("runs")),
      RowCheck(name: "lease_lapse_seat_bounds", condition: isSeat),
    ],
    "quarantined_event": [RowCheck(name: "quarantined_event_seat_bounds", condition: isSeat)],
    "run": [RowCheck(name: "run_times", condition: "ended_at IS NULL OR ended_at >= started_at")],
    "attempt": [RowCheck(name: "attempt_times", condition: "ended_at >= started_at")],
    "self_test": [RowCheck(name: "self_test_times", condition: "ended_at >= started_at")],
  ]
}
