package import FileIO
internal import Glibc

/// A result that goes to a file. A reader finds the whole result or what was there before.
package enum OutputFile {
  /// Writes a text under a temporary name beside the file, syncs it, and renames it.
  ///
  /// - Parameters:
  ///   - subject: as in "cannot write the metrics file out.prom"; empty for the path alone.
  ///   - hint: what to do if it cannot be written.
  ///   - willRename: called when the text is written and synced under its temporary name.
  ///   - didRename: called when the file has its name.
  /// - Throws: ``CLIError`` with exit code 74. The old file stays.
  package static func write(
    _ text: String, to path: String, access: AtomicFile.Access = .ownerOnly, subject: String = "",
    hint: String = "check the directory and its disk, or give another file with --output",
    willRename: () -> Void = {}, didRename: () -> Void = {}
  ) throws(CLIError) {
    do {
      let file = try AtomicFile(beside: path, access: access)
      try file.write(text.utf8)
      try file.publish(as: path, replacesExisting: true, willRename: willRename, didRename: didRename)
    } catch {
      throw unsafe CLIError(
        .inputOutput, "cannot write \(subject.isEmpty ? path : "\(subject) \(path)")",
        reason: String(cString: strerror(error.code)), hint: hint)
    }
  }
}
