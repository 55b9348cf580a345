internal import Foundation
internal import Glibc

extension Pseudonyms {
  /// With the key of the named file; else of the credential `log-key` that systemd gave the unit; else, and only then,
  /// with one that is this process's own.
  ///
  /// - Throws: ``ProgramFailure`` with exit code 78 where there is such a file and its key cannot be used.
  package init(
    _ settings: LogSettings, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(ProgramFailure) {
    self = try Self.ofLastingKey(file: settings.pseudonymKeyFile, environment: environment) ?? Pseudonyms()
  }

  /// - Returns: `nil` where neither a file nor a credential names a key.
  package static func ofLastingKey(
    file: String?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(ProgramFailure) -> Pseudonyms? {
    if let file { return Pseudonyms(key: try readKey(file)) }
    guard let directory = environment["CREDENTIALS_DIRECTORY"] else { return nil }
    let credential = directory + "/log-key"
    guard unsafe access(credential, F_OK) == 0 else { return nil }
    return Pseudonyms(key: try readKey(credential))
  }

  private static let longestKey = 4_096

  private static func readKey(_ path: String) throws(ProgramFailure) -> Data {
    // Not to be held up by a pipe that stands there.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw unsafe unusable(path, why: String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw unusable(path, why: "it is not a regular file")
    }
    // The group may read it: the access list by which systemd hands out a credential looks just so.
    guard status.st_mode & (S_IRWXO | S_IWGRP) == 0 else {
      throw unusable(path, why: "others may read or change it", next: "take it away from them with: chmod 600 \(path)")
    }
    var key = [UInt8](repeating: 0, count: longestKey + 1)
    var length = 0
    while length < key.count {
      let count = unsafe key.withUnsafeMutableBytes { buffer in
        unsafe read(descriptor, buffer.baseAddress! + length, buffer.count - length)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unsafe unusable(path, why: String(cString: strerror(errno))) }
      if count == 0 { break }
      length += count
    }
    guard (keyLength...longestKey).contains(length) else {
      throw unusable(path, why: "a key has \(keyLength) to \(longestKey) bytes, this file has \(length)")
    }
    return Data(key[..<length])
  }

  private static func unusable(
    _ path: String, why: String, next: String = "make one with: (umask 077; head -c 32 /dev/urandom > log-key)"
  ) -> ProgramFailure {
    ProgramFailure(.configuration, "cannot use the key of the pseudonyms in \(path)", why: why, next: next)
  }
}
