internal import Composition
internal import CrashPoints
internal import Glibc

/// A file of node_exporter's textfile collector, replaced as a whole: a reader sees the old one or the new one.
struct MetricsFile {
  let path: String

  /// Writes beside the file, and renames.
  ///
  /// - Throws: ``CLIError`` with exit code 74; the old file stays.
  func write(_ metrics: ReplayMetrics) throws(CLIError) {
    // Not of the collector's pattern, *.prom: it is not to be read.
    let temporary = "\(path).\(getpid()).tmp"
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw refusal(errno) }
    let bytes = Array(metrics.text.utf8)
    // For the collector, which is another user, whatever the umask says.
    let isWritten =
      unsafe fchmod(descriptor, 0o644) == 0 && Glibc.write(descriptor, bytes, bytes.count) == bytes.count
    let error = errno
    close(descriptor)
    crashPoint(.metricsWritten)
    guard isWritten, unsafe rename(temporary, path) == 0 else {
      let cause = isWritten ? errno : error
      unsafe unlink(temporary)
      throw refusal(cause)
    }
    crashPoint(.metricsRenamed)
  }

  private func refusal(_ error: Int32) -> CLIError {
    unsafe CLIError(
      .inputOutput, "cannot write the metrics file \(path)", reason: String(cString: strerror(error)),
      hint: "check the directory and who may write to it; the run itself is done")
  }
}
