internal import Crypto
package import Foundation
internal import Glibc
package import Logging

/// Replaces user ids in logs with pseudonyms. With the key, an operator can find the lines of a user; a line alone
/// does not reveal the user.
///
///     logger.info("accepted", metadata: ["user": pseudonyms.of(userID.rawValue)])
package struct Pseudonyms: Sendable {
  /// The shortest key, in bytes.
  package static let keyLength = 32

  private let key: SymmetricKey

  package init(key: Data) { self.key = SymmetricKey(data: key) }

  /// Uses a new random key that only this process has.
  package init() { key = SymmetricKey(size: .bits256) }

  /// `u_` and 20 hexadecimal digits: the first 80 bits of HMAC-SHA256(key, user id).
  package func name(of user: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: Data(user.utf8), using: key)
    return "u_"
      + code.prefix(10).map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }.joined()
  }

  package func of(_ user: String) -> Logger.MetadataValue { .string(name(of: user)) }
}

extension Pseudonyms {
  /// Uses the key of the configured file, else the credential `log-key` that systemd gave the unit, else a new random
  /// key that only this process has.
  ///
  /// - Throws: ``CLIError`` with exit code 78 if a file or credential exists and its key cannot be used.
  package init(
    _ settings: LogSettings, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(CLIError) {
    self = try Self.ofLastingKey(file: settings.pseudonymKeyFile, environment: environment) ?? Pseudonyms()
  }

  /// - Returns: `nil` if neither a file nor a credential gives a key.
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
