internal import Foundation
internal import ServiceKit

/// The file of `--histogram`: opened before the load, so that nobody waits for a result that cannot be written.
struct HistogramFile: ~Copyable {
  private let path: String
  private let descriptor: Int32

  /// - Throws: ``CLIError``, exit code 74, where it cannot be written. What it holds stays until ``write(_:)``.
  init(path: String) throws(CLIError) {
    self.path = path
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path, errno) }
  }

  deinit { close(descriptor) }

  /// Replaces what the file holds.
  ///
  /// - Throws: ``CLIError``, exit code 74.
  func write(_ text: String) throws(CLIError) {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let written = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Foundation.write(descriptor, buffer.baseAddress! + sent, bytes.count - sent)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw Self.failure(path, errno) }
      sent += written
    }
    // A pipe or a device has no length.
    guard ftruncate(descriptor, off_t(sent)) == 0 || errno == EINVAL else { throw Self.failure(path, errno) }
  }

  private static func failure(_ path: String, _ error: Int32) -> CLIError {
    CLIError(
      .inputOutput, "cannot write the histogram to \(path)", reason: unsafe String(cString: strerror(error)),
      hint: "name a file in a directory that is there and can be written: --histogram FILE")
  }
}
