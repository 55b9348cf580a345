internal import Foundation

/// A file that an operator hands over.
package enum InputFile {
  /// The whole text of a regular file.
  ///
  /// - Parameters:
  ///   - limit: in bytes.
  ///   - what: as in "cannot read the plan".
  /// - Throws: ``CLIError`` with exit code 74 where it cannot be read, and 65 where it is too long or no text.
  package static func read(_ path: String, limit: Int, what: String) throws(CLIError) -> String {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard attributes?[.type] as? FileAttributeType == .typeRegular else {
      throw CLIError(
        .inputOutput, "cannot read \(what) \(path)", reason: "it is not there, or not a regular file",
        hint: "check the path")
    }
    guard let size = attributes?[.size] as? Int, size <= limit else {
      throw CLIError(
        .badData, "cannot read \(what) \(path)", reason: "it is longer than \(limit) bytes", hint: "check the path")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CLIError(
        .inputOutput, "cannot read \(what) \(path)", reason: "the system refuses it", hint: "check its mode")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw CLIError(.badData, "cannot read \(what) \(path)", reason: "it is no text", hint: "check the path")
    }
    return text
  }
}
