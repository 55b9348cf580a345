internal import ArgumentParser
internal import Foundation
internal import Glibc

/// Writes a line to standard error. Standard error is for messages, standard output for results. A leading `error:`
/// or `warning:` is in colour on a terminal.
///
/// - Parameter limit: how long to wait for a slow reader.
package func printError(_ line: String, within limit: Duration = .seconds(5)) {
  var text = EscapedText.ofParagraph(line)
  for (label, colour) in [("error:", Colour.red), ("warning:", .yellow)] where text.hasPrefix(label) {
    text = Terminal.standardError.painted(label, colour) + text.dropFirst(label.count)
  }
  LineWriter.standardError.write(text, within: limit) { "(\($0) lines before this one were lost)" }
}

/// Writes a line to standard output without buffering, also into a pipe.
///
/// - Throws: ``CLIError`` with exit code 74 if the line cannot be written. A lost result is a failure.
package func printResult(_ line: String) throws(CLIError) {
  var text = line + "\n"
  let error = text.withUTF8 { bytes -> Int32? in
    var sent = 0
    while sent < bytes.count {
      let written = unsafe write(STDOUT_FILENO, bytes.baseAddress.map { unsafe $0 + sent }, bytes.count - sent)
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return errno }
      sent += written
    }
    return nil
  }
  guard let error else { return }
  throw unsafe CLIError(
    .inputOutput, "cannot write the result to standard output", reason: String(cString: strerror(error)),
    hint: "check where the output goes, and run the command again")
}

/// The `--json` flag of every command that prints its result as a table.
package struct JSONFlag: ParsableArguments {
  @Flag(name: .customLong("json"), help: "Print the result as JSON (docs/schemas).")
  package var isSet = false

  package init() {}
}

/// The bounds of `--limit` for every command that lists rows.
package enum PageLimit {
  package static let range = 1...10_000

  /// - Throws: `ValidationError` outside ``range``.
  package static func check(_ limit: Int) throws {
    guard range.contains(limit) else {
      throw ValidationError("--limit \(limit) is out of range: it must be \(range.lowerBound) to \(range.upperBound).")
    }
  }
}

/// Writes a result to standard output as JSON. Its schema is in docs/schemas.
///
/// - Throws: ``CLIError`` with exit code 74 if the result cannot be written.
package func printJSON(_ value: some Encodable) throws {
  try printResult(try JSONText.encode(value, isIndented: true))
}

/// A JSON field that is always present: `null` if it has no value.
package struct Nullable<Value: Encodable>: Encodable {
  private let value: Value?

  package init(_ value: Value?) { self.value = value }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let value { try container.encode(value) } else { try container.encodeNil() }
  }
}

extension Nullable: Sendable where Value: Sendable {}

/// The JSON of all programs: keys in snake_case and sorted, so that equal values give equal bytes.
package enum JSONText {
  /// - Parameter isIndented: one field a line, for results that people also read.
  package static func encode(_ value: some Encodable, isIndented: Bool = false) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isIndented { encoder.outputFormatting.insert(.prettyPrinted) }
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// Decodes text that ``encode(_:isIndented:)`` wrote. The keys of the value must be in snake_case already.
  ///
  /// - Returns: `nil` if the text is not such a value.
  package static func decode<Value: Decodable>(_ type: Value.Type, from text: String) -> Value? {
    try? JSONDecoder().decode(type, from: Data(text.utf8))
  }
}
