internal import Foundation
internal import IssueService
internal import Reconciler
internal import ServiceKit

extension FuzzTarget {
  /// JSON as tokens, key sets and bodies are read; and as a plan of repairs.
  static let json = FuzzTarget("json") { bytes in
    if let value = StrictJSON(bytes) {
      precondition(depth(of: value) <= StrictJSON.maximumDepth, "JSON is read that is deeper than allowed")
      precondition(StrictJSON(written(value)) == value, "JSON is not read as it was written")
    }
    let plan = text(bytes)
    if let plan = JSONText.decode(RepairPlan.self, from: plan) {
      for action in plan.actions { _ = action.repair }
      guard let again = try? JSONText.encode(plan) else { preconditionFailure("a plan cannot be written") }
      precondition(JSONText.decode(RepairPlan.self, from: again) == plan, "a plan is not read as it was written")
    }
  }

  private static func depth(of value: StrictJSON) -> Int {
    switch value {
    case .array(let values): 1 + (values.map(depth).max() ?? 0)
    case .object(let members): 1 + (members.values.map(depth).max() ?? 0)
    default: 0
    }
  }

  private static func written(_ value: StrictJSON) -> [UInt8] {
    switch value {
    case .null: Array("null".utf8)
    case .boolean(let flag): Array("\(flag)".utf8)
    case .number(let text): Array(text.utf8)
    case .string(let bytes): quoted(bytes)
    case .array(let values): Array("[".utf8) + values.map(written).joined(separator: ",".utf8) + "]".utf8
    case .object(let members):
      Array("{".utf8) + members.map { quoted($0) + ":".utf8 + written($1) }.joined(separator: ",".utf8) + "}".utf8
    }
  }

  private static func quoted(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = Array("\"".utf8)
    for byte in bytes {
      switch byte {
      case 0..<0x20: text += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
      default: text.append(byte)
      }
    }
    return text + "\"".utf8
  }
}
