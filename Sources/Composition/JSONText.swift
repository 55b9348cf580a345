internal import Foundation

/// A field that is always there: `null` where there is no value.
package struct Nullable<Value: Encodable>: Encodable {
  private let value: Value?

  package init(_ value: Value?) { self.value = value }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let value { try container.encode(value) } else { try container.encodeNil() }
  }
}

extension Nullable: Sendable where Value: Sendable {}

/// JSON as all programs write it: keys in snake_case and in order, so that the same value is the same bytes.
package enum JSONText {
  /// - Parameter isIndented: one field a line, for results that people also read.
  package static func encode(_ value: some Encodable, isIndented: Bool = false) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isIndented { encoder.outputFormatting.insert(.prettyPrinted) }
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// Reads what ``encode(_:isIndented:)`` wrote of a value whose keys are in snake_case by themselves.
  ///
  /// - Returns: `nil` where the text is something else.
  package static func decode<Value: Decodable>(_ type: Value.Type, from text: String) -> Value? {
    try? JSONDecoder().decode(type, from: Data(text.utf8))
  }
}
