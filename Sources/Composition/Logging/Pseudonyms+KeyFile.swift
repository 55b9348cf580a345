internal import Foundation
internal import Glibc

extension Pseudonyms {
  /// With the key of the named file; else of the credential `log-key` that systemd gave the unit; else, and only then,
  /// with one that is this process's own.
  ///
  /// - Throws: ``CLIError`` with exit code 78 where there is such a file and its key cannot be used.
  package init(
    _ settings: LogSettings, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(CLIError) {
    self = try Self.ofLastingKey(file: settings.pseudonymKeyFile, environment: environment) ?? Pseudonyms()
  }

  /// - Returns: `nil` where neither a file nor a credential names a key.
  package static func ofLastingKey(
    file: String?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(CLIError) -> Pseudonyms? {
    if let file { return Pseudonyms(key: try readKey(file)) }
    guard let directory = environment["CREDENTIALS_DIRECTORY"] else { return nil }
    let credential = directory + "/log-key"
    guard unsafe access(credential, F_OK) == 0 else { return nil }
    return Pseudonyms(key: try readKey(credential))
  }

  private static let longestKey = 4_096

  private static func readKey(_ path: String) throws(CLIError) -> Data {
    let file = KeyFile(path: path, content: "the key of the pseudonyms", forbidden: .use)
    let key = try file.bytes()
    guard (keyLength...longestKey).contains(key.count) else {
      throw file.refusal(
        "a key has \(keyLength) to \(longestKey) bytes, this file has \(key.count)",
        next: "make one with: (umask 077; head -c 32 /dev/urandom > log-key)")
    }
    return Data(key)
  }
}
