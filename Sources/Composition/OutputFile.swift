internal import Glibc

/// A result that goes to a file: there is the whole of it under its name, or what was there before.
package enum OutputFile {
  /// Writes the text and a line end.
  ///
  /// - Parameter isForOthers: whether the file's mode is what the umask leaves; else only its owner reads it.
  /// - Throws: ``CLIError`` with exit code 74.
  package static func write(_ text: String, to path: String, isForOthers: Bool = false) throws(CLIError) {
    let unfinished = "\(path).\(getpid()).new"
    let mode: mode_t = isForOthers ? 0o666 : 0o600
    let descriptor = unsafe open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw failure(path) }
    var text = text + "\n"
    let isWritten = text.withUTF8 { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = unsafe Glibc.write(descriptor, bytes.baseAddress.map { unsafe $0 + sent }, bytes.count - sent)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        sent += count
      }
      return true
    }
    let error = errno
    let isClosed = close(descriptor) == 0
    guard isWritten, isClosed, unsafe rename(unfinished, path) == 0 else {
      let failure = failure(path, isWritten ? errno : error)
      unsafe _ = unlink(unfinished)
      throw failure
    }
  }

  private static func failure(_ path: String, _ error: Int32 = errno) -> CLIError {
    unsafe CLIError(
      .inputOutput, "cannot write \(path)", reason: String(cString: strerror(error)),
      hint: "check the directory and its disk, or give another file with --output")
  }
}
