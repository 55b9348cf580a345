internal import ArgumentParser
internal import Foundation
internal import Glibc

/// Writes a line to standard error: words for people. Results go to standard output. `error:` and `warning:` at its
/// beginning are in colour on a terminal.
///
/// - Parameter limit: how long to wait for a reader that does not keep up.
package func printError(_ line: String, within limit: Duration = .seconds(5)) {
  var text = EscapedText.ofParagraph(line)
  for (label, colour) in [("error:", Colour.red), ("warning:", .yellow)] where text.hasPrefix(label) {
    text = Terminal.standardError.painted(label, colour) + text.dropFirst(label.count)
  }
  LineWriter.standardError.write(text, within: limit) { "(\($0) lines before this one were lost)" }
}

/// Writes a line to standard output at once, also into a pipe.
///
/// - Throws: ``CLIError`` with exit code 74 where it cannot be written: a result that nobody got is none.
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

/// `--json`, of every command whose result people read as a table.
package struct JSONFlag: ParsableArguments {
  @Flag(name: .customLong("json"), help: "Print the result as JSON (docs/schemas).")
  package var isSet = false

  package init() {}
}

/// The bounds of `--limit` of every command that lists.
package enum PageLimit {
  package static let range = 1...10_000

  /// - Throws: `ValidationError` outside ``range``.
  package static func check(_ limit: Int) throws {
    guard range.contains(limit) else {
      throw ValidationError("--limit \(limit) is out of range: it must be \(range.lowerBound) to \(range.upperBound).")
    }
  }
}

/// Writes a result to standard output as JSON, as its schema in docs/schemas says.
///
/// - Throws: ``CLIError`` with exit code 74 where it cannot be written.
package func printJSON(_ value: some Encodable) throws {
  try printResult(try JSONText.encode(value, isIndented: true))
}

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
