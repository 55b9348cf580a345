internal import Composition
internal import Foundation

/// A small file that decides who is believed, read once at the start.
struct IdentityFile {
  /// The largest that is read, in bytes.
  static let maximumBytes = 256 << 10

  let path: String
  /// What it holds, for an error message: `the secret of tokens`.
  let content: String
  /// What others on this machine must not be able to do with it.
  let forbiddenToOthers: Forbidden

  enum Forbidden: mode_t {
    case anything = 0o007
    case writing = 0o002
  }

  /// - Throws: ``ProgramFailure``, exit code 78, unless it is a regular file that others cannot read or write.
  func bytes() throws(ProgramFailure) -> [UInt8] {
    // Without waiting: a pipe would hold the start for ever.
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
    guard status.st_mode & forbiddenToOthers.rawValue == 0 else {
      let mode = String(status.st_mode & 0o777, radix: 8)
      throw refusal(
        "its mode is 0\(mode): others on this machine can \(forbiddenToOthers == .writing ? "change" : "use") it",
        next: "take that away: chmod \(forbiddenToOthers == .writing ? "o-w" : "o-rwx") '\(path)'")
    }
    let bytes = try read(descriptor)
    guard bytes.count <= Self.maximumBytes else {
      throw refusal("it has more than \(Self.maximumBytes) bytes", next: "check that it is the right file")
    }
    return bytes
  }

  func refusal(_ why: String, next: String) -> ProgramFailure {
    ProgramFailure(.configuration, "cannot take \(content) from \(path)", why: why, next: next)
  }

  /// Reads to the end, or one byte more than may be.
  private func read(_ descriptor: Int32) throws(ProgramFailure) -> [UInt8] {
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
