internal import Crypto
package import Foundation
package import Issuance
package import Logging

/// What stands in logs for a user: who has the key can find the lines of a user, and nobody can read a user from a line.
///
///     logger.info("accepted", metadata: ["user": pseudonyms.of(userID)])
package struct Pseudonyms: Sendable {
  /// A key has at least so many bytes.
  package static let keyLength = 32

  private let key: SymmetricKey

  package init(key: Data) { self.key = SymmetricKey(data: key) }

  /// Of a new key that is this process's own.
  package init() { key = SymmetricKey(size: .bits256) }

  /// `u_` and 20 hexadecimal digits: the first 80 bits of HMAC-SHA256(key, user id).
  package func name(of user: UserID) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: Data(user.rawValue.utf8), using: key)
    return "u_"
      + code.prefix(10).map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }.joined()
  }

  package func of(_ user: UserID) -> Logger.MetadataValue { .string(name(of: user)) }
}
