internal import Foundation

/// A file that an operator hands over.
package enum InputFile {
  /// The whole text of a regular file.
  ///
  /// - Parameters:
  ///   - limit: in bytes.
  ///   - what: as in "cannot read the plan".
  /// - Throws: ``ProgramFailure`` with exit code 74 where it cannot be read, and 65 where it is too long or no text.
  package static func read(_ path: String, limit: Int, what: String) throws(ProgramFailure) -> String {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard attributes?[.type] as? FileAttributeType == .typeRegular else {
      throw ProgramFailure(
        .inputOutput, "cannot read \(what) \(path)", why: "it is not there, or not a regular file",
        next: "check the path")
    }
    guard let size = attributes?[.size] as? Int, size <= limit else {
      throw ProgramFailure(
        .badData, "cannot read \(what) \(path)", why: "it is longer than \(limit) bytes", next: "check the path")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ProgramFailure(
        .inputOutput, "cannot read \(what) \(path)", why: "the system refuses it", next: "check its mode")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw ProgramFailure(.badData, "cannot read \(what) \(path)", why: "it is no text", next: "check the path")
    }
    return text
  }
}
