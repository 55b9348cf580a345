package import FileIO
package import Foundation
internal import Glibc

/// An input file that an operator names.
package enum InputFile {
  /// Reads the whole text of a regular file.
  ///
  /// - Parameters:
  ///   - limit: in bytes.
  ///   - what: the kind of file, as in "cannot read the plan".
  /// - Throws: ``CLIError`` with exit code 74 if the file cannot be read, and 65 if it is too long or is not UTF-8
  ///   text.
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

/// A small file that is read once at the start and must be protected: a secret or public keys.
package struct KeyFile: Sendable {
  /// The largest file that is accepted, in bytes.
  package static let maximumBytes = 256 << 10

  package let path: String
  /// The kind of content, for an error message: `the secret of tokens`.
  private let content: String
  private let forbidden: Forbidden

  /// The access that the file's mode must not give. A secret may be readable by the group: the access list that
  /// systemd sets on a credential shows as a group permission.
  package enum Forbidden: mode_t, Sendable {
    /// Any access for others, and writing by the group.
    case use = 0o027
    /// Writing by others.
    case writing = 0o002
  }

  /// - Parameters:
  ///   - content: the kind of content, for an error message: `the secret of tokens`.
  ///   - forbidden: the access that users other than the owner must not have.
  package init(path: String, content: String, forbidden: Forbidden) {
    self.path = path
    self.content = content
    self.forbidden = forbidden
  }

  /// - Throws: ``CLIError`` with exit code 78 if it is not a regular file, its mode gives forbidden access, it cannot
  ///   be read, or it is larger than ``maximumBytes``.
  package func bytes() throws(CLIError) -> [UInt8] {
    // O_NONBLOCK, because opening a pipe would block the start.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw refusal(Self.system(errno), next: "check the path and who may read it") }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw refusal(Self.system(errno), next: "check the path and who may read it")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw refusal("it is not a regular file", next: "name the file itself")
    }
    guard status.st_mode & forbidden.rawValue == 0 else {
      let mode = String(status.st_mode & 0o777, radix: 8)
      throw refusal(
        "its mode is 0\(mode): others on this machine can \(forbidden == .writing ? "change" : "use") it",
        next: "take that away: chmod \(forbidden == .writing ? "o-w" : "g-w,o-rwx") '\(path)'")
    }
    let bytes = try read(descriptor)
    guard bytes.count <= Self.maximumBytes else {
      throw refusal("it has more than \(Self.maximumBytes) bytes", next: "check that it is the right file")
    }
    return bytes
  }

  package func refusal(_ why: String, next: String) -> CLIError {
    CLIError(.configuration, "cannot take \(content) from \(path)", reason: why, hint: next)
  }

  /// Reads to the end of the file, or one byte more than the limit.
  private func read(_ descriptor: Int32) throws(CLIError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.maximumBytes + 1)
    var count = 0
    while count < bytes.count {
      let length = bytes.count - count
      let got = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe Foundation.read(descriptor, buffer.baseAddress.map { unsafe $0 + count }, length)
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw refusal(Self.system(errno), next: "check the path and who may read it") }
      guard got > 0 else { break }
      count += got
    }
    return Array(bytes.prefix(count))
  }

  private static func system(_ error: Int32) -> String { unsafe String(cString: strerror(error)) }
}

/// Writes a result to a file atomically. A reader finds either the whole result or the previous file.
package enum OutputFile {
  /// Writes a text under a temporary name in the same directory, syncs it, and renames it.
  ///
  /// - Parameters:
  ///   - subject: as in "cannot write the metrics file out.prom"; empty for the path alone.
  ///   - hint: the next step if the file cannot be written.
  ///   - willRename: called after the text is written and synced under its temporary name.
  ///   - didRename: called after the file has its final name.
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
