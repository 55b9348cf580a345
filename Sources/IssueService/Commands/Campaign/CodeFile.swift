internal import Foundation
package import Issuance
internal import ServiceKit

/// An issuer's file of codes: one a line, or CSV.
package enum CodeFile {
  /// The largest file that is read: 256 MiB.
  static let maximumBytes = 256 << 20

  /// Reads all codes of a file, each with its line.
  ///
  /// - Throws: ``CLIError`` with exit code 65 that names the first bad or repeated line; 74 for an unreadable file.
  static func read(_ path: String) throws -> [ImportedCode] {
    func unreadable(_ why: String) -> CLIError {
      CLIError(
        .inputOutput, "cannot read the code file \(path)", reason: why, hint: "check the path and the mode of the file")
    }
    guard FileManager.default.fileExists(atPath: path) else { throw unreadable("the file does not exist") }
    let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    let type = try? FileManager.default.attributesOfItem(atPath: url.path)[.type] as? FileAttributeType
    guard type == .typeRegular else { throw unreadable("it is not a regular file") }
    guard let bytes = try? Data(contentsOf: url) else { throw unreadable("the system refuses to read it") }
    guard bytes.count <= maximumBytes, let text = String(data: bytes, encoding: .utf8) else {
      throw CLIError(
        .badData, "cannot read the code file \(path)", reason: "it is not UTF-8 text of at most 256 MiB",
        hint: "give one code a line, or CSV")
    }
    return try codes(in: text, path: path)
  }

  /// Pure: the codes of a text, in order.
  package static func codes(in text: String, path: String) throws -> [ImportedCode] {
    var column = 0
    var lineOfCode: [CouponCode: Int] = [:]
    var codes: [ImportedCode] = []
    let body = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
    var lines = body.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    if lines.last?.isEmpty == true { lines.removeLast() }
    for (index, text) in lines.enumerated() {
      let line = index + 1
      guard let fields = fields(of: text) else {
        throw refusal(of: path, line: line, why: "its quotes, or a semicolon outside of them, are not those of CSV")
      }
      if line == 1, let header = fields.firstIndex(where: { $0.lowercased() == "code" }) {
        column = header
        continue
      }
      guard line > 1 || fields.count == 1 else {
        throw refusal(of: path, line: line, why: "several fields, and none is the header 'code'")
      }
      guard fields.indices.contains(column) else {
        throw refusal(of: path, line: line, why: "it has \(fields.count) fields, the code is field \(column + 1)")
      }
      guard let code = CouponCode(fields[column]) else {
        throw refusal(of: path, line: line, why: "'\(fields[column])' is no code: it must be \(CouponCode.form)")
      }
      if let first = lineOfCode.updateValue(line, forKey: code) {
        throw refusal(of: path, line: line, why: "the code '\(code)' stands on line \(first) already")
      }
      codes.append(ImportedCode(line: line, code: code))
    }
    guard !codes.isEmpty else { throw refusal(of: path, line: max(lines.count, 1), why: "the file has no codes") }
    return codes
  }

  /// The fields of one CSV line (RFC 4180, without line breaks inside a field), trimmed of spaces where unquoted.
  ///
  /// - Returns: `nil` where the quotes do not fit, and for a semicolon outside of them: some write it for the comma,
  ///   and a code with the fields behind it would be given away.
  private static func fields(of line: Substring) -> [String]? {
    var fields: [String] = []
    var field = ""
    var isQuoted = false
    var wasQuoted = false
    var rest = line[...]
    func finished() -> String { wasQuoted ? field : field.trimmingCharacters(in: .whitespaces) }
    while let character = rest.popFirst() {
      switch (character, isQuoted) {
      case ("\"", true) where rest.first == "\"":
        rest.removeFirst()
        field.append("\"")
      case ("\"", true): isQuoted = false
      case ("\"", false) where field.allSatisfy(\.isWhitespace) && !wasQuoted:
        isQuoted = true
        wasQuoted = true
        field = ""
      case (";", false): return nil
      case (_, false) where wasQuoted && character != "," && !character.isWhitespace: return nil
      case (",", false):
        fields.append(finished())
        field = ""
        wasQuoted = false
      default: field.append(character)
      }
    }
    guard !isQuoted else { return nil }
    fields.append(finished())
    return fields
  }

  static func refusal(of path: String, line: Int, why: String) -> CLIError {
    CLIError(
      .badData, "cannot import the code file \(path)", reason: "line \(line): \(why)",
      hint: "mend the line and import the file again; nothing of it was kept")
  }
}
